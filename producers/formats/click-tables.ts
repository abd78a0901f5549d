/**
 * Tables of clicks as their publishers give them out, told apart by their first row:
 *
 *   a header that names a session or user, an item and a time   in any order, under the names below; Unix time or ISO
 *   the same with an event                                      RetailRocket, events.csv; only views are clicks
 *   no header: session, item, Unix seconds                      preprocessed sessions
 *   no header: session, ISO time, item, category                YooChoose, yoochoose-clicks.dat
 *   sessionId;userId;itemId;timeframe;eventdate                 Diginetica, train-item-views.csv; timeframe: milliseconds since the session began
 */
import type { FieldError } from '../fields.js';
import { parseTime } from '../times.js';
import { misfit, type CsvRow } from './csv.js';

export interface Click {
  /** The session, or where the table only knows visitors the visitor. */
  readonly session: string;
  readonly item: string;
  /** Milliseconds since 1970. */
  readonly time: number;
  /** `other` is what tells of no interest, or of a purchase without its order. */
  readonly kind: 'view' | 'cart' | 'purchase' | 'other';
  /** The order that a purchase belongs to. */
  readonly order: string | undefined;
}

export interface ClickTable {
  readonly hasHeader: boolean;
  readonly isOfVisitors: boolean;
  /** The click in a row of the table, or what is wrong with it. */
  read(row: CsvRow): Click | FieldError;
}

/** A first row that begins no table; the message is a sentence. */
export class NotTable extends Error {
  override readonly name = 'NotTable';
}

/** Names of columns, without case, underscores, blanks and RecBole's types (`user_id:token`); of several the first one counts. */
const NAMES = {
  session: ['sessionid', 'session', 'usersession'],
  user: ['userid', 'user', 'visitorid', 'visitor', 'uid', 'customerid', 'customer', 'reviewerid'],
  item: ['itemid', 'item', 'productid', 'product', 'sku', 'movieid', 'articleid', 'artistid', 'trackid', 'songid', 'bookid', 'isbn', 'newsid', 'videoid', 'gameid', 'businessid', 'aid', 'parentasin', 'asin'],
  time: ['timestamp', 'time', 'ts', 'eventtime', 'datetime', 'unixreviewtime', 'date', 'tdat'],
  event: ['event', 'eventtype'],
  order: ['transactionid', 'orderid'],
  timeframe: ['timeframe'],
  eventdate: ['eventdate'],
} as const;

export type Column = keyof typeof NAMES;

/** Where a header has its columns; −1 for those that it lacks. @throws NotTable where it names one twice */
export function columnsOf(header: readonly string[]): Readonly<Record<Column, number>> {
  const names = header.map((name) => name.trim().toLowerCase().replace(/:(token|float)(_seq)?$/, '').replace(/[_\s-]/g, ''));
  const placeOf = (column: Column): number => {
    const found = NAMES[column].find((name) => names.includes(name));
    const place = found === undefined ? -1 : names.indexOf(found);
    if (found !== undefined && names.lastIndexOf(found) !== place) throw new NotTable(`The first line names the column ${header[place]?.trim()} twice.`);
    return place;
  };
  return {
    session: placeOf('session'), user: placeOf('user'), item: placeOf('item'), time: placeOf('time'),
    event: placeOf('event'), order: placeOf('order'), timeframe: placeOf('timeframe'), eventdate: placeOf('eventdate'),
  };
}

/** The table that begins with this row. @throws NotTable */
export function clickTable(first: readonly string[]): ClickTable {
  const at = columnsOf(first);
  const who = at.session >= 0 ? at.session : at.user;
  if (who >= 0 && at.item >= 0 && at.timeframe >= 0 && at.eventdate >= 0) return table(first, { ...at, who });
  if (who >= 0 && at.item >= 0 && at.time >= 0) return table(first, { ...at, who, timeframe: -1 });
  const bare = first.map((cell) => cell.trim());
  if (bare.length === 4 && isIsoTime(bare[1])) return table(['session', 'time', 'item', 'category'], { ...NONE, who: 0, time: 1, item: 2 }, false);
  // Seconds that no counter of items or ratings reaches: three bare columns could be anything else.
  if (bare.length === 3 && isUnixTime(bare[2])) return table(['session', 'item', 'time'], { ...NONE, who: 0, item: 1, time: 2 }, false);
  const lacking = [who < 0 && 'a session (session_id) or user (user_id, visitorid)', at.item < 0 && 'an item (item_id, product_id, sku)', at.time < 0 && 'a time (timestamp)'].filter((one) => one !== false);
  throw new NotTable(`The first line is no table of clicks: a header must name ${lacking.join(' and ')}, and without one the columns are session, item, Unix time or session, ISO time, item, category.`);
}

