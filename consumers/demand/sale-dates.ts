import type { Promotion } from '../../models/forecast/promotions.js';
import type { ShopDays } from '../../pipeline/core/shop-day.js';
import { saleDatesOf } from '../../schemas/ordering.js';

/** A price that stays for longer is the price. */
const MOST_DAYS = 400;

/**
 * Days on which a SKU has its sale price, by the dates of its feed. A day of which a part is on sale is on sale; of one with
 * whose first moment the sale ends, none is. Empty is from today on, until the feed says otherwise; undefined is no promotion, also where the dates cannot be read.
 */
export function promotionOf(sale: string | null, today: number, days: ShopDays): Promotion | undefined {
  if (sale === null) return undefined;
  const dates = saleDatesOf(sale);
  if (dates === null) return { from: today, to: null };
  if (dates === undefined) return undefined;
  const [start, end] = dates;
  const from = 'day' in start ? start.day : days.dayOf(start.time);
  const to = 'day' in end ? end.day : days.dayOf(end.time - 1);
  return to < from || to - from > MOST_DAYS ? undefined : { from, to };
}
