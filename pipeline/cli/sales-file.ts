/** Sales by SKU and day, gzipped or not, and the periods they fall into. */
import type { SalesTable } from '../../models/evaluate/forecasts.js';
import { MOST_UNITS } from '../../schemas/ordering.js';
import { readCsv } from './csv-file.js';
import { DataFileError } from './text-lines.js';

const DAY_MS = 86_400_000;
export const STEPS = ['auto', 'day', 'week', 'month'] as const;
export type Step = (typeof STEPS)[number];

export interface Sales {
  skus: number;
  names: string[];
  sku: number[];
  days: number[];
  /** Local hours; 0 where only days are asked for. */
  hours: number[];
  units: number[];
  /** By SKU, where the file has the column: the first one told; −1 is none. */
  category: number[];
  firstDay: number;
  lastDay: number;
}

/** Sales by day. */
export const readSales = (file: string): Promise<Sales> => read(file, (text) => withHour(dayOf(text), '0'), 'is no day written as YYYY-MM-DD');

/** Sales by hour, in order of time: what the clocks of the shop showed. */
export const readSalesByHour = (file: string): Promise<Sales> => read(file, hourOf, 'is no time written as YYYY-MM-DDThh:mm');

interface Hour {
  readonly day: number;
  readonly hour: number;
}

/** As other tools name them: Nixtla's libraries (unique_id, ds, y), shops' exports. */
const COLUMNS = [['sku', 'unique_id', 'product_id', 'item_id'], ['date', 'ds'], ['units', 'y', 'quantity', 'qty']] as const;

/** A decimal number; NaN for anything else. Where semicolons part the cells a comma may be the decimal one. */
function numberOf(text: string, separator: string): number {
  const plain = separator === ';' ? text.trim().replace(/^([+-]?\d*),(\d+)$/, '$1.$2') : text.trim();
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain) ? Number(plain) : NaN;
}

const withHour = (day: number | undefined, hour: string): Hour | undefined => (day === undefined ? undefined : { day, hour: Number(hour) });

function hourOf(text: string): Hour | undefined {
  const match = /^(\d{4}-\d\d-\d\d)[T ]([01]\d|2[0-3])(?::[0-5]\d(?::\d\d(?:\.\d+)?)?)?$/.exec(text.trim());
  return match ? withHour(dayOf(match[1] ?? ''), match[2] ?? '') : undefined;
}

async function read(file: string, momentOf: (text: string) => Hour | undefined, complaint: string): Promise<Sales> {
  const ids = new Map<string, number>();
  const categories = new Map<string, number>();
  const sales: Sales = { skus: 0, names: [], sku: [], days: [], hours: [], units: [], category: [], firstDay: Infinity, lastDay: -Infinity };
  await readCsv(file, COLUMNS, ([name = '', date = '', units = '', group = ''], line, separator) => {
    // As at every door: "A " is A. Case makes another SKU.
    const [sku, category] = [name.trim(), group.trim()];
    if (sku === '') throw new DataFileError(`Line ${line} of ${file} has an empty sku.`);
    const moment = momentOf(date);
    if (moment === undefined) throw new DataFileError(`Line ${line} of ${file} has the date "${date}", which ${complaint}.`);
    const { day, hour } = moment;
    const count = numberOf(units, separator);
    if (Math.abs(count) > MOST_UNITS) throw new DataFileError(`Line ${line} of ${file} has the units "${units}", which is more than 10^12 in either direction.`);
    if (!Number.isFinite(count)) throw new DataFileError(`Line ${line} of ${file} has the units "${units}", which is no number.`);
    let id = ids.get(sku);
    if (id === undefined) {
      id = ids.size;
      ids.set(sku, id);
      sales.category.push(-1);
    }
    if (category !== '' && sales.category[id] === -1) {
      if (!categories.has(category)) categories.set(category, categories.size);
      sales.category[id] = categories.get(category) ?? -1;
    }
    sales.sku.push(id);
    sales.days.push(day);
    sales.hours.push(hour);
    sales.units.push(count);
    sales.firstDay = Math.min(sales.firstDay, day);
    sales.lastDay = Math.max(sales.lastDay, day);
  }, [['category']]);
  sales.skus = ids.size;
  sales.names = [...ids.keys()];
  if (sales.sku.length === 0) throw new DataFileError(`${file} has no sales below its header.`);
  if (sales.lastDay - sales.firstDay > 36_525) {
    throw new DataFileError(`${file} runs from ${dateOf(sales.firstDay)} to ${dateOf(sales.lastDay)}: more than a century, so one date must be wrong.`);
  }
  return byName(sales);
}

