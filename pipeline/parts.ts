import { clickhouseSinks } from '../consumers/clickhouse-sinks.js';
import { itemNeighboursIn, type ItemNeighbours } from '../consumers/co-visitation.js';
import { demandForecasts, erasures, itemVectors, orderLedger, products, recommenderModels, userProfiles } from '../schemas/topics.js';
import { snapshotFiles } from '../infra/snapshots/files.js';
import type { Config } from './config.js';
import { tickMs } from './core/clock.js';
import { startFold, type Fold } from './core/fold.js';
import type { Lease, Membership } from './core/log.js';
import { ReadingLag } from './core/reading-lag.js';
import { sinkLimits, type RowSink } from './core/row-sink.js';
import { runConsumer, type RunningConsumer } from './core/runner.js';
import { runSink, sinkPorts } from './core/sink.js';
import { untilStopped } from './core/sleep.js';
import { steadyClock } from './core/steady-clock.js';
import type { Topology } from './core/topology.js';
import type { Engine } from './engine.js';
import { runErasures } from './erasure.js';
import { learnOnThread, spawnLearner } from './learner/thread.js';
import type { Freshness } from './serving/forecast-door.js';
import { Items } from './serving/items.js';
import { followLearner } from './serving/learned.js';
import { Ranking } from './serving/rank.js';
import { Scorer } from './serving/scorer.js';
import { TaskTimes } from './serving/task-times.js';
import { toldAnswers } from './serving/told-answers.js';
import { followTables, Views } from './serving/views.js';

const SNAPSHOT_EVERY_MS = 60_000;
/** A scorer's snapshot is made where requests are answered, and what it has to learn again after a crash is cheap: five minutes of 1,000 events a second take some five seconds. */
const SCORER_SNAPSHOT_EVERY_MS = 300_000;
const SINK_PATIENCE_MS = 500;
/** Tables that an answer waits for when it is given a token: read-your-writes.ts looks at them. */
const awaited = [userProfiles, orderLedger, products];
const VIEW_PATIENCE_MS = 250;
/** A profile that is older than so many ms and ticks is not what the shopper did last. */
const BEHIND_MS = 7_000;
const BEHIND_TICKS = 3;
const learned = [itemVectors, recommenderModels];

/** Something that runs until it is stopped. */
export interface Running {
  readonly name: string;
  readonly failed: Promise<never>;
  stop(): Promise<void>;
}

type RunningConsumers = readonly (Running & Pick<RunningConsumer, 'isReady'>)[];

/** `skipsLost`: whether they go on behind what the log has lost before they read it. */
export function startConsumers({ log, openStore, metrics, journal, learnSchemas }: Engine, topology: Topology, skipsLost = false): RunningConsumers {
  const around = { log, openStore, metrics, journal, learnSchemas, skipsLost };
  return topology.consumers.map((consumer) => ({ name: consumer.name, ...runConsumer(consumer, topology, around) }));
}

/** Learners of which there is one a shop: whoever owns partition 0 of the first table they publish to. Each has a thread of its own. */
export function startLearners(engine: Engine, topology: Topology, config: Config): Running[] {
  return topology.learners.filter(({ publishes }) => publishes).map((fold) => ({ name: fold.name, ...learnWhereOwned(engine, fold, config) }));
}

function learnWhereOwned(engine: Engine, fold: Fold<unknown>, config: Config): Membership {
  const { log } = engine;
  return log.own({ name: fold.name, inputs: [fold.publishes!.tables[0].name] }, async (lease: Lease) => {
    if (lease.partition !== 0) return untilStopped(lease.revoked);
    const assignment = { fold: fold.name, config, clock: log.clock, partitions: log.partitions, snapshots: { ...engine.snapshotPlace, everyMs: SNAPSHOT_EVERY_MS } };
    await learnOnThread(spawnLearner(assignment), engine, lease.revoked);
  });
}

export function startSinks(engine: Engine, sink: RowSink): Running[] {
  const ports = sinkPorts(engine.metrics, engine.journal, engine.log.clock);
  // A block makes a part that ClickHouse must merge: partitions share what one table may take.
  const limits = { ...sinkLimits, pauseMs: sinkLimits.pauseMs * engine.log.partitions };
  const eraser = { name: 'clickhouse-erasures', ...engine.log.own({ name: 'clickhouse-erasures', inputs: [erasures.name], patienceMs: SINK_PATIENCE_MS }, (lease) => runErasures(lease, engine, sink)) };
  return [eraser, ...clickhouseSinks.map((spec) => ({ name: spec.name, ...engine.log.own({ name: spec.name, inputs: [spec.topic], patienceMs: SINK_PATIENCE_MS }, (lease) => runSink(lease, spec, sink, ports, limits)) }))];
}

