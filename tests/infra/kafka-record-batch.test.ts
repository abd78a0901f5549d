import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { committedRecords } from '../../infra/kafka-log/record-batch.js';
import type { AbortedTransaction } from '../../infra/kafka-log/record-batch.js';
import { TICK_HEADER } from '../../infra/kafka-log/records.js';
import { ConfigError } from '../../pipeline/core/errors.js';

interface Entry {
  key: Buffer | null;
  value: Buffer | null;
  header?: [string, string];
  /** Place in the batch; its index when absent (compaction leaves gaps). */
  delta?: number;
}

interface Batch {
  base: number;
  entries: Entry[];
  producerId?: number;
  transactional?: boolean;
  marker?: 'abort' | 'commit';
  gzip?: boolean;
  lastDelta?: number;
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value >= 0 ? value * 2 : -value * 2 - 1;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return Buffer.from([...bytes, rest]);
}

const sized = (bytes: Buffer | null): Buffer => (bytes ? Buffer.concat([varint(bytes.length), bytes]) : varint(-1));

function encodeEntry({ key, value, header, delta }: Entry, index: number): Buffer {
  const headers = header ? [varint(1), sized(Buffer.from(header[0])), sized(Buffer.from(header[1]))] : [varint(0)];
  const body = Buffer.concat([Buffer.from([0]), varint(7), varint(delta ?? index), sized(key), sized(value), ...headers]);
  return Buffer.concat([varint(body.length), body]);
}

function encodeBatch({ base, entries, producerId = -1, transactional = false, marker, gzip = false, lastDelta }: Batch): Buffer {
  const all = marker ? [{ key: Buffer.from([0, 0, 0, marker === 'abort' ? 0 : 1]), value: Buffer.alloc(6) }] : entries;
  const records = Buffer.concat(all.map(encodeEntry));
  const head = Buffer.alloc(49);
  head.writeInt8(2, 4);
  head.writeInt16BE((gzip ? 1 : 0) | (transactional || marker ? 0x10 : 0) | (marker ? 0x20 : 0), 9);
  head.writeInt32BE(lastDelta ?? Math.max(0, all.length - 1), 11);
  head.writeBigInt64BE(1_700_000_000_000n, 15);
  head.writeBigInt64BE(1_700_000_000_007n, 23);
  head.writeBigInt64BE(BigInt(producerId), 31);
  head.writeInt32BE(all.length, 45);
  const body = Buffer.concat([head, gzip ? gzipSync(records) : records]);
  const start = Buffer.alloc(12);
  start.writeBigInt64BE(BigInt(base), 0);
  start.writeInt32BE(body.length, 8);
  return Buffer.concat([start, body]);
}

const entry = (key: string, value = key): Entry => ({ key: Buffer.from(key), value: Buffer.from(value) });

const read = (batches: Batch[], from = 0, aborted: AbortedTransaction[] = []) =>
  committedRecords('clicks', 3, Buffer.concat(batches.map(encodeBatch)), from, aborted);

describe('records of a fetch answer', () => {
  test('carry offset, key, value, tick and write time', () => {
    const { records, next } = read([{ base: 40, entries: [entry('schlüssel', '✓'), { key: null, value: null, header: [TICK_HEADER, 'order-ledger/3 1700'] }, { key: Buffer.alloc(0), value: null }] }], 40);
    expect(records).toEqual([
      { topic: 'clicks', partition: 3, offset: 40, key: 'schlüssel', value: Buffer.from('✓'), tick: null, writtenAt: 1_700_000_000_007 },
      { topic: 'clicks', partition: 3, offset: 41, key: null, value: null, tick: { writer: 'order-ledger/3', time: 1700 }, writtenAt: 1_700_000_000_007 },
      { topic: 'clicks', partition: 3, offset: 42, key: '', value: null, tick: null, writtenAt: 1_700_000_000_007 },
    ]);
    expect(next).toBe(43);
  });

  test('begin at the offset asked for, although the broker sends whole batches', () => {
    const { records } = read([{ base: 10, entries: [entry('a'), entry('b'), entry('c')] }], 12);
    expect(records.map(({ key }) => key)).toEqual(['c']);
  });

  test('a batch that is cut off waits for the next fetch', () => {
    const whole = Buffer.concat([{ base: 0, entries: [entry('a')] }, { base: 1, entries: [entry('b')] }].map(encodeBatch));
    const { records, next } = committedRecords('clicks', 0, whole.subarray(0, whole.length - 1), 0, []);
    expect([records.length, next]).toEqual([1, 1]);
  });

  test('batches that compaction emptied, and tails that it removed, are passed over in one step', () => {
    const emptied = read([{ base: 0, entries: [], lastDelta: 4_999 }]);
    expect(emptied).toEqual({ records: [], next: 5_000, epochs: { first: 0, last: 0 } });
    const thinned = read([{ base: 0, entries: [{ ...entry('a'), delta: 2 }, { ...entry('b'), delta: 7 }], lastDelta: 99 }]);
    expect([thinned.records.map(({ offset }) => offset), thinned.next]).toEqual([[2, 7], 100]);
  });

  test('gzip is read, other codecs are for the operator', () => {
    expect(read([{ base: 0, gzip: true, entries: [entry('a'), entry('b')] }]).records).toHaveLength(2);
    const snappy = encodeBatch({ base: 0, entries: [entry('a')] });
    snappy.writeInt16BE(2, 21);
    expect(() => committedRecords('clicks', 0, snappy, 0, [])).toThrow(ConfigError);
  });
});

