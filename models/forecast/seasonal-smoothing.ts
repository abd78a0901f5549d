/**
 * Daily units of one SKU by exponential smoothing with a weekly profile.
 *
 *   level  μ = Σ w_k y_k / Σ w_k s_k,  w_k = α (1 − α)^(age of day k),  α = 0.05
 *   mean of a day = μ · s(day of week),  s = 7 (S_d + c) / (Σ S + 7 c),  S_d the smoothed units of that weekday
 *   count ~ negative binomial, φ = Σ v_k ((y_k − f_k)² − f_k) / Σ v_k f_k²
 *
 * Dividing by the exposure Σ w s instead of smoothing y/s keeps a closed weekday (s ≈ 0) from blowing up the level.
 * A series starts at the first day learned, which is usually a sale, so one week of zeros is assumed before it.
 * An untrained state answers zero for every mean and quantile. Units are units a day; days are local days since 1970-01-01.
 *
 * The last 42 days are kept raw and only older ones are folded, so that a late line or a refund within them is *exactly* what it
 * would have been had it been known. Cost: learn is O(1) a day passed, revise O(1), predict O(42 + horizon).
 *
 * State, one record a SKU (≤ 600 bytes of Avro even with 42 censored days):
 *   lastDay   int            last day known, 0 while `days` is 0
 *   days      int            days known, folded and recent
 *   recent    array<double>  net units of the last min(days, 42) days, oldest first; may be below zero while a refund waits for its order
 *   censored  array<int>     days among them on which the stock was out
 *   level     double         Σ w y of the folded days
 *   exposure  double         Σ w s of the folded days
 *   season    array<double>  7 smoothed units a weekday; index = day mod 7 (0 is Thursday, 1970-01-01)
 *   excess    double         Σ v ((y − f)² − f)
 *   square    double         Σ v f²
 *
 * Source: simple exponential smoothing with exposure (Gardner 2006 for the family); dispersion by moments.
 */
import { negativeBinomialQuantiles } from './negative-binomial.js';

export const RECENT_DAYS = 42;

const LEVEL_RATE = 0.05;
const SEASON_RATE = 0.06;
const DISPERSION_RATE = 0.02;
/** Pseudo-units on every weekday: a profile has to be earned by some twenty units sold. */
const SEASON_PRIOR = 3 * SEASON_RATE;
const INITIAL_EXPOSURE = 1 - (1 - LEVEL_RATE) ** 7;
/** A century. A day further ahead is a broken clock, and would be folded one zero at a time. */
const MAX_GAP_DAYS = 36_525;

interface Folded {
  level: number;
  exposure: number;
  season: number[];
  excess: number;
  square: number;
}

export interface SeasonalSmoothing extends Folded {
  lastDay: number;
  days: number;
  recent: number[];
  censored: number[];
}

export interface DayForecast {
  day: number;
  mean: number;
  quantiles: number[];
}

/** `exact`: as if it had been known. `level-only`: older than the kept window, the profile and dispersion did not move. */
export type Revision = 'exact' | 'level-only';

export function init(): SeasonalSmoothing {
  return { ...nothingFolded(), lastDay: 0, days: 0, recent: [], censored: [] };
}

/**
 * Forecasts of the `horizonDays` days after `after` (default: the last day known), at ascending quantiles.
 * Days between the last one known and `after` count as zero; known days beyond `after`, such as a today still running, are left out.
 */
export function predict(
  state: SeasonalSmoothing,
  horizonDays: number,
  quantiles: readonly number[],
  after: number = state.lastDay,
): DayForecast[] {
  const model: Folded = { ...state, season: [...state.season] };
  if (state.days > 0) {
    const start = state.lastDay - state.recent.length + 1;
    const end = Math.min(after, start + MAX_GAP_DAYS);
    for (let day = start; day <= end; day++) {
      fold(model, day, state.recent[day - start] ?? 0, state.censored.includes(day));
    }
  }
  const level = meanLevel(model);
  const dispersion = model.square > 0 ? Math.max(0, model.excess / model.square) : 0;
  const forecasts: DayForecast[] = [];
  for (let ahead = 1; ahead <= horizonDays; ahead++) {
    const mean = level * profile(model.season, weekday(after + ahead));
    const counts: number[] = [];
    // The level itself drifts: its error grows by α² of the noise each day ahead.
    negativeBinomialQuantiles(mean, dispersion * (1 + (ahead - 1) * LEVEL_RATE ** 2), quantiles, counts);
    forecasts.push({ day: after + ahead, mean, quantiles: counts });
  }
  return forecasts;
}

/**
 * Adds `units` to a day, opening every day up to it: missing days are zero days. A day in the past is a revision.
 * `censored` marks a day on which the stock was out: its units are a lower bound, not the demand.
 */