interface Places {
  readonly who: number;
  readonly session: number;
  readonly item: number;
  readonly time: number;
  readonly event: number;
  readonly order: number;
  readonly timeframe: number;
  readonly eventdate: number;
}

const NONE = { session: -1, event: -1, order: -1, timeframe: -1, eventdate: -1 };

function table(header: readonly string[], at: Places, hasHeader = true): ClickTable {
  const isOfVisitors = hasHeader && at.session < 0;
  const read = (row: CsvRow): Click | FieldError => {
    const wrong = misfit(row, header);
    if (wrong) return wrong;
    const cell = (place: number): string => row.cells[place]?.trim() ?? '';
    const unread = (place: number, code: FieldError['code'], what: string): FieldError => ({ path: header[place]?.trim() ?? '', code, message: `${JSON.stringify(cell(place).slice(0, 40))} is ${what}.` });
    const [session, item, order] = [cell(at.who), cell(at.item), cell(at.order)];
    if (session === '') return unread(at.who, 'required', isOfVisitors ? 'no visitor' : 'no session');
    if (item === '') return unread(at.item, 'required', 'no item');
    const kind = at.event < 0 ? 'view' : kindOf(cell(at.event), at.order >= 0);
    if (kind === undefined) return unread(at.event, 'unknown_type', `none of the events that are known: ${Object.keys(KINDS).join(', ')}`);
    if (kind === 'purchase' && order === '') return unread(at.order, 'required', 'no order, which a purchase needs');
    const isSplit = at.timeframe >= 0;
    const time = isSplit ? sum(parseTime(cell(at.eventdate)), numberOf(cell(at.timeframe))) : timeOf(cell(at.time));
    if (time === undefined) return unread(isSplit ? at.eventdate : at.time, 'invalid_time', NO_TIME);
    return { session, item, time, kind, order: order === '' ? undefined : order };
  };
  return { hasHeader, isOfVisitors, read };
}

/** What is said of a cell in which a time was expected. */
export const NO_TIME = 'no time: neither Unix seconds nor milliseconds, nor as 2024-01-31T10:23:00';

const KINDS: Readonly<Record<string, Click['kind']>> = {
  view: 'view', click: 'view', clicks: 'view', addtocart: 'cart', cart: 'cart', carts: 'cart', removefromcart: 'other',
  transaction: 'purchase', purchase: 'purchase', order: 'purchase', orders: 'purchase',
};

function kindOf(event: string, hasOrders: boolean): Click['kind'] | undefined {
  const word = event.toLowerCase().replace(/[_\s-]/g, '');
  const kind = Object.hasOwn(KINDS, word) ? KINDS[word] : undefined;
  return kind === 'purchase' && !hasOrders ? 'other' : kind;
}

export const isIsoTime = (text: string): boolean => text.includes('-') && parseTime(text) !== undefined;

/** Whether a number is more than any counter of items or ratings reaches: seconds from 1973 on, or a finer unit. */
export const isUnixTime = (text: string): boolean => (numberOf(text) ?? 0) > 1e8;

/** As spreadsheets and data frames write it, `1.7e+09` included. */
function numberOf(text: string): number | undefined {
  return /^-?\d+(\.\d*)?(e\+?\d{1,2})?$/i.test(text) ? Number(text) : undefined;
}

/** Milliseconds of Unix seconds, milliseconds or microseconds, told apart by what would lie beyond the year 5000, or of ISO 8601. */
export function timeOf(text: string): number | undefined {
  const number = numberOf(text);
  // REES46 writes the zone out.
  if (number === undefined) return parseTime(text.replace(/ UTC$/, 'Z'));
  const size = Math.abs(number);
  return size > 1e14 ? Math.round(number / 1000) : size > 1e11 ? number : Math.round(number * 1000);
}

function sum(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a + b;
}
