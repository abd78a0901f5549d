import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LEVELS } from '../../../consumers/demand/rows.js';
import { negativeBinomialQuantiles, normalQuantile } from '../../../models/forecast/negative-binomial.js';
import { demandOver, demandQuantile, MOST_SERVICE, type DemandForecast } from '../../../models/inventory/demand-over-time.js';
import { init, type Correction } from '../../../models/inventory/base-stock-learning.js';
import { protectedTime, sentence, serviceLevel, suggestOrder, type Policy } from '../../../models/inventory/reorder-policies.js';
import { randomness, uniform, type Randomness } from '../../../models/kernels/numbers.js';
import { readConfig } from '../../../pipeline/config.js';
import { ORDERING } from '../../../schemas/ordering.js';

const PROBABILITIES = [0.1, 0.5, 0.9];

function steady(mean: number, days = 28): DemandForecast {
  const spread = 1.2816 * Math.sqrt(mean);
  const day = { mean, quantiles: [Math.max(0, mean - spread), mean, mean + spread] };
  return { probabilities: PROBABILITIES, days: Array.from({ length: days }, () => day) };
}

const periodic: Policy = { kind: 'periodic', reviewDays: 7 };

test('demand over days adds means, and its quantiles lie round the sum', () => {
  const week = demandOver(steady(10), 7);
  expect(week.mean).toBe(70);
  expect(demandQuantile(week, 0.5)).toBeGreaterThan(66);
  expect(demandQuantile(week, 0.5)).toBeLessThan(74);
  expect(demandQuantile(week, 0.95)).toBeGreaterThan(demandQuantile(week, 0.5));
});

test('half a day of lead time is half a day of demand, and zero days are none', () => {
  expect(demandOver(steady(10), 2.5).mean).toBe(25);
  expect(demandQuantile(demandOver(steady(10), 0), 0.99)).toBe(0);
});

test('days beyond the forecast repeat its last week', () => {
  expect(demandOver(steady(10, 28), 56).mean).toBe(560);
  expect(demandOver({ probabilities: PROBABILITIES, days: [] }, 14).mean).toBe(0);
});

test('an uncertain lead time asks for more stock than a certain one of the same mean', () => {
  const certain = suggestOrder(steady(10), { onHand: 0 }, { leadTime: { days: 7 } }, { level: 0.95 }, periodic);
  const uncertain = suggestOrder(steady(10), { onHand: 0 }, { leadTime: { days: 7, deviationDays: 3 } }, { level: 0.95 }, periodic);
  expect(uncertain.units).toBeGreaterThan(certain.units);
});

test.each([[0.8, periodic, 7], [0.9, periodic, 2], [0.95, periodic, 0], [0.95, { kind: 'reorder-point', orderDays: 14 }, 1], [0.99, periodic, 1], [0.9999, periodic, 7]] as const)('at %d a lead time that is less certain never asks for much less, however uncertain it is told: %j, %d days', (level, policy, days) => {
  const upTo = (deviationDays: number): number => suggestOrder(steady(10), { onHand: 0 }, { leadTime: { days, deviationDays } }, { level }, policy).upTo;
  let most = 0;
  for (const deviationDays of [0, 1, 2, 3, 5, 7, 10, 14, 30, 100, 365, 3_650]) {
    expect(upTo(deviationDays)).toBeGreaterThan(0.9 * most);
    most = Math.max(most, upTo(deviationDays));
  }
});

test('an uncertain lead time adds the square of what its days would sell to the variance', () => {
  const variance = (deviationDays: number): number => demandOver(steady(10), 7, deviationDays).variance;
  expect(variance(3) - variance(0)).toBeCloseTo(30 ** 2, 9);
});

test('a day of many sales is as uncertain as its quantiles say, not as if it might sell nothing', () => {
  const quantiles = [14, 16, 18, 19, 20, 21, 22, 24, 26];
  const { squares } = demandOver({ probabilities: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9], days: [{ mean: 20, quantiles }] }, 1);
  // Poisson's quantiles of 20.
  expect(squares).toBeGreaterThanOrEqual(20);
  expect(squares).toBeLessThan(26);
});

