/**
 * Files of users' histories, gzipped or not, pipes too, with the line of whatever is wrong. What a file is, its first rows tell:
 *
 *   a header that names a user and an item, in any order      events, in the order of the time where the header names one
 *   user item time, or user item rating time                  events in the order of their times
 *   user item [item …]                                        events in the order of the file
 *
 * Cells are parted by tabs, semicolons, commas, `::` or blanks. Ratings are not read: whoever rates an item has had it.
 */
import type { UserEvent } from '../../models/evaluate/recommendations.js';
import * as itemIndex from '../../models/item-index.js';
import { columnsOf, isIsoTime, isUnixTime, NO_TIME, NotTable, timeOf } from '../../producers/formats/click-tables.js';
import { misfit, type CsvRow } from '../../producers/formats/csv.js';
import { DataFileError, eachRow, openFile } from './text-lines.js';

/** Rows by which a form is told. */
const LOOKED_AT = 1000;

export interface UserEvents {
  readonly events: readonly UserEvent[];
  /** Whether they lie in the order of their own times. */
  readonly isTimed: boolean;
}

/** Where a file without lists has its columns; no time: −1. */
interface Columns {
  readonly names: readonly string[];
  readonly hasHeader: boolean;
  readonly user: number;
  readonly item: number;
  readonly time: number;
}

