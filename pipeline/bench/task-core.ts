import { recommender } from '../../consumers/recommender.js';
import { shoppers } from '../../consumers/shoppers.js';
import { clickstream, interactions, orderLedger } from '../../schemas/topics.js';
import type { Watermark } from '../../schemas/types.js';
import { consumer, on, type Consumer } from '../core/consumer.js';
import type { LogRecord } from '../core/log.js';
import { memoryStore } from '../core/memory-store.js';
import { noMetrics } from '../core/metrics.js';
import { rows } from '../core/rows.js';
import { Task } from '../core/task.js';
import { cpuSeconds, figure, median, type Bench, type Figure } from './bench.js';
import { EXPONENT, grownRecommender, interactionRecords, interactionsOf, viewRecords, zipf } from './events.js';

const COMMIT = 5_000;
const MOST_A_ROUND = 20_000;
const SHOPPERS = 10_000;
const SKUS = 1_000;

const views = rows<Watermark>('views', 'Watermark');

/** One counter an item, nothing else: what the runtime itself costs. */
const counting: Consumer = consumer({
  name: 'counting',
  table: orderLedger,
  inputs: [on(clickstream, ({ value }, ctx) => {
    for (const { sku } of value.products) ctx.put(views, sku, { next: (ctx.get(views, sku)?.next ?? 0) + 1 });
  })],
});

export const taskCore: Bench = {
  name: 'task-core',
  about: 'The task runtime on records in memory, by CPU time of the whole process: a counter an item; shoppers with its rows and outputs; the recommender fold.',
  needs: [],
  async run({ seconds }) {
    const shopper = zipf(SHOPPERS, 'task shoppers');
    const sku = zipf(SKUS, 'task skus');
    const common = { events_a_commit: COMMIT, shoppers: SHOPPERS, zipf_exponent: EXPONENT, by: 'CPU seconds, collector of garbage included' };
    const round = Math.max(COMMIT, Math.min(MOST_A_ROUND, Math.round(seconds) * COMMIT));
    const viewed = (at: number): LogRecord[] => viewRecords(round, shopper, sku, at * round);
    const share = seconds / 3;
    const counts = measured(counting, viewed, share);
    const states = measured(shoppers(), viewed, share);
    const learned = fold(round, share);
    return [
      figure('task-core counts only', counts.rate, null, 'events/s/core', { ...common, skus: SKUS, rounds: counts.rounds }),
      figure('task-core state rows', states.rate, null, 'events/s/core', { ...common, skus: SKUS, rounds: states.rounds, consumer: 'shoppers' }),
      figure('task-core embedding fold', learned.rate, null, 'events/s/core', { items: 10_000, zipf_exponent: EXPONENT, rounds: learned.rounds, by: common.by, lessons: 'past the first ones, which all events give' }),
    ] satisfies Figure[];
  },
};

/** Events a CPU second, the median of rounds; the first round warms up. */
function measured(of: Consumer, records: (round: number) => LogRecord[], seconds: number): { rate: number; rounds: number } {
  const store = memoryStore();
  const task = new Task({ consumer: of, partition: 0, partitions: 1, store, tickedInputs: [], clock: 'wall', slackMs: 2_500, metrics: noMetrics });
  const rates: number[] = [];
  const end = performance.now() + seconds * 1000;
  for (let round = 0; round < 2 || performance.now() < end; round++) {
    const batch = records(round);
    const began = cpuSeconds();
    for (let at = 0; at < batch.length; at += COMMIT) {
      task.receive(batch.slice(at, at + COMMIT));
      task.proceed(Infinity);
      const { rows } = task.stage();
      store.apply(rows, store.position + rows.length);
      task.committed();
    }
    if (round > 0) rates.push(batch.length / (cpuSeconds() - began));
  }
  return { rate: median(rates), rounds: rates.length };
}

function fold(events: number, seconds: number): { rate: number; rounds: number } {
  const records = interactionRecords(interactionsOf(events * 4, 10_000, SHOPPERS));
  const state = grownRecommender();
  const rates: number[] = [];
  const end = performance.now() + seconds * 1000;
  for (let round = 0; round < 2 || performance.now() < end; round++) {
    const began = cpuSeconds();
    const slice = records.slice((round % 4) * events, ((round % 4) + 1) * events);
    for (const { value, key } of slice) recommender.learn(state, interactions.name, interactions.codec.decode(value), key ?? '');
    if (round > 0) rates.push(slice.length / (cpuSeconds() - began));
  }
  return { rate: median(rates), rounds: rates.length };
}
