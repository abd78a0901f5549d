/**
 * Tables of clicks as their publishers give them out, told apart by their first line:
 *
 *   a header with SessionId, ItemId, Time             preprocessed sessions (tabs, semicolons or commas); Time in Unix seconds or ISO
 *   no header: session, item, Unix seconds            the same without its header
 *   no header: session,ISO time,item,category         YooChoose, yoochoose-clicks.dat
 *   sessionId;userId;itemId;timeframe;eventdate       Diginetica, train-item-views.csv; timeframe: milliseconds since the session began
 *   timestamp,visitorid,event,itemid,transactionid    RetailRocket, events.csv; a visitor is no session
 */
import { parseTime } from '../times.js';

export interface Click {
  /** The session, or where the table only knows visitors the visitor. */
  readonly session: string;
  readonly item: string;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly kind: 'view' | 'cart' | 'purchase';
  /** The order that a purchase belongs to. */
  readonly order: string | undefined;
}

export interface ClickTable {
  readonly hasHeader: boolean;
  readonly isOfVisitors: boolean;
  /** The click in a line of the table, undefined where it holds none. */
  read(line: string): Click | undefined;
}

type Cells = readonly string[];

/** The table that begins with this line, undefined if it is none of those. */
export function clickTable(first: string): ClickTable | undefined {
  const separator = ['\t', ';', ','].find((one) => first.includes(one)) ?? '\t';
  const cellsOf = (line: string): string[] => line.split(separator).map((cell) => cell.trim().replace(/^"(.*)"$/, '$1').trim());
  const names = cellsOf(first.replace(/^\uFEFF/, '')).map((name) => name.toLowerCase().replaceAll('_', ''));
  const column = (...wanted: string[]): number => names.findIndex((name) => wanted.includes(name));
  const [session, visitor, item] = [column('sessionid'), column('visitorid'), column('itemid')];
  const of = (read: (cells: Cells) => Click | undefined): ((line: string) => Click | undefined) => (line) => read(cellsOf(line));

  if (visitor >= 0 && item >= 0 && column('event') >= 0 && column('timestamp') >= 0) {
    const [time, event, order] = [column('timestamp'), column('event'), column('transactionid')];
    return {
      hasHeader: true, isOfVisitors: true,
      read: of((cells) => click(cells[visitor], cells[item], millisecondsOf(cells[time]), KINDS[cells[event] ?? ''], cells[order])),
    };
  }
  if (session >= 0 && item >= 0 && column('timeframe') >= 0 && column('eventdate') >= 0) {
    const [frame, date] = [column('timeframe'), column('eventdate')];
    return {
      hasHeader: true, isOfVisitors: false,
      read: of((cells) => click(cells[session], cells[item], sum(parseTime(cells[date]), numberOf(cells[frame])), 'view')),
    };
  }
  const time = column('time', 'timestamp');
  if ((session >= 0 || visitor >= 0) && item >= 0 && time >= 0) {
    const who = session >= 0 ? session : visitor;
    return { hasHeader: true, isOfVisitors: session < 0, read: of((cells) => click(cells[who], cells[item], timeOf(cells[time]), 'view')) };
  }
  const cells = cellsOf(first);
  if (cells.length === 4 && separator === ',' && isIso(cells[1])) {
    return { hasHeader: false, isOfVisitors: false, read: of((row) => click(row[0], row[2], parseTime(row[1]), 'view')) };
  }
  // Seconds that no counter of items or ratings reaches: three bare columns could be anything else.
  if (cells.length === 3 && (numberOf(cells[2]) ?? 0) > 1e8) {
    return { hasHeader: false, isOfVisitors: false, read: of((row) => click(row[0], row[1], timeOf(row[2]), 'view')) };
  }
  return undefined;
}

const KINDS: Readonly<Record<string, Click['kind']>> = { view: 'view', addtocart: 'cart', transaction: 'purchase' };

function click(session = '', item = '', time: number | undefined, kind: Click['kind'] | undefined, order?: string): Click | undefined {
  if (session === '' || item === '' || time === undefined || kind === undefined) return undefined;
  if (kind === 'purchase' && order === '') return undefined;
  return { session, item, time, kind, order: order === '' ? undefined : order };
}

const isIso = (text = ''): boolean => text.includes('-') && parseTime(text) !== undefined;

function numberOf(text = ''): number | undefined {
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : undefined;
}

const millisecondsOf = numberOf;

/** Unix seconds, or milliseconds where seconds would lie beyond the year 5000, or a time as people write it. */
function timeOf(text = ''): number | undefined {
  const number = numberOf(text);
  if (number === undefined) return parseTime(text);
  return Math.abs(number) > 1e11 ? number : Math.round(number * 1000);
}

function sum(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a + b;
}