/** SKUs numbered in the order of their names: which of them are judged first depends on their numbers, and must not on the order of lines. */
function byName(sales: Sales): Sales {
  const ids = sales.names.map((_, id) => id).sort((a, b) => ((sales.names[a] ?? '') < (sales.names[b] ?? '') ? -1 : 1));
  const numbers = new Int32Array(ids.length);
  ids.forEach((id, number) => { numbers[id] = number; });
  return {
    ...sales,
    names: ids.map((id) => sales.names[id] ?? ''),
    category: ids.map((id) => sales.category[id] ?? -1),
    sku: sales.sku.map((id) => numbers[id] ?? 0),
  };
}

export function dayOf(text: string): number | undefined {
  const whole = text.trim();
  // Midnight somewhere is the beginning of the day that is written, whatever the zone.
  const match = /^(\d{4})(\d{2})(\d{2})$/.exec(whole) ?? /^(\d{4})-(\d{2})-(\d{2})(?:[T ]00:00(?::00(?:\.0+)?)?(?:Z|[+-]\d{2}(?::?\d{2})?)?)?$/.exec(whole);
  if (match === null) return undefined;
  const [, year, month, day] = match;
  // Date.UTC takes the years 0 to 99 for the last century's.
  if (Number(year) < 100) return undefined;
  const at = Date.UTC(Number(year), Number(month) - 1, Number(day));
  // The thirtieth of February would silently become the second of March, and a thirteenth month next January.
  return new Date(at).getUTCDate() === Number(day) && new Date(at).getUTCMonth() === Number(month) - 1 ? at / DAY_MS : undefined;
}

export function dateOf(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

/** A file that only ever names days a week (or a month) apart is a weekly (or monthly) one. */
export function stepOf(days: readonly number[]): { name: Exclude<Step, 'auto'>; length: number } {
  const distinct = [...new Set(days)].toSorted((a, b) => a - b);
  const first = distinct[0] ?? 0;
  if (distinct.length < 4) return { name: 'day', length: 1 };
  if (distinct.every((day) => (day - first) % 7 === 0)) return { name: 'week', length: 7 };
  const starts = distinct.every((day) => new Date(day * DAY_MS).getUTCDate() === 1);
  const ends = distinct.every((day) => new Date((day + 1) * DAY_MS).getUTCDate() === 1);
  return starts || ends ? { name: 'month', length: 1 } : { name: 'day', length: 1 };
}

export function inPeriods(
  sales: Sales,
  step: { name: Step; length: number },
): { table: SalesTable; periodOf: (day: number) => number; last: number } {
  const month = (day: number): number => {
    const date = new Date(day * DAY_MS);
    return date.getUTCFullYear() * 12 + date.getUTCMonth();
  };
  const periodOf = (day: number): number =>
    step.name === 'month' ? month(day) - month(sales.firstDay) : Math.floor((day - sales.firstDay) / step.length);
  const last = periodOf(sales.lastDay);
  return {
    table: {
      skus: sales.skus,
      periods: last + 1,
      sku: Int32Array.from(sales.sku),
      period: Int32Array.from(sales.days, periodOf),
      units: Float64Array.from(sales.units),
      category: Int32Array.from(sales.category),
    },
    periodOf,
    last,
  };
}