test('a periodic order covers lead time and review and says so', () => {
  const order = suggestOrder(steady(10), { onHand: 20, onOrder: 10, owed: 5 }, { leadTime: { days: 7 } }, { level: 0.95 }, periodic);
  expect(order.units).toBe(Math.ceil(order.upTo - 25));
  expect(order.upTo).toBeGreaterThan(140);
  expect(order.reasons.map(sentence)[0]).toContain('Covers 14 days at 95 %');
});

const poissonOf = (mean: number, random: Randomness): number => {
  let [count, time] = [0, -Math.log(uniform(random))];
  for (; time < mean; count++) time -= Math.log(uniform(random));
  return count;
};

/** Six a day by chance alone; it has been learned that days do not err together. */
const lambda = 6;
const independent = { evidence: [], weight: Array.from({ length: 14 }, () => 1e9) };
const day = { mean: lambda, quantiles: quantilesOf(lambda) };

function quantilesOf(mean: number): number[] {
  const quantiles: number[] = [];
  negativeBinomialQuantiles(mean, 0, LEVELS, quantiles);
  return quantiles;
}

describe('levels cover what they promise where lead times are uncertain', () => {
  const forecast: DemandForecast = { probabilities: LEVELS, days: [day], shared: independent };
  const normal = (random: Randomness): number => normalQuantile(uniform(random));
  const policies: Policy[] = [{ kind: 'periodic', reviewDays: 2 }, { kind: 'reorder-point', orderDays: 5 }];

  test.each(policies.flatMap((policy) => ([
    [policy.kind, 'exponential', 3, 3, policy, (random: Randomness) => -3 * Math.log(uniform(random))],
    [policy.kind, 'normal', 10, 2, policy, (random: Randomness) => 10 + 2 * normal(random)],
    [policy.kind, 'normal, cut off at 0,', 0, 2, policy, (random: Randomness) => Math.max(0, 2 * normal(random))],
  ] as const)))('%s, %s of %d ± %d days', (_kind, _shape, days, deviationDays, policy, lead) => {
    const random = randomness(3);
    const review = policy.kind === 'periodic' ? policy.reviewDays : 0;
    const lot = policy.kind === 'reorder-point' ? lambda * policy.orderDays : 0;
    for (const level of [0.8, 0.95]) {
      const protectedBy = suggestOrder(forecast, { onHand: 0 }, { leadTime: { days, deviationDays } }, { level }, policy).upTo - lot;
      let covered = 0;
      for (let i = 0; i < 4_000; i++) if (poissonOf(lambda * (review + lead(random)), random) <= protectedBy) covered++;
      expect(Math.abs(covered / 4_000 - level)).toBeLessThan(0.04);
    }
  });
});

