import { createServer } from 'node:http';
import { itemNeighbours, type ItemNeighbours } from '../../consumers/co-visitation.js';
import { productRows } from '../../consumers/item-watch.js';
import { shoppers } from '../../consumers/shoppers.js';
import { createHttpServer, type HttpServer } from '../../infra/http/server.js';
import { DIMENSIONS } from '../../models/embedding.js';
import { MODEL } from '../../models/fusion.js';
import { randomness, uniform } from '../../models/kernels/numbers.js';
import type { Config } from '../config.js';
import { interactions, itemVectors, products, userProfiles } from '../../schemas/topics.js';
import { memoryStore } from '../core/memory-store.js';
import { noMetrics, silentJournal } from '../core/metrics.js';
import type { RowChange } from '../core/store.js';
import { Task } from '../core/task.js';
import { Items } from '../serving/items.js';
import { followLearner } from '../serving/learned.js';
import { Ranking } from '../serving/rank.js';
import { Scorer } from '../serving/scorer.js';
import { observedStores, Views } from '../serving/views.js';
import { alternating, cpuSeconds, figure, quantile, type Bench } from './bench.js';
import { listening } from './collector.js';
import { EXPONENT, interactionStream, viewRecords, zipf } from './events.js';
import { learnAt } from './learning.js';
import { startGenerator, type Generator, type LoadResult } from './load-order.js';

const ITEMS = 100_000;
const SHOPPERS = 2_000;
const LEARNED = 300_000;
const LIMIT = 10;
/** Requests before the first that counts. */
const WARMED = 4_000;
const CONNECTIONS = 8;
const ROUNDS = 3;
/** Events a second. */
const RATE = 1_000;
const KEY = 'sk_bench';
const CONDITIONS = { items: ITEMS, shoppers: SHOPPERS, events_learned: LEARNED, limit: LIMIT, zipf_exponent: EXPONENT, model: MODEL };

/** A scorer that has learned a shop of 100,000 items, and what it learned. */
function learnedScorer(): { readonly scorer: Scorer; readonly neighbours: ItemNeighbours } {
  const stores = observedStores(() => memoryStore());
  const neighbours = itemNeighbours.init();
  for (const event of interactionStream(LEARNED, ITEMS, SHOPPERS)) itemNeighbours.learn(neighbours, interactions.name, event, event.shopper);
  stores.open(products.name, 0).apply(Array.from({ length: ITEMS }, (_, item): RowChange => ({ key: `sku-${item}`, value: productRows.codec.encode({
    sku: `sku-${item}`, name: `Product ${item}`, category: `Category ${item % 40}`, brand: null, price: 100_000n, currency: 'EUR', url: null, imageUrl: null, hidden: false, deleted: false, onOrder: false,
    stock: 10, attributes: {}, catalogAt: 0, stockAt: 0, priceAt: 0, restocks: 0,
  }) })), ITEMS);
  // Any vector takes as long to score as a learned one.
  const random = randomness(1);
  stores.open(itemVectors.name, 0).apply(Array.from({ length: ITEMS }, (_, item): RowChange => {
    const vector = Float32Array.from({ length: DIMENSIONS }, () => uniform(random) - 0.5);
    const length = Math.hypot(...vector);
    const bytes = Buffer.from(vector.map((value) => value / length).buffer);
    return { key: `sku-${item}`, value: itemVectors.codec.encode({ sku: `sku-${item}`, dimensions: DIMENSIONS, vector: bytes, learnedAt: 0, events: 0 }) };
  }), ITEMS);
  const profiles = stores.open(userProfiles.name, 0);
  const task = new Task({ consumer: shoppers(), partition: 0, partitions: 1, store: profiles, tickedInputs: [], clock: 'wall', slackMs: 2_500, metrics: noMetrics });
  task.process(viewRecords(SHOPPERS * 6, (number) => number % SHOPPERS, zipf(ITEMS, 'recommend skus')));
  profiles.apply(task.stage().rows, 1);
  const views = new Views(stores, 1);
  const items = new Items(views, neighbours.index);
  followLearner(views, neighbours);
  // Outside a bench these rows lie in LMDB: here they would be two hundred thousand objects for every collection of garbage to visit.
  for (const { name } of [products, itemVectors]) stores.open(name, 0).wipe();
  const ranking = new Ranking(neighbours, items);
  return { scorer: new Scorer({ views, endOf: async () => 0, items, ranking, metrics: noMetrics, remember: () => {}, isReady: () => true, now: Date.now }), neighbours };
}

