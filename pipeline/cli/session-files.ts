/**
 * Files of sessions and of users' histories, gzipped or not, with the line of whatever is wrong.
 *
 * Sessions: JSON lines `[item, item, …]` (test: `[[prefix…], target]`), or a table with a header that names SessionId,
 * ItemId and Time (tabs, commas or semicolons), as YooChoose and Diginetica are published: its sessions are ordered by
 * their last click, and every prefix of a test session is asked. Items are numbers or strings; 5 and "5" are one item.
 */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import type { TestQuery, TestSession, UserEvent } from '../../models/evaluate/recommendations.js';
import { testSessions } from '../../models/evaluate/recommendations.js';
import * as itemIndex from '../../models/item-index.js';
import { DataFileError } from './csv-file.js';

export async function readTrainSessions(file: string, index: itemIndex.ItemIndex): Promise<Int32Array[]> {
  const sessions: Int32Array[] = [];
  const table = new SessionTable(index);
  await eachLine(file, (text, line) => {
    if (table.takes(text, file, line)) return;
    const value = parsed(text, file, line, '[item, item, …]');
    if (!Array.isArray(value) || value.length === 0) throw notAs(file, line, 'a session [item, item, …] of at least one item');
    sessions.push(itemsOf(value, index, file, line));
  });
  return table.isUsed ? table.sessions() : orFail(sessions, file, 'sessions');
}

export async function readTestSessions(file: string, index: itemIndex.ItemIndex): Promise<TestSession[]> {
  const queries: TestQuery[] = [];
  const table = new SessionTable(index);
  await eachLine(file, (text, line) => {
    if (table.takes(text, file, line)) return;
    const value = parsed(text, file, line, '[[prefix…], target]');
    if (!Array.isArray(value) || value.length !== 2 || !Array.isArray(value[0]) || value[0].length === 0) {
      throw notAs(file, line, '[[prefix…], target] with at least one item in the prefix');
    }
    const [target] = itemsOf([value[1]], index, file, line);
    queries.push({ prefix: itemsOf(value[0], index, file, line), target });
  });
  if (!table.isUsed) return testSessions(orFail(queries, file, 'prefixes'));
  const sessions = table.sessions().filter((clicks) => clicks.length > 1);
  return orFail(sessions, file, 'sessions of two clicks').map((clicks) => ({
    clicks,
    queries: Array.from(clicks.subarray(1), (target, at) => ({ prefix: clicks.slice(0, at + 1), target })),
  }));
}

/** Lines `user item [item …]`, separated by blanks, tabs or commas, in time order. */
export async function readUserEvents(file: string, index: itemIndex.ItemIndex): Promise<UserEvent[]> {
  const users = itemIndex.init();
  const events: UserEvent[] = [];
  await eachLine(file, (text, line) => {
    const [user, ...items] = text.split(/[\s,;]+/);
    if (items.length === 0) throw notAs(file, line, 'a user and at least one item');
    const number = itemIndex.learn(users, user);
    for (const item of items) events.push({ user: number, item: itemIndex.learn(index, item) });
  });
  return orFail(events, file, 'events');
}

/** Rows of a table with a header, gathered into sessions; unused while the file's first line is JSON. */
class SessionTable {
  isUsed = false;
  readonly #index: itemIndex.ItemIndex;
  readonly #sessions = new Map<string, { items: number[]; times: number[]; last: number }>();
  #separator = '\t';
  #columns: readonly number[] = [];
  #isFirst = true;

  constructor(index: itemIndex.ItemIndex) {
    this.#index = index;
  }

  takes(text: string, file: string, line: number): boolean {
    if (this.#isFirst) {
      this.#isFirst = false;
      if (text.startsWith('[')) return false;
      this.#readHeader(text, file, line);
      this.isUsed = true;
      return true;
    }
    if (!this.isUsed) return false;
    const cells = text.split(this.#separator);
    const [session, item, stamp] = this.#columns.map((column) => cells[column]?.trim() ?? '');
    const time = /^-?\d+(\.\d+)?$/.test(stamp) ? Number(stamp) : Date.parse(stamp);
    if (session === '' || item === '' || Number.isNaN(time)) throw notAs(file, line, 'a session, an item and a time');
    const known = this.#sessions.get(session) ?? { items: [], times: [], last: time };
    this.#sessions.set(session, known);
    known.items.push(itemIndex.learn(this.#index, item));
    known.times.push(time);
    known.last = Math.max(known.last, time);
    return true;
  }

  #readHeader(text: string, file: string, line: number): void {
    this.#separator = ['\t', ';', ','].find((separator) => text.includes(separator)) ?? '\t';
    const names = text.split(this.#separator).map((name) => name.trim().toLowerCase().replaceAll(/[_"]/g, ''));
    const column = (...wanted: string[]): number => names.findIndex((name) => wanted.includes(name));
    this.#columns = [column('sessionid', 'visitorid'), column('itemid'), column('time', 'timestamp', 'timeframe')];
    if (this.#columns.includes(-1)) {
      throw notAs(file, line, 'JSON such as [1, 2], nor a header that names SessionId, ItemId and Time');
    }
  }

  /** By their last click, each in time order; equal times keep the order of the file. */
  sessions(): Int32Array[] {
    return [...this.#sessions.values()]
      .toSorted((a, b) => a.last - b.last)
      .map(({ items, times }) => Int32Array.from(items.map((_, at) => at).toSorted((a, b) => times[a] - times[b] || a - b), (at) => items[at]));
  }
}

function itemsOf(values: readonly unknown[], index: itemIndex.ItemIndex, file: string, line: number): Int32Array {
  return Int32Array.from(values, (value) => {
    if (typeof value !== 'string' && typeof value !== 'number') throw notAs(file, line, 'items that are numbers or strings');
    return itemIndex.learn(index, String(value));
  });
}

function parsed(text: string, file: string, line: number, form: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw notAs(file, line, `JSON of the form ${form}`);
  }
}

function notAs(file: string, line: number, form: string): DataFileError {
  return new DataFileError(`Line ${line} of ${file} is not ${form}.`);
}

function orFail<T>(found: T[], file: string, what: string): T[] {
  if (found.length === 0) throw new DataFileError(`${file} has no ${what}.`);
  return found;
}

async function eachLine(file: string, take: (text: string, line: number) => void): Promise<void> {
  const unreadable = (error: unknown): DataFileError =>
    new DataFileError(`${file} cannot be read: ${error instanceof Error ? error.message : 'unknown error'}.`);
  const isZipped = await isGzip(file).catch((error: unknown) => {
    throw unreadable(error);
  });
  const raw = createReadStream(file);
  const input = isZipped ? raw.pipe(createGunzip()) : raw;
  raw.on('error', (error) => input.destroy(error));
  let line = 0;
  let failure: unknown;
  input.on('error', (error: Error) => (failure = error));
  const texts = createInterface({ input, crlfDelay: Infinity })[Symbol.asyncIterator]();
  for (;;) {
    // Only reading is guarded: what `take` finds wrong with a line has its own sentence.
    const next = await texts.next().catch((error: unknown) => {
      throw unreadable(error);
    });
    if (next.done === true) break;
    line++;
    const trimmed = (line === 1 ? next.value.replace(/^\uFEFF/, '') : next.value).trim();
    if (trimmed !== '') take(trimmed, line);
  }
  if (failure !== undefined) throw unreadable(failure);
}

/** By its first two bytes, whatever it is called. */
async function isGzip(file: string): Promise<boolean> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(2), 0, 2, 0);
    return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
  } finally {
    await handle.close();
  }
}