describe('a newsvendor', () => {
  const days = 2;
  const poisson = (random: Randomness): number => poissonOf(lambda, random);
  const forecast = (left: number): DemandForecast => ({ probabilities: LEVELS, days: [day, day, day, day, day], shared: independent, ...(left > 0 && { today: { day, left } }) });
  const suggest = (onHand: number, left: number, lead = 1, sellingDays = days) =>
    suggestOrder(forecast(left), { onHand }, { leadTime: { days: lead } }, { level: 0.8 }, { kind: 'newsvendor', sellingDays });

  /** Share of seasons covered by an order of a morning, where the shelf sells what it has until the order is there. */
  const covered = (onHand: number, units: number, lead: number): number => {
    const random = randomness(5);
    let count = 0;
    for (let i = 0; i < 4_000; i++) {
      let shelf = onHand;
      for (let d = 0; d < lead; d++) shelf = Math.max(0, shelf - poisson(random));
      let wanted = 0;
      for (let d = 0; d < days; d++) wanted += poisson(random);
      if (wanted <= shelf + units) count++;
    }
    return count / 4_000;
  };

  test.each([[0, 1], [4, 1], [12, 1], [0, 3], [14, 3], [40, 3]])('covers what it promises with %i on hand and a lead time of %i days', (onHand, lead) => {
    const { units } = suggest(onHand, 1, lead);
    const [share, less] = [covered(onHand, units, lead), covered(onHand, units - 3, lead)];
    // With three units less it does not.
    expect(share).toBeGreaterThan(0.78);
    expect([units > 0, less < 0.8]).toEqual([onHand < 40, onHand < 40]);
  });

  test.each([[0, 2], [21, 2], [84, 14]])('covers what it promises with %i on hand and a lead time of 7 ± 2 days, sold for %i: what comes earlier has more to meet', (onHand, sellingDays) => {
    const policy: Policy = { kind: 'newsvendor', sellingDays };
    const { units } = suggestOrder(forecast(1), { onHand }, { leadTime: { days: 7, deviationDays: 2 } }, { level: 0.95 }, policy);
    const random = randomness(5);
    let count = 0;
    for (let i = 0; i < 4_000; i++) {
      const lead = Math.min(7 + sellingDays, Math.max(1, Math.round(7 + 2 * normalQuantile(uniform(random)))));
      let shelf = onHand;
      for (let d = 0; d < lead; d++) shelf = Math.max(0, shelf - poisson(random));
      if (poissonOf(lambda * (7 + sellingDays - lead), random) <= shelf + units) count++;
    }
    expect(count / 4_000).toBeGreaterThan(0.94);
    expect(count / 4_000).toBeLessThan(0.985);
  });

  test('asks for no more than a shelf without stock does where what it has is sold before, for sure', () => {
    const ordered = (onHand: number): number => suggestOrder(forecast(1), { onHand }, { leadTime: { days: 4 } }, { level: 0.95 }, { kind: 'newsvendor', sellingDays: 1 }).units;
    expect([ordered(0), ordered(8), ordered(12)]).toEqual([10, 10, 10]);
  });

  test('counts no more of today than is on hand, and less the later it is', () => {
    const needed = [0, 3, 60].map((onHand) => suggest(onHand, 1).upTo);
    expect(needed[0]).toBe(suggest(0, 0).upTo);
    expect(needed[1]! - needed[0]!).toBeGreaterThanOrEqual(2);
    expect(needed[1]! - needed[0]!).toBeLessThanOrEqual(3);
    expect(needed[2]! - needed[0]!).toBeCloseTo(lambda, -1);
    const byTime = [1, 0.5, 0].map((left) => suggest(60, left).upTo);
    expect(byTime).toEqual(byTime.toSorted((a, b) => b - a));
    expect(byTime[0]).toBeGreaterThan(byTime[2]!);
  });

  test('is as well served by an order that differs by half the deviation of a day, if it can be ordered', () => {
    const asGood = (onHand: number, terms: object, range: readonly number[]): number[] => {
      const { isAsGood } = suggestOrder(forecast(1), { onHand }, { leadTime: { days: 1 }, ...terms }, { level: 0.8 }, { kind: 'newsvendor', sellingDays: days });
      return range.filter(isAsGood);
    };
    const upTo30 = Array.from({ length: 31 }, (_, units) => units);
    const { units } = suggest(10, 1);
    expect(asGood(10, {}, upTo30)).toEqual([units - 1, units, units + 1, units + 2]);
    expect(asGood(10, { packSize: 12 }, upTo30)).toEqual([12, 24]);
    expect(asGood(60, {}, upTo30)).toEqual([0]);
    // Without stock nothing of today is counted, and nothing moves.
    expect(asGood(0, {}, upTo30)).toEqual([suggest(0, 1).units]);
  });

  test('is not told to order what would come too late, but for what is owed', () => {
    expect(suggest(0, 1, 1, 0)).toMatchObject({ units: 0, upTo: 0, reasons: [{ code: 'too-late' }] });
    expect(suggest(-3, 1, 1, 0)).toMatchObject({ units: 3, upTo: 0, reasons: [{ code: 'owed' }] });
    expect(suggest(-3, 1).units).toBe(suggest(0, 1).units + 3);
  });
});

test('above its reorder point nothing is ordered; at it, up to the level', () => {
  const policy: Policy = { kind: 'reorder-point', orderDays: 14 };
  const terms = { leadTime: { days: 7 } };
  const low = suggestOrder(steady(10), { onHand: 60 }, terms, { level: 0.9 }, policy);
  expect(low.reasons[0]?.code).toBe('below-reorder-point');
  expect(low.units).toBe(Math.ceil(low.upTo - 60));
  const high = suggestOrder(steady(10), { onHand: 130 }, terms, { level: 0.9 }, policy);
  expect(high.units).toBe(0);
  expect(high.reasons.map((reason) => reason.code)).toEqual(['enough']);
});

