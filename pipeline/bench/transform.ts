import { clickstream, interactions, userProfiles } from '../../schemas/topics.js';
import type { ShopEvent } from '../../schemas/types.js';
import { consumer, on } from '../core/consumer.js';
import type { Log } from '../core/log.js';
import { memoryStore } from '../core/memory-store.js';
import { noMetrics, silentJournal, type Metrics } from '../core/metrics.js';
import { partitionOf } from '../core/partition.js';
import { runConsumer } from '../core/runner.js';
import { alternating, figure, type Bench } from './bench.js';
import { viewRecords, zipf } from './events.js';
import { kafkaTopics } from './kafka-setting.js';
import { plainLoop, type PlainMessage } from './peers/kafka.js';

const MESSAGES = 40_000;
const ROUNDS = 3;
const LONGEST_MS = 60_000;

/** A copy of each event under its session's name: a transformation as small as can be. */
const transformed = (event: ShopEvent): ShopEvent => ({ ...event, list: 'bench' });

export const transformKafka: Bench = {
  name: 'transform-kafka',
  about: 'Consume, transform and produce exactly once at saturation, beside the same loop in plain kafkajs without transactions.',
  needs: ['KAFKA_BROKERS'],
  async run(setting) {
    const { prefix, partitions, open, remove } = kafkaTopics(setting);
    const brokers = setting.config.KAFKA_BROKERS;
    let round = 0;
    const log = await open('loading');
    try {
      await log.ensureTopics([clickstream]);
      await load(log, partitions);
      const rates = await alternating(ROUNDS, () => exactlyOnce(open, `once-${round++}`), async () => {
        const { seconds } = await plainLoop({ brokers, partitions, messages: MESSAGES, group: `${prefix}plain-${round}`, from: `${prefix}clickstream`, to: `${prefix}plain-${round++}`, transform: plainly });
        return MESSAGES / seconds;
      });
      return [figure('transform-kafka', rates.ours, rates.peer, 'events/s', { messages: MESSAGES, partitions, rounds: rates.rounds, replication: 1 })];
    } finally {
      await log.close();
      await remove();
    }
  },
};

function plainly({ key, value }: PlainMessage): PlainMessage {
  return { key, value: value && clickstream.codec.encode(transformed(clickstream.codec.decode(value))) };
}

async function load(log: Log, partitions: number): Promise<void> {
  const shopper = zipf(10_000, 'transform shoppers', 0.5);
  const sku = zipf(1_000, 'transform skus');
  for (let at = 0; at < MESSAGES; at += 5_000) {
    await log.append(viewRecords(5_000, shopper, sku, at).map(({ topic, key, value }) => ({ topic, partition: partitionOf(key ?? '', partitions), key, value })));
  }
}

/** Events a second from the first that is taken to the commit of the last. */
async function exactlyOnce(open: (name: string, metrics: Metrics) => Promise<Log>, name: string): Promise<number> {
  const output = { ...interactions, name: `${name}-copies`, codec: clickstream.codec, kind: 'leaf' } as const;
  const table = { ...userProfiles, name: `${name}-table` };
  let began: number | undefined;
  let committed = 0;
  let finish: (at: number) => void = () => {};
  const finished = new Promise<number>((resolve) => { finish = resolve; });
  const metrics: Metrics = {
    ...noMetrics,
    count(metric, _labels, by = 1) {
      if (metric !== 'millrace_records_total') return;
      committed += by;
      if (committed >= MESSAGES) finish(performance.now());
    },
  };
  const copying = consumer({
    name, table, outputs: [output],
    // Loosely: ticks that the source gets while this runs must not hold the reading up.
    inputs: [{ ...on(clickstream, ({ key, value }, ctx) => {
      began ??= performance.now();
      ctx.emit(output, key, transformed(value));
    }), holdsTime: false }],
  });
  const log = await open(name, metrics);
  await log.ensureTopics([clickstream, output, table]);
  const stores = Array.from({ length: log.partitions }, () => memoryStore());
  const running = runConsumer(copying, { consumers: [copying], learners: [], sinks: [], views: [] }, {
    log, metrics, journal: silentJournal, openStore: (_, partition) => stores[partition], learnSchemas: () => Promise.resolve(),
  });
  const late = new Promise<never>((_, reject) => { setTimeout(() => reject(new Error(`Only ${committed} of ${MESSAGES} events were committed in time.`)), LONGEST_MS).unref(); });
  try {
    const end = await Promise.race([finished, running.failed, late]);
    return MESSAGES / ((end - (began ?? end)) / 1000);
  } finally {
    await running.stop();
    await log.close();
  }
}
