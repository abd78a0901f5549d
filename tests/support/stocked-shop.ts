import { cycleRows, stockScoreRows } from '../../consumers/demand/stock-cycle.js';
import { suggested } from '../../models/inventory/base-stock-learning.js';
import { randomness, uniform } from '../../models/kernels/numbers.js';
import { sales, supplies } from '../../schemas/topics.js';
import { row, shop } from './demand.js';
import type { Driver } from './driver.js';
import { DAY, HOUR } from './events.js';
import { sale, supply } from './sales.js';

export interface StockedShop {
  readonly skus: number;
  readonly days: number;
  /** Poisson, of each SKU. */
  readonly unitsADay: number;
  readonly leadTimeDays: number;
  readonly reviewDays: number;
  readonly service: number;
  /** What part of a suggestion is ordered. */
  readonly follows: number;
}

interface Shelf {
  readonly sku: string;
  stock: number;
  coming: { readonly day: number; readonly units: number }[];
  /** Units that customers wanted, by day: nobody but this shop knows them. */
  readonly wanted: number[];
  /** Cycles that are judged: the days whose demand a level that was suggested has to meet. */
  readonly cycles: { readonly from: number; readonly days: number; readonly level: number }[];
}

const START = Date.UTC(2026, 0, 1);
const HOURS = [3, 9, 15, 21] as const;

/** A shop that orders at each review what it is told to, gets it after the lead time, and sells what it has: what is asked for beyond that is lost. */
export function liveStockedShop(terms: StockedShop): { driver: Driver; shelves: readonly Shelf[] } {
  const driver = shop();
  const random = randomness(11);
  const shelves = Array.from({ length: terms.skus }, (_, i): Shelf => ({ sku: `S${i}`, stock: 2 * terms.unitsADay * (terms.leadTimeDays + terms.reviewDays), coming: [], wanted: [], cycles: [] }));
  for (let day = 0; day < terms.days; day++) {
    const start = START + day * DAY;
    const isReview = day % terms.reviewDays === 0;
    for (const shelf of shelves) if (receive(shelf, day) || isReview) tell(driver, shelf, terms, start);
    driver.tick(start + HOUR);
    for (const shelf of shelves) look(driver, shelf);
    if (isReview && day > 0) for (const shelf of shelves) order(driver, shelf, terms, day);
    for (const shelf of shelves) {
      shelf.wanted.push(0);
      for (const hour of HOURS) trade(driver, shelf, terms, poisson(terms.unitsADay / HOURS.length, random), start + hour * HOUR);
    }
  }
  return { driver, shelves };
}

function receive(shelf: Shelf, day: number): boolean {
  const here = shelf.coming.filter((one) => one.day <= day);
  for (const { units } of here) shelf.stock += units;
  shelf.coming = shelf.coming.filter((one) => one.day > day);
  return here.length > 0;
}

function look(driver: Driver, { sku, cycles }: Shelf): void {
  const cycle = driver.row('demand-forecasts', cycleRows, sku);
  if (!cycle) return;
  const from = cycle.from - START / DAY;
  if (cycles.at(-1)?.from !== from) cycles.push({ from, days: cycle.days, level: suggested(cycle, { ...cycle, isWhole: true }) });
}

function order(driver: Driver, shelf: Shelf, terms: StockedShop, day: number): void {
  const { suggestedUnits, suggestedDay } = row(driver, shelf.sku);
  if (suggestedUnits === 0 || suggestedDay !== START / DAY + day) return;
  shelf.coming.push({ day: day + terms.leadTimeDays, units: Math.round(terms.follows * suggestedUnits) });
  tell(driver, shelf, terms, START + day * DAY + HOUR);
}

function trade(driver: Driver, shelf: Shelf, terms: StockedShop, asked: number, time: number): void {
  const sold = Math.min(asked, shelf.stock);
  shelf.wanted.push(shelf.wanted.pop()! + asked);
  shelf.stock -= sold;
  if (sold > 0) driver.send(sales, shelf.sku, sale(shelf.sku, sold, time));
  if (sold > 0 && shelf.stock === 0) tell(driver, shelf, terms, time + 1);
}

const onOrder = ({ coming }: Shelf): number => coming.reduce((sum, { units }) => sum + units, 0);

function tell(driver: Driver, shelf: Shelf, { leadTimeDays, reviewDays, service }: StockedShop, time: number): void {
  driver.send(supplies, shelf.sku, supply(shelf.sku, shelf.stock, time, { leadTimeDays, reviewDays, serviceLevel: service, onOrder: onOrder(shelf) }));
}

function poisson(mean: number, random: ReturnType<typeof randomness>): number {
  let [count, left] = [0, uniform(random)];
  for (; left > Math.exp(-mean); count++) left *= uniform(random);
  return count;
}

/** What share of the cycles the levels covered, by what customers wanted, and what the levels were on average after so many days. */
export function outsideCount(shelves: readonly Shelf[], { days: lived }: StockedShop, after: number): { covered: number; level: number } {
  const over = shelves.flatMap(({ wanted, cycles }) => cycles.filter(({ from, days }) => from + days < lived)
    .map(({ from, days, level }) => ({ from, level, isCovered: wanted.slice(from, from + days).reduce((sum, units) => sum + units, 0) <= level })));
  const late = over.filter(({ from }) => from >= after);
  return { covered: over.filter(({ isCovered }) => isCovered).length / over.length, level: late.reduce((sum, { level }) => sum + level, 0) / late.length };
}

/** The same as the pipeline tells it, and in what part of the time the shelf was empty. */
export function toldBy(driver: Driver): { covered: number; promised: number; unseen: number; cycles: number } {
  const { cycles, covered, promised, unseen } = driver.row('demand-forecasts', stockScoreRows, '')!;
  return { cycles, covered: covered / cycles, promised: promised / cycles, unseen: unseen / cycles };
}
