import { MOST_UNITS } from '../../schemas/ordering.js';
import type { OrderEvent } from '../../schemas/types.js';
import { parseMoney } from '../money.js';
import { fileTime, isDate } from '../times.js';
import { number, type ErrorCode, type FieldError } from '../fields.js';
import { csvRows, misfit } from './csv.js';
import { emptySummary, future, noteOdd, refuse, type FileOptions, type FileRecord, type Format, type Summary } from './format.js';
import { localTime } from './zone.js';

/** Columns by the names that the two editions of the data set use. */
const COLUMNS = {
  order: ['InvoiceNo', 'Invoice'],
  sku: ['StockCode'],
  name: ['Description'],
  quantity: ['Quantity'],
  time: ['InvoiceDate'],
  price: ['UnitPrice', 'Price'],
  customer: ['CustomerID', 'Customer ID'],
  country: ['Country'],
} as const;

type Columns = Readonly<Record<keyof typeof COLUMNS, number>>;

function columnsOf(names: readonly string[]): Columns | string {
  const found: [string, number][] = Object.entries(COLUMNS).map(([field, candidates]) => [field, names.findIndex((name) => candidates.some((candidate) => candidate === name))]);
  const missing = found.filter(([, column]) => column < 0).map(([field]) => COLUMNS[field as keyof Columns][0]);
  return missing.length > 0 ? `The first line does not name the columns ${missing.join(', ')}.` : (Object.fromEntries(found) as Columns);
}

const ISO = /^(\d{4})-(\d\d)-(\d\d)[ T](\d\d):(\d\d)(?::(\d\d))?$/;
const AMERICAN = /^(\d{1,2})\/(\d{1,2})\/(\d{4}) (\d{1,2}):(\d\d)(?::(\d\d))?$/;

/** Local time as if it were UTC: `2010-12-01 08:26:00`, or `12/1/2010 8:26` as spreadsheets write it. */
function localOf(text: string): number | undefined {
  const iso = ISO.exec(text);
  const american = iso ? null : AMERICAN.exec(text);
  const match = iso ?? american;
  if (!match) return undefined;
  const [a, b, c, hour, minute, second] = match.slice(1).map((part) => Number(part ?? 0)) as [number, number, number, number, number, number];
  const [year, month, day] = iso ? [a, b, c] : [c, a, b];
  return isDate(year, month, day) && hour < 24 && minute < 60 && second < 60 ? Date.UTC(year, month - 1, day, hour, minute, second) : undefined;
}

/**
 * UCI Online Retail: one order line a row, in pounds and London time. How odd rows are read, so that the sum of quantity
 * times price over all of them is the file's own:
 * - `C…` invoices are cancellations: lines with a negative quantity under their own number, since the file does not say
 *   which invoice they undo;
 * - a negative quantity without `C` is a stock correction, kept negative, usually at price zero;
 * - `A…` invoices are adjustments of bad debt; their price may be negative;
 * - zero prices are gifts, samples and corrections, kept at zero;
 * - a row without a customer has no shopper: it counts for sales and forecasts and for nobody's profile.
 */
export const onlineRetail: Format = (text, options) => {
  const summary = emptySummary();
  return { records: readLines(text, options, summary), summary };
};

async function* readLines(text: AsyncIterable<string>, options: FileOptions, summary: Summary): AsyncGenerator<readonly FileRecord[]> {
  const instant = localTime('Europe/London');
  let header: readonly string[] = [];
  let columns: Columns | undefined;
  let ordinal = 0;
  for await (const rows of csvRows(text)) {
    if (columns === undefined) {
      header = rows.shift()!.cells.map((name) => name.trim());
      const found = columnsOf(header);
      if (typeof found === 'string') throw new Error(found);
      columns = found;
    }
    const records: FileRecord[] = [];
    for (const row of rows) {
      const wrong = misfit(row, header);
      const sold = wrong ? { errors: [wrong] } : orderLine(row.cells, columns, ordinal, options, instant);
      if ('errors' in sold) refuse(summary, row.line, sold.errors);
      else {
        summary.read++;
        noteOddities(summary, sold);
        records.push({ topic: 'orders', key: sold.orderId, value: sold, time: sold.time });
      }
      ordinal++;
    }
    yield records;
  }
}

function orderLine(row: readonly string[], columns: Columns, ordinal: number, options: FileOptions, instant: (local: number) => number): OrderEvent | { errors: FieldError[] } {
  const cell = (field: keyof Columns): string => (row[columns[field]] ?? '').trim();
  const errors: FieldError[] = [];
  const wrong = (field: keyof Columns, code: ErrorCode): void => {
    errors.push({ path: COLUMNS[field][0], code, message: `${JSON.stringify(cell(field).slice(0, 40))} cannot be read.` });
  };
  const [orderId, sku] = [cell('order'), cell('sku')];
  if (orderId === '') wrong('order', 'required');
  if (sku === '') wrong('sku', 'required');
  const quantity = number(errors, { [COLUMNS.quantity[0]]: cell('quantity') }, COLUMNS.quantity[0]);
  if (cell('quantity') === '') wrong('quantity', 'not_a_number');
  if (quantity !== null && Math.abs(quantity) > MOST_UNITS) wrong('quantity', 'out_of_range');
  const price = parseMoney(cell('price'));
  if (price === undefined) wrong('price', 'not_a_number');
  const local = localOf(cell('time'));
  if (local === undefined) wrong('time', 'invalid_time');
  const time = local === undefined ? undefined : fileTime(instant(local), options.receivedAt);
  if (local !== undefined && time === undefined) errors.push(future(COLUMNS.time[0], instant(local)));
  if (quantity === null || price === undefined || time === undefined || errors.length > 0) return { errors };
  return {
    messageId: `${options.source}:${ordinal}`,
    kind: 'line',
    confirmed: true,
    orderId,
    userId: cell('customer').replace(/\.0$/, '') || null,
    anonymousId: null,
    time,
    receivedAt: options.receivedAt,
    currency: 'GBP',
    total: null, shipping: null, tax: null, discount: null, coupon: null, cartId: null, checkoutId: null, recommendationId: null,
    country: cell('country') || null,
    lines: [{ sku, name: cell('name') || null, category: null, quantity, price }],
    source: { name: options.source, ordinal },
    restored: null,
  };
}

function noteOddities(summary: Summary, { orderId, userId, lines: [line] }: OrderEvent): void {
  if (orderId.startsWith('C')) noteOdd(summary, 'cancellation');
  else if (orderId.startsWith('A')) noteOdd(summary, 'adjustment');
  else if (line.quantity < 0) noteOdd(summary, 'negative_quantity');
  if (line.price === 0n) noteOdd(summary, 'zero_price');
  if (userId === null) noteOdd(summary, 'no_customer');
}
