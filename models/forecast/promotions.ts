/**
 * Days on which a SKU has a sale price, and what such a day is worth: one factor for the whole shop.
 *
 *   factor = clip((Σ made + 20) / (Σ expected + 20), ½, 6)         typical sales of SKUs on promotion, and what these make without
 *
 * No sale counts for more than three times the factor (capped-sales.ts), so that one bulk order is not what a promotion is worth. All sums
 * forget 1 % with each promoted day of the shop, and 20 sales of doubt hold the factor at 1 while little was seen. A promoted day is worth the factor times the day of the shop, to the learning as to the forecast: so a promotion neither lifts the level of what
 * was promoted nor is missing where it comes again. Untrained: 1. Days are local days since 1970-01-01.
 */
import { timesExpected } from './capped-sales.js';

export interface Promotion {
  readonly from: number;
  /** Last day; null where none is known. */
  readonly to: number | null;
}

/** Typical sales of SKUs on promotion, and how many they would have made without. */
export interface SaleSums {
  readonly saleMade: number;
  readonly saleBeyond3: number;
  readonly saleBeyond6: number;
  readonly saleExpected: number;
}

const DOUBT = 20;
const [LEAST, MOST] = [0.5, 6];
const FORGETTING = 0.99;
const MOST_PROMOTIONS = 12;

export const noSales: SaleSums = { saleMade: 0, saleBeyond3: 0, saleBeyond6: 0, saleExpected: 0 };

export const factorOf = ({ saleMade, saleBeyond3, saleBeyond6, saleExpected }: SaleSums): number =>
  Math.min(MOST, Math.max(LEAST, timesExpected({ made: saleMade + DOUBT, beyond3: saleBeyond3, beyond6: saleBeyond6 }, saleExpected + DOUBT)));

export function learn(sums: SaleSums, { saleMade, saleBeyond3, saleBeyond6, saleExpected }: SaleSums): SaleSums {
  if (!(saleExpected > 0)) return sums;
  return {
    saleMade: FORGETTING * sums.saleMade + Math.max(0, saleMade), saleBeyond3: FORGETTING * sums.saleBeyond3 + Math.max(0, saleBeyond3),
    saleBeyond6: FORGETTING * sums.saleBeyond6 + Math.max(0, saleBeyond6), saleExpected: FORGETTING * sums.saleExpected + saleExpected,
  };
}

export const isPromoted = (promotions: readonly Promotion[], day: number): boolean => promotions.some(({ from, to }) => day >= from && (to === null || day <= to));

/**
 * Whether a day shows what a SKU usually sells: not while a promotion lasts, else the next one would be measured by this one. One without an
 * end is what is usual.
 */
export const isUsual = (promotions: readonly Promotion[], day: number): boolean => !promotions.some(({ from, to }) => to !== null && day >= from && day <= to);

/** Days from one to before another that are usual. */
export const usualDays = (promotions: readonly Promotion[], from: number, before: number): number =>
  promotions.reduce((days, one) => days - (one.to === null ? 0 : Math.max(0, Math.min(one.to + 1, before) - Math.max(one.from, from))), before - from);

/** What a day is worth to a SKU with promotions. */
export function promoted(promotions: readonly Promotion[], factor: number, exposureOf: (day: number) => number): (day: number) => number {
  if (promotions.length === 0) return exposureOf;
  return (day) => {
    const worth = exposureOf(day);
    return worth > 0 && isPromoted(promotions, day) ? worth * factor : worth;
  };
}

/** Today the feed says this of the SKU's promotion, or of none: what is over stays, what was still to come is what is said now. */
export function told(promotions: readonly Promotion[], said: Promotion | undefined, today: number): readonly Promotion[] {
  // One without an end goes on for as long as it is said.
  const now = said?.to === null ? (promotions.find(({ to }) => to === null) ?? said) : said;
  const lasted = promotions.flatMap((one) => {
    if (one.from > today || (now && overlap(one, now))) return [];
    // Yesterday was still promoted; whether today was, nobody said.
    return [one.to !== null && one.to < today ? one : { from: one.from, to: Math.max(one.from, today - 1) }];
  });
  return [...lasted, ...(now ? [now] : [])].sort((a, b) => a.from - b.from).slice(-MOST_PROMOTIONS);
}

const overlap = (a: Promotion, b: Promotion): boolean => a.from <= (b.to ?? Infinity) && b.from <= (a.to ?? Infinity);