export const recommend: Bench = {
  name: 'recommend',
  about: 'A recommendation in this process, from the shopper\'s row to the answer with its reasons.',
  needs: [],
  async run({ seconds }) {
    const { scorer } = learnedScorer();
    const shopper = zipf(SHOPPERS, 'recommend shoppers');
    const took: number[] = [];
    const end = performance.now() + seconds * 1000;
    let cpu = 0;
    for (let asked = 0; asked < 2 * WARMED || performance.now() < end; asked++) {
      if (asked === WARMED) cpu = cpuSeconds();
      const began = performance.now();
      await scorer.recommend({ userId: `shopper-${shopper()}`, anonymousId: null, trusted: true, limit: LIMIT, filter: null, exclude: [], items: null, placement: null, after: null, explain: false, diversity: 0, fatigue: 0, explore: false });
      if (asked >= WARMED) took.push((performance.now() - began) * 1000);
    }
    const conditions = { ...CONDITIONS, requests: took.length };
    return [
      figure('recommend p50', quantile(took, 0.5), null, 'µs', conditions), figure('recommend p99', quantile(took, 0.99), null, 'µs', conditions),
      // What else the machine does stretches the wall clock, and this hardly.
      figure('recommend CPU', ((cpuSeconds() - cpu) / took.length) * 1e6, null, 'µs CPU a request', conditions),
    ];
  },
};

/** The hot routes of a server, before a scorer. */
function serverOf(scorer: Scorer, config: Config): HttpServer {
  const nothing = (): object => ({});
  return createHttpServer(
    {
      accept: () => Promise.resolve([]), partitions: 1, recommend: (request) => scorer.recommend(request), score: nothing, similar: nothing, forecast: nothing, forecasts: nothing, user: nothing, erase: nothing,
      metricsText: () => '', live: () => true, ready: () => ({ ready: true }), metrics: noMetrics, journal: silentJournal,
    },
    { shop: { currency: config.SHOP_CURRENCY, timezone: config.SHOP_TIMEZONE }, keys: { write: [], server: [KEY], admin: [] }, shopperTokenSecret: '' },
  );
}

const BODIES = Array.from({ length: 200 }, (_, number) => JSON.stringify({ userId: `shopper-${number * 7}`, limit: LIMIT }));

const ask = (generator: Generator, port: number, seconds: number): Promise<LoadResult> => generator.run({
  kind: 'closed', port, path: '/v1/recommend', authorization: `Basic ${Buffer.from(`${KEY}:`).toString('base64')}`, bodies: BODIES, connections: CONNECTIONS, seconds,
});

export const recommendLearning: Bench = {
  name: 'recommend-learning',
  about: 'Recommend requests over HTTP, as many as 8 connections of another process take, while 1,000 events a second are learned.',
  needs: [],
  async run({ seconds, loader, config, folder }) {
    const { scorer, neighbours } = learnedScorer();
    const ours = serverOf(scorer, config);
    const generator = startGenerator(loader);
    const learning = await learnAt({ rate: RATE, items: ITEMS, shoppers: SHOPPERS, neighbours, config, folder });
    try {
      const port = await ours.listen(0, '127.0.0.1');
      await ask(generator, port, seconds / 2);
      const before = learning.learned();
      const { requests, seconds: took, latencies } = await ask(generator, port, seconds);
      const after = learning.learned();
      const aSecond = (who: 'scorer' | 'learner'): number => Math.round((after[who] - before[who]) / took);
      const conditions = { ...CONDITIONS, connections: CONNECTIONS, lessons: 'past the first ones, which all events give', learned_a_second: aSecond('scorer'), on_the_learners_thread_a_second: aSecond('learner') };
      return [
        figure('recommend-learning rate', requests / took, null, 'requests/s', conditions),
        figure('recommend-learning p99', quantile(latencies, 0.99), null, 'ms', conditions),
      ];
    } finally {
      await learning.stop();
      generator.stop();
      await ours.close();
    }
  },
};

export const recommendHttp: Bench = {
  name: 'recommend-http',
  about: 'CPU of a recommend request over HTTP, beside a bare node:http echo of the same body.',
  needs: [],
  async run({ seconds, loader, config }) {
    const ours = serverOf(learnedScorer().scorer, config);
    const echo = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end(Buffer.concat(chunks)));
    });
    const generator = startGenerator(loader);
    try {
      const ports = { ours: await ours.listen(0, '127.0.0.1'), peer: await listening(echo) };
      const share = seconds / (2 * ROUNDS + 1);
      const cpu = async (port: number, forSeconds: number): Promise<number> => {
        const began = cpuSeconds();
        const { requests } = await ask(generator, port, forSeconds);
        return ((cpuSeconds() - began) / requests) * 1e6;
      };
      await cpu(ports.ours, share / 2);
      await cpu(ports.peer, share / 2);
      const costs = await alternating(ROUNDS, () => cpu(ports.ours, share), () => cpu(ports.peer, share));
      return [figure('recommend-http', costs.ours, costs.peer, 'µs CPU a request', { ...CONDITIONS, connections: CONNECTIONS, rounds: costs.rounds })];
    } finally {
      generator.stop();
      await ours.close();
      echo.close();
      echo.closeAllConnections();
    }
  },
};
