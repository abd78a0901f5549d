import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Plan } from '../../../models/forecast/planned-days.js';
import { change, hear, init, noWindow, openDays, outlook, type ShopSeason, type ShopWindow } from '../../../models/forecast/shop-demand.js';
import { capped, noCapped } from '../../../models/forecast/capped-sales.js';
import { noSales } from '../../../models/forecast/promotions.js';
import type { Activity } from '../../../models/forecast/sku-series.js';

/** A Monday. */
const START = 20_003;
const NO_PLAN: Plan = new Map();

interface Shop {
  readonly shop: ShopSeason;
  readonly days: ShopWindow;
}

const idle: Activity = { ...noCapped, ...noSales, hits: 0, joined: 0, young: 0, newcomers: 0, again: 0 };
/** So many SKUs sell, and each so many typical sales. */
const part = (day: number, hits: number, times = 1): ReadonlyMap<number, Activity> => {
  const { made, beyond3, beyond6 } = capped(times);
  return new Map([[day, { ...idle, made: hits * made, beyond3: hits * beyond3, beyond6: hits * beyond6, hits }]]);
};
const nothing: ReadonlyMap<number, Activity> = new Map();

/** A shop of which so many SKUs sell on an ordinary day, by day. */
function lived(salesOf: (day: number) => number, days: number, plan = NO_PLAN): Shop {
  let at: Shop = { shop: { ...init(), sellers: 100 }, days: noWindow };
  for (let day = 0; day < days; day++) {
    if (salesOf(day) === 0) continue;
    const opened = openDays(at.shop, at.days, START + day, plan);
    at = { shop: opened.shop, days: change(opened.days, nothing, part(START + day, salesOf(day))) };
  }
  return at;
}

const worths = ({ shop, days }: Shop, from: number, count: number, plan = NO_PLAN): number[] => {
  const { exposureOf } = outlook(shop, days, START + from, plan);
  return Array.from({ length: count }, (_, i) => exposureOf(START + from + i));
};

