import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addForecast, init, lastZ, learnShared, predict, SHARED, total, type JudgedTotal } from '../../../models/forecast/totals.js';
import { normalQuantile } from '../../../models/forecast/negative-binomial.js';
import { randomness, uniform } from '../../../models/kernels/numbers.js';

const NINE = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];
const member = fc.double({ min: 0, max: 1e6, noNaN: true }).map((mean) => ({ mean, quantiles: NINE.map((p) => 2 * p * mean) }));

test('categories add to the shop, whatever the grouping', () => {
  fc.assert(
    fc.property(fc.array(member), fc.nat(20), (members, cut) => {
      const parts = [members.slice(0, cut), members.slice(cut)].map((part) => total(part, NINE, SHARED));
      const shop = total(members, NINE, SHARED);
      expect(Math.abs(parts.reduce((sum, part) => sum + part.mean, 0) - shop.mean)).toBeLessThanOrEqual(1e-9 * shop.mean);
      shop.quantiles.forEach((q, i) => expect(q).toBeGreaterThanOrEqual(i === 0 ? 0 : (shop.quantiles[i - 1] ?? NaN)));
    }),
  );
});

test('a hundred independent SKUs are relatively surer than one, and less sure than if nothing were shared', () => {
  const one = { mean: 10, quantiles: NINE.map((p) => 20 * p) };
  const width = ({ mean, quantiles }: { mean: number; quantiles: number[] }): number =>
    ((quantiles[8] ?? 0) - (quantiles[0] ?? 0)) / mean;
  const hundred = total(Array.from({ length: 100 }, () => one), NINE, SHARED);
  expect(width(hundred)).toBeLessThan(width(total([one], NINE, SHARED)) / 3);
  expect(width(hundred)).toBeGreaterThan(width(total([one], NINE, SHARED)) / 10);
});

test('SKUs that sell in bulk now and then make a total less sure, though their quantiles are nothing', () => {
  const bulk = { mean: 5, quantiles: NINE.map(() => 0) };
  const { quantiles } = total(Array.from({ length: 10 }, () => bulk), NINE, SHARED);
  // Each sells 50 or more in one period of ten: the total's deviation is some 47 of a mean of 50.
  expect((quantiles[8] ?? NaN) - (quantiles[0] ?? NaN)).toBeGreaterThan(90);
});

test('no members, no demand', () => {
  expect(total([], NINE, SHARED)).toEqual({ mean: 0, quantiles: NINE.map(() => 0) });
});

test('what SKUs share is worth two parts in a hundred of their deviations: a hundred of them stray by 1.7 times what chance alone would have', () => {
  const deviation = 50;
  const one = { mean: 1_000, quantiles: [-1.2816, -0.8416, -0.5244, -0.2533, 0, 0.2533, 0.5244, 0.8416, 1.2816].map((z) => 1_000 + deviation * z) };
  const { mean, quantiles } = total(Array.from({ length: 100 }, () => one), NINE, SHARED);
  const strays = ((quantiles[8] ?? NaN) - mean) / 1.2816 / deviation;
  expect(Math.abs(strays / Math.sqrt(100 + 0.02 * 100 * 99) - 1)).toBeLessThan(0.1);
});

test.each([0.003, 0.02, 0.1, 0.3])('SKUs whose errors go together by %d are found to, and their totals then lie within their interval', (truly) => {
  const random = randomness(3);
  const normal = (): number => normalQuantile(uniform(random));
  const one = { mean: 100, quantiles: NINE.map((p) => 100 + 15 * normalQuantile(p)) };
  let shared = SHARED;
  let held = 0;
  for (let round = 0; round < 1_000; round++) {
    const sums = init();
    const weather = Math.sqrt(truly) * normal();
    let actual = 0;
    for (let sku = 0; sku < 100; sku++) {
      addForecast(sums, one, NINE, lastZ(NINE), shared);
      actual += 100 + 15 * (weather + Math.sqrt(1 - truly) * normal());
    }
    const { quantiles } = predict(sums, NINE);
    if (round >= 400 && actual >= (quantiles[0] ?? NaN) && actual <= (quantiles[8] ?? NaN)) held++;
    shared = learnShared(shared, [{ sums, actual, members: 100 }], NINE);
  }
  expect(Math.abs(held / 600 - 0.8)).toBeLessThan(0.02);
  expect(Math.abs(Math.log(shared / truly))).toBeLessThan(Math.log(2.5));
});

test('totals of nothing, and of one that never agrees, leave what is shared between its bounds', () => {
  const empty: JudgedTotal = { sums: init(), actual: 0, members: 0 };
  expect(learnShared(SHARED, [empty], NINE)).toBeCloseTo(SHARED, 12);
  const sums = init();
  addForecast(sums, { mean: 10, quantiles: NINE.map(() => 10) }, NINE, lastZ(NINE), SHARED);
  const after = (actual: number): number => Array.from({ length: 2_000 }).reduce<number>((shared) => learnShared(shared, [{ sums, actual, members: 500 }], NINE), SHARED);
  expect([after(1e9), after(10)]).toEqual([0.5, 5e-4]);
});
