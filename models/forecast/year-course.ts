/**
 * How a shop goes through the year, week by week: what its level did a year ago it is expected to do again, as far as that has come true.
 *
 *   c(w) = ln(Σ made e^U / Σ usual) over week w,  U += 0.025 (min(times, 3) − 1) a day       what SKUs sell, the moves of their own levels with it
 *   g[w] += max(0.3, 1/times) (c(w) − c(w − 1) − g[w])
 *   ln G(t + h) = ln G(t) + β Σ g / 7 over the h days,   β = (A / B) (1 − 4 (1 − R²) / (n R²))⁺, at most 1,   R² = A² / (B C)
 *   A = Σ Δ Γ, B = Σ Γ², C = Σ Δ², n = Σ 1,  Δ four weeks' change of c,  Γ what g had said of it       forgotten by 1/100 a week
 *
 * β is least squares, shrunk as by James and Stein: a shop that wanders, or does the same all year, is told from one with a season. Differences are
 * kept, so that growth from year to year, or a break, is no part of it. A year is one of 52 weeks, the last of 8 or 9 days. Nothing is expected in a
 * shop's first year and four weeks, nor of an untrained state. Logarithms, no unit.
 */
import { FREQUENCY_RATES } from './expert-bank.js';

export interface YearCourse {
  /** g by week, and how often each was learned; empty before the first. */
  readonly growth: number[];
  readonly times: number[];
  /** The week that is under way, −1 before the first; Σ made e^U and Σ usual of it. */
  week: number;
  made: number;
  usual: number;
  /** U: how far SKUs' own levels have moved. */
  moves: number;
  /** c of the last whole weeks, at most four, oldest first; and what g had said of each one's change but the first's, NaN where nothing. */
  readonly recent: number[];
  readonly told: number[];
  /** A, B, C and n. */
  agreed: number;
  said: number;
  moved: number;
  weeks: number;
}

/** Where a period stands in the year: the day it begins on, 0 to 365, and its length in days. */
export interface YearPlace {
  readonly day: number;
  readonly days: number;
}

export const WEEKS = 52;
const LEAST_RATE = 0.3;
const LONG_WEEKS = 4;
/** Of one day more says nothing of the levels of all. */
const MOST_TIMES = 3;
const FORGETTING = 0.99;
const DOUBT = 4;
/** A week is worth half to twice the one before at most: what is more was another thing's doing. */
const MOST_GROWTH = Math.log(2);

/** Of a day since 1970-01-01. */
export function yearPlaceOf(day: number): YearPlace {
  const date = new Date(day * 86_400_000);
  return { day: day - Date.UTC(date.getUTCFullYear(), 0, 1) / 86_400_000, days: 1 };
}

export const init = (): YearCourse => ({ growth: [], times: [], week: -1, made: 0, usual: 0, moves: 0, recent: [], told: [], agreed: 0, said: 0, moved: 0, weeks: 0 });

export const copyOf = (course: Untouchable): YearCourse => ({ ...course, growth: [...course.growth], times: [...course.times], recent: [...course.recent], told: [...course.told] });

/** A course that nobody may change, as a row has it. */
type Untouchable = { readonly [K in keyof YearCourse]: YearCourse[K] extends number[] ? readonly number[] : YearCourse[K] };

/** β, from 0 to 1. */
export function believed({ agreed, said, moved, weeks }: YearCourse): number {
  if (weeks < LONG_WEEKS || !(agreed > 0)) return 0;
  const explained = agreed ** 2 / (said * moved);
  return Math.min(1, (agreed / said) * Math.max(0, 1 - (DOUBT * (1 - explained)) / (weeks * explained)));
}

/** Growth of ln G that is expected over the last `periods` up to this one. Between the middles of two weeks it is even. */
export function growthOver(course: YearCourse, { day, days }: YearPlace, periods: number): number {
  const belief = believed(course);
  if (belief === 0) return 0;
  let weeks = 0;
  for (let back = 0; back < periods; back++) {
    const week = Math.floor((day - back * days) / 7 + 0.5) % WEEKS;
    weeks += course.growth[week < 0 ? week + WEEKS : week] ?? 0;
  }
  return (belief * weeks * days) / 7;
}

/**
 * Learns a period.
 * @param made typical sales
 * @param usual those of such a period at level 1
 * @param times made over what the SKUs are told to expect: where it is more than 1 their own levels rise
 */
export function learn(course: YearCourse, { day }: YearPlace, made: number, usual: number, times: number): void {
  const week = Math.min(WEEKS - 1, Math.floor(day / 7));
  if (week !== course.week) {
    const isWhole = course.made > 0;
    if (isWhole) closeWeek(course);
    // Weeks of which nothing is known part what was before from what comes.
    if (!isWhole || (course.week + 1) % WEEKS !== week) for (const past of [course.recent, course.told]) past.length = 0;
    course.week = week;
    course.made = 0;
    course.usual = 0;
  }
  course.made += made * Math.exp(course.moves);
  course.moves += FREQUENCY_RATES[2] * (Math.min(times, MOST_TIMES) - 1);
  course.usual += usual;
}

function closeWeek(course: YearCourse): void {
  const { growth, times, week, recent, told } = course;
  const now = Math.log(course.made / course.usual);
  const before = recent.at(-1);
  if (before !== undefined) {
    for (let w = growth.length; w < WEEKS; w++) growth[w] = times[w] = 0;
    told.push(times[week]! > 0 ? growth[week]! : NaN);
    if (recent.length === LONG_WEEKS) learnBelief(course, now - recent.shift()!);
    const grown = Math.max(-MOST_GROWTH, Math.min(MOST_GROWTH, now - before));
    times[week]!++;
    growth[week]! += Math.max(LEAST_RATE, 1 / times[week]!) * (grown - growth[week]!);
  }
  recent.push(now);
}

function learnBelief(course: YearCourse, change: number): void {
  const said = course.told.reduce((sum, one) => sum + one, 0);
  course.told.shift();
  if (Number.isNaN(said)) return;
  course.agreed = FORGETTING * course.agreed + change * said;
  course.said = FORGETTING * course.said + said ** 2;
  course.moved = FORGETTING * course.moved + change ** 2;
  course.weeks = FORGETTING * course.weeks + 1;
}
