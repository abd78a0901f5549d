import { catalog, products } from '../../schemas/topics.js';
import type { Log } from '../core/log.js';
import { partitionOf } from '../core/partition.js';
import type { Items } from './items.js';
import type { Views } from './views.js';

/** Where a partition of Kafka ends with the marker of a transaction, a task passes it with the next tick, a second later. */
const DEADLINE_MS = 2_000;

interface Seen {
  readonly views: Views;
  readonly items: Items;
  /** Whether what was clicked has been read so far. */
  readonly isReady: () => boolean;
}

/** Whether the catalogue or anybody's event names a SKU; undefined where this process has not read so far that it could deny it. */
export async function isNamed(log: Pick<Log, 'ranges'>, { views, items, isReady }: Seen, sku: string): Promise<boolean | undefined> {
  if (items.isNamed(sku)) return true;
  const partition = partitionOf(sku, views.partitions);
  const end = (await log.ranges(catalog.name))[partition]?.end ?? 0;
  // A product that was put a moment ago: denying it would leave it in the catalogue.
  const hasRead = await views.until(products, () => views.hasRead(products, [{ topic: catalog.name, partition, offset: end - 1 }]), DEADLINE_MS);
  if (items.isNamed(sku)) return true;
  return hasRead && isReady() ? false : undefined;
}
