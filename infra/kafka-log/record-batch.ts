import { gunzipSync } from 'node:zlib';
import { ConfigError } from '../../pipeline/core/errors.js';
import type { LogRecord } from '../../pipeline/core/log.js';
import { parseTick, TICK_HEADER } from './records.js';
import { Wire } from './wire.js';

/** A transaction that the broker says was aborted, from `firstOffset` to the producer's abort marker. */
export interface AbortedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
}

export interface CommittedRecords {
  readonly records: LogRecord[];
  /** Offset after the last whole batch, which need not be the offset after a record: markers and compacted tails take offsets too. */
  readonly next: number;
  /** Leader epochs of the first and the last batch; undefined where there is none. */
  readonly epochs: { readonly first: number; readonly last: number } | undefined;
}

const COMPRESSION = 0x07;
const APPEND_TIME = 0x08;
const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;
const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];
const ABORT = 0;

/**
 * Committed records from offset `from` on, of a partition's answer to a read_committed fetch.
 * The broker delivers aborted records as well, and the list of transactions to leave out. kafkajs' own filter takes at
 * most one transaction a record off that list and takes any key of four zero bytes for a marker, and so leaks aborted
 * records; here, as in the Java client, all that apply are taken off in the order of their first offsets, and only
 * the batch's control flag makes a marker.
 */
export function committedRecords(topic: string, partition: number, bytes: Buffer, from: number, aborted: readonly AbortedTransaction[]): CommittedRecords {
  const wire = new Wire(bytes);
  const coming = [...aborted].sort((a, b) => a.firstOffset - b.firstOffset);
  const open = new Set<number>();
  const records: LogRecord[] = [];
  let next = from;
  let epochs: CommittedRecords['epochs'];
  // The last batch of an answer may be cut off: it comes whole with the next fetch.
  while (wire.left >= 61) {
    const base = wire.int64();
    const length = wire.int32();
    if (wire.left < length) break;
    const end = wire.at + length;
    const { epoch, attributes, lastOffset, firstTime, lastTime, producerId, count } = batchHeader(wire, topic, partition, base);
    while (coming[0] && coming[0].firstOffset <= lastOffset) open.add(coming.shift()!.producerId);
    if (attributes & CONTROL) {
      if (count > 0 && markerType(wire) === ABORT) open.delete(producerId);
    } else if (!(attributes & TRANSACTIONAL && open.has(producerId))) {
      const body = plain(wire, end, attributes & COMPRESSION, topic);
      for (let i = 0; i < count; i++) {
        const record = readRecord(body, topic, partition, base, attributes & APPEND_TIME ? null : firstTime, lastTime);
        if (record.offset >= from) records.push(record);
      }
    }
    wire.at = end;
    next = Math.max(next, lastOffset + 1);
    epochs = { first: epochs?.first ?? epoch, last: epoch };
  }
  return { records, next, epochs };
}

function batchHeader(wire: Wire, topic: string, partition: number, base: number) {
  const epoch = wire.int32();
  const magic = wire.int8();
  if (magic !== 2) throw new ConfigError([`Partition ${partition} of ${topic} holds records of Kafka's old message format ${magic}.`]);
  wire.int32(); // checksum: TCP has its own, and the broker verified this one
  const attributes = wire.int16();
  const lastOffset = base + wire.int32();
  const firstTime = wire.int64();
  const lastTime = wire.int64();
  const producerId = wire.int64();
  wire.int16(); // producer epoch
  wire.int32(); // first sequence
  return { epoch, attributes, lastOffset, firstTime, lastTime, producerId, count: wire.int32() };
}

function markerType(wire: Wire): number | undefined {
  wire.varint(); // length
  wire.int8(); // attributes
  wire.varint(); // time
  wire.varint(); // offset
  const key = wire.slice(wire.varint());
  return key && key.length >= 4 ? key.readInt16BE(2) : undefined;
}

function plain(wire: Wire, end: number, codec: number, topic: string): Wire {
  if (codec === 0) return wire;
  if (codec === 1) return new Wire(gunzipSync(wire.bytes.subarray(wire.at, end)));
  throw new ConfigError([`Topic ${topic} holds records compressed with ${CODECS[codec] ?? codec}: set its compression.type to uncompressed or gzip.`]);
}

function readRecord(wire: Wire, topic: string, partition: number, base: number, firstTime: number | null, lastTime: number): LogRecord {
  const length = wire.varint();
  const end = wire.at + length;
  wire.int8(); // attributes
  const delta = wire.varint();
  const offset = base + wire.varint();
  const key = wire.text(wire.varint());
  const value = wire.slice(wire.varint());
  const tick = key === null && value === null ? readTick(wire) : null;
  wire.at = end;
  return { topic, partition, offset, key, value, tick, writtenAt: firstTime === null ? lastTime : firstTime + delta };
}

function readTick(wire: Wire) {
  for (let headers = wire.varint(); headers > 0; headers--) {
    const name = wire.text(wire.varint());
    const value = wire.text(wire.varint());
    if (name === TICK_HEADER) return parseTick(value);
  }
  return null;
}
