import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as bank from '../../../models/forecast/expert-bank.js';
import { isCut, isShort, partOnSale, soldAt, soldInPlace, stocked } from '../../../models/forecast/shortages.js';
import { randomness, uniform } from '../../../models/kernels/numbers.js';
import { activity, init, leave, sell, SEASON_DAYS, unfold, windowStart, WINDOW_DAYS, type ExposureOf, type SkuSeries } from '../../../models/forecast/sku-series.js';

const START = 20_000;
const exposureOf: ExposureOf = (day) => (day % 7 === 3 ? -1 : 0.8 + (day % 5) / 10);

interface Line {
  readonly day: number;
  readonly units: number;
  /** Reported by a page only. */
  readonly isClaim?: boolean;
}

const fit = (lines: readonly Line[], from?: SkuSeries): SkuSeries =>
  lines.reduce<SkuSeries>((series, { day, units, isClaim }) => sell(series, START + day, units, exposureOf, isClaim ? units : 0) ?? series, from ?? init(START + (lines[0]?.day ?? 0)));

const known = (series: SkuSeries, through: number): Float32Array => {
  const into = bank.init(1, SEASON_DAYS);
  unfold(series, through, exposureOf, into);
  return into.rows;
};

const lines = fc.array(fc.record({ day: fc.integer({ min: 0, max: 120 }), units: fc.integer({ min: -3, max: 40 }), isClaim: fc.boolean() }), { minLength: 1, maxLength: 30 })
  .map((all) => all.sort((a, b) => a.day - b.day));

describe('a SKU that leaves', () => {
  const alwaysOpen: ExposureOf = () => 1;
  const closedOn3: ExposureOf = exposureOf;
  const daily = (days: number, isOpen: (day: number) => boolean, soldOutFrom = Infinity): SkuSeries =>
    fit(Array.from({ length: days }, (_, day) => ({ day, units: isOpen(START + day) && day < soldOutFrom ? 2 : 0 })));

  test('takes out what the shop expected of it: days the shop was closed on do not count, days sold out do', () => {
    const oftenOf = (series: SkuSeries, worth: ExposureOf): number => leave(series, START + 100, START + 100, worth).left!.often;
    expect(oftenOf(daily(100, () => true), alwaysOpen)).toBeCloseTo(1, 6);
    expect(oftenOf(daily(100, (day) => closedOn3(day) >= 0), closedOn3)).toBeCloseTo(1, 6);
    const soldOut = oftenOf(daily(100, () => true, 70), alwaysOpen);
    expect(soldOut).toBeGreaterThan(0.975 ** 30 - 0.05);
    expect(soldOut).toBeLessThan(0.975 ** 30 + 0.1);
    expect(oftenOf(daily(70, () => true), alwaysOpen)).toBeCloseTo(soldOut, 6);
  });

  test('is in no sum of the shop from then on, and once told again that it is sold in all of them as if nothing had been told', () => {
    const series = daily(60, () => true);
    const left = leave(series, START + 50, START + 59, alwaysOpen);
    const [before, after] = [activity(series), activity(left)];
    const until = (parts: ReturnType<typeof activity>): [number, unknown][] => [...parts].filter(([day]) => day < START + 50);
    expect(until(after)).toEqual(until(before));
    expect([...after].filter(([day]) => day >= START + 50)).toEqual([[START + 50, expect.objectContaining({ made: 0, hits: 0, young: 0, joined: expect.closeTo(-1, 6) })]]);
    expect(activity({ ...left, left: null })).toEqual(before);
  });

  test('leaves on the newest day of the shop while that has not come to the day on which it was told', () => {
    expect(leave(daily(60, () => true), START + 65, START + 59, alwaysOpen).left).toEqual({ told: START + 65, day: START + 59, often: expect.closeTo(1, 6) });
  });
});

