import { expect, test } from 'vitest';
import type { Connection, Session } from '../../infra/kafka-log/connection.js';
import { readTable } from '../../infra/kafka-log/table.js';
import { Unavailable } from '../../pipeline/core/errors.js';

/** A partition whose records up to `decided` can be read, and no further. */
function partitionOf(decided: number): Parameters<typeof readTable>[0] {
  const session: Session = { cluster: {} as Session['cluster'], topics: new Set(), sockets: new Map() };
  return {
    open: async () => session, drop: () => {}, leader: () => 1, learn: async () => {}, ranges: async () => [],
    fetch: async (_session, _node, [asked]): ReturnType<Connection['fetch']> => {
      const { topic, partition, from } = asked!;
      await new Promise((resolve) => { setTimeout(resolve, 2); });
      const records = from < decided ? [{ topic, partition, offset: from, key: 'k', value: Buffer.from('v'), tick: null, writtenAt: 0 }] : [];
      return [{ topic, partition, from, error: 0, lastStableOffset: decided, records, next: Math.min(from + 1, decided) }];
    },
  };
}

test('a transaction that nobody decides ends the reading of a table with its place, and does not hold it for ever', async () => {
  const seen: number[] = [];
  const reading = readTable(partitionOf(3), { topic: 'progress', partition: 1 }, 0, 4, () => true, (rows) => seen.push(...rows.map(({ offset }) => offset)), 50);
  await expect(reading).rejects.toThrow(Unavailable);
  await expect(reading).rejects.toThrow(/offset 3 of progress, partition 1, is neither committed nor aborted/);
  expect(seen).toEqual([0, 1, 2]);
});

test('a table is read to its end, however long that takes, while it goes on', async () => {
  const seen: number[] = [];
  await readTable(partitionOf(40), { topic: 'progress', partition: 1 }, 0, 40, () => true, (rows) => seen.push(...rows.map(({ offset }) => offset)), 20);
  expect(seen.length).toBe(40);
});
