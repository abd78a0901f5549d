import { expect, test } from 'vitest';
import { erasedPlaces } from '../../pipeline/erased-places.js';
import type { Log, LogRecord } from '../../pipeline/core/log.js';
import { interactions, recommendations } from '../../schemas/topics.js';
import { interaction } from '../contract/clickhouse-records.js';

const AT = 1_000_000;
type Written = Pick<LogRecord, 'writtenAt'> & Partial<LogRecord>;

/** A log of what was written to partitions of topics; every second answer of a reader is late. */
function logOf(written: Readonly<Record<string, readonly Written[]>>, partitions = 1, markers = 0, engine: Log['engine'] = 'embedded'): Log {
  const recordsOf = (topic: string, partition: number): LogRecord[] =>
    (written[`${topic}/${partition}`] ?? []).map((record, at) => ({ topic, partition, offset: at + 10, key: null, value: null, tick: null, ...record }));
  return {
    engine,
    partitions,
    ranges: async (topic: string) => Array.from({ length: partitions }, (_, partition) => ({ start: 10, end: 10 + recordsOf(topic, partition).length + markers })),
    writtenAfter: async (topic: string, time: number) => Array.from({ length: partitions }, (_, partition) => {
      const records = recordsOf(topic, partition);
      return records.find(({ writtenAt }) => writtenAt > time)?.offset ?? 10 + records.length + (records.length > 0 ? markers : 0);
    }),
    reader: ([{ topic, partition, offset }]: readonly { topic: string; partition: number; offset: number }[]) => {
      const left = recordsOf(topic, partition).filter((record) => record.offset >= offset);
      let isLate = false;
      return {
        lag: () => left.length,
        close: async () => {},
        async poll(max: number) {
          isLate = !isLate;
          return isLate ? [] : left.splice(0, max);
        },
      };
    },
  } as unknown as Log;
}

const clicked = (writtenAt: number, event = 'Product Viewed', time = writtenAt, key = 'u1'): Written =>
  ({ writtenAt, key, value: interactions.codec.encode(interaction({ shopper: key, event, time })) });

test('in the partition of the shopper an erasure ends where it stands, though more was written with it in one moment', async () => {
  const log = logOf({ 'interactions/0': [clicked(AT - 5), clicked(AT, 'User Erased', AT - 9_000), clicked(AT, 'User Erased', AT - 1, 'u2'), clicked(AT, 'User Erased', AT - 1), clicked(AT), clicked(AT + 1)] }, 1, 1);
  expect((await erasedPlaces(log, { key: 'u1', partition: 0, time: AT - 1, writtenAt: AT })).get('interactions')).toEqual([14]);
});

test('of a cluster, whose hosts\' clocks may differ, it reaches what a host that is ahead by seconds wrote before it, and in the shopper\'s own partition no further', async () => {
  const log = logOf({ 'interactions/0': [clicked(AT - 5), clicked(AT, 'User Erased', AT - 1), clicked(AT + 1)], 'sales/0': [{ writtenAt: AT + 3_000 }, { writtenAt: AT + 20_000 }], 'recommendations/0': [{ writtenAt: AT + 19_000 }, { writtenAt: AT + 21_000 }] }, 1, 0, 'kafka');
  const places = await erasedPlaces(log, { key: 'u1', partition: 0, time: AT - 1, writtenAt: AT });
  expect(['interactions', 'sales', 'recommendations'].map((table) => places.get(table))).toEqual([[12], [11], [11]]);
});

test('elsewhere it ends at what was written until then, among very many records, too; what follows profiles hears of it later', async () => {
  const many = Array.from({ length: 40_000 }, (_, at): Written => ({ writtenAt: AT - 30_000 + at }));
  const log = logOf({ 'interactions/1': many, 'recommendations/0': many, 'sales/1': many.slice(0, 100) }, 2);
  const places = await erasedPlaces(log, { key: 'u1', partition: 0, time: AT, writtenAt: AT });
  expect(Object.fromEntries(places)).toEqual({
    interactions: [10, 30_011], purchases: [10, 10], sales: [10, 110], dead_letters: [10, 10], marketing_triggers: [10, 10], [recommendations.name]: [40_010, 10],
  });
});