test('a reorder point protects the days of the lead time, and says which units are for them and which are a lot of mean demand', () => {
  const [lead, lot] = [demandOver(steady(1), 3), demandOver(steady(1), 17).mean - demandOver(steady(1), 3).mean];
  const order = suggestOrder(steady(1), { onHand: 2 }, { leadTime: { days: 3 } }, { level: 0.95 }, { kind: 'reorder-point', orderDays: 14 });
  const point = demandQuantile(lead, 0.95);
  expect([order.upTo, order.covered]).toEqual([point + lot, 17]);
  expect(order.reasons.map(sentence)).toEqual([
    `Stock of 2 is at or below the reorder point of ${Number(point.toFixed(2))}.`,
    `Covers 3 days at 95 % (${Number(point.toFixed(2))} units) and the mean demand of 14 more (14 units): ${Number(order.upTo.toFixed(2))} units are needed, 2 are on hand and on order.`,
  ]);
});

test('who signs the order reads how uncertain its days are, and one unit as one', () => {
  const told = (deviationDays: number): string[] => suggestOrder(steady(10), { onHand: 1 }, { leadTime: { days: 7, deviationDays } }, { level: 0.95 }, periodic).reasons.map(sentence);
  expect(told(0)).toEqual([expect.stringMatching(/^Covers 14 days at 95 %: \d+ units are needed, 1 is on hand and on order\.$/)]);
  expect(told(2)).toEqual([expect.stringMatching(/^Covers 14 ± 2 days at 95 %: /)]);
  expect([1, 2].map((units) => sentence({ code: 'owed', units }))).toEqual(['1 unit is owed.', '2 units are owed.']);
});

test.each<Policy>([{ kind: 'newsvendor', sellingDays: 14 }, periodic, { kind: 'reorder-point', orderDays: 14 }])('what was learned moves the level by deviations of the demand that it was learned on: $kind', (policy) => {
  const leadTime = { days: 7, deviationDays: 2 };
  const correction = { ...init(), shift: 1.5, cycles: 30, promised: 24, covered: 12, cost: 10, textbookCost: 20, squares: 4 };
  const suggest = (learned?: Correction) => suggestOrder(steady(10), { onHand: 0 }, { leadTime, byFractions: true }, { level: 0.8 }, policy, learned);
  const { days, deviationDays } = protectedTime(policy, leadTime);
  const units = suggest(correction).upTo - suggest().upTo;
  expect(units).toBeCloseTo(1.5 * Math.sqrt(demandOver(steady(10), days, deviationDays).variance), 9);
  expect(suggest(correction).reasons.find(({ code }) => code === 'learned')).toMatchObject({ units: expect.closeTo(units, 9), cycles: 30, saved: 0.5 });
});

test.each<[string, Policy, number]>([['periodic', periodic, 0], ['reorder-point', { kind: 'reorder-point', orderDays: 14 }, 0], ['newsvendor', { kind: 'newsvendor', sellingDays: 14 }, 0.37]])(
  'what is sold by the piece is ordered, and told of, in whole units, and what is sold by the metre is not: %s', (_, policy, shift) => {
    const correction = { ...init(), shift, cycles: 30, promised: 24, covered: 12, cost: 10, textbookCost: 20, squares: 4 };
    const suggest = (byFractions: boolean) => suggestOrder(steady(20.3), { onHand: 3 }, { leadTime: { days: 7 }, byFractions }, { level: 0.95 }, policy, correction);
    const [pieces, metres] = [suggest(false), suggest(true)];
    expect(Number.isInteger(metres.upTo)).toBe(false);
    expect(pieces.upTo).toBe(Math.ceil(metres.upTo));
    expect(pieces.units).toBe(pieces.upTo - 3);
    const numbers = (order: typeof pieces): string[] => order.reasons.filter(({ code }) => code !== 'learned').map(sentence).join(' ').match(/[\d.]+ (?=units|are)/g) ?? [];
    expect(numbers(pieces).filter((units) => units.includes('.'))).toEqual([]);
    expect(numbers(metres).filter((units) => units.includes('.'))).not.toEqual([]);
    expect(pieces.reasons.flatMap((reason) => (reason.code === 'learned' ? [Number.isInteger(reason.units), reason.units > 0] : []))).toEqual(shift === 0 ? [] : [true, true]);
  },
);

