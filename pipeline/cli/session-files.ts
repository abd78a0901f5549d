/**
 * Files of sessions, gzipped or not, pipes too, with the line of whatever is wrong.
 *
 * JSON lines `[item, item, …]` (test: `[[prefix…], target]`); OTTO's lines `{"session", "events": [{"aid", "ts", "type"}]}`; or a table of
 * clicks (producers/formats/click-tables.ts). Sessions of the latter two are ordered by their last click, and every prefix of a test session
 * is asked. Of a table of visitors the views count, and a session ends where 30 minutes pass without one. Items are numbers or strings; 5
 * and "5" are one item.
 */
import { testSessions, type TestQuery, type TestSession } from '../../models/evaluate/recommendations.js';
import * as itemIndex from '../../models/item-index.js';
import { clickTable, NotTable, timeOf, type ClickTable } from '../../producers/formats/click-tables.js';
import type { CsvRow } from '../../producers/formats/csv.js';
import { isObject } from '../../producers/fields.js';
import { exactIds } from '../../producers/formats/json-items.js';
import { DataFileError, eachLine, eachRow, openFile } from './text-lines.js';

const DAY_MS = 86_400_000;
const SESSION_GAP_MS = 30 * 60_000;

export async function readTrainSessions(file: string, index: itemIndex.ItemIndex): Promise<Int32Array[]> {
  const sessions: Int32Array[] = [];
  const timed = await eachSession(file, index, (text, line) => {
    const value = parsed(text, file, line, '[item, item, …]');
    if (!Array.isArray(value) || value.length === 0) throw notAs(file, line, 'a session [item, item, …] of at least one item');
    sessions.push(itemsOf(value, index, file, line));
  });
  return orFail(timed?.sessions().map(({ clicks }) => clicks) ?? sessions, file, 'sessions');
}

export async function readTestSessions(file: string, index: itemIndex.ItemIndex): Promise<TestSession[]> {
  const queries: TestQuery[] = [];
  const timed = await eachSession(file, index, (text, line) => {
    const value = parsed(text, file, line, '[[prefix…], target]');
    if (!Array.isArray(value) || value.length !== 2 || !Array.isArray(value[0]) || value[0].length === 0) {
      throw notAs(file, line, '[[prefix…], target] with at least one item in the prefix');
    }
    const [target] = itemsOf([value[1]], index, file, line);
    queries.push({ prefix: itemsOf(value[0], index, file, line), target });
  });
  return timed ? everyPrefix(timed.sessions().map(({ clicks }) => clicks), file) : testSessions(orFail(queries, file, 'prefixes'));
}

/** One file of clicks with times for both: the sessions that ended in its last `testDays` days are asked. */
export async function readSplitSessions(file: string, testDays: number, index: itemIndex.ItemIndex): Promise<{ train: Int32Array[]; test: TestSession[] }> {
  const timed = await eachSession(file, index, (_, line) => {
    throw notAs(file, line, 'of a table of clicks with times, which --test-days needs');
  });
  const sessions = orFail(timed?.sessions() ?? [], file, 'sessions');
  const cut = sessions[sessions.length - 1].last - testDays * DAY_MS;
  const train = sessions.filter(({ last }) => last <= cut).map(({ clicks }) => clicks);
  if (train.length === 0) throw new DataFileError(`${file} has no session that ended more than ${testDays} days before its last click.`);
  return { train, test: everyPrefix(sessions.filter(({ last }) => last > cut).map(({ clicks }) => clicks), file) };
}

/** Calls `list` with each line of JSON lists; of a file whose clicks have times, answers these. */
async function eachSession(file: string, index: itemIndex.ItemIndex, list: (text: string, line: number) => void): Promise<TimedClicks | undefined> {
  const content = await openFile(file);
  if (content.first.startsWith('[') || content.first === '') {
    await eachLine(file, content.text, list);
    return undefined;
  }
  const clicks = new TimedClicks(index, file);
  if (content.first.startsWith('{')) await eachLine(file, content.text, (text, line) => clicks.takeObject(text, line));
  else await eachRow(file, content, (row) => clicks.takeRow(row));
  return clicks;
}

/** Sessions of which every prefix is asked. @throws DataFileError where none has two clicks */
export function everyPrefix(sessions: readonly Int32Array[], file: string): TestSession[] {
  return orFail(sessions.filter((clicks) => clicks.length > 1), file, 'sessions of two clicks').map((clicks) => ({
    clicks,
    queries: Array.from(clicks.subarray(1), (target, at) => ({ prefix: clicks.slice(0, at + 1), target })),
  }));
}

interface Session {
  readonly clicks: Int32Array;
  /** When its last click was, in milliseconds. */
  readonly last: number;
}

/** Clicks with times, gathered into sessions. */
class TimedClicks {
  #table: ClickTable | undefined;
  readonly #index: itemIndex.ItemIndex;
  readonly #file: string;
  readonly #groups = new Map<string, { items: number[]; times: number[] }>();

  constructor(index: itemIndex.ItemIndex, file: string) {
    this.#index = index;
    this.#file = file;
  }

  takeRow(row: CsvRow): void {
    if (this.#table === undefined) {
      this.#table = this.#tableOf(row.cells);
      if (this.#table.hasHeader) return;
    }
    const click = this.#table.read(row);
    if ('message' in click) throw new DataFileError(`Line ${row.line} of ${this.#file} is no click: ${click.path}${click.path === '' ? '' : ' '}${click.message}`);
    if (click.kind === 'view') this.#add(click.session, click.item, click.time);
  }

  #tableOf(first: readonly string[]): ClickTable {
    try {
      return clickTable(first);
    } catch (error) {
      throw error instanceof NotTable ? new DataFileError(`${this.#file} does not begin with JSON such as [1, 2]. ${error.message}`) : error;
    }
  }

  /** A session as OTTO's files have it; of its events the clicks count. */
  takeObject(text: string, line: number): void {
    const form = '{"session": …, "events": [{"aid": …, "ts": …, "type": "clicks"}, …]}';
    const value = parsed(text, this.#file, line, form);
    const wrong = (): DataFileError => notAs(this.#file, line, form);
    if (!isObject(value) || !isItem(value['session']) || !Array.isArray(value['events'])) throw wrong();
    for (const event of value['events']) {
      if (!isObject(event) || !isItem(event['aid']) || !isItem(event['ts'])) throw wrong();
      const time = timeOf(String(event['ts']));
      if (time === undefined) throw wrong();
      if (event['type'] === 'clicks') this.#add(String(value['session']), String(event['aid']), time);
    }
  }

  #add(session: string, item: string, time: number): void {
    const known = this.#groups.get(session) ?? { items: [], times: [] };
    this.#groups.set(session, known);
    known.items.push(itemIndex.learn(this.#index, item));
    known.times.push(time);
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

const isItem = (value: unknown): value is number | string => typeof value === 'string' || typeof value === 'number';

function itemsOf(values: readonly unknown[], index: itemIndex.ItemIndex, file: string, line: number): Int32Array {
  return Int32Array.from(values, (value) => {
    if (!isItem(value)) throw notAs(file, line, 'items that are numbers or strings');
    return itemIndex.learn(index, String(value));
  });
}

function parsed(text: string, file: string, line: number, form: string): unknown {
  try {
    return JSON.parse(exactIds(text));
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
