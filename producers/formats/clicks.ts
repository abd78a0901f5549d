import type { OrderEvent, ShopEvent } from '../../schemas/types.js';
import { fileTime } from '../times.js';
import { clickTable, type Click, type ClickTable } from './click-tables.js';
import { csvRows, opened, separatorOf } from './csv.js';
import { emptySummary, future, noteOdd, refuse, type FileOptions, type FileRecord, type Format, type Summary } from './format.js';
import { exactIds, jsonLines } from './json-items.js';

type ClickEvent = 'Product Viewed' | 'Product Added';

/** Files of bare clicks: each session (or visitor) is a shopper of its own. */
function productEvent(event: ClickEvent, options: FileOptions, session: string, sku: string, time: number, ordinal: number): FileRecord {
  const anonymousId = `${options.source}-${session}`;
  const value: ShopEvent = {
    messageId: `${options.source}:${ordinal}`,
    type: 'track', event, userId: null, anonymousId, previousId: null, time, receivedAt: options.receivedAt,
    products: [{ sku, name: null, category: null, brand: null, variant: null, price: null, quantity: null, position: null }],
    cartId: null, checkoutId: null, orderId: null, recommendationId: null, placement: null, query: null, list: null, currency: null, value: null,
    url: null, referrer: null, campaign: null, locale: null, timezone: null, marketingConsent: null, traits: null, properties: null,
    source: { name: options.source, ordinal }, claim: null, login: null, restored: null,
  };
  return { topic: 'clickstream', key: anonymousId, value, time };
}

/** The file has no times; these are made up: from this day on, a click each ten seconds, session after session. */
const FIRST_CLICK = Date.UTC(2015, 5, 1);
const BETWEEN_CLICKS_MS = 10_000;

const isItem = (value: unknown): value is number | string => typeof value === 'number' || (typeof value === 'string' && value !== '');

/** Items of a session line: `[item, …]` (training) or `[[item, …], target]` (test), the target being the last click. */
function itemsOf(value: unknown): (number | string)[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const items: unknown[] = value.length === 2 && Array.isArray(value[0]) ? [...(value[0] as unknown[]), value[1]] : value;
  return items.length > 0 && items.every(isItem) ? (items as (number | string)[]) : undefined;
}

const startsWith = (whole: readonly unknown[], part: readonly unknown[]): boolean => part.length <= whole.length && part.every((item, index) => item === whole[index]);

/**
 * RetailRocket sessions as JSON lines. Test files list every prefix of a session, longest first: the prefixes after the
 * longest are the same clicks again and are left out.
 */
export const retailrocketSessions: Format = (text, options) => {
  const summary = emptySummary();
  return { records: readSessions(text, options, summary), summary };
};

async function* readSessions(text: AsyncIterable<string>, options: FileOptions, summary: Summary): AsyncGenerator<readonly FileRecord[]> {
  let session = 0;
  let ordinal = 0;
  let last: readonly unknown[] = [];
  for await (const some of jsonLines(text, exactIds)) {
    const records: FileRecord[] = [];
    for (const item of some) {
      const items = 'value' in item ? itemsOf(item.value) : undefined;
      const isPrefix = items !== undefined && 'value' in item && Array.isArray(item.value) && Array.isArray(item.value[0]) && startsWith(last, items);
      if (items === undefined) refuse(summary, item.line, [{ path: '', code: 'wrong_type', message: 'A line must be a list of items.' }]);
      else if (isPrefix) noteOdd(summary, 'prefix_of_the_session_before');
      else {
        for (const sku of items) {
          records.push(productEvent('Product Viewed', options, `s${session}`, String(sku), FIRST_CLICK + ordinal * BETWEEN_CLICKS_MS, ordinal));
          ordinal++;
        }
        summary.read += items.length;
        session++;
        last = items;
      }
    }
    if (records.length > 0) yield records;
  }
}

/**
 * Publishers' tables of clicks (click-tables.ts): YooChoose, Diginetica, RetailRocket. They are sorted by session or not
 * at all; a shop lives in time, so the clicks are sorted by it before they leave, and ordinals count in that order. The
 * whole file is held meanwhile: some 100 bytes a click.
 * RetailRocket's events have no prices: a transaction becomes an order line at price zero, an addition to the cart one
 * without a price.
 */
export const clicks: Format = (text, options) => {
  const summary = emptySummary();
  return { records: readClicks(text, options, summary), summary };
};

const SLICE = 1000;

async function* readClicks(text: AsyncIterable<string>, options: FileOptions, summary: Summary): AsyncGenerator<readonly FileRecord[]> {
  const found: Click[] = [];
  let table: ClickTable | undefined;
  const { first, text: rest } = await opened(text);
  for await (const rows of csvRows(rest, separatorOf(first))) {
    for (const row of rows) {
      if (table === undefined) {
        table = clickTable(row.cells);
        if (table.hasHeader) continue;
      }
      const click = table.read(row);
      if ('message' in click) {
        refuse(summary, row.line, [click]);
        continue;
      }
      const time = fileTime(click.time, options.receivedAt);
      if (time === undefined) refuse(summary, row.line, [future('', click.time)]);
      else if (click.kind === 'other') noteOdd(summary, 'event_without_a_meaning');
      else found.push(time === click.time ? click : { ...click, time });
    }
  }
  // Nothing at all is no table either.
  if (table === undefined) clickTable([]);
  found.sort((a, b) => a.time - b.time);
  for (let start = 0; start < found.length; start += SLICE) {
    const slice = found.slice(start, start + SLICE);
    summary.read += slice.length;
    yield slice.map((click, index) => recordOf(click, options, start + index, summary));
  }
}

function recordOf(click: Click, options: FileOptions, ordinal: number, summary: Summary): FileRecord {
  if (click.kind === 'purchase' && click.order !== undefined) {
    noteOdd(summary, 'order_without_prices');
    return orderLine(click, click.order, options, ordinal);
  }
  return productEvent(click.kind === 'view' ? 'Product Viewed' : 'Product Added', options, click.session, click.item, click.time, ordinal);
}

function orderLine({ session, item, time }: Click, orderId: string, options: FileOptions, ordinal: number): FileRecord {
  const value: OrderEvent = {
    messageId: `${options.source}:${ordinal}`,
    kind: 'line', confirmed: true, orderId, userId: null, anonymousId: `${options.source}-${session}`, time, receivedAt: options.receivedAt,
    currency: options.shop.currency, total: null, shipping: null, tax: null, discount: null, coupon: null, cartId: null, checkoutId: null,
    recommendationId: null, country: null,
    lines: [{ sku: item, name: null, category: null, quantity: 1, price: 0n }],
    source: { name: options.source, ordinal }, restored: null,
  };
  return { topic: 'orders', key: orderId, value, time };
}
