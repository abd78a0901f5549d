import { orderLedger, orders } from '../schemas/topics.js';
import { Unavailable } from './core/errors.js';
import type { Log, NewRecord } from './core/log.js';
import { PROGRESS_KEY } from './core/rows.js';
import { progressOfRow } from './core/progress.js';

/** Forecasts take a line so many days after newer ones of its SKU; what is on its way at once spans twice this at most. */
export const STEP_MS = 10 * 86_400_000;
const POLL_MS = 250;
/** In two minutes the group notices that a consumer is dead, and another one restores its partitions. */
export const WITHIN_MS = 120_000;
/** Files that are being carried at once. */
const MOST = 100;

/** Waits before a batch of a source is written, where it must. @throws Unavailable when that takes too long: it is to be sent again */
export type InStep = (source: string, records: readonly NewRecord[]) => Promise<void>;

/**
 * Keeps the history that files carry in step. Lines of a SKU come by all partitions of `orders`, each of which is read on its own: where a consumer
 * dies, its partitions are weeks behind within seconds. So every ten days of a file's orders wait until all that was written before is read.
 * What is not of files waits for nothing.
 */
export function inStep(log: Pick<Log, 'partitions' | 'ranges' | 'reader'>, withinMs = WITHIN_MS): InStep {
  const steps = new Map<string, number>();
  return async (source, records) => {
    if (log.partitions === 1) return;
    let latest = -Infinity;
    for (const { topic, value } of records) if (topic === orders.name && value) latest = Math.max(latest, orders.codec.decode(value).time);
    const step = steps.get(source) ?? -Infinity;
    if (latest === -Infinity || latest < step + STEP_MS) return;
    await ordersRead(log, withinMs);
    steps.delete(source);
    steps.set(source, latest);
    if (steps.size > MOST) for (const oldest of steps.keys()) return void steps.delete(oldest);
  };
}

/** Resolves when the ledger's tasks, wherever they run, have read what stands in `orders` now: by the progress that each commits with its rows. */
async function ordersRead(log: Pick<Log, 'ranges' | 'reader'>, withinMs: number): Promise<void> {
  const until = performance.now() + withinMs;
  const ends = (await log.ranges(orders.name)).map(({ end }) => end);
  const behind = new Set(ends.keys());
  const reader = log.reader((await log.ranges(orderLedger.name)).map(({ end }, partition) => ({ topic: orderLedger.name, partition, offset: end })));
  try {
    while (behind.size > 0) {
      for (const { key, value, partition } of await reader.poll(5_000, POLL_MS)) {
        if (key === PROGRESS_KEY && value && (progressOfRow(value).offsets[orders.name] ?? 0) >= ends[partition]) behind.delete(partition);
      }
      if (behind.size === 0 || performance.now() <= until) continue;
      const told = `History is held back until the orders before it are read: consumers of ${behind.size} of ${ends.length} partitions are behind or down`;
      throw new Unavailable(`${told}.`, { told });
    }
  } finally {
    await reader.close();
  }
}
