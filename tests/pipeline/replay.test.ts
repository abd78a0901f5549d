import { expect, test } from 'vitest';
import { replay } from '../../pipeline/replay.js';
import type { FileRecord } from '../../producers/formats/format.js';
import type { ShopEvent } from '../../schemas/types.js';
import { MINUTE, NINE, product, shopEvent } from '../support/events.js';

const record = (value: ShopEvent): FileRecord => ({ topic: 'clickstream', key: value.userId ?? value.anonymousId!, value, time: value.time });

/** What is sent of a view, a login and a view, a minute apart: records (ticks not counted) and where it is waited for. */
async function sent(clock: 'wall' | 'file'): Promise<(number | 'settled')[]> {
  const records = [
    record(shopEvent('Product Viewed', { anonymousId: 'a', time: NINE, products: [product('P1')] })),
    record(shopEvent('', { type: 'identify', anonymousId: 'a', userId: 'u', time: NINE + MINUTE })),
    record(shopEvent('Product Viewed', { anonymousId: 'a', time: NINE + 2 * MINUTE, products: [product('P1')] })),
  ];
  const reading = { records: (async function* () { yield records; })(), summary: { read: records.length, refused: 0, examples: [], odd: {} } };
  const steps: (number | 'settled')[] = [];
  await replay({
    reading, partitions: 1, clock, speed: Infinity, onProgress: () => {}, onRetry: () => {}, patienceMs: 0,
    send: async (batch) => void steps.push(batch.filter(({ tick }) => !tick).length),
    settled: async () => void steps.push('settled'),
  });
  return steps;
}

test('on the file’s clock time waits before a login and after it, so that what it carries over comes neither early nor late', async () => {
  expect(await sent('file')).toEqual([1, 'settled', 1, 'settled', 1]);
});

test('on the wall’s clock nothing waits', async () => {
  expect(await sent('wall')).toEqual([3]);
});