/** The request path and what feeds it. */
export interface RunningScorer extends Running {
  readonly scorer: Scorer;
  readonly ranking: Ranking;
  readonly views: Views;
  readonly items: Items;
  readonly isReady: () => boolean;
  readonly forecastFreshness: (partition: number) => Freshness;
}

export async function startScorer(engine: Engine, config: Config): Promise<RunningScorer> {
  const stopping = new AbortController();
  try {
    return await scoreUntil(stopping, engine, config);
  } catch (error) {
    // What has begun to read would keep the process alive.
    stopping.abort();
    throw error;
  }
}

async function scoreUntil(stopping: AbortController, engine: Engine, config: Config): Promise<RunningScorer> {
  const { log, viewed, owned, metrics, journal } = engine;
  const views = new Views(viewed, log.partitions);
  // On the embedded engine tasks own all tables but the learner's two, and views read the owners' stores.
  const isOwner = viewed === owned;
  // Tasks commit every second, and their tables get a row with it; what learners publish is silent where nothing happens.
  const tablesLag = (tables: string): ReadingLag => new ReadingLag(metrics, 'scorer', !isOwner && log.clock === 'wall', tables);
  const following = [
    followTables(log, isOwner ? [] : awaited, viewed.open, stopping.signal, journal, tablesLag('awaited')),
    followTables(log, isOwner ? learned : [demandForecasts, ...learned], viewed.open, stopping.signal, journal, tablesLag('others'), VIEW_PATIENCE_MS),
  ];
  const fold = await startFold<ItemNeighbours>(itemNeighboursIn({ precision: config.SCORER_VECTORS, mostUnlisted: config.UNLISTED_ITEMS, repeats: config.SHOP_REPEATS }), { snapshots: snapshotFiles(engine.snapshotPlace.directory, engine.snapshotPlace.log), snapshotEveryMs: SCORER_SNAPSHOT_EVERY_MS, stop: stopping.signal }, engine);
  const items = new Items(views, fold.state.index, config.SHOP_CURRENCY, config.SHOW_UNLISTED);
  followLearner(views, fold.state, config.SCORER_PRUNED_PERCENT / 100);
  const ranking = new Ranking(fold.state, items);
  let caughtUp = false;
  const ready = Promise.all([...following.map((tables) => tables.caughtUp), fold.caughtUp]).then(() => { caughtUp = true; });
  const isReady = (): boolean => caughtUp;
  const told = toldAnswers(log, metrics, journal);
  // On Kafka a stream ends with the marker of a transaction, an offset that no task counts among those it has read.
  const markers = log.engine === 'kafka' ? 1 : 0;
  const endOf = async (topic: string, partition: number): Promise<number> => Math.max(0, ((await log.ranges(topic))[partition]?.end ?? 0) - markers);
  const times = new TaskTimes(views, userProfiles, steadyClock.now);
  // A tick waits for its turn at each writer upstream. A file's time is no clock.
  const patienceMs = log.clock === 'wall' ? BEHIND_MS + BEHIND_TICKS * tickMs(log.partitions) : Infinity;
  const scorer = new Scorer({ views, endOf, items, ranking, metrics, remember: told.tell, isReady, isBehind: (partition) => times.behind(partition) > patienceMs, repurchases: config.SHOP_REPURCHASES, now: Date.now });
  const forecastTimes = new TaskTimes(views, demandForecasts, steadyClock.now);
  const forecastFreshness = (partition: number): Freshness => {
    const readUntil = forecastTimes.readUntil(partition);
    return { readUntil, caughtUp: isReady() && readUntil > 0 && forecastTimes.behind(partition) <= patienceMs };
  };
  const done = Promise.all([...following.map((tables) => tables.done), fold.done, ready]);
  return {
    name: 'scorer', scorer, ranking, views, items, isReady, forecastFreshness,
    failed: done.then(() => new Promise<never>(() => {})),
    async stop() {
      stopping.abort();
      await told.stop();
      await done.catch(() => {});
    },
  };
}