export async function readUserEvents(file: string, index: itemIndex.ItemIndex): Promise<UserEvents> {
  const users = itemIndex.init();
  const events: UserEvent[] = [];
  const times: number[] = [];
  const add = (user: string, item: string): void => void events.push({ user: itemIndex.learn(users, user), item: itemIndex.learn(index, item) });
  const waiting: CsvRow[] = [];
  let form: Columns | 'lists' | undefined;
  let parts = '';

  const take = (row: CsvRow): void => {
    if (form === 'lists') {
      const [user, ...items] = listed(row, parts, file);
      for (const item of items) add(user, item);
    } else if (form) {
      const [user, item, time] = cellsOf(row, form, file);
      add(user, item);
      if (form.time >= 0) times.push(time);
    }
  };
  const begin = (): void => {
    form = formOf(waiting, file);
    for (const row of waiting.splice(0).slice(form !== 'lists' && form.hasHeader ? 1 : 0)) take(row);
  };
  const content = await openFile(file);
  if (/^[[{]/.test(content.first)) throw new DataFileError(`${file} is JSON; give a table or lines "user item".`);
  await eachRow(file, content, (row, separator) => {
    parts = separator;
    const whole = separator === ' ' ? { ...row, cells: row.cells.join(' ').trim().split(/\s+/) } : row;
    if (form !== undefined) return take(whole);
    waiting.push(whole);
    if (waiting.length === LOOKED_AT) begin();
  });
  if (form === undefined) begin();
  if (events.length === 0) throw new DataFileError(`${file} has no events.`);
  if (times.length === 0) return { events, isTimed: false };
  const order = times.map((_, at) => at).toSorted((a, b) => times[a] - times[b] || a - b);
  return { events: order.map((at) => events[at]), isTimed: true };
}

/** What these first rows of a file are. */
function formOf(rows: readonly CsvRow[], file: string): Columns | 'lists' {
  if (rows.length === 0) throw new DataFileError(`${file} has no events.`);
  const header = headed(rows, file);
  if (header) return header;
  const filled = rows.map(({ cells }) => cells.map((cell) => cell.trim()).filter((cell) => cell !== ''));
  const width = filled[0].length;
  if (width < 3 || filled.some(({ length }) => length !== width)) return 'lists';
  // Lists have one line a user. Read as items, a rating of 5 would be everybody's favourite, and every time an item of its own.
  const isRepeated = new Set(filled.map(([user]) => user)).size < filled.length;
  const columnOf = (from: number, is: (cell: string) => boolean): number => filled[0].findIndex((_, at) => at >= from && filled.every((cells) => is(cells[at])));
  const [iso, unix, rating] = [columnOf(1, isIsoTime), columnOf(2, isUnixTime), columnOf(2, (cell) => /^\d(\.\d+)?$|^10(\.0+)?$/.test(cell))];
  const time = iso >= 0 ? iso : unix;
  const bare = { hasHeader: false, user: 0, item: 1, time };
  if (width === 3 && time === 2 && (iso === 2 || isRepeated)) return { ...bare, names: ['user', 'item', 'time'] };
  if (width === 4 && time >= 2 && rating >= 2) return { ...bare, names: time === 3 ? ['user', 'item', 'rating', 'time'] : ['user', 'item', 'time', 'rating'] };
  if (iso < 0 && !isRepeated) return 'lists';
  const odd = time >= 0 ? `column ${time + 1} looks like a time` : rating >= 0 ? `column ${rating + 1} looks like a rating` : 'users come again, so that column 3 may be a count';
  throw new DataFileError(`Each line of ${file} has ${width} cells, and ${odd}, which is no item: name the columns in a first line (user, item, rating, timestamp).`);
}

/** The columns of a file whose first row names them. */
function headed([{ cells: names, line }, ...rows]: readonly CsvRow[], file: string): Columns | undefined {
  const { session, user, item, time } = namedColumns(names, file);
  const who = user >= 0 ? user : session;
  if (who >= 0 && item >= 0) {
    // In the order of the file a column of times would be left aside without a word.
    const told = time >= 0 || rows.length === 0 ? -1 : names.findIndex((_, at) => at !== who && at !== item && rows.every(({ cells }) => isTimeLike(cells[at]?.trim() ?? '')));
    if (told >= 0) throw new DataFileError(`Line ${line} of ${file} names no time, but ${names[told].trim()} looks like one: call it timestamp, or take it out where the order of the file is that of time.`);
    return { names, hasHeader: true, user: who, item, time };
  }
  const isNumber = (cell: string): boolean => /^\s*[\d.]+\s*$/.test(cell);
  const standsOut = rows.length > 0 && !names.some((cell) => /\d/.test(cell)) && rows.every(({ cells }) => cells.every(isNumber));
  if (who !== 0 && item !== 1 && !standsOut) return undefined;
  const lacking = [who < 0 && 'a user (user, user_id, userId)', item < 0 && 'an item (item, item_id, movieId, product_id, sku)'].filter((one) => one !== false);
  throw new DataFileError(`Line ${line} of ${file} names columns, but not ${lacking.join(' and ')}.`);
}

/** ISO 8601, or a date as 31/01/2024; Unix seconds may be numbers of orders. */
const isTimeLike = (cell: string): boolean => isIsoTime(cell) || /^\d{1,4}([/.])\d{1,2}\1\d{2,4}(\s|$)/.test(cell);

function namedColumns(names: readonly string[], file: string): ReturnType<typeof columnsOf> {
  try {
    return columnsOf(names);
  } catch (error) {
    throw error instanceof NotTable ? new DataFileError(`${file}: ${error.message}`) : error;
  }
}

function cellsOf(row: CsvRow, { names, user, item, time }: Columns, file: string): [user: string, item: string, time: number] {
  const wrong = misfit(row, names);
  if (wrong) throw new DataFileError(`${file}: ${wrong.message}`);
  const filled = (at: number): string => {
    const cell = row.cells[at].trim();
    if (cell === '') throw new DataFileError(`Line ${row.line} of ${file} has nothing in the column ${names[at].trim()}.`);
    return cell;
  };
  const at = time < 0 ? 0 : timeOf(filled(time));
  if (at === undefined) throw new DataFileError(`Line ${row.line} of ${file} has ${JSON.stringify(row.cells[time].slice(0, 40))} in the column ${names[time].trim()}, which is ${NO_TIME}.`);
  return [filled(user), filled(item), at];
}

/** A user and items. */
function listed({ cells, line }: CsvRow, separator: string, file: string): string[] {
  const found = cells.map((cell) => cell.trim()).filter((cell) => cell !== '');
  if (found.length < 2) throw new DataFileError(`Line ${line} of ${file} is not a user and at least one item.`);
  const mixed = found.find((cell) => /\s/.test(cell));
  if (mixed !== undefined) {
    throw new DataFileError(`Line ${line} of ${file} parts cells by ${JSON.stringify(separator)} and has ${JSON.stringify(mixed.slice(0, 40))}: part all by one of them, or name the columns in a first line (user, item).`);
  }
  return found;
}
