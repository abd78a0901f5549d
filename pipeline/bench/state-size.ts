import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { itemNeighbours } from '../../consumers/co-visitation.js';
import { recommender } from '../../consumers/recommender.js';
import { shoppers } from '../../consumers/shoppers.js';
import { openTableStores } from '../../infra/table-store/stores.js';
import { interactions, userProfiles } from '../../schemas/topics.js';
import { noMetrics } from '../core/metrics.js';
import type { RowChange, TableStore } from '../core/store.js';
import { Task } from '../core/task.js';
import { cpuSeconds, figure, type Bench, type Figure } from './bench.js';
import { EXPONENT, interactionsOf, viewRecords, zipf } from './events.js';

const COMMIT = 5_000;
const MEASURED = 40_000;
const ITEMS = 10_000;

export const stateSize: Bench = {
  name: 'state',
  about: 'Bytes a shopper, in rows and on disk, and what an event costs at 10,000 shoppers (with --large at a million), how fast the store is restored, and bytes an item of the learners.',
  needs: [],
  async run({ folder, large }) {
    const figures: Figure[] = [];
    for (const count of large ? [10_000, 1_000_000] : [10_000]) figures.push(...await ofShoppers(count, join(folder, String(count))));
    const [small, big] = figures.filter(({ name }) => name.startsWith('state cost'));
    if (small && big) figures.push(figure('state cost an event, a million beside ten thousand', big.ours, small.ours, 'µs CPU', { zipf_exponent: EXPONENT }));
    return [...figures, ofItems()];
  },
};

async function ofShoppers(count: number, folder: string): Promise<Figure[]> {
  const stores = openTableStores({ directory: folder, identityOf: () => 'bench' });
  const sku = zipf(ITEMS, 'state skus');
  const shopper = zipf(count, 'state shoppers');
  const store = stores.open(userProfiles.name, 0);
  const task = new Task({ consumer: shoppers(), partition: 0, partitions: 1, store, tickedInputs: [], clock: 'wall', slackMs: 2_500, metrics: noMetrics });
  const apply = async (from: number, events: number, shopperOf: (number: number) => number): Promise<number> => {
    let spent = 0;
    for (let at = 0; at < events; at += COMMIT) {
      const records = viewRecords(Math.min(COMMIT, events - at), shopperOf, sku, from + at);
      const began = cpuSeconds();
      task.receive(records);
      task.proceed(Infinity);
      const { rows } = task.stage();
      store.apply(rows, store.position + rows.length);
      task.committed();
      // Stores write behind: here each commit is written and synced, so that none of its cost is left for later.
      await stores.flushed();
      spent += cpuSeconds() - began;
    }
    return spent;
  };
  // Everyone comes once, then as people come.
  await apply(0, count, (number) => number);
  await apply(count, MEASURED, shopper);
  const spent = await apply(count + MEASURED, MEASURED, shopper);
  const bytes = sizeOf(join(folder, 'tables'));
  const conditions = { shoppers: count, events: count + 2 * MEASURED, zipf_exponent: EXPONENT };
  const held = [...store.range('', '\uffff')].reduce((sum, { key, value }) => sum + Buffer.byteLength(key) + value.length, 0);
  const restored = await restore(store, join(folder, 'restored'));
  await stores.close();
  return [
    figure(`state bytes a shopper at ${count}`, held / count, null, 'bytes', { ...conditions, of: 'keys and values of all rows of a shopper, message ids of 24 h included' }),
    figure(`state bytes a shopper at ${count} on disk`, bytes / count, null, 'bytes', { ...conditions, of: 'LMDB with its free pages, as many as the commits of seconds leave' }),
    figure(`state cost an event at ${count}`, (spent / MEASURED) * 1e6, null, 'µs CPU', { ...conditions, events_a_commit: COMMIT }),
    figure(`state restore of ${count}`, restored.seconds, null, 's', { ...conditions, rows: restored.rows, of: 'applying the rows to an empty store and flushing it; without reading them from a log' }),
  ];
}

/** Rebuild a store from the rows that its changelog would hold. */
async function restore(from: TableStore, folder: string): Promise<{ seconds: number; rows: number }> {
  const stores = openTableStores({ directory: folder, identityOf: () => 'bench' });
  const store = stores.open(userProfiles.name, 0);
  let spent = 0;
  let rows = 0;
  let slice: RowChange[] = [];
  const flush = (): void => {
    const began = performance.now();
    store.apply(slice, (rows += slice.length));
    spent += performance.now() - began;
    slice = [];
  };
  // The reading side is the same LMDB: only the writing is timed.
  for (const { key, value } of from.range('', '\uffff')) if (slice.push({ key, value }) === COMMIT) flush();
  flush();
  const began = performance.now();
  await stores.flushed();
  spent += performance.now() - began;
  await stores.close();
  return { seconds: spent / 1000, rows };
}

function sizeOf(path: string): number {
  const found = statSync(path);
  if (!found.isDirectory()) return found.blocks * 512;
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
}

const lengthOf = (pieces: Iterable<Uint8Array>): number => [...pieces].reduce((sum, { length }) => sum + length, 0);

/** What a scorer and the learner hold of an item, as their snapshots write it down. */
function ofItems(): Figure {
  const neighbours = itemNeighbours.init();
  const learned = recommender.init();
  const events = interactionsOf(3 * ITEMS, ITEMS, 2_000);
  for (const event of events) {
    itemNeighbours.learn(neighbours, interactions.name, event, event.shopper);
    recommender.learn(learned, interactions.name, event, event.shopper);
  }
  const parts = { neighbours: lengthOf(itemNeighbours.snapshot(neighbours)), recommender: lengthOf(recommender.snapshot(learned)) };
  return figure('state bytes an item', (parts.neighbours + parts.recommender) / ITEMS, null, 'bytes', {
    items: ITEMS, events: events.length, neighbours_bytes: Math.round(parts.neighbours / ITEMS), recommender_bytes: Math.round(parts.recommender / ITEMS), of: 'snapshots of the learner and of a scorer',
  });
}
