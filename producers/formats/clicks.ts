import type { ShopEvent } from '../../schemas/types.js';
import { parseTime } from '../times.js';
import { emptySummary, noteOdd, refuse, type FileOptions, type FileRecord, type Format, type Summary } from './format.js';
import { jsonLines, lines } from './json-items.js';

/** Files of bare clicks: each session is a shopper of its own, each click a product viewed. */
function productViewed(options: FileOptions, session: string, sku: string, time: number, ordinal: number): FileRecord {
  const anonymousId = `${options.source}-${session}`;
  const value: ShopEvent = {
    messageId: `${options.source}:${ordinal}`,
    type: 'track', event: 'Product Viewed', userId: null, anonymousId, previousId: null, time, receivedAt: options.receivedAt,
    products: [{ sku, name: null, category: null, brand: null, variant: null, price: null, quantity: null, position: null }],
    cartId: null, checkoutId: null, orderId: null, recommendationId: null, placement: null, query: null, list: null, currency: null, value: null,
    url: null, referrer: null, campaign: null, locale: null, timezone: null, marketingConsent: null, traits: null, properties: null,
    source: { name: options.source, ordinal },
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
  let line = 0;
  let session = 0;
  let ordinal = 0;
  let last: readonly unknown[] = [];
  for await (const some of jsonLines(text)) {
    const records: FileRecord[] = [];
    for (const item of some) {
      const items = 'value' in item ? itemsOf(item.value) : undefined;
      const isPrefix = items !== undefined && 'value' in item && Array.isArray(item.value) && Array.isArray(item.value[0]) && startsWith(last, items);
      if (items === undefined) refuse(summary, line, [{ path: '', code: 'wrong_type', message: 'A line must be a list of items.' }]);
      else if (isPrefix) noteOdd(summary, 'prefix_of_the_session_before');
      else {
        for (const sku of items) {
          records.push(productViewed(options, `s${session}`, String(sku), FIRST_CLICK + ordinal * BETWEEN_CLICKS_MS, ordinal));
          ordinal++;
        }
        summary.read += items.length;
        session++;
        last = items;
      }
      line++;
    }
    if (records.length > 0) yield records;
  }
}

interface Click {
  readonly session: string;
  readonly item: string;
  readonly time: number;
}

/** `SessionId⇥ItemId⇥Time` (unix seconds), or the publisher's `session,ISO time,item,category`. */
function clickOf(cells: readonly string[]): Click | undefined {
  const isPublishers = cells.length >= 4;
  const [session = '', second = '', third = ''] = cells;
  const item = isPublishers ? third : second;
  const time = isPublishers ? parseTime(second) : third.trim() === '' ? undefined : Math.round(Number(third) * 1000);
  return session === '' || item === '' || time === undefined || !Number.isFinite(time) ? undefined : { session, item, time };
}

/**
 * YooChoose clicks. The files are sorted by session; a shop lives in time, so the clicks are sorted by it before they
 * leave, and ordinals count in that order. The whole file is held meanwhile: some 100 bytes a click.
 */
export const yoochoose: Format = (text, options) => {
  const summary = emptySummary();
  return { records: readClicks(text, options, summary), summary };
};

async function* readClicks(text: AsyncIterable<string>, options: FileOptions, summary: Summary): AsyncGenerator<readonly FileRecord[]> {
  const clicks: Click[] = [];
  let line = 0;
  for await (const rows of lines(text)) {
    for (const row of rows) {
      const click = clickOf(row.split(row.includes('\t') ? '\t' : ','));
      if (click) clicks.push(click);
      else if (line > 0 || !/session/i.test(row)) refuse(summary, line, [{ path: '', code: 'wrong_type', message: 'A line must be a session, an item and a time.' }]);
      line++;
    }
  }
  clicks.sort((a, b) => a.time - b.time);
  const SLICE = 1000;
  for (let start = 0; start < clicks.length; start += SLICE) {
    const slice = clicks.slice(start, start + SLICE);
    summary.read += slice.length;
    yield slice.map(({ session, item, time }, index) => productViewed(options, session, item, time, start + index));
  }
}

