/**
 * The shop as one series: what every day was worth to all SKUs, with the last 28 days open to corrections.
 *
 *   made(d)     = Σ typical sales (each at most 3),   hits(d) = Σ SKUs that sold          over SKUs older than two weeks
 *   young(d)    = Σ typical sales of the others, which stand in for what is lacking       see calendar-index.ts
 *   F(d + 1)    = (1 − r) F(d) + r hits(d) + those who joined − left,  r = 0.025              the sales of an ordinary day
 *   calendar    learns (made(d), F(d) · exposure(d))                                      see calendar-index.ts
 *   who joins does so with the share of days on which it sold after its first one, at two weeks of age
 *   SKUs on promotion are left out of both sums and teach their own factor       see promotions.ts
 *   a planned day has a factor of its own, learned by its name                   see planned-days.ts
 *   how new SKUs go on is learned four weeks after their first sale              see newcomers.ts
 *
 * Σ over SKUs of a frequency smoothed at one rate is the smoothed Σ of hits: so nobody has to visit every SKU every day. Days before
 * the window are folded once and for all; the window is lived again from there when a day's worth is asked for. Untrained: every day
 * is worth 1.
 */
import * as calendar from './calendar-index.js';
import type { CappedSales } from './capped-sales.js';
import { FREQUENCY_RATES } from './expert-bank.js';
import * as newcomers from './newcomers.js';
import * as plannedDays from './planned-days.js';
import type { Effects, EventEffect, Plan, PlannedDay } from './planned-days.js';
import * as promotions from './promotions.js';
import * as yearCourse from './year-course.js';
import { phaseOf, SEASON_DAYS, WINDOW_DAYS, type Activity } from './sku-series.js';

const RATE = FREQUENCY_RATES[2];
const PAST_DAYS = 400;
/** After so long without a sale nothing is known of the days between. */
const MOST_GAP_DAYS = 60;
/** What corrections leave of a day without sales. */
const DUST = 1e-6;

/** Folded: as of the day before the window. */
export interface ShopSeason extends promotions.SaleSums, newcomers.Newcomers {
  readonly index: calendar.CalendarIndex;
  readonly sellers: number;
  readonly events: Effects;
  /** Worth of the latest folded days, oldest first; −1 is closed. */
  readonly past: Float32Array;
}

/** What all SKUs add up to by day (`Activity`), oldest first; the last one is `lastDay`. */
export interface ShopWindow extends Readonly<Record<(typeof SUMS)[number] | 'joined', readonly number[]>> {
  /** Newest day with a sale; null before the first. */
  readonly lastDay: number | null;
}

export const init = (): ShopSeason => ({ index: calendar.init(SEASON_DAYS), sellers: 0, events: {}, past: new Float32Array(0), ...promotions.noSales, ...newcomers.noNewcomers });
const SUMS = ['made', 'beyond3', 'beyond6', 'hits', 'young', 'saleMade', 'saleBeyond3', 'saleBeyond6', 'saleExpected', 'newcomers', 'again'] as const;

/** The shop with days opened up to `day`, and those that leave the window folded. */
export function openDays(shop: ShopSeason, days: ShopWindow, day: number, plan: Plan): { shop: ShopSeason; days: ShopWindow } {
  if (days.lastDay === null) return { shop, days: { lastDay: day, ...mapped(days, () => [0]) } };
  if (day <= days.lastDay) return { shop, days };
  const gap = day - days.lastDay;
  if (gap > MOST_GAP_DAYS) {
    const through = outlook(shop, days, days.lastDay + 1, plan);
    const { index, sellers, events, sales } = through;
    return { shop: { ...shop, index, sellers, events, past: new Float32Array(0), ...sales }, days: openDays(shop, noWindow, day, plan).days };
  }
  const length = days.made.length + gap;
  const leaving = Math.max(0, length - WINDOW_DAYS);
  const opened = mapped(days, (of) => [...of, ...Array.from({ length: gap }, () => 0)]);
  const next = leaving === 0 ? shop : fold(shop, day - length + 1, opened, leaving, plan);
  return { shop: next, days: { lastDay: day, ...mapped(opened, (of) => of.slice(leaving)) } };
}

type Sums = Omit<ShopWindow, 'lastDay'>;

function mapped(days: Sums, change: (of: readonly number[]) => number[]): Record<keyof Sums, number[]> {
  return {
    made: change(days.made), beyond3: change(days.beyond3), beyond6: change(days.beyond6), hits: change(days.hits), joined: change(days.joined),
    young: change(days.young), saleMade: change(days.saleMade), saleBeyond3: change(days.saleBeyond3), saleBeyond6: change(days.saleBeyond6), saleExpected: change(days.saleExpected),
    newcomers: change(days.newcomers), again: change(days.again),
  };
}

