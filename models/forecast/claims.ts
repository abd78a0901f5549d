/**
 * What counts of units that nobody but a page has reported: anybody can send them with the key that stands in the page.
 *
 *   counted(d) = sure(d) + min(claimed(d)⁺, max(10, 5 · u(d) / h(d)))     u, h: smoothed units and days with a sale before d, promotions left out
 *
 * So what is claimed of a SKU on a day, in however many orders, counts up to five times what it sells on a day on which it sells, and
 * ten units in any case: a shop that has nothing but claims learns from them, growth of ten percent a day included. What is sure
 * counts in full, and so does a claim once it is confirmed. u and h are of what was counted, so that an untrained SKU
 * answers ten, and a claim lifts the next day's bound no further than it has counted itself.
 */
import { FREQUENCY_RATES } from './expert-bank.js';
import { isUsual, type Promotion } from './promotions.js';

const LEAST_UNITS = 10;
const MOST_TIMES = 5;
/** The rate at which a typical sale is remembered. */
export const SIZE_RATE = FREQUENCY_RATES[2];

/** A day with units that nobody but a page has reported; both are net. */
export interface ClaimedDay {
  readonly day: number;
  readonly sure: number;
  readonly claimed: number;
}

/** Smoothed units and days with a sale: their ratio is a typical day's sale. */
export interface Size {
  readonly sizeUnits: number;
  readonly sizeHits: number;
}

export function grow({ sizeUnits, sizeHits }: Size, units: number): Size {
  return { sizeUnits: (1 - SIZE_RATE) * sizeUnits + SIZE_RATE * units, sizeHits: (1 - SIZE_RATE) * sizeHits + (units > 0 ? SIZE_RATE : 0) };
}

/** The days from `start` on, those with claims as far as these count; `before` is of the days before. */
export function counted(units: readonly number[], start: number, claims: readonly ClaimedDay[], before: Size & { readonly promotions: readonly Promotion[] }): readonly number[] {
  if (claims.length === 0) return units;
  const days = new Map(claims.map((claim) => [claim.day, claim]));
  let size: Size = before;
  return units.map((known, i) => {
    const claim = days.get(start + i);
    const most = Math.max(LEAST_UNITS, size.sizeHits > 0 ? (MOST_TIMES * size.sizeUnits) / size.sizeHits : 0);
    const day = claim ? claim.sure + Math.min(Math.max(0, claim.claimed), most) : known;
    if (isUsual(before.promotions, start + i)) size = grow(size, Math.max(0, day));
    return day;
  });
}

/** Claims with one more of a day; where none are left all of the day's units are sure. */
export function change(claims: readonly ClaimedDay[], { day, sure, claimed }: ClaimedDay): readonly ClaimedDay[] {
  const now = rounded((claims.find((claim) => claim.day === day)?.claimed ?? 0) + claimed);
  const others = claims.filter((claim) => claim.day !== day);
  return now === 0 ? others : [...others, { day, sure, claimed: now }].sort((a, b) => a.day - b.day);
}

/** Sums of fractions leave dust that must not pass for a sale. */
export const rounded = (units: number): number => (Math.abs(units) < 1e9 ? Math.round(units * 1e6) / 1e6 : units);
