/**
 * How the units of a day spread over its local hours: a profile of the shop by weekday, and of a SKU as far as it differs.
 *
 *   n_h      = Σ δ^(days since) over the hours in which a SKU sold (net units above zero) at the hour h of a local day, δ^60 = ½
 *   p_h      = (N_h + 1/24) / (N + 1),   p_wh = (N_wh + c p_h) / (N_w + c)          the shop's; N sums n over its SKUs, w is the weekday
 *   s_h      ∝ p_wh (n_h + c p_h) / ((n + c) p_h),   c = 200                        a SKU's, Σ s = 1
 *   units of an hour ~ NB(mean μ s, dispersion φ / s),  of a day with mean μ and dispersion φ
 *
 * Shares are posterior means of a Dirichlet-multinomial. Hours that sold count, not units: a bulk order is one hour. Negative binomials
 * of one success probability add to one, their sizes too: hours of these sizes, independent, add up to the day. (Thinning each unit on
 * its own would keep the size, φ: worse than no units at all on UCI Online Retail, where units come by the dozen.) c and δ have the
 * least log loss of 100, 200, 300, 500, 1000 and 30, 45, 60, 90 days on its sales until August 2011.
 *
 * A SKU's last 28 days stand hour by hour, so that a correction equals having known it; older hours are folded. Untrained: a flat day.
 * State of a SKU: 96 bytes, once something was folded, and about 12 for each hour that sold in the last four weeks; of the shop 1,344.
 */
import { rounded } from './claims.js';
import { negativeBinomialQuantiles } from './negative-binomial.js';
import { phaseOf, SEASON_DAYS, WINDOW_DAYS } from './sku-series.js';

export const HOURS = 24;
const KEPT_A_DAY = 0.5 ** (1 / 60);
/** Hours with a sale that a profile needs to count as much as the one it is shrunk toward. */
const PRIOR_HITS = 200;

/** Net units of a SKU in an hour of a day. */
export interface HourCell {
  /** Local day × 24 + local hour. */
  readonly at: number;
  readonly units: number;
}

export interface SkuHours {
  /** Day that `folded` is as of. */
  readonly foldedDay: number;
  /** By local hour; empty while nothing was folded. */
  readonly folded: Float32Array;
  /** Oldest first. */
  readonly cells: readonly HourCell[];
}

export interface ShopHours {
  /** Newest day known. */
  readonly asOf: number;
  /** Weekday (0 is a Thursday) × local hour. */
  readonly hits: readonly number[];
}

export const noHours: SkuHours = { foldedDay: 0, folded: new Float32Array(0), cells: [] };
export const noShopHours: ShopHours = { asOf: 0, hits: [] };

export const dayOfCell = (at: number): number => Math.floor(at / HOURS);
const isHit = (units: number): 0 | 1 => (units > 0 ? 1 : 0);

/**
 * Units sold (or come back, below zero) at an hour of a day, and by how many hits the SKU changed there: −1, 0 or 1. `lastDay` is the
 * newest day of its series, 28 days of which can be corrected.
 */
export function sell({ foldedDay, folded, cells }: SkuHours, day: number, hour: number, units: number, lastDay: number): { hours: SkuHours; change: -1 | 0 | 1 } {
  const at = day * HOURS + hour;
  const before = cells.find((cell) => cell.at === at)?.units ?? 0;
  const after = rounded(before + units);
  const others = cells.filter((cell) => cell.at !== at);
  // An hour that comes to nothing leaves no trace, as if nothing had been sold.
  const all = after === 0 ? others : [...others, { at, units: after }].sort((a, b) => a.at - b.at);
  const leaving = all.filter((cell) => dayOfCell(cell.at) <= lastDay - WINDOW_DAYS && cell.units > 0);
  const change = (isHit(after) - isHit(before)) as -1 | 0 | 1;
  const staying = all.filter((cell) => dayOfCell(cell.at) > lastDay - WINDOW_DAYS);
  if (leaving.length === 0) return { hours: { foldedDay, folded, cells: staying }, change };
  const to = folded.length === 0 ? new Float32Array(HOURS) : folded.slice();
  let asOf = folded.length === 0 ? dayOfCell(leaving[0]?.at ?? 0) : foldedDay;
  for (const cell of leaving) {
    const ago = dayOfCell(cell.at) - asOf;
    if (ago > 0) {
      for (let h = 0; h < HOURS; h++) to[h] = (to[h] ?? 0) * KEPT_A_DAY ** ago;
      asOf = dayOfCell(cell.at);
    }
    to[cell.at - dayOfCell(cell.at) * HOURS]! += KEPT_A_DAY ** Math.max(0, -ago);
  }
  return { hours: { foldedDay: asOf, folded: to, cells: staying }, change };
}