describe('aborted transactions', () => {
  test('of two interleaved writers nothing leaks', () => {
    const { records, next } = read([
      { base: 0, producerId: 1, transactional: true, entries: [entry('aborted 1')] },
      { base: 1, producerId: 2, transactional: true, entries: [entry('aborted 2')] },
      { base: 2, producerId: 1, transactional: true, entries: [entry('aborted 1')] },
      { base: 3, producerId: 2, marker: 'abort', entries: [] },
      { base: 4, producerId: 2, transactional: true, entries: [entry('committed 2')] },
      { base: 5, producerId: 1, marker: 'abort', entries: [] },
      { base: 6, producerId: 2, marker: 'commit', entries: [] },
    ], 0, [{ producerId: 2, firstOffset: 1 }, { producerId: 1, firstOffset: 0 }]);
    expect(records.map(({ key }) => key)).toEqual(['committed 2']);
    expect(next).toBe(7);
  });

  test('a key of four zero bytes is no marker', () => {
    const zeros: Entry = { key: Buffer.alloc(4), value: Buffer.from('aborted') };
    const { records } = read([
      { base: 0, producerId: 1, transactional: true, entries: [zeros, zeros] },
      { base: 2, producerId: 1, transactional: true, entries: [zeros] },
      { base: 3, producerId: 1, marker: 'abort', entries: [] },
    ], 0, [{ producerId: 1, firstOffset: 0 }]);
    expect(records).toEqual([]);
  });

  test('any interleaving of writers delivers exactly what was committed, from any offset', () => {
    const step = fc.record({ writer: fc.integer({ min: 1, max: 4 }), act: fc.constantFrom('write', 'write', 'abort', 'commit'), count: fc.integer({ min: 1, max: 3 }) });
    fc.assert(fc.property(fc.array(step, { maxLength: 60 }), fc.nat(), (steps, seed) => {
      const batches: Batch[] = [];
      const open = new Map<number, { first: number; offsets: number[] }>();
      const aborted: (AbortedTransaction & { marker: number })[] = [];
      const committed: number[] = [];
      let offset = 0;
      const finish = (writer: number, act: 'abort' | 'commit'): void => {
        const transaction = open.get(writer);
        if (!transaction) return;
        open.delete(writer);
        const marker = offset++;
        batches.push({ base: marker, producerId: writer, marker: act, entries: [] });
        if (act === 'abort') aborted.push({ producerId: writer, firstOffset: transaction.first, marker });
        else committed.push(...transaction.offsets);
      };
      for (const { writer, act, count } of steps) {
        if (act === 'write') {
          const transaction = open.get(writer) ?? { first: offset, offsets: [] };
          open.set(writer, transaction);
          batches.push({ base: offset, producerId: writer, transactional: true, entries: Array.from({ length: count }, () => ({ key: Buffer.alloc(4), value: null })) });
          for (let i = 0; i < count; i++) transaction.offsets.push(offset++);
        } else finish(writer, act === 'abort' ? 'abort' : 'commit');
      }
      for (const writer of [1, 2, 3, 4]) finish(writer, 'abort');
      const start = offset === 0 ? 0 : seed % offset;
      const whole = batches.filter((_, i) => (batches[i + 1]?.base ?? offset) > start);
      // A broker names the transactions that reach into what was asked for: begun before its end, aborted at or after its start.
      const relevant = aborted.filter(({ marker }) => marker >= start);
      const found = read(whole, start, relevant).records.map((record) => record.offset);
      expect(found).toEqual(committed.filter((at) => at >= start).sort((a, b) => a - b));
    }), { examples: [[[{ writer: 1, act: 'write', count: 1 }, { writer: 1, act: 'abort', count: 1 }, { writer: 1, act: 'write', count: 1 }, { writer: 1, act: 'commit', count: 1 }], 2]] });
  });
});
