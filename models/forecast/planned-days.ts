/**
 * Days that are known in advance, and what they are worth: a factor of its own for each name, learned by the shop as one.
 *
 *   m[name] += κ max(0.3, 1/times) (ln R − m[name])                 a planned day teaches its own factor, and neither season nor level
 *   factor   = exp(b m),  b = m² / (m² + 4 v / min(times, 5.7))     v the noise of ordinary days: what is no more than chance is not believed
 *   R made over what is expected of an ordinary day, a sale at most 3 R     see capped-sales.ts
 *   κ = (N − 5)⁺ / (N − 5 + min(50, 2/τ²)),  τ² = (ln R − b m)² − 4 · 2/N,  N the sales expected: what is plain to see needs fewer
 *
 * Days (closed, promotions, holidays) are given, not learned. A name that nobody has seen yet is worth 1.
 */
import * as calendar from './calendar-index.js';
import { timesExpected, type CappedSales } from './capped-sales.js';

const LEAST_RATE = 0.3;
/** Of so many days the mean is as sure as what is learned at the least rate for ever. */
const MOST_TIMES = 2 / LEAST_RATE - 1;
/** Deviations that a factor must be off 1 to be half believed, squared. */
const DOUBT = 4;
/** Deviations that a planned day must be off to be plain to see. */
const PLAIN = 2;

/** A day that is known in advance. A promotion and a holiday on which the shop sells are learned alike, each by its name. */
export interface PlannedDay {
  readonly kind: 'closed' | 'holiday' | 'promotion';
  readonly name: string;
}
/** By local day since 1970-01-01. */
export type Plan = ReadonlyMap<number, PlannedDay>;

export interface EventEffect {
  /** m. */
  readonly effect: number;
  readonly times: number;
}

/** By name. */
export type Effects = Readonly<Record<string, EventEffect>>;

/** What a planned day multiplies an ordinary one with; a closed one with 0. */
export const factorOf = (effects: Effects, { kind, name }: PlannedDay, noise: number): number => (kind === 'closed' ? 0 : Math.exp(believed(knownOf(effects, name), noise)));

/** A day may be named like what every object has: constructor. */
const knownOf = (effects: Effects, name: string): EventEffect => (Object.hasOwn(effects, name) ? effects[name]! : { effect: 0, times: 0 });

/** b m. */
function believed(known: EventEffect, noise: number): number {
  if (known.effect === 0) return 0;
  const chance = noise / Math.min(known.times, MOST_TIMES);
  return known.effect * (known.effect ** 2 / (known.effect ** 2 + DOUBT * chance));
}

/** How the shop has lived a planned day: what it was worth to all SKUs, or closed. */
export type PlannedOutcome = { closed: true } | { closed: false; exposure: number; learned?: EventEffect };

/**
 * What a planned day that is over teaches, and the exposure with which every SKU should learn it.
 * @param sellers sales of an ordinary day
 * @param young typical sales of SKUs of which nothing is expected yet
 */
export function learn(effects: Effects, planned: PlannedDay, index: calendar.CalendarIndex, place: calendar.Place, sellers: number, sales: CappedSales, young: number): PlannedOutcome {
  calendar.begin(index, place);
  if (planned.kind === 'closed') return { closed: true };
  const { effect, times } = knownOf(effects, planned.name);
  const ordinary = calendar.exposure(index, place);
  const known = believed({ effect, times }, index.noise);
  const plain = ordinary * Math.exp(known);
  const expected = plain * sellers;
  if (sales.made <= 0 && young <= 0 && (expected >= calendar.CLOSED_BELOW_SALES || plain === 0)) return { closed: true };
  if (!(expected > calendar.TOO_FEW_SALES)) return { closed: false, exposure: plain };
  const factor = Math.max(timesExpected({ ...sales, made: calendar.madeByAll(index, sales.made, expected, young) }, ordinary * sellers), 1e-9);
  const surprise = Math.max(-calendar.MOST_SURPRISE, Math.min(calendar.MOST_SURPRISE, Math.log(factor) - known - index.offset));
  const many = expected - calendar.TOO_FEW_SALES;
  const certainty = many / (many + Math.min(calendar.CERTAIN_SALES, calendar.NOISE / Math.max(1e-9, surprise ** 2 - (PLAIN ** 2 * calendar.NOISE) / expected)));
  return {
    closed: false,
    exposure: plain * Math.exp(0.7 * certainty * surprise),
    learned: { effect: effect + certainty * Math.max(LEAST_RATE, 1 / (times + 1)) * (known + surprise - effect), times: times + 1 },
  };
}
