import { itemNeighbours } from '../../consumers/co-visitation.js';
import { productRows } from '../../consumers/item-watch.js';
import { recommender } from '../../consumers/recommender.js';
import { shoppers } from '../../consumers/shoppers.js';
import { createHttpServer, type HttpServer } from '../../infra/http/server.js';
import { prometheusMetrics, type PrometheusMetrics } from '../../infra/metrics/prometheus.js';
import { snapshotFiles } from '../../infra/snapshots/files.js';
import { DIMENSIONS } from '../../models/embedding.js';
import * as itemIndex from '../../models/item-index.js';
import { randomness, uniform } from '../../models/kernels/numbers.js';
import { interactions, itemVectors, products, userProfiles } from '../../schemas/topics.js';
import type { Config } from '../config.js';
import type { Fold } from '../core/fold.js';
import { noMetrics, silentJournal } from '../core/metrics.js';
import type { RowChange } from '../core/store.js';
import { Task } from '../core/task.js';
import { openEngine, type Engine } from '../engine.js';
import { startLearners, startScorer, type RunningScorer } from '../parts.js';
import { topologyOf } from '../topology.js';
import { grownRecommender, interactionRecords, interactionStream, viewRecords, zipf } from './events.js';

export const KEY = 'sk_bench';
/** How often events come in, each time as many as are owed. */
const FEED_MS = 5;

export interface RecommendServerSetting {
  readonly config: Config;
  readonly folder: string;
  readonly items: number;
  readonly shoppers: number;
  /** Events that the scorer has learned. */
  readonly learned: number;
}

/** A scorer with all that it does in a server: its tables lie in LMDB, answers are told to the embedded log and learned from it, metrics are counted. */
export interface RecommendServer {
  readonly engine: Engine;
  readonly scorer: RunningScorer;
  readonly http: HttpServer;
  readonly metrics: PrometheusMetrics;
  /** From now on so many events a second are written to the log, which the scorer learns in this thread, and the learner on its own. */
  learnAt(rate: number): { readonly written: () => number };
  close(): Promise<void>;
}

/** A server that has learned a shop. */
export async function startRecommendServer({ config: given, folder, items, shoppers: visitors, learned }: RecommendServerSetting): Promise<RecommendServer> {
  const config: Config = { ...given, DATA_DIR: folder, KAFKA_BROKERS: [], SCHEMA_REGISTRY_URL: undefined };
  const metrics = prometheusMetrics({ withProcess: true });
  const engine = await openEngine({ config, metrics, journal: silentJournal });
  fillTables(engine, items, visitors);
  await saveLearned(engine, items, visitors, learned);
  // What an earlier run had written long ago must not be written beside what is measured.
  await engine.flush();
  const scorer = await startScorer(engine, config);
  const http = serverOf(scorer, metrics, config);
  const stops = [(): Promise<void> => http.close(), (): Promise<void> => scorer.stop()];
  return {
    engine, scorer, http, metrics,
    learnAt(rate) {
      const learners = startLearners(engine, topologyOf(config, 'wall'), config);
      const events = interactionStream(Infinity, items, visitors);
      const began = performance.now();
      let written = 0;
      const feed = setInterval(() => {
        const owed = Math.floor(((performance.now() - began) / 1000) * rate) - written;
        if (owed <= 0) return;
        written += owed;
        const records = interactionRecords(Array.from({ length: owed }, () => events.next().value!));
        void engine.log.append(records.map(({ topic, partition, key, value }) => ({ topic, partition, key, value })));
      }, FEED_MS);
      stops.unshift(async () => {
        clearInterval(feed);
        await Promise.all(learners.map((learner) => learner.stop()));
      });
      return { written: () => written };
    },
    async close() {
      for (const stop of stops) await stop();
      await engine.close();
    },
  };
}

/** Products, their vectors and what shoppers did last, as tasks and the learner leave them. */
function fillTables({ owned }: Engine, items: number, visitors: number): void {
  owned.open(products.name, 0).apply(Array.from({ length: items }, (_, item): RowChange => ({ key: `sku-${item}`, value: productRows.codec.encode({
    sku: `sku-${item}`, name: `Product ${item}`, category: `Category ${item % 40}`, furtherCategories: [], brand: null, price: 100_000n, currency: 'EUR', url: null, imageUrl: null, hidden: false, deleted: false, onOrder: false,
    stock: 10, attributes: {}, catalogAt: 0, stockAt: 0, priceAt: 0, restocks: 0,
  }) })), 0);
  // Any vector takes as long to score as a learned one.
  const random = randomness(1);
  owned.open(itemVectors.name, 0).apply(Array.from({ length: items }, (_, item): RowChange => {
    const vector = Float32Array.from({ length: DIMENSIONS }, () => uniform(random) - 0.5);
    const length = Math.hypot(...vector);
    const bytes = Buffer.from(vector.map((value) => value / length).buffer);
    return { key: `sku-${item}`, value: itemVectors.codec.encode({ sku: `sku-${item}`, dimensions: DIMENSIONS, vector: bytes, learnedAt: 0, events: 0 }) };
  }), 0);
  const profiles = owned.open(userProfiles.name, 0);
  const task = new Task({ consumer: shoppers(), partition: 0, partitions: 1, store: profiles, tickedInputs: [], clock: 'wall', slackMs: 2_500, metrics: noMetrics });
  task.receive(viewRecords(visitors * 6, (number) => number % visitors, zipf(items, 'recommend skus')));
  task.proceed(Infinity);
  profiles.apply(task.stage().rows, 0);
}

/** What scorer and learner know when they start, as the snapshots of an earlier run. */
async function saveLearned({ log, snapshotPlace }: Engine, items: number, visitors: number, learned: number): Promise<void> {
  const neighbours = itemNeighbours.init();
  for (let item = 0; item < items; item++) itemIndex.list(neighbours.index, `sku-${item}`);
  for (const event of interactionStream(learned, items, visitors)) itemNeighbours.learn(neighbours, interactions.name, event, event.shopper);
  const snapshots = snapshotFiles(snapshotPlace.directory, snapshotPlace.log);
  const save = async <S>(fold: Fold<S>, state: S): Promise<void> => {
    const positions = await Promise.all(fold.inputs.map(async ({ name: topic }) => ({ topic, partition: 0, offset: (await log.ranges(topic))[0].end })));
    await snapshots.save(fold.name, fold.snapshot(state), positions);
  };
  await save(itemNeighbours, neighbours);
  await save(recommender, grownRecommender());
}

/** The hot routes of a server, before a scorer. */
function serverOf({ scorer }: RunningScorer, metrics: PrometheusMetrics, config: Config): HttpServer {
  const nothing = (): object => ({});
  return createHttpServer(
    {
      accept: () => Promise.resolve([]), partitions: 1, recommend: (request) => scorer.recommend(request), score: nothing, similar: nothing, forecast: nothing, forecasts: nothing, user: nothing, erase: nothing,
      metricsText: () => metrics.text(), ready: () => ({ ready: true }), metrics, journal: silentJournal,
    },
    { shop: { currency: config.SHOP_CURRENCY, timezone: config.SHOP_TIMEZONE }, keys: { write: [], server: [KEY], admin: [] }, shopperTokenSecret: '' },
  );
}