/** The shop's hits after those of a SKU changed at an hour of a day. */
export function changeShop({ asOf, hits }: ShopHours, day: number, hour: number, change: number): ShopHours {
  if (change === 0) return { asOf, hits };
  const now = hits.length === 0 ? day : Math.max(asOf, day);
  const kept = KEPT_A_DAY ** (now - asOf);
  const moved = hits.length === 0 ? Array.from({ length: SEASON_DAYS * HOURS }, () => 0) : hits.map((n) => n * kept);
  moved[phaseOf(day) * HOURS + hour]! += change * KEPT_A_DAY ** (now - day);
  return { asOf: now, hits: moved };
}

/** Shares of local hours: of the whole week, and by weekday. */
export interface ShopProfile {
  readonly overall: Float64Array;
  /** Weekday × hour. */
  readonly byWeekday: Float64Array;
}

export function shopProfile({ hits }: ShopHours): ShopProfile {
  const overall = new Float64Array(HOURS).fill(1 / HOURS);
  const sums = new Float64Array(SEASON_DAYS);
  const positive = Float64Array.from({ length: SEASON_DAYS * HOURS }, (_, i) => Math.max(0, hits[i] ?? 0));
  let total = 1;
  positive.forEach((n, i) => {
    overall[i % HOURS]! += n;
    sums[Math.floor(i / HOURS)]! += n;
    total += n;
  });
  for (let h = 0; h < HOURS; h++) overall[h]! /= total;
  const byWeekday = positive.map((n, i) => (n + PRIOR_HITS * (overall[i % HOURS] ?? 0)) / ((sums[Math.floor(i / HOURS)] ?? 0) + PRIOR_HITS));
  return { overall, byWeekday };
}

/** Shares of the 24 hours of a SKU's day, by local hour; they add up to 1. */
export function hourShares(shop: ShopProfile, sku: SkuHours, day: number): Float64Array {
  const hits = hitsOf(sku, day);
  const from = phaseOf(day) * HOURS;
  const shares = new Float64Array(HOURS);
  let total = 0;
  for (let h = 0; h < HOURS; h++) {
    const overall = shop.overall[h] ?? 0;
    // What (n + c) divides is the same for all hours.
    const share = ((shop.byWeekday[from + h] ?? 0) * ((hits[h] ?? 0) + PRIOR_HITS * overall)) / overall;
    shares[h] = share;
    total += share;
  }
  for (let h = 0; h < HOURS; h++) shares[h]! /= total;
  return shares;
}

/** A SKU's hits by local hour, as they count on a day. */
function hitsOf({ foldedDay, folded, cells }: SkuHours, day: number): Float64Array {
  const hits = new Float64Array(HOURS);
  const kept = KEPT_A_DAY ** Math.max(0, day - foldedDay);
  for (let h = 0; h < folded.length; h++) hits[h] = (folded[h] ?? 0) * kept;
  for (const { at, units } of cells) {
    if (units > 0) hits[at - dayOfCell(at) * HOURS]! += KEPT_A_DAY ** Math.max(0, day - dayOfCell(at));
  }
  return hits;
}

/**
 * Shares of the hours that a day really has, given the local hour of each and its length in hours: one that the clocks leave out gets
 * nothing, of one that comes twice each gets the hour's share before all are scaled to add up to 1.
 */
export function spread(shares: Float64Array, hours: readonly { readonly hour: number; readonly length: number }[]): number[] {
  const raw = hours.map(({ hour, length }) => (shares[hour] ?? 0) * length);
  const total = raw.reduce((sum, share) => sum + share, 0);
  return raw.map((share) => share / total);
}

/** Units of a day or of an hour: of variance mean + dispersion × mean². */
export interface Demand {
  readonly mean: number;
  readonly dispersion: number;
}

/** An hour's part of its day. */
export function hourOfDay({ mean, dispersion }: Demand, share: number): Demand {
  return { mean: Math.max(0, mean) * share, dispersion: share > 0 ? dispersion / share : 0 };
}

export const deviationOf = ({ mean, dispersion }: Demand): number => Math.sqrt(Math.max(0, mean + dispersion * mean * mean));

/** Mean and quantiles of an hour's units, of a day with this mean and dispersion. */
export function predictHour(day: Demand, share: number, probabilities: ArrayLike<number>): { mean: number; quantiles: number[] } {
  const quantiles: number[] = [];
  const { mean, dispersion } = hourOfDay(day, share);
  negativeBinomialQuantiles(mean, dispersion, probabilities, quantiles);
  return { mean, quantiles };
}
