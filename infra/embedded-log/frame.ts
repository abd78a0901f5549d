import { crc32 } from 'node:zlib';
import type { LogRecord, Tick } from '../../pipeline/core/log.js';

/**
 * A frame: length of the body (u32), crc32 of the body (u32), body. It is written and found whole or not at all.
 * A body starts with its kind. Records: time of writing (f64), number of groups (u32), groups. A group: slot (u32),
 * number of records (u32), bytes (u32), records. A slot is a partition of a topic; its offsets are dense counters, so
 * that no record carries one. Numbers are little-endian.
 */
export const FRAME_HEADER_BYTES = 8;
/** A frame larger than this is refused when written, and taken for damage when read. */
export const MAX_FRAME_BYTES = 1 << 28;

const RECORDS = 1;
const NOTE = 2;
const BODY_HEADER_BYTES = 13;
const GROUP_HEADER_BYTES = 12;
const HAS_KEY = 1;
const HAS_VALUE = 2;
const IS_TICK = 4;
/** Flags, length of the key, length of the value, or time of a tick. */
const MAX_RECORD_OVERHEAD = 17;

/** A record whose offset is known when its frame is durable. */
export interface Unlanded {
  readonly topic: string;
  readonly partition: number;
  offset: number;
  readonly key: string | null;
  readonly value: Buffer | null;
  readonly tick: Tick | null;
  readonly writtenAt: number;
}

/** Frames collected to be written at once. */
export class FrameBuffer {
  #bytes = Buffer.allocUnsafe(1 << 18);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  contents(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
    // One burst of large records must not hold its memory for ever.
    if (this.#bytes.length > 1 << 24) this.#bytes = Buffer.allocUnsafe(1 << 18);
  }

  /** Add a frame with all records, each for its slot. Records of one slot keep their order. */
  addRecords(records: readonly Unlanded[], slots: readonly number[], writtenAt: number): void {
    const groups = groupBySlot(records, slots);
    let most = FRAME_HEADER_BYTES + BODY_HEADER_BYTES + groups.length * GROUP_HEADER_BYTES;
    for (const { key, value, tick } of records) {
      most += MAX_RECORD_OVERHEAD + (tick ? tick.writer.length : (key?.length ?? 0)) * 3 + (value?.length ?? 0);
    }
    this.#reserve(most);
    const bytes = this.#bytes;
    const start = this.#length;
    let at = start + FRAME_HEADER_BYTES;
    bytes[at] = RECORDS;
    bytes.writeDoubleLE(writtenAt, at + 1);
    bytes.writeUInt32LE(groups.length, at + 9);
    at += BODY_HEADER_BYTES;
    for (const [slot, group] of groups) {
      const body = at + GROUP_HEADER_BYTES;
      bytes.writeUInt32LE(slot, at);
      bytes.writeUInt32LE(group.length, at + 4);
      let end = body;
      for (const record of group) end = putRecord(bytes, end, record);
      bytes.writeUInt32LE(end - body, at + 8);
      at = end;
    }
    this.#seal(start, at);
  }

  /** Add a frame that holds a value of the log's own bookkeeping. */
  addNote(note: unknown): void {
    const json = JSON.stringify(note);
    this.#reserve(FRAME_HEADER_BYTES + 1 + json.length * 3);
    const start = this.#length;
    this.#bytes[start + FRAME_HEADER_BYTES] = NOTE;
    this.#seal(start, start + FRAME_HEADER_BYTES + 1 + this.#bytes.write(json, start + FRAME_HEADER_BYTES + 1));
  }