describe('the shop', () => {
  test('untrained has ordinary days only', () => {
    expect(worths({ shop: init(), days: noWindow }, 0, 10)).toEqual(Array.from({ length: 10 }, () => 1));
  });

  test('takes a SKU that comes back for as much of a seller as it is after its silence', () => {
    const sellersAfter = (silence: number): number => {
      const { shop, days } = lived(() => 100, 60);
      const first = days.lastDay! - days.made.length + 1;
      const back: ReadonlyMap<number, Activity> = new Map([[first - silence, { ...idle, joined: 1 }]]);
      return outlook(shop, change(days, nothing, back), days.lastDay! + 1, NO_PLAN).sellers - outlook(shop, days, days.lastDay! + 1, NO_PLAN).sellers;
    };
    expect(sellersAfter(0)).toBeGreaterThan(0.4);
    expect(sellersAfter(100) / sellersAfter(0)).toBeCloseTo(0.975 ** 100, 6);
  });

  test('has as many sellers where it hears of the others months late', () => {
    const others = (day: number): ReadonlyMap<number, Activity> => new Map([[START + day, { ...idle, made: 40, hits: 40, joined: day === 0 ? 40 : 0 }]]);
    let [inTime, late]: Shop[] = [{ shop: { ...init(), sellers: 60 }, days: noWindow }, { shop: { ...init(), sellers: 60 }, days: noWindow }];
    for (let day = 0; day < 120; day++) {
      const [a, b] = [inTime!, late!].map(({ shop, days }) => openDays(shop, days, START + day, NO_PLAN)) as [Shop, Shop];
      inTime = { shop: a.shop, days: hear(change(a.days, nothing, part(START + day, 60)), others(day)) };
      late = { shop: b.shop, days: change(b.days, nothing, part(START + day, 60)) };
    }
    for (let day = 0; day < 120; day++) late = { shop: late!.shop, days: hear(late!.days, others(day)) };
    const [expected, found] = [inTime!, late!].map(({ shop, days }) => outlook(shop, days, START + 120, NO_PLAN).sellers) as [number, number];
    expect(expected).toBeCloseTo(100, 6);
    expect(found).toBeCloseTo(expected, 6);
  });

  test('learns its weekdays, and that it is closed on one', () => {
    const week = [80, 80, 80, 80, 160, 0, 120];
    const [mon, tue, wed, thu, fri, sat, sun] = worths(lived((day) => week[day % 7]!, 140), 140, 7) as [number, number, number, number, number, number, number];
    expect(sat).toBeLessThan(0);
    expect(fri / mon).toBeGreaterThan(1.6);
    expect(fri / mon).toBeLessThan(2.4);
    for (const other of [tue, wed, thu]) expect(other / mon).toBeCloseTo(1, 1);
    expect(sun).toBeGreaterThan(mon);
  });

  test('takes back what a SKU added, however it is corrected', () => {
    fc.assert(fc.property(fc.array(fc.record({ day: fc.integer({ min: 0, max: 27 }), hits: fc.integer({ min: 1, max: 9 }) }), { maxLength: 20 }), (corrections) => {
      const { days } = lived(() => 100, 28);
      const there = corrections.reduce((at, { day, hits }) => change(at, nothing, part(START + day, hits)), days);
      const back = corrections.reduce((at, { day, hits }) => change(at, part(START + day, hits), nothing), there);
      back.made.forEach((made, i) => expect(made).toBeCloseTo(days.made[i]!, 9));
      expect(back.hits).toEqual(days.hits);
    }), { numRuns: 20 });
  });

  test('keeps what a day was worth when it leaves the window', () => {
    const before = lived((day) => 80 + 10 * (day % 7), 60);
    const after = lived((day) => 80 + 10 * (day % 7), 90);
    const of = ({ shop, days }: Shop): number => outlook(shop, days, days.lastDay! + 1, NO_PLAN).exposureOf(START + 50);
    expect(of(after)).toBeCloseTo(of(before), 5);
  });

  test('learns what a promotion is worth by its name, and not as the season', () => {
    const plan: Plan = new Map([20, 48, 76, 104].map((day) => [START + day, { kind: 'promotion', name: 'Sale' }]));
    const shop = lived((day) => (plan.has(START + day) ? 250 : 100), 104, plan);
    const [promoted, plain] = [worths(shop, 104, 1, plan)[0]!, worths(shop, 104, 1)[0]!];
    expect(promoted / plain).toBeGreaterThan(2);
    expect(promoted / plain).toBeLessThan(3);
    expect(plain).toBeGreaterThan(0.8);
    expect(plain).toBeLessThan(1.25);
  });

  test('knows what a planned day was worth when it is over, the first time too: its sales are not taken for the level of SKUs', () => {
    const plan: Plan = new Map([[START + 30, { kind: 'promotion', name: 'Sale' }]]);
    const { shop, days } = lived((day) => (day === 30 ? 200 : 100), 33, plan);
    const { exposureOf } = outlook(shop, days, START + 33, plan);
    expect(exposureOf(START + 30) / exposureOf(START + 29)).toBeGreaterThan(1.2);
  });

  test.each([20, 100])('learns the first time that a planned day sells five times as much, and no bulk order for it (%s sales a day)', (skus) => {
    const plan: Plan = new Map([40, 60].map((day) => [START + day, { kind: 'promotion', name: 'Sale' }]));
    const next = (bulk: number, times: number): number => {
      let at: Shop = { shop: { ...init(), sellers: skus }, days: noWindow };
      for (let day = 0; day < 50; day++) {
        const opened = openDays(at.shop, at.days, START + day, plan);
        const days = change(opened.days, nothing, part(START + day, skus - bulk, day === 40 ? times : 1));
        at = { shop: opened.shop, days: change(days, nothing, part(START + day, bulk, day === 40 ? 1_000 : 1)) };
      }
      return worths(at, 60, 1, plan)[0]! / worths(at, 60, 1)[0]!;
    };
    expect(next(0, 5)).toBeGreaterThan(4);
    expect(next(0, 5)).toBeLessThan(5.5);
    expect(next(1, 1)).toBeGreaterThanOrEqual(1);
    expect(next(1, 1)).toBeLessThan(1.05);
  });

  test('measures a day by those of its SKUs that are not on promotion', () => {
    const { shop, days } = lived(() => 100, 60);
    const opened = openDays(shop, days, START + 60, NO_PLAN);
    // Sixty of a hundred sell three times as much, the others as always.
    const onSale: ReadonlyMap<number, Activity> = new Map([[START + 60, { ...idle, made: 40, hits: 100, saleMade: 180, saleExpected: 60 }]]);
    const { exposureOf } = outlook(opened.shop, change(opened.days, nothing, onSale), START + 61, NO_PLAN);
    expect(exposureOf(START + 60)).toBeCloseTo(exposureOf(START + 59), 1);
  });

  test('is closed on a day planned so', () => {
    const plan: Plan = new Map([[START + 33, { kind: 'closed', name: 'closed' }]]);
    expect(worths(lived(() => 100, 30, plan), 30, 5, plan).map((worth) => worth < 0)).toEqual([false, false, false, true, false]);
  });

  test.each(['planned', 'not planned'])('expects as much after two weeks in which it was closed (%s) as before them', (how) => {
    const closed = (day: number): boolean => day >= 60 && day < 74;
    const plan: Plan = how === 'planned' ? new Map(Array.from({ length: 14 }, (_, i) => [START + 60 + i, { kind: 'closed', name: 'holidays' }])) : NO_PLAN;
    const open = lived((day) => (closed(day) ? 0 : 100), 77, plan);
    const { sellers, exposureOf } = outlook(open.shop, open.days, START + 77, plan);
    expect(exposureOf(START + 65)).toBeLessThan(0);
    expect(Math.abs(sellers - 100)).toBeLessThan(2);
    for (const day of [74, 75, 76]) expect(Math.abs(exposureOf(START + day) - 1)).toBeLessThan(0.05);
  });

  test('forgets its days, and not its season, in a silence of months', () => {
    const { shop, days } = lived((day) => [80, 80, 80, 80, 160, 90, 120][day % 7]!, 100);
    const later = openDays(shop, days, START + 798, NO_PLAN);
    expect(Object.values(later.days).every((of) => of === START + 798 || (Array.isArray(of) && of.length === 1 && of[0] === 0))).toBe(true);
    const [mon, , , , fri] = worths({ shop: later.shop, days: later.days }, 805, 7);
    expect(fri! / mon!).toBeGreaterThan(1.5);
  });
});
