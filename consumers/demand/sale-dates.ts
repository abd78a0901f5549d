import type { Promotion } from '../../models/forecast/promotions.js';
import type { ShopDays } from '../../pipeline/core/shop-day.js';

const DAY_MS = 86_400_000;
/** A price that stays for longer is the price. */
const MOST_DAYS = 400;

/**
 * Days on which a SKU has its sale price, as product feeds write them: `2026-11-24T11:00+0100/2026-11-29T23:00+0100`, or two dates. A day
 * of which a part is on sale is on sale. Empty is from today on, until the feed says otherwise; undefined is no promotion, also where
 * the dates cannot be read.
 */
export function promotionOf(sale: string | null, today: number, days: ShopDays): Promotion | undefined {
  if (sale === null) return undefined;
  if (sale.trim() === '') return { from: today, to: null };
  const [start = '', end = '', ...more] = sale.split('/').map((part) => part.trim());
  const [from, to] = [dayOf(start, days), dayOf(end, days)];
  if (from === undefined || to === undefined || more.length > 0 || to < from || to - from > MOST_DAYS) return undefined;
  return { from, to };
}

function dayOf(text: string, days: ShopDays): number | undefined {
  const isDate = /^\d{4}-\d\d-\d\d$/.test(text);
  const isTime = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?\s*(Z|[+-]\d\d:?\d\d)$/.test(text);
  if (!isDate && !isTime) return undefined;
  const time = Date.parse(isDate ? `${text}T00:00Z` : text.replace(' ', 'T').replaceAll(' ', '').replace(/([+-]\d\d)(\d\d)$/, '$1:$2'));
  // The thirtieth of February would silently become the second of March.
  if (Number.isNaN(time) || new Date(Date.parse(`${text.slice(0, 10)}T00:00Z`)).toISOString().slice(0, 10) !== text.slice(0, 10)) return undefined;
  return isDate ? time / DAY_MS : days.dayOf(time);
}