  #seal(start: number, end: number): void {
    const body = this.#bytes.subarray(start + FRAME_HEADER_BYTES, end);
    if (body.length > MAX_FRAME_BYTES) throw new Error(`A frame of ${body.length} bytes is larger than the log can hold (${MAX_FRAME_BYTES}).`);
    this.#bytes.writeUInt32LE(body.length, start);
    this.#bytes.writeUInt32LE(crc32(body), start + 4);
    this.#length = end;
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#bytes.length));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}

function groupBySlot(records: readonly Unlanded[], slots: readonly number[]): readonly (readonly [slot: number, group: readonly Unlanded[]])[] {
  const only = slots[0];
  if (slots.every((slot) => slot === only)) return [[only, records]];
  const groups = new Map<number, Unlanded[]>();
  records.forEach((record, i) => {
    const group = groups.get(slots[i]);
    if (group) group.push(record);
    else groups.set(slots[i], [record]);
  });
  return [...groups];
}

function putRecord(bytes: Buffer, start: number, { key, value, tick }: Unlanded): number {
  let at = start + 1;
  const name = tick ? tick.writer : key;
  bytes[start] = (name === null ? 0 : HAS_KEY) | (value === null ? 0 : HAS_VALUE) | (tick ? IS_TICK : 0);
  if (name !== null) {
    const length = bytes.write(name, at + 4);
    bytes.writeUInt32LE(length, at);
    at += 4 + length;
  }
  if (tick) return bytes.writeDoubleLE(tick.time, at);
  if (value !== null) {
    bytes.writeUInt32LE(value.length, at);
    bytes.set(value, at + 4);
    at += 4 + value.length;
  }
  return at;
}

/** Length of the whole frame at `at`, or undefined when it is cut off or damaged. */
export function frameLength(bytes: Buffer, at: number): number | undefined {
  if (at + FRAME_HEADER_BYTES > bytes.length) return undefined;
  const length = bytes.readUInt32LE(at);
  const end = at + FRAME_HEADER_BYTES + length;
  if (length === 0 || end > bytes.length) return undefined;
  return crc32(bytes.subarray(at + FRAME_HEADER_BYTES, end)) === bytes.readUInt32LE(at + 4) ? end - at : undefined;
}

/** Length that the frame at `at` claims, however much of it is there. */
export function claimedLength(bytes: Buffer, at: number): number {
  return at + FRAME_HEADER_BYTES > bytes.length ? FRAME_HEADER_BYTES : FRAME_HEADER_BYTES + bytes.readUInt32LE(at);
}

/** A group of records in a frame that has been checked. */
export interface Group {
  readonly slot: number;
  readonly count: number;
  readonly writtenAt: number;
  /** Where the first record starts. */
  readonly at: number;
}

/** The groups of a checked frame; none for a note. */
export function groupsOf(bytes: Buffer, frame: number): Group[] {
  let at = frame + FRAME_HEADER_BYTES;
  if (bytes[at] !== RECORDS) return [];
  const writtenAt = bytes.readDoubleLE(at + 1);
  let left = bytes.readUInt32LE(at + 9);
  at += BODY_HEADER_BYTES;
  const groups: Group[] = [];
  for (; left > 0; left--) {
    groups.push({ slot: bytes.readUInt32LE(at), count: bytes.readUInt32LE(at + 4), writtenAt, at: at + GROUP_HEADER_BYTES });
    at += GROUP_HEADER_BYTES + bytes.readUInt32LE(at + 8);
  }
  return groups;
}

/** When the records of the frame at `at` were written (ms since 1970), as its bytes say; undefined for a note. */
export const writtenAtOf = (bytes: Buffer, at: number): number | undefined =>
  (at + FRAME_HEADER_BYTES + BODY_HEADER_BYTES <= bytes.length && bytes[at + FRAME_HEADER_BYTES] === RECORDS ? bytes.readDoubleLE(at + FRAME_HEADER_BYTES + 1) : undefined);

/** The value of a checked note; undefined for records. */
export function noteOf(bytes: Buffer, frame: number): unknown {
  const body = frame + FRAME_HEADER_BYTES;
  if (bytes[body] !== NOTE) return undefined;
  return JSON.parse(bytes.toString('utf8', body + 1, body + bytes.readUInt32LE(frame)));
}

/** Add the records of a group from offset `from` on; its first record has offset `first`. */
export function readGroup(
  bytes: Buffer, group: Group, first: number, from: number, of: { topic: string; partition: number }, into: LogRecord[],
): void {
  let at = group.at;
  for (let offset = first; offset < first + group.count; offset++) {
    const flags = bytes[at];
    at += 1;
    let name: string | null = null;
    if (flags & HAS_KEY) {
      const length = bytes.readUInt32LE(at);
      if (offset >= from) name = bytes.toString('utf8', at + 4, at + 4 + length);
      at += 4 + length;
    }
    let value: Buffer | null = null;
    let tick: Tick | null = null;
    if (flags & IS_TICK) {
      tick = { writer: name ?? '', time: bytes.readDoubleLE(at) };
      at += 8;
    } else if (flags & HAS_VALUE) {
      const length = bytes.readUInt32LE(at);
      value = bytes.subarray(at + 4, at + 4 + length);
      at += 4 + length;
    }
    if (offset < from) continue;
    into.push({ topic: of.topic, partition: of.partition, offset, key: tick ? null : name, value, tick, writtenAt: group.writtenAt });
  }
}