describe('a series', () => {
  test('fitted to a part and then to the rest equals one fitted to all', () => {
    fc.assert(fc.property(lines, fc.nat(), (all, cut) => {
      const n = cut % (all.length + 1);
      expect(fit(all.slice(n), n > 0 ? fit(all.slice(0, n)) : undefined)).toEqual(fit(all));
    }), { numRuns: 30 });
  });

  test('in which a line comes late, within four weeks of the newest, equals one that knew it in time', () => {
    fc.assert(fc.property(lines, fc.nat(), fc.integer({ min: 1, max: WINDOW_DAYS - 1 }), fc.integer({ min: -5, max: 50 }), fc.boolean(), (all, at, daysAgo, units, isClaim) => {
      const last = all.at(-1)!.day;
      const late = { day: last - daysAgo, units, isClaim };
      // Only what the series had already begun can be corrected: the first line begins it.
      fc.pre(late.day >= all[0]!.day);
      const inTime = [...all.filter(({ day }) => day <= late.day), late, ...all.filter(({ day }) => day > late.day)];
      const corrected = fit([...all, late]);
      expect(corrected).toEqual(fit(inTime));
      expect(known(corrected, START + last + (at % 10))).toEqual(known(fit(inTime), START + last + (at % 10)));
    }), { numRuns: 40 });
  });

  test('counts of what only a page has reported five times a usual day, ten units at least, and all of it once it is confirmed', () => {
    const sold = Array.from({ length: 60 }, (_, day) => ({ day, units: 8 }));
    const claimed = (units: number) => ({ day: 60, units, isClaim: true });
    const last = (all: readonly Line[]) => fit(all).units.at(-1);
    expect([last([...sold, claimed(30)]), last([...sold, claimed(3_000)]), last([...sold, claimed(3_000), claimed(3_000)])]).toEqual([30, 40, 40].map((units) => expect.closeTo(units, 9)));
    expect(last([...sold, claimed(3_000), { day: 60, units: 100 }])).toBeCloseTo(140, 9);
    expect([last([claimed(9)]), last([claimed(9_000)]), last([claimed(9_000), claimed(-8_995)])]).toEqual([9, 10, 5]);
    // Confirmed: claims less, nothing sold.
    const confirmed = sell(fit([...sold, claimed(3_000)]), START + 60, 0, exposureOf, -3_000);
    expect(confirmed).toEqual(fit([...sold, { day: 60, units: 3_000 }]));
  });

  test('refuses a line that is older than its window, once it has learned', () => {
    const series = fit(Array.from({ length: 60 }, (_, day) => ({ day, units: 1 })));
    expect(sell(series, windowStart(series) - 1, 5, exposureOf)).toBeUndefined();
    expect(sell(series, windowStart(series), 5, exposureOf)).toBeDefined();
  });

  test('that has learned nothing yet takes a line from long before', () => {
    const later = [{ day: 100, units: 2 }, { day: 110, units: 1 }];
    expect(fit([...later, { day: 3, units: 4 }])).toEqual(fit([{ day: 3, units: 4 }, ...later]));
  });

  test('refuses a line from another century instead of living through it', () => {
    expect(sell(init(START), START + 40_000, 1, exposureOf)).toBeUndefined();
    expect(sell(init(START), START - 40_000, 1, exposureOf)).toBeUndefined();
  });

  test('has at most 256 bytes of bank and 28 days of units', () => {
    const series = fit(Array.from({ length: 200 }, (_, day) => ({ day, units: 1 })));
    expect([series.folded.byteLength, series.units.length]).toEqual([256, WINDOW_DAYS]);
  });

  test('is not changed by being read', () => {
    const series = fit(Array.from({ length: 90 }, (_, day) => ({ day, units: day % 3 })));
    const before = structuredClone(series);
    known(series, START + 400);
    activity(series);
    expect(series).toEqual(before);
  });

  test('joins the shop with how often it sold after its first sale: who was heard of by one, and comes back, was no seller between', () => {
    const joined = (days: readonly number[]) => [...activity(fit(days.map((day) => ({ day, units: 1 })))).values()].reduce((sum, part) => sum + part.joined, 0);
    expect(joined(Array.from({ length: 15 }, (_, day) => day))).toBe(1);
    expect(joined([0, 3, 20])).toBeCloseTo(1 / 13, 12);
    expect([joined([0, 20]), joined([0, 400]), joined([0])]).toEqual([0, 0, 0]);
  });

  test('of fractions that cancel out has sold nothing', () => {
    expect(fit([{ day: 0, units: 0.1 }, { day: 0, units: 0.2 }, { day: 0, units: -0.3 }]).units).toEqual([0]);
  });
});

