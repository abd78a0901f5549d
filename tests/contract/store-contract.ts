import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { restOf, rowKey, rowRange, splitRowKey, TIMER, timerRows } from '../../pipeline/core/rows.js';
import type { OpenStore, RowChange, TableStore } from '../../pipeline/core/store.js';

/** Stores under test. */
export interface StoreHarness {
  readonly open: OpenStore;
  close(): Promise<void>;
}

const row = (key: string, value: string | null): RowChange => ({ key, value: value === null ? null : Buffer.from(value) });

const timerKey = (key: string, sub: string): string => rowKey(key, restOf(TIMER, sub));

const timer = (key: string, sub: string, due: number | null): RowChange => ({
  key: timerKey(key, sub), value: due === null ? null : timerRows.codec.encode({ due, payload: '' }),
});

/** Beyond every key of these tests. */
const END = '\uffff'.repeat(8);

const sizeOf = (store: TableStore): number => [...store.range('', END)].length;

const contents = (store: TableStore, start: string, end: string): [string, string][] =>
  [...store.range(start, end)].map(({ key, value }) => [key, value.toString()]);

/** What every table store owes to tasks and views. */
export function storeContract(name: string, open: () => Promise<StoreHarness>): void {
  describe(`store contract: ${name}`, () => {
    let harness: StoreHarness;
    let tables = 0;
    const fresh = (): TableStore => harness.open(`table-${(tables += 1)}`, 0);

    beforeAll(async () => void (harness = await open()));
    afterAll(() => harness.close());

    test('an empty store stands at 0 and knows nothing', () => {
      const store = fresh();
      expect([store.position, sizeOf(store), store.get('a')]).toEqual([0, 0, undefined]);
      expect([...store.range('', '\uffff'), ...store.timersUntil(Infinity)]).toEqual([]);
    });

    test('changes and position move together; null deletes', () => {
      const store = fresh();
      store.apply([row('a', '1'), row('b', '2'), row('', 'empty key'), row('empty', '')], 17);
      expect([store.position, sizeOf(store), store.get('a')?.toString(), store.get('')?.toString(), store.get('empty')?.length]).toEqual([17, 4, '1', 'empty key', 0]);
      store.apply([row('a', null), row('b', '3'), row('never', null)], 20);
      expect([store.position, sizeOf(store), store.get('a'), store.get('b')?.toString()]).toEqual([20, 3, undefined, '3']);
      store.apply([], 25);
      expect(store.position).toBe(25);
    });

    test('the last change of a key in one call counts', () => {
      const store = fresh();
      store.apply([row('a', '1'), row('a', null), row('a', '2'), timer('k', 't', 5), timer('k', 't', null), timer('k', 't', 7)], 1);
      expect(store.get('a')?.toString()).toBe('2');
      expect([...store.timersUntil(100)].map(({ due }) => due)).toEqual([7]);
    });

    test('the same arguments give the same store, other tables and partitions are apart', () => {
      const [one, same] = [harness.open('apart', 0), harness.open('apart', 0)];
      const [partition, table] = [harness.open('apart', 1), harness.open('apart-2', 0)];
      one.apply([row('a', '1')], 1);
      expect([same.position, same.get('a')?.toString()]).toEqual([1, '1']);
      expect([partition.position, partition.get('a'), table.get('a')]).toEqual([0, undefined, undefined]);
    });

    test('a value that was read does not change under its reader', () => {
      const store = fresh();
      store.apply([row('a', 'first')], 1);
      const read = store.get('a');
      const ranged = [...store.range('a', 'b')];
      store.apply([row('a', 'other'), ...Array.from({ length: 100 }, (_, i) => row(`x${i}`, 'filler'))], 2);
      for (let i = 0; i < 100; i++) store.get(`x${i}`);
      expect([read?.toString(), ranged[0]?.value.toString()]).toEqual(['first', 'first']);
    });

    test('a range gives start ≤ key < end in key order, and the rows of one key stay in its range', () => {
      const store = fresh();
      const subs = ['a', 'b', 'z\u00fc', '\u20ac', '\ud83d\uded2', '\uf8ff', '\uffff\uffff', ''];
      store.apply([row('k', 'main'), row('k2', 'other'), row('j', 'other'), ...subs.map((sub) => row(rowKey('k', restOf('kind', sub)), sub)), row(rowKey('k', restOf('other', 'a')), 'other')], 1);
      const { start, end } = rowRange('k', 'kind');
      expect(contents(store, start, end).map(([, value]) => value)).toEqual(subs.filter((sub) => sub !== '').sort());
      expect(contents(store, 'k', 'k2').map(([key]) => key)[0]).toBe('k');
      expect(contents(store, 'k2', 'k2')).toEqual([]);
      expect(contents(store, 'k2', 'k2\u0000')).toEqual([['k2', 'other']]);
    });

    test('a range that is read while rows change, or left early, disturbs nothing', () => {
      const store = fresh();
      store.apply(Array.from({ length: 50 }, (_, i) => row(`k${String(i).padStart(2, '0')}`, `${i}`)), 1);
      const seen: string[] = [];
      for (const { key } of store.range('k', 'l')) {
        seen.push(key);
        store.apply([row(key, 'changed')], seen.length + 1);
        if (seen.length === 10) break;
      }
      expect(seen).toHaveLength(10);
      expect(store.get('k00')?.toString()).toBe('changed');
      expect(contents(store, 'k', 'l')).toHaveLength(50);
    });

    test('timers come by (due, key), up to a time, and follow their row', () => {
      const store = fresh();
      store.apply([timer('b', 't', 10), timer('a', 't', 10), timer('c', 't', 5), timer('\ud83d\uded2', 't', 10), timer('\uf8ff', 't', 10), timer('d', 't', 0), row('plain', 'no timer')], 1);
      const due = (until: number): string[] => [...store.timersUntil(until)].map(({ due: at, key }) => `${at} ${key.split('\u001f')[0]}`);
      expect(due(9)).toEqual(['0 d', '5 c']);
      expect(due(10)).toEqual(['0 d', '5 c', '10 a', '10 b', '10 \ud83d\uded2', '10 \uf8ff']);
      store.apply([timer('a', 't', 3), timer('b', 't', null), timer('c', 't', 5)], 2);
      expect(due(9)).toEqual(['0 d', '3 a', '5 c']);
      expect(due(-1)).toEqual([]);
      expect([...store.timersUntil(10, { due: 3, key: timerKey('a', 't') })].map(({ due: at }) => at)).toEqual([5, 10, 10]);
      expect([...store.timersUntil(10, { due: 4, key: 'gone' })].map(({ due: at }) => at)).toEqual([5, 10, 10]);
      expect([...store.timersUntil(4, { due: 5, key: timerKey('c', 't') })]).toEqual([]);
      store.apply([timer('d', 't', null), timer('a', 't', null), timer('c', 't', 1_700_000_000_001)], 3);
      expect(due(100)).toEqual(['10 \ud83d\uded2', '10 \uf8ff']);
      expect([...store.timersUntil(2e12)].at(-1)).toEqual({ due: 1_700_000_000_001, key: timerKey('c', 't') });
    });

    test('a key that only looks like a timer is none', () => {
      const store = fresh();
      // A SKU may be named as anybody likes.
      store.apply([row('_timer', 'x'), row(rowKey('k', restOf('my_timer', 'x')), 'y'), row(rowKey('k', restOf('waiting', `${TIMER}\u001fk`)), 'z')], 1);
      store.apply([row('_timer', null)], 2);
      expect([...store.timersUntil(Infinity)]).toEqual([]);
    });

    test('a wiped store is empty, stands at 0, and can be filled again', () => {
      const store = fresh();
      store.apply([row('a', '1'), timer('a', 't', 5)], 9);
      store.wipe();
      expect([store.position, sizeOf(store), store.get('a'), [...store.timersUntil(Infinity)]]).toEqual([0, 0, undefined, []]);
      store.apply([row('a', '2')], 3);
      expect([store.position, store.get('a')?.toString()]).toEqual([3, '2']);
    });

    test('large values and long keys', () => {
      const store = fresh();
      const large = Buffer.alloc(1_000_000, 'x');
      const long = rowKey('\ud83d\uded2'.repeat(64), restOf('kind', 's'.repeat(256)));
      store.apply([{ key: 'large', value: large }, row(long, 'long')], 1);
      expect(store.get('large')?.equals(large)).toBe(true);
      expect(store.get(long)?.toString()).toBe('long');
      expect(store.get('k'.repeat(100_000))).toBeUndefined();
    });

    test('any changes leave what a plain map would hold, at any moment', async () => {
      const store = fresh();
      const keys = fc.oneof(fc.constantFrom('a', 'b', 'a\u001fx', '\ud83d\uded2', '\uf8ff', '', '\ud800'), fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 5 }).map((units) => String.fromCharCode(...units)));
      const change = fc.oneof(
        fc.tuple(keys, fc.option(fc.string({ maxLength: 5 }))).map(([key, value]) => row(key, value)),
        fc.tuple(fc.constantFrom('a', 'b', '\ud83d\uded2'), fc.constantFrom('s', 't'), fc.option(fc.integer({ min: -5, max: 50 }))).map(([key, sub, due]) => timer(key, sub, due)),
      );
      await fc.assert(
        fc.asyncProperty(fc.array(fc.array(change, { maxLength: 8 }), { maxLength: 6 }), keys, keys, fc.integer({ min: -6, max: 51 }), fc.nat(3), async (batches, start, end, until, turns) => {
          store.wipe();
          const rows = new Map<string, Buffer>();
          for (const [i, batch] of batches.entries()) {
            store.apply(batch, i + 1);
            for (const { key, value } of batch) if (value) rows.set(key, value); else rows.delete(key);
            // A store may write behind: let it, sometimes.
            for (let turn = 0; turn < turns; turn++) await setImmediate();
          }
          const sorted = [...rows.keys()].sort();
          expect(sizeOf(store)).toBe(rows.size);
          expect([...store.range(start, end)].map(({ key }) => key)).toEqual(sorted.filter((key) => key >= start && key < end));
          for (const key of sorted) expect(store.get(key)?.equals(rows.get(key)!)).toBe(true);
          const timers = sorted.flatMap((key) => (splitRowKey(key).kind === TIMER && key.split('\u001f').length > 2 ? [{ due: timerRows.codec.decode(rows.get(key)!).due, key }] : []));
          timers.sort((a, b) => a.due - b.due || (a.key < b.key ? -1 : 1));
          expect([...store.timersUntil(until)]).toEqual(timers.filter(({ due }) => due <= until));
        }),
        { numRuns: 100 },
      );
    });
  });
}