export function learn(state: SeasonalSmoothing, sale: { day: number; units: number; censored?: boolean }): Revision {
  const { day, units } = sale;
  if (!Number.isInteger(day)) throw new RangeError(`A day is a whole number of days since 1970, not ${day}.`);
  if (!Number.isFinite(units)) throw new RangeError(`Units of a day must be a finite number, not ${units}.`);
  if (state.days > 0 && day > state.lastDay + MAX_GAP_DAYS) {
    throw new RangeError(`Day ${day} lies more than a century after the last day known, ${state.lastDay}.`);
  }
  if (state.days === 0) {
    state.lastDay = day;
    open(state);
  }
  while (state.lastDay < day) {
    state.lastDay++;
    open(state);
  }
  const result = revise(state, day, units);
  if (sale.censored === true && result === 'exact' && !state.censored.includes(day)) state.censored.push(day);
  return result;
}

/** Changes what is known of a day: a late line (above zero), a cancellation or a refund (below zero). */
export function revise(state: SeasonalSmoothing, day: number, deltaUnits: number): Revision {
  if (!Number.isFinite(deltaUnits)) throw new RangeError(`A correction must be a finite number, not ${deltaUnits}.`);
  if (state.days === 0 || day > state.lastDay) return learn(state, { day, units: deltaUnits });
  if (day < state.lastDay - state.days + 1 && state.days <= RECENT_DAYS) {
    restartAt(state, day, deltaUnits);
    return 'exact';
  }
  const index = day - (state.lastDay - state.recent.length + 1);
  if (index >= 0) {
    state.recent[index] = (state.recent[index] ?? 0) + deltaUnits;
    return 'exact';
  }
  const foldedAge = -1 - index;
  state.level = Math.max(0, state.level + LEVEL_RATE * (1 - LEVEL_RATE) ** foldedAge * deltaUnits);
  return 'level-only';
}

/** Nothing has been folded yet, so the series can simply be lived again from an earlier first day. */
function restartAt(state: SeasonalSmoothing, day: number, units: number): void {
  const { recent, censored, lastDay } = state;
  const start = lastDay - recent.length + 1;
  if (start - day > MAX_GAP_DAYS) throw new RangeError(`Day ${day} lies more than a century before day ${start}.`);
  Object.assign(state, init(), { lastDay: day, censored });
  open(state, units);
  while (state.lastDay < lastDay) {
    state.lastDay++;
    open(state, recent[state.lastDay - start] ?? 0);
  }
}

/** Appends a day and folds the one that leaves the window. */
function open(state: SeasonalSmoothing, units = 0): void {
  state.days++;
  state.recent.push(units);
  if (state.recent.length <= RECENT_DAYS) return;
  const leaving = state.lastDay - RECENT_DAYS;
  fold(state, leaving, state.recent.shift() ?? 0, state.censored.includes(leaving));
  if (state.censored.length > 0) state.censored = state.censored.filter((day) => day !== leaving);
}

function fold(model: Folded, day: number, netUnits: number, censored: boolean): void {
  // A day of nothing but refunds shows no demand; below zero it would teach a negative one.
  const units = Math.max(0, netUnits);
  const dayOfWeek = weekday(day);
  const share = profile(model.season, dayOfWeek);
  const level = meanLevel(model);
  const expected = level * share;
  if (censored && units <= expected) return;
  model.level = (1 - LEVEL_RATE) * model.level + LEVEL_RATE * units;
  model.exposure = (1 - LEVEL_RATE) * model.exposure + LEVEL_RATE * share;
  const residual = units - expected;
  model.excess = (1 - DISPERSION_RATE) * model.excess + DISPERSION_RATE * (residual * residual - expected);
  model.square = (1 - DISPERSION_RATE) * model.square + DISPERSION_RATE * expected * expected;
  // One bulk order must not become the pattern of its weekday.
  const typical = Math.min(units, 3 * level + 3);
  model.season[dayOfWeek] = (1 - SEASON_RATE) * (model.season[dayOfWeek] ?? 0) + SEASON_RATE * typical;
}

function nothingFolded(): Folded {
  return { level: 0, exposure: INITIAL_EXPOSURE, season: [0, 0, 0, 0, 0, 0, 0], excess: 0, square: 0 };
}

function meanLevel(model: Folded): number {
  return model.exposure > 0 ? model.level / model.exposure : 0;
}

function profile(season: readonly number[], dayOfWeek: number): number {
  let total = 0;
  for (const units of season) total += units;
  return (7 * ((season[dayOfWeek] ?? 0) + SEASON_PRIOR)) / (total + 7 * SEASON_PRIOR);
}

function weekday(day: number): number {
  return ((day % 7) + 7) % 7;
}
