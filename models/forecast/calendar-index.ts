/**
 * What all SKUs of a shop have in common on a period: season, days of the month, level, trend, closed days.
 *
 *   exposure(t) = S[phase] · D[day of month]^b · G          the same number for every SKU; 1 is an ordinary period
 *   G moves from day to day as it did a year ago, as far as that has come true         see year-course.ts
 *   R(t) = Σ_i min(y_i / z_i, 3) / Σ_i f_i / z_i      z_i the SKU's typical sale, f_i what was expected of it
 *   ln G += γ κ ln R,   κ = (N − 5)⁺ / (N + 45),  N = Σ f_i / z_i the sales expected
 *   ln S[phase] += max(0.15 / (1 + r), 1 / (n + 1 + r)) ln R,   n the times the phase was learned,
 *   r = min(50, 2/τ²) / (N − 5),  τ² = mean (ln S)² − 2 / (N · cycles)      the cycles a prior without season is worth (Kalman's gain)
 *
 *   ln D[day] += κ max(0.15, 1/times) (ln R + b ln D[day] − ln D[day])      days on which wages are paid, and those before
 *   b = (s² − c)⁺ / ((s² − c)⁺ + c),  s² = mean (ln D)²,  c = v max(0.15/1.85, 1/least times),  v = mean (ln R)²
 *
 * b is James and Stein's: days of the month that differ by no more than chance makes of so few are worth 1, exactly. It takes months to be told from chance,
 * so a shop of a few months has none, and neither have weeks and months.
 *
 * One bulk order counts for at most three sales, and with few sales little or nothing is learned: the noise of one SKU is not
 * a calendar, and must not show in the forecasts of another. Capping makes ln R a little negative for ever, so a slow mean of ln R is taken off, lest G drift against the levels.
 * SKUs of which nothing is expected yet (the young ones) stand in for what others lack: y⁺ = (young − their mean)⁺ is added to what is made, up to
 * what is expected. So where new SKUs take the place of old ones the shop has no bad day, and where they are added to them no good one.
 * A period with no sale at all where many were expected is closed: it is left out, and becomes the season's rule the third time in
 * a row on the same phase, in a shop of few sales too. An untrained index answers 1. Holidays and promotions known in advance multiply the exposure from outside.
 */
import * as yearCourse from './year-course.js';

export interface CalendarIndex {
  /** ln S by phase. */
  season: number[];
  /** How often each phase was learned. */
  learned: number[];
  /** Closed in a row, by phase. */
  closedRun: number[];
  level: number;
  slope: number;
  offset: number;
  periods: number;
  /** Smoothed sales of the young. */
  young: number;
  /** ln D by day of the month, and how often each was learned. */
  month: number[];
  monthLearned: number[];
  /** Smoothed square of what a period's logarithm is off. */
  noise: number;
  readonly year: yearCourse.YearCourse;
}

/** Where a period stands. */
export interface Place {
  readonly phase: number;
  /** 0 to 30; −1 where periods are no days. */
  readonly monthDay: number;
  /** Nothing where no course of the year is to be learned. */
  readonly year?: yearCourse.YearPlace;
}

const SEASON_RATE = 0.15;
const LEVEL_RATE = 0.08;
const SLOPE_RATE = 0.05;
const SLOPE_DAMPING = 0.97;
const OFFSET_RATE = 0.01;
export const CERTAIN_SALES = 50;
/** As what is expected of all others. */
const YOUNG_RATE = 0.025;
export const TOO_FEW_SALES = 5;
/** Fewer sales expected than this, and an empty day is chance. */
export const CLOSED_BELOW_SALES = 12;
/** Variance of the logarithm of what is made, times the sales expected. */
export const NOISE = 2;
const CLOSED_RUN = 3;
/** An empty period of less than that may be chance; three in a row on one phase are twelve sales that did not come. */
const EMPTY_BELOW_SALES = CLOSED_BELOW_SALES / CLOSED_RUN;
export const MOST_SURPRISE = Math.log(6);
const MONTH_DAYS = 31;
const MONTH_RATE = 0.15;
/** A day of the month is worth half to twice an ordinary one at most: what is more was another thing's doing. */
const MOST_MONTH = Math.log(2);
const NOISE_RATE = 0.02;
/** Days of the month that must be known before any is believed. */
const KNOWN_DAYS = 28;

/** Of a day since 1970-01-01. */
export const monthDayOf = (day: number): number => new Date(day * 86_400_000).getUTCDate() - 1;