const none: readonly number[] = [];
export const noWindow: ShopWindow = {
  lastDay: null, made: none, beyond3: none, beyond6: none, hits: none, joined: none, young: none, saleMade: none, saleBeyond3: none, saleBeyond6: none, saleExpected: none, newcomers: none, again: none,
};

/** A window that holds what changes in another one. */
export const untouched = (days: ShopWindow): ShopWindow => ({ lastDay: days.lastDay, ...mapped(days, (of) => of.map(() => 0)) });

/** What days add up to, those without anything left out. */
export function partsOf({ lastDay, ...sums }: ShopWindow): Map<number, Activity> {
  const parts = new Map<number, Activity>();
  if (lastDay === null) return parts;
  sums.made.forEach((_, i) => {
    const of = (sum: keyof Sums): number => sums[sum][i] ?? 0;
    const part: Activity = {
      made: of('made'), beyond3: of('beyond3'), beyond6: of('beyond6'), hits: of('hits'), joined: of('joined'), young: of('young'), saleMade: of('saleMade'),
      saleBeyond3: of('saleBeyond3'), saleBeyond6: of('saleBeyond6'), saleExpected: of('saleExpected'), newcomers: of('newcomers'), again: of('again'),
    };
    if (Object.values(part).some((sum) => sum !== 0)) parts.set(lastDay - sums.made.length + 1 + i, part);
  });
  return parts;
}

/** Of one day. */
export const windowOf = (day: number, part: Activity): ShopWindow => change({ lastDay: day, ...mapped(noWindow, () => [0]) }, new Map(), new Map([[day, part]]));

/** The window after a SKU's part in it changed. */
export function change(days: ShopWindow, before: ReadonlyMap<number, Activity>, after: ReadonlyMap<number, Activity>): ShopWindow {
  if (days.lastDay === null) return days;
  const { length } = days.made;
  const sums = mapped(days, (of) => [...of]);
  const start = days.lastDay - length + 1;
  const add = (parts: ReadonlyMap<number, Activity>, others: ReadonlyMap<number, Activity>, sign: 1 | -1): void => {
    for (const [day, part] of parts) {
      // A sale changes a day or two of a window of 28.
      if (isAlike(part, others.get(day))) continue;
      const i = day - start;
      // Who grew up before the window has joined by its first day, and had sold nothing since: else it had joined then.
      if (part.joined !== 0 && i < length) sums.joined[Math.max(0, i)]! += sign * part.joined * (1 - RATE) ** Math.max(0, -i);
      if (i < 0 || i >= length) continue;
      for (const name of SUMS) sums[name][i]! += sign * part[name];
    }
  };
  add(before, after, -1);
  add(after, before, 1);
  return { lastDay: days.lastDay, ...sums };
}

/** The window after somebody else's days were heard of, who may be behind by more than it holds: of hits of folded days what they leave in F counts. */
export function hear(days: ShopWindow, told: ReadonlyMap<number, Activity>): ShopWindow {
  const start = (days.lastDay ?? 0) - days.made.length + 1;
  const since = (day: number, part: Activity): Activity => (day < start ? { ...part, joined: part.joined + (RATE * part.hits) / (1 - RATE) } : part);
  return change(days, new Map(), new Map([...told].map(([day, part]) => [day, since(day, part)])));
}

const isAlike = (a: Activity, b: Activity | undefined): boolean =>
  b !== undefined && a.made === b.made && a.beyond3 === b.beyond3 && a.beyond6 === b.beyond6 && a.hits === b.hits && a.joined === b.joined && a.young === b.young &&
  a.saleMade === b.saleMade && a.saleBeyond3 === b.saleBeyond3 && a.saleBeyond6 === b.saleBeyond6 && a.saleExpected === b.saleExpected && a.newcomers === b.newcomers && a.again === b.again;

const placeOf = (day: number): calendar.Place => ({ phase: phaseOf(day), monthDay: calendar.monthDayOf(day), year: yearCourse.yearPlaceOf(day) });

interface Worth {
  readonly index: calendar.CalendarIndex;
  sellers: number;
  sales: promotions.SaleSums;
  readonly events: Record<string, EventEffect>;
  readonly worth: number[];
}