test('where the cycles of a SKU were covered clearly less often than promised, the reason says so', () => {
  const suggest = (covered: number, cycles: number) =>
    suggestOrder(steady(10), { onHand: 0 }, { leadTime: { days: 7 } }, { level: 0.95 }, periodic, { ...init(), cycles, promised: 0.95 * cycles, covered }).reasons.map(sentence)[1];
  expect(suggest(19, 26)).toBe('Its levels so far covered the demand of 19 of 26 cycles: 73.08 % instead of 95 %.');
  expect([suggest(23, 26), suggest(26, 26), suggest(0, 3), suggest(5, 6)]).toEqual([undefined, undefined, undefined, undefined]);
});

test('the minimum comes before the pack, and both are given as reasons', () => {
  const order = suggestOrder(steady(1), { onHand: 8 }, { leadTime: { days: 0 }, packSize: 12, minimumUnits: 20 }, { level: 0.9 }, periodic);
  expect(order.units).toBe(24);
  expect(order.reasons.map((reason) => reason.code)).toEqual(['covers', 'raised-to-minimum', 'rounded-to-pack']);
});

test.each([[undefined, 0, 83], [2.5, 0, 82.5], [2.5, 85.5, 87.5], [12, 0, 84]])('82.4 metres that are wanted, in packs of %d and %d at least, are ordered as %d', (packSize, minimumUnits, units) => {
  const { upTo } = suggestOrder(steady(5), { onHand: 0 }, { leadTime: { days: 7 }, byFractions: true }, { level: 0.95 }, periodic);
  expect(suggestOrder(steady(5), { onHand: upTo - 82.4 }, { leadTime: { days: 7 }, byFractions: true, packSize, minimumUnits }, { level: 0.95 }, periodic).units).toBe(units);
});

test.each([false, true])('an order in packs of parts is as good as itself, and no pack above its minimum (sold by parts: %s)', (byFractions) => {
  const terms = { leadTime: { days: 1 }, packSize: 0.3, byFractions };
  const today = { day: { mean: 5, quantiles: [] }, left: 0.5 };
  const { units, isAsGood } = suggestOrder({ ...steady(5), today }, { onHand: 1 }, terms, { level: 0.95 }, { kind: 'newsvendor', sellingDays: 2 });
  expect([units > 0, isAsGood(units), isAsGood(units + 0.1)]).toEqual([true, true, false]);
  const { upTo } = suggestOrder(steady(5), { onHand: 0 }, terms, { level: 0.95 }, periodic);
  expect(suggestOrder(steady(5), { onHand: upTo - 1 }, { ...terms, minimumUnits: 2.5 }, { level: 0.95 }, periodic).units).toBeCloseTo(2.7, 9);
});

test('cost ratios of zero and infinity have an answer', () => {
  expect(serviceLevel({ shortageCost: 3, excessCost: 1 })).toBe(0.75);
  expect(serviceLevel({ shortageCost: 0, excessCost: 1 })).toBe(0);
  expect(serviceLevel({ shortageCost: Infinity, excessCost: 1 })).toBe(MOST_SERVICE);
  expect(serviceLevel({ shortageCost: 1, excessCost: 0 })).toBe(MOST_SERVICE);
  expect(serviceLevel({ shortageCost: 0, excessCost: 0 })).toBe(0.5);
  expect(serviceLevel({ shortageCost: Infinity, excessCost: Infinity })).toBe(0.5);
  expect(serviceLevel({ shortageCost: 1, excessCost: Infinity })).toBe(0);
  const newsvendor: Policy = { kind: 'newsvendor', sellingDays: 7 };
  const never = suggestOrder(steady(10), { onHand: 0 }, { leadTime: { days: 0 } }, { shortageCost: 0, excessCost: 1 }, newsvendor);
  expect(never.units).toBe(0);
  const always = suggestOrder(steady(10), { onHand: 0 }, { leadTime: { days: 0 } }, { shortageCost: Infinity, excessCost: 1 }, newsvendor);
  expect(always.units).toBeGreaterThan(70);
  expect(Number.isFinite(always.units)).toBe(true);
  expect(always.reasons.map(sentence)[0]).toContain('at 99.99 %');
});

