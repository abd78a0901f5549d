import type { Message } from 'kafkajs';
import type { NewRecord, Tick } from '../../pipeline/core/log.js';

/** A tick on Kafka is a record without key and value and with this header: `<writer> <time>`. */
export const TICK_HEADER = 'millrace-tick';

export function toMessage({ key, value, partition, tick }: NewRecord): Message {
  const message: Message = { key, value, partition };
  if (tick) message.headers = { [TICK_HEADER]: `${tick.writer} ${tick.time}` };
  return message;
}

/** Null for what no Millrace wrote: a foreign header of this name is no tick. */
export function parseTick(header: string | null): Tick | null {
  const space = header?.lastIndexOf(' ') ?? -1;
  if (header === null || space <= 0) return null;
  const time = Number(header.slice(space + 1));
  return Number.isSafeInteger(time) ? { writer: header.slice(0, space), time } : null;
}

/** Upper bound of a record's bytes in a batch: varints, header and the tick included. */
export function recordBytes({ key, value, tick }: NewRecord): number {
  return 40 + (key === null ? 0 : Buffer.byteLength(key)) + (value?.length ?? 0) + (tick ? TICK_HEADER.length + tick.writer.length + 20 : 0);
}