function live(shop: ShopSeason, first: number, days: Sums, count: number, plan: Plan): Worth {
  const index = copyOf(shop.index);
  const { saleMade, saleBeyond3, saleBeyond6, saleExpected } = shop;
  const state: Worth = { index, sellers: shop.sellers, sales: { saleMade, saleBeyond3, saleBeyond6, saleExpected }, events: { ...shop.events }, worth: [] };
  for (let i = 0; i < count; i++) {
    const day = first + i;
    const of = (sum: keyof Sums): number => days[sum][i] ?? 0;
    state.sellers = Math.max(0, state.sellers + of('joined'));
    const planned = plan.get(day);
    const sold = (sum: 'made' | 'young'): number => (of(sum) > DUST ? of(sum) : 0);
    const [made, young] = [sold('made'), sold('young')];
    const onSale = of('saleExpected');
    // Whoever is on promotion is no measure of the day.
    const usual = { ...state, sellers: Math.max(0, state.sellers - onSale) };
    const worth = planned ? learnPlanned(usual, planned, placeOf(day), { made, beyond3: of('beyond3'), beyond6: of('beyond6') }, young) : learnOrdinary(usual, placeOf(day), made, young);
    state.worth.push(worth);
    if (worth < 0) continue;
    // Caps on sales make what is made a little less than expected, for these as for all.
    const expected = onSale * worth * Math.exp(index.offset);
    state.sales = promotions.learn(state.sales, { saleMade: of('saleMade'), saleBeyond3: of('saleBeyond3'), saleBeyond6: of('saleBeyond6'), saleExpected: expected });
    state.sellers = (1 - RATE) * state.sellers + RATE * of('hits');
  }
  return state;
}

function learnOrdinary({ index, sellers }: Worth, place: calendar.Place, made: number, young: number): number {
  const outcome = calendar.learn(index, place, made, sellers, young);
  return outcome.closed ? -1 : outcome.exposure;
}

function learnPlanned({ index, sellers, events }: Worth, planned: PlannedDay, place: calendar.Place, sales: CappedSales, young: number): number {
  const outcome = plannedDays.learn(events, planned, index, place, sellers, sales, young);
  if (outcome.closed) return -1;
  if (outcome.learned) events[planned.name] = outcome.learned;
  return outcome.exposure;
}

function fold(shop: ShopSeason, first: number, days: Sums, leaving: number, plan: Plan): ShopSeason {
  const { index, sellers, events, sales, worth } = live(shop, first, days, leaving, plan);
  const past = Float32Array.from([...shop.past, ...worth].slice(-PAST_DAYS));
  let known: newcomers.Newcomers = shop;
  for (let i = 0; i < leaving; i++) known = newcomers.learn(known, days.newcomers[i] ?? 0, days.again[i] ?? 0);
  return { index, sellers, events, past, ...sales, newcomers: known.newcomers, wentOn: known.wentOn };
}

/** What is known of the shop's days as of a day that is not over. */
export interface Outlook {
  readonly index: calendar.CalendarIndex;
  readonly events: Record<string, EventEffect>;
  readonly sellers: number;
  readonly sales: promotions.SaleSums;
  /** Worth of a day: as it was for those that are over, as expected from `today` on; below zero: closed. */
  readonly exposureOf: (day: number) => number;
}

export function outlook(shop: ShopSeason, days: ShopWindow, today: number, plan: Plan): Outlook {
  const first = days.lastDay === null ? today : days.lastDay - days.made.length + 1;
  // Of a shop that sold nothing for weeks, no day since is known to have been open.
  const count = days.lastDay === null ? 0 : Math.max(0, Math.min(today, days.lastDay + MOST_GAP_DAYS) - first);
  const { index, sellers, events, sales, worth } = live(shop, first, days, count, plan);
  const { past } = shop;
  const exposureOf = (day: number): number => {
    const i = day - first;
    if (i >= 0 && i < count) return worth[i] ?? 1;
    if (i < 0 && i >= -past.length) return past[past.length + i] ?? 1;
    return expectedWorth(index, events, plan, day, i < 0 ? 0 : day - today + 1);
  };
  return { index, events, sellers, sales, exposureOf };
}

/** Worth of a day before the window, as it was folded; undefined where it is not kept. */
export function pastWorth({ past }: ShopSeason, { lastDay, made }: ShopWindow, day: number): number | undefined {
  return lastDay === null ? undefined : past[past.length + day - (lastDay - made.length + 1)];
}

function expectedWorth(index: calendar.CalendarIndex, events: Effects, plan: Plan, day: number, ahead: number): number {
  const planned = plan.get(day);
  if (planned?.kind === 'closed') return -1;
  const plain = calendar.exposure(index, placeOf(day), Math.max(0, ahead));
  if (planned) return plain * plannedDays.factorOf(events, planned, index.noise);
  return plain > 0 ? plain : -1;
}

const copyOf = (index: calendar.CalendarIndex): calendar.CalendarIndex => ({
  ...index, season: [...index.season], learned: [...index.learned], closedRun: [...index.closedRun], month: [...index.month], monthLearned: [...index.monthLearned], year: yearCourse.copyOf(index.year),
});