test('no door takes a level that no stock reaches', () => {
  expect(ORDERING.service_level[1]).toBe(MOST_SERVICE);
  expect(() => readConfig({ REORDER_SERVICE_PERCENT: '100' })).toThrow('REORDER_SERVICE_PERCENT must be a whole number from 0 to 99 (no stock covers every demand');
  expect(readConfig({ REORDER_SERVICE_PERCENT: '99' }).REORDER_SERVICE_PERCENT).toBe(99);
});

test.each<Policy>([{ kind: 'newsvendor', sellingDays: 7 }, periodic, { kind: 'reorder-point', orderDays: 14 }])('where a shortage costs nothing, nothing is ordered but what is owed: $kind', (policy) => {
  const order = (onHand: number) => suggestOrder(steady(10), { onHand }, { leadTime: { days: 7 } }, { shortageCost: 0, excessCost: 1 }, policy);
  expect([3, 0, -5].map((onHand) => order(onHand).units)).toEqual([0, 0, 5]);
  expect(order(-5)).toMatchObject({ upTo: 0, level: 0, reasons: [{ code: 'owed', units: 5 }] });
  expect(order(-5).covered).toBeGreaterThan(60);
});

test('no demand, no order', () => {
  const order = suggestOrder(steady(0), { onHand: 0 }, { leadTime: { days: 7 } }, { level: 0.95 }, periodic);
  expect(order).toMatchObject({ units: 0, reasons: [{ code: 'no-demand' }] });
});

test.each<[string, number, Policy]>([
  ['No demand is forecast. 7 units are owed.', 0, periodic], ['No demand is forecast. 7 units are owed.', 0, { kind: 'reorder-point', orderDays: 14 }],
  ['No demand is forecast. 7 units are owed.', 0, { kind: 'newsvendor', sellingDays: 3 }], ['7 units are owed.', 10, { kind: 'newsvendor', sellingDays: 0 }],
])('what is owed is ordered where nothing else is: %s', (sentences, mean, policy) => {
  const order = (onHand: number, more = {}) => suggestOrder(steady(mean), { onHand, onOrder: 2 }, { leadTime: { days: 7 }, ...more }, { level: 0.9 }, policy);
  expect(order(-9)).toMatchObject({ units: 7, upTo: 0, covered: 0 });
  expect(order(-9).reasons.map(sentence).join(' ')).toBe(sentences);
  expect(order(-9, { packSize: 6 })).toMatchObject({ units: 12 });
  for (const enough of [-2, 0, 5]) expect(order(enough).units).toBe(0);
});

test('where the quantile of what is still to be sold is nothing, a stock below zero is owed, not short', () => {
  const order = suggestOrder(steady(0.01), { onHand: -7 }, { leadTime: { days: 3 }, packSize: 4 }, { level: 0.8 }, periodic);
  expect(order).toMatchObject({ units: 8, upTo: 0, reasons: [{ code: 'owed', units: 7 }, { code: 'rounded-to-pack' }] });
});

test('no days to cover, no order, and the demand is not denied', () => {
  const order = suggestOrder(steady(10), { onHand: 0 }, { leadTime: { days: 0 } }, { level: 0.95 }, { kind: 'periodic', reviewDays: 0 });
  expect(order).toMatchObject({ units: 0, upTo: 0, reasons: [{ code: 'enough', needed: 0 }] });
});

test('an order is a finite number of whole packs, reaches its level, and grows with the service level', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 500, noNaN: true }),
      fc.double({ min: 0, max: 60, noNaN: true }),
      fc.integer({ min: -50, max: 500 }),
      fc.integer({ min: 1, max: 48 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (mean, leadDays, onHand, packSize, level) => {
        const terms = { leadTime: { days: leadDays }, packSize };
        const order = suggestOrder(steady(mean), { onHand }, terms, { level }, periodic);
        expect(Number.isFinite(order.units) && order.units >= 0 && order.units % packSize === 0).toBe(true);
        expect(order.units === 0 || onHand + order.units >= order.upTo - 1e-6).toBe(true);
        const safer = suggestOrder(steady(mean), { onHand }, terms, { level: Math.min(1, level + 0.1) }, periodic);
        expect(safer.units).toBeGreaterThanOrEqual(order.units);
      },
    ),
    { numRuns: 200 },
  );
});