export function init(seasonPeriods: number): CalendarIndex {
  const zeros = (length: number): number[] => Array.from({ length }, () => 0);
  return {
    season: zeros(seasonPeriods), learned: zeros(seasonPeriods), closedRun: zeros(seasonPeriods), level: 0, slope: 0, offset: 0, periods: 0, young: 0,
    month: zeros(MONTH_DAYS), monthLearned: zeros(MONTH_DAYS), noise: 0, year: yearCourse.init(),
  };
}

/** The exposure `ahead` periods from the last one learned (0: as known now). */
export const exposure = (index: CalendarIndex, place: Place, ahead = 0): number =>
  worth(index, place.phase, monthEffect(index, place.monthDay), ahead) * Math.exp(yearGrowth(index, place, ahead));

const yearGrowth = (index: CalendarIndex, { year }: Place, periods: number): number => (year ? yearCourse.growthOver(index.year, year, periods) : 0);

/** A period comes, whatever will be learned of it: the level is where the year is. */
export function begin(index: CalendarIndex, place: Place): void {
  index.level += yearGrowth(index, place, 1);
}

/** `exposure` from b ln D, which is dear: the topology lives its window again with every sale. */
function worth(index: CalendarIndex, phase: number, ofMonth: number, ahead = 0): number {
  if ((index.closedRun[phase] ?? 0) >= CLOSED_RUN) return 0;
  const drift = ahead > 0 ? (index.slope * SLOPE_DAMPING * (1 - SLOPE_DAMPING ** ahead)) / (1 - SLOPE_DAMPING) : 0;
  return Math.exp((index.season[phase] ?? 0) + index.level + drift + ofMonth);
}

/** b ln D. */
function monthEffect({ month, monthLearned, noise }: CalendarIndex, monthDay: number): number {
  if ((monthLearned[monthDay] ?? 0) === 0) return 0;
  let [squares, known, least] = [0, 0, Infinity];
  for (let day = 0; day < MONTH_DAYS; day++) {
    const times = monthLearned[day] ?? 0;
    if (times === 0) continue;
    squares += (month[day] ?? 0) ** 2;
    known++;
    if (day < KNOWN_DAYS) least = Math.min(least, times);
  }
  if (known < KNOWN_DAYS) return 0;
  const chance = noise * Math.max(MONTH_RATE / (2 - MONTH_RATE), 1 / least);
  const signal = Math.max(0, squares / known - chance);
  return signal > 0 ? (signal / (signal + chance)) * (month[monthDay] ?? 0) : 0;
}

/** Sales of a period, those of the young among them as far as they stand in for what others lack of the expected. */
export function madeByAll(index: CalendarIndex, made: number, expected: number, young: number): number {
  const lacking = Math.max(0, expected * Math.exp(index.offset) - made);
  return made + Math.min(lacking, Math.max(0, young - index.young));
}

export type PeriodOutcome = { closed: true } | { closed: false; exposure: number };

/**
 * Learns one period from the sales that were made, those that an ordinary one has (`usual`), and those of the young, all in typical sales, and answers the
 * exposure with which every SKU should learn it: the expected one, moved towards what the whole shop saw.
 */
export function learn(index: CalendarIndex, place: Place, made: number, usual: number, young = 0): PeriodOutcome {
  const { phase } = place;
  begin(index, place);
  const ofMonth = monthEffect(index, place.monthDay);
  const before = worth(index, phase, ofMonth);
  const expected = before * usual;
  const isEmpty = made <= 0 && young <= 0;
  if (isEmpty && (expected >= CLOSED_BELOW_SALES || before === 0)) {
    index.closedRun[phase] = (index.closedRun[phase] ?? 0) + 1;
    return { closed: true };
  }
  const all = madeByAll(index, made, expected, young);
  index.young += YOUNG_RATE * (young - index.young);
  if (!isEmpty) index.closedRun[phase] = afterOpening(index.closedRun[phase] ?? 0);
  else if (expected >= EMPTY_BELOW_SALES) index.closedRun[phase] = (index.closedRun[phase] ?? 0) + 1;
  index.periods++;
  const atLevel1 = expected / Math.exp(index.level);
  if (!(expected > TOO_FEW_SALES)) return learned(index, place, all, atLevel1, usual, worth(index, phase, ofMonth));
  const certainty = (expected - TOO_FEW_SALES) / (expected - TOO_FEW_SALES + CERTAIN_SALES);
  const raw = Math.log(Math.max(all, 1e-9) / expected);
  const surprise = Math.max(-MOST_SURPRISE, Math.min(MOST_SURPRISE, raw - index.offset));
  learnMonth(index, place.monthDay, certainty, surprise, ofMonth);
  const times = index.learned[phase] ?? 0;
  index.learned[phase] = times + 1;
  const doubt = seasonDoubt(index, expected, times);
  const seasonRate = Math.max(SEASON_RATE / (1 + doubt), 1 / (times + 1 + doubt));
  index.season[phase] = (index.season[phase] ?? 0) + seasonRate * surprise;
  centre(index);
  // A level that forgets within a season would take the season's part.
  const step = Math.min(LEVEL_RATE, 1 / index.season.length) * certainty * surprise;
  index.level += SLOPE_DAMPING * index.slope + step;
  index.slope = SLOPE_DAMPING * index.slope + SLOPE_RATE * step;
  index.offset += OFFSET_RATE * certainty * surprise;
  return learned(index, place, all, atLevel1, usual, exposure(index, place) * Math.exp(Math.max(0, certainty - seasonRate) * surprise * 0.7));
}

