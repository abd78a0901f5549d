import type { After } from '../../infra/http/doors.js';
import { badRequest } from '../../infra/http/problem.js';
import { catalog, clickstream, inventory, orderLedger, orders, products, purchases, userProfiles } from '../../schemas/topics.js';
import { Unavailable } from '../core/errors.js';
import { partitionOf } from '../core/partition.js';
import type { Views } from './views.js';

export interface Followed {
  readonly views: Views;
  /** The offset behind a partition's last record. */
  readonly endOf: (topic: string, partition: number) => Promise<number>;
}

/** A broker that has just become a partition's leader knows of fewer records than there are, for a moment. */
const RECORDS_TO_COME = 10_000;

/**
 * Look whether what was waited for in vain can ever come: a place that the log has not reached, or that another log had, is no event of anybody's.
 * @throws Refusal 400
 */
export async function refuseImpossible({ views, endOf }: Followed, { positions }: After): Promise<void> {
  let isPossible = true;
  for (const { topic, partition, offset } of positions) {
    isPossible &&= partition < views.partitions && offset < RECORDS_TO_COME + await endOf(topic, partition).catch(unknown);
  }
  if (!isPossible) throw badRequest([{ path: 'after', code: 'out_of_range', message: 'This token speaks of an event that is not in the log: take the one that the collector answered with.' }]);
}

/** End of a partition that nobody tells now. */
function unknown(error: unknown): number {
  if (error instanceof Unavailable) return Infinity;
  throw error;
}

/**
 * Wait until what is answered for `key` reflects all that stands before `after`; false at the deadline. Products are read by the
 * catalogue's tasks, clicks by those of the profiles; an order goes through the ledger first, which tells the profiles of purchases.
 */
export async function reflected({ views, endOf }: Followed, key: string, { positions, merges }: After, deadlineMs: number): Promise<boolean> {
  const until = performance.now() + deadlineMs;
  const left = (): number => Math.max(0, until - performance.now());
  const of = (...topics: readonly string[]): After['positions'][number][] => positions.filter(({ topic }) => topics.includes(topic));
  const [stocked, ordered, own] = [of(catalog.name, inventory.name), of(orders.name), of(clickstream.name)];
  if (stocked.length > 0 && !(await views.until(products, () => views.hasRead(products, stocked), left()))) return false;
  if (ordered.length > 0) {
    if (!(await views.until(orderLedger, () => views.hasRead(orderLedger, ordered), left()))) return false;
    // What the ledger said of the order stands before the end that its topic has now.
    for (const id of new Set([key, views.canonical(userProfiles, key)])) {
      const partition = partitionOf(id, views.partitions);
      own.push({ topic: purchases.name, partition, offset: (await endOf(purchases.name, partition)) - 1 });
    }
  }
  return views.until(userProfiles, () => views.reflects(userProfiles, key, { positions: own, merges }), left());
}
