import type { LogRecord, NewRecord } from '../core/log.js';

const HEAD = 5;

/** Records on their way to another thread: a Buffer by itself would take along all the memory that it is a part of. */
export interface Parcel {
  readonly topics: readonly string[];
  /** By record: number of its topic, partition, offset, write time, bytes of its value or −1 for none. */
  readonly heads: Float64Array<ArrayBuffer>;
  readonly keys: readonly (string | null)[];
  /** One after the other. */
  readonly values: Uint8Array<ArrayBuffer>;
}

/** Ticks arrive as records without a value: learners have no use for their time, only for their place. */
export function pack(records: readonly (LogRecord | NewRecord)[]): Parcel {
  const topics: string[] = [];
  const heads = new Float64Array(records.length * HEAD);
  const values = new Uint8Array(records.reduce((sum, { value }) => sum + (value?.length ?? 0), 0));
  let end = 0;
  records.forEach((record, i) => {
    const known = topics.lastIndexOf(record.topic);
    const topic = known < 0 ? topics.push(record.topic) - 1 : known;
    heads.set([topic, record.partition, 'offset' in record ? record.offset : 0, 'writtenAt' in record ? record.writtenAt : 0, record.value?.length ?? -1], i * HEAD);
    if (record.value) values.set(record.value, end);
    end += record.value?.length ?? 0;
  });
  return { topics, heads, keys: records.map(({ key }) => key), values };
}

export function unpack({ topics, heads, keys, values }: Parcel): LogRecord[] {
  const all = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  let end = 0;
  return keys.map((key, i) => {
    const [topic = 0, partition = 0, offset = 0, writtenAt = 0, length = -1] = heads.subarray(i * HEAD, (i + 1) * HEAD);
    return { topic: topics[topic] ?? '', partition, offset, key, value: length < 0 ? null : all.subarray(end, (end += length)), tick: null, writtenAt };
  });
}

/** What of a parcel is handed over instead of copied. */
export const handedOver = ({ heads, values }: Parcel): ArrayBuffer[] => [heads.buffer, values.buffer];