/**
 * Closed in a row after a period that was open: what has been closed twice as long as it takes may have opened for once, so that the next empty
 * period makes it closed again. What sells every other week, a little, is open.
 */
const afterOpening = (run: number): number => (run >= 2 * CLOSED_RUN ? CLOSED_RUN - 1 : 0);

/** The course of the year learns last: how SKUs' own levels move with that exposure is a part of it. */
function learned({ year, offset }: CalendarIndex, place: Place, made: number, atLevel1: number, usual: number, exposure: number): PeriodOutcome {
  // Of a phase that is found to be closed by this very period nothing is expected.
  if (place.year && atLevel1 > 0 && exposure > 0) yearCourse.learn(year, place.year, made, atLevel1, made / (usual * exposure * Math.exp(offset)));
  return { closed: false, exposure };
}

/** A day of the month, and how far days are off at all. */
function learnMonth(index: CalendarIndex, monthDay: number, certainty: number, surprise: number, known: number): void {
  index.noise += Math.max(NOISE_RATE, 1 / index.periods) * (surprise ** 2 - index.noise);
  if (monthDay < 0) return;
  const { month, monthLearned } = index;
  const residual = Math.max(-MOST_MONTH, Math.min(MOST_MONTH, surprise + known));
  const times = (monthLearned[monthDay] ?? 0) + 1;
  monthLearned[monthDay] = times;
  month[monthDay] = (month[monthDay] ?? 0) + certainty * Math.max(MONTH_RATE, 1 / times) * (residual - (month[monthDay] ?? 0));
  // Their mean stays 1, so that month and level cannot trade places.
  let [sum, days] = [0, 0];
  for (let day = 0; day < MONTH_DAYS; day++) {
    if ((monthLearned[day] ?? 0) === 0) continue;
    sum += month[day] ?? 0;
    days++;
  }
  for (let day = 0; day < MONTH_DAYS; day++) if ((monthLearned[day] ?? 0) > 0) month[day] = (month[day] ?? 0) - sum / days;
}

/**
 * Cycles that a season's prior is worth: chance over its spread, as far as that is more than chance. One in which sales double and halve needs few of them.
 */
function seasonDoubt(index: CalendarIndex, expected: number, times: number): number {
  let squares = 0;
  let known = 0;
  for (let p = 0; p < index.season.length; p++) {
    if ((index.closedRun[p] ?? 0) >= CLOSED_RUN || (index.learned[p] ?? 0) === 0) continue;
    squares += (index.season[p] ?? 0) ** 2;
    known++;
  }
  const chance = NOISE / (expected * Math.min(Math.max(1, times), 2 / SEASON_RATE - 1));
  const spread = known < 2 ? 0 : squares / known - chance;
  return Math.min(CERTAIN_SALES, NOISE / Math.max(spread, 1e-9)) / (expected - TOO_FEW_SALES);
}

/** Keeps the mean of the open phases at 1, so that season and level cannot trade places. */
function centre(index: CalendarIndex): void {
  let sum = 0;
  let open = 0;
  for (let p = 0; p < index.season.length; p++) {
    if ((index.closedRun[p] ?? 0) >= CLOSED_RUN || (index.learned[p] ?? 0) === 0) continue;
    sum += Math.exp(index.season[p] ?? 0);
    open++;
  }
  if (open < index.season.length / 2 || sum <= 0) return;
  const shift = Math.log(sum / open);
  for (let p = 0; p < index.season.length; p++) index.season[p] = (index.season[p] ?? 0) - shift;
}