describe('a shortage', () => {
  const daily = (days: number): SkuSeries => fit(Array.from({ length: days }, (_, day) => ({ day, units: 5 })));
  const alwaysOpen: ExposureOf = () => 1;
  const levelOf = (series: SkuSeries, through: number): number => {
    const into = bank.init(1, SEASON_DAYS);
    unfold(series, START + through, alwaysOpen, into);
    return bank.seenLevel(into, 0, 2);
  };
  const empty = (series: SkuSeries, from: number, to?: number): SkuSeries => {
    const out = stocked(series, START + from, false);
    return to === undefined ? out : stocked(out, START + to, true);
  };

  test('leaves of each day the part outside it; a day of which less than a tenth is left was short', () => {
    const series = empty(daily(14), 13.75, 27.95);
    expect([12, 13, 14, 27, 28].map((day) => partOnSale(series, START + day))).toEqual([1, 0.75, 0, expect.closeTo(0.05, 9), 1]);
    expect([13, 14, 26, 27, 28].map((day) => isShort(series, START + day))).toEqual([false, true, true, true, false]);
    expect([12, 13, 14].map((day) => isCut(series, START + day))).toEqual([false, true, true]);
    expect(isCut(empty(daily(14), 13.96), START + 13)).toBe(false);
  });

  test('of which some come on one day leaves what is between them', () => {
    expect(partOnSale(empty(empty(daily(14), 13.25, 13.5), 13.75), START + 13)).toBeCloseTo(0.5, 9);
  });

  test.each([2, 4, 100])('of which there are %d on each day of four weeks leaves of each what is between them', (count) => {
    let series = daily(28);
    for (let day = 0; day < 28; day++) for (let i = 0; i < count; i++) series = empty(series, day + (i + 0.25) / count, day + (i + 0.75) / count);
    expect(Array.from({ length: 28 }, (_, day) => partOnSale(series, START + day))).toEqual(Array.from({ length: 28 }, () => expect.closeTo(0.5, 9)));
    expect(series.shortages.length).toBeLessThanOrEqual(64);
  });

  test('that is over at its own moment was none, and one told twice is one', () => {
    expect(empty(daily(14), 13.5, 13.5).shortages).toEqual([]);
    const told = empty(daily(14), 13);
    expect(stocked(told, START + 15, false)).toBe(told);
  });

  test('teaches no zero, but a sale above the expectation', () => {
    const series = empty(daily(40), 39);
    const before = known(series, START + 39);
    expect(known(series, START + 60)).toEqual(before);
    expect(known(sell(series, START + 41, 50, exposureOf)!, START + 41)).not.toEqual(before);
  });

  test('is not believed before something was still sold on its first day, and ends with the day on which another one was sold in its place', () => {
    const series = empty(daily(14), 13.25, 16.5);
    expect(soldAt(series, START + 13, START + 13.5).shortages).toEqual([{ from: START + 13.5, to: START + 16.5 }]);
    expect([soldAt(series, START + 14, START + 14.5), soldAt(series, START + 13, START + 13.1)]).toEqual([series, series]);
    expect(soldInPlace(series, START + 14).shortages).toEqual([{ from: START + 15, to: START + 16.5 }]);
    expect(soldInPlace(series, START + 16).shortages).toEqual([]);
    expect(soldInPlace(series, START + 17)).toEqual(series);
  });

  // Customers come by chance, all day long; the shelf is filled every morning.
  test.each([[20, 8], [20, 15], [5, 2], [2, 2]])('that comes every day does not hide what is asked for: %s a day of a stock of %s', (rate, stock) => {
    const random = randomness(3);
    let series = init(START);
    let sold = 0;
    for (let day = 0; day < 400; day++) {
      let [time, units] = [-Math.log(uniform(random)) / rate, 0];
      for (; time < 1 && units < stock; time -= Math.log(uniform(random)) / rate) {
        units++;
        if (units === stock) series = empty(series, day + time, day + 1);
      }
      series = sell(series, START + day, units, alwaysOpen)!;
      if (day >= 200) sold += units / 200;
    }
    expect(sold).toBeLessThan(0.9 * rate);
    expect(Math.abs(levelOf(series, 399) / rate - 1)).toBeLessThan(0.15);
  });

  test('of the last hour of a day changes next to nothing', () => {
    const steady = daily(60);
    const last = Array.from({ length: 28 }, (_, i) => 32 + i).reduce((series, day) => empty(series, day + 0.98, day + 1), steady);
    expect(levelOf(last, 59) / levelOf(steady, 59)).toBeGreaterThan(1);
    expect(levelOf(last, 59) / levelOf(steady, 59)).toBeLessThan(1.021);
  });

  test('that is told late, of days still known, is as if it had been told in time', () => {
    const inTime = fit(Array.from({ length: 40 }, (_, i) => ({ day: 20 + i, units: 3 })), empty(daily(20), 19.5, 24.25));
    const late = empty(fit(Array.from({ length: 27 }, (_, i) => ({ day: 20 + i, units: 3 })), daily(20)), 19.5, 24.25);
    expect(fit(Array.from({ length: 13 }, (_, i) => ({ day: 47 + i, units: 3 })), late)).toEqual(inTime);
  });
});
