/**
 * Files of sessions and of users' histories, gzipped or not, pipes too, with the line of whatever is wrong.
 *
 * Sessions: JSON lines `[item, item, …]` (test: `[[prefix…], target]`), or a publisher's table of clicks
 * (producers/formats/click-tables.ts): its sessions are ordered by their last click, and every prefix of a test session
 * is asked. Of a table of visitors the views count, and a session ends where 30 minutes pass without one. Items are
 * numbers or strings; 5 and "5" are one item.
 */
import { testSessions, type TestQuery, type TestSession, type UserEvent } from '../../models/evaluate/recommendations.js';
import * as itemIndex from '../../models/item-index.js';
import { clickTable, type ClickTable } from '../../producers/formats/click-tables.js';
import { DataFileError, eachLine } from './text-lines.js';

const DAY_MS = 86_400_000;
const SESSION_GAP_MS = 30 * 60_000;

export async function readTrainSessions(file: string, index: itemIndex.ItemIndex): Promise<Int32Array[]> {
  const sessions: Int32Array[] = [];
  const table = new SessionTable(index);
  await eachLine(file, (text, line) => {
    if (table.takes(text, file, line)) return;
    const value = parsed(text, file, line, '[item, item, …]');
    if (!Array.isArray(value) || value.length === 0) throw notAs(file, line, 'a session [item, item, …] of at least one item');
    sessions.push(itemsOf(value, index, file, line));
  });
  return orFail(table.isUsed ? table.sessions().map(({ clicks }) => clicks) : sessions, file, 'sessions');
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
  return everyPrefix(table.sessions().map(({ clicks }) => clicks), file);
}

/** One table of clicks for both: the sessions that ended in its last `testDays` days are asked. */
export async function readSplitSessions(file: string, testDays: number, index: itemIndex.ItemIndex): Promise<{ train: Int32Array[]; test: TestSession[] }> {
  const table = new SessionTable(index);
  await eachLine(file, (text, line) => {
    if (!table.takes(text, file, line)) throw notAs(file, line, 'of a table of clicks with times, which --test-days needs');
  });
  const sessions = orFail(table.sessions(), file, 'sessions');
  const cut = sessions[sessions.length - 1].last - testDays * DAY_MS;
  const train = sessions.filter(({ last }) => last <= cut).map(({ clicks }) => clicks);
  if (train.length === 0) throw new DataFileError(`${file} has no session that ended more than ${testDays} days before its last click.`);
  return { train, test: everyPrefix(sessions.filter(({ last }) => last > cut).map(({ clicks }) => clicks), file) };
}

function everyPrefix(sessions: readonly Int32Array[], file: string): TestSession[] {
  return orFail(sessions.filter((clicks) => clicks.length > 1), file, 'sessions of two clicks').map((clicks) => ({
    clicks,
    queries: Array.from(clicks.subarray(1), (target, at) => ({ prefix: clicks.slice(0, at + 1), target })),
  }));
}

/** Lines `user item [item …]`, separated by blanks, tabs or commas, in time order. */
export async function readUserEvents(file: string, index: itemIndex.ItemIndex): Promise<UserEvent[]> {
  const users = itemIndex.init();
  const events: UserEvent[] = [];
  let areRatings = true;
  await eachLine(file, (text, line) => {
    const [user, ...items] = text.trim().split(/[\s,;]+/);
    if (items.length === 0) throw notAs(file, line, 'a user and at least one item');
    areRatings &&= items.length === 3 && /^\d(\.\d)?$/.test(items[1]) && Number(items[2]) > 1e8;
    const number = itemIndex.learn(users, user);
    for (const item of items) events.push({ user: number, item: itemIndex.learn(index, item) });
  });
  // Read as items, a rating of 5 would be everybody's favourite, and every time an item of its own.
  if (areRatings && events.length > 0) {
    throw new DataFileError(`Every line of ${file} looks like "user item rating time"; sort them by time and give "user item".`);
  }
  return orFail(events, file, 'events');
}

interface Session {
  readonly clicks: Int32Array;
  /** When its last click was, in milliseconds. */
  readonly last: number;
}

/** Rows of a table, gathered into sessions; unused while the file's first line is JSON. */
class SessionTable {
  #table: ClickTable | undefined;
  readonly #index: itemIndex.ItemIndex;
  readonly #groups = new Map<string, { items: number[]; times: number[] }>();
  #isFirst = true;

  constructor(index: itemIndex.ItemIndex) {
    this.#index = index;
  }

  get isUsed(): boolean {
    return this.#table !== undefined;
  }

  takes(text: string, file: string, line: number): boolean {
    if (this.#isFirst) {
      this.#isFirst = false;
      if (text.trim().startsWith('[')) return false;
      this.#table = clickTable(text);
      if (this.#table === undefined) {
        throw notAs(file, line, 'JSON such as [1, 2], nor the first line of a table of clicks (such as a header with SessionId, ItemId and Time)');
      }
      if (this.#table.hasHeader) return true;
    }
    if (this.#table === undefined) return false;
    const click = this.#table.read(text);
    if (click === undefined) throw notAs(file, line, `a ${this.#table.isOfVisitors ? 'visitor' : 'session'}, an item and a time`);
    if (click.kind !== 'view') return true;
    const known = this.#groups.get(click.session) ?? { items: [], times: [] };
    this.#groups.set(click.session, known);
    known.items.push(itemIndex.learn(this.#index, click.item));
    known.times.push(click.time);
    return true;
  }

  /** By their last click, each in time order; equal times keep the order of the file. */
  sessions(): Session[] {
    const gap = this.#table?.isOfVisitors === true ? SESSION_GAP_MS : Infinity;
    return [...this.#groups.values()].flatMap(({ items, times }) => {
      const order = times.map((_, at) => at).toSorted((a, b) => times[a] - times[b] || a - b);
      const found: Session[] = [];
      for (let from = 0, to = 1; to <= order.length; to++) {
        if (to < order.length && times[order[to]] - times[order[to - 1]] <= gap) continue;
        found.push({ clicks: Int32Array.from(order.slice(from, to), (at) => items[at]), last: times[order[to - 1]] });
        from = to;
      }
      return found;
    }).toSorted((a, b) => a.last - b.last);
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
