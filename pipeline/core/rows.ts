import { codec, UndecodableError, type Codec } from '../../schemas/codec.js';
import type { Redirect, Timer } from '../../schemas/types.js';
import { ConfigError } from './errors.js';

const SEPARATOR = '\u001f';
/** The character after the separator: what begins with a prefix and the separator ends before the prefix and this one. */
const BEHIND = ' ';

/** A kind of row in a consumer's table. The main kind has the name '', so that its row keys are the partition keys themselves. */
export interface RowKind<T> {
  readonly name: string;
  readonly codec: Codec<T>;
}

/** Declare a kind of row, encoded as the Avro record `record`. */
export const rows = <T>(name: string, record: string): RowKind<T> => ({ name, codec: codec<T>(record) });

/**
 * A row as the table holds it.
 * @throws ConfigError for a row that another version wrote. A BadEvent would make a dead letter of a good record.
 */
export function decodeRow<T>(of: Codec<T>, stored: Buffer): T {
  try {
    return of.decode(stored);
  } catch (cause) {
    if (!(cause instanceof UndecodableError) || cause.code !== 'unknown_schema') throw cause;
    throw new ConfigError([`A row of a table cannot be read. ${cause.message} Run that version, or name new topics (TOPIC_PREFIX).`], { cause });
  }
}

/** The part of a row key behind the partition key: it tells apart the rows of one partition key. */
export const restOf = (kind: string, sub = ''): string => (kind === '' && sub === '' ? '' : sub === '' ? kind : `${kind}${SEPARATOR}${sub}`);

/** What the rest of every row of a kind with a sub begins with. */
export const restPrefix = (kind: string): string => `${kind}${SEPARATOR}`;

export const rowKey = (partitionKey: string, rest: string): string => (rest === '' ? partitionKey : `${partitionKey}${SEPARATOR}${rest}`);

/** Take a row key apart. Ids never contain U+001F: the collector and the first consumers refuse control characters. */
export function splitRowKey(key: string): { partitionKey: string; kind: string; sub: string; rest: string } {
  const [partitionKey = '', kind = '', ...sub] = key.split(SEPARATOR);
  return { partitionKey, kind, sub: sub.join(SEPARATOR), rest: restOf(kind, sub.join(SEPARATOR)) };
}

/** Bounds of all rows of a partition key but the main one; with a kind, of its rows that have a sub. */
export function rowRange(partitionKey: string, kind?: string): { start: string; end: string } {
  const prefix = kind === undefined ? partitionKey : `${partitionKey}${SEPARATOR}${kind}`;
  return { start: `${prefix}${SEPARATOR}`, end: `${prefix}${BEHIND}` };
}

/** Key of the row that holds a task's progress: no partition key can collide with it. */
export const PROGRESS_KEY = '\u001f_progress';
export const TIMER = '_timer';
/** Sub of the row of a timer. */
export const timerSub = (name: string, sub: string): string => (sub === '' ? name : `${name}${SEPARATOR}${sub}`);

/** Name and sub of a timer from the sub of its row. */
export function splitTimerSub(text: string): { name: string; sub: string } {
  const [name = '', ...sub] = text.split(SEPARATOR);
  return { name, sub: sub.join(SEPARATOR) };
}

export const timerRows = rows<Timer>(TIMER, 'Timer');
export const redirectRows = rows<Redirect>('_redirect', 'Redirect');
/** Partition key of rows that belong to the task and to nobody's id, which is never empty. */
export const NOBODY = '';

/** When a row is due (ms), if it is a timer. Only its kind is looked at: ids stand behind it, and may look like a timer's name. */
export function dueOf(key: string, value: Uint8Array): number | undefined {
  return key.startsWith(restPrefix(TIMER), key.indexOf(SEPARATOR) + 1) ? timerRows.codec.decode(value).due : undefined;
}
