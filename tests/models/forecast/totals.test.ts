import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addForecast, init, lastZ, learnShared, predict, SHARED, sharedAt, total, type JudgedTotal, type Shared } from '../../../models/forecast/totals.js';
import { normalQuantile } from '../../../models/forecast/negative-binomial.js';
import { randomness, uniform } from '../../../models/kernels/numbers.js';

const NINE = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];
const member = fc.double({ min: 0, max: 1e6, noNaN: true }).map((mean) => ({ mean, quantiles: NINE.map((p) => 2 * p * mean) }));

test('categories add to the shop, whatever the grouping', () => {
  fc.assert(
    fc.property(fc.array(member), fc.nat(20), (members, cut) => {
      const parts = [members.slice(0, cut), members.slice(cut)].map((part) => total(part, NINE, SHARED.level));
      const shop = total(members, NINE, SHARED.level);
      expect(Math.abs(parts.reduce((sum, part) => sum + part.mean, 0) - shop.mean)).toBeLessThanOrEqual(1e-9 * shop.mean);
      shop.quantiles.forEach((q, i) => expect(q).toBeGreaterThanOrEqual(i === 0 ? 0 : (shop.quantiles[i - 1] ?? NaN)));
    }),
  );
});

test('a hundred independent SKUs are relatively surer than one, and less sure than if nothing were shared', () => {
  const one = { mean: 10, quantiles: NINE.map((p) => 20 * p) };
  const width = ({ mean, quantiles }: { mean: number; quantiles: number[] }): number =>
    ((quantiles[8] ?? 0) - (quantiles[0] ?? 0)) / mean;
  const hundred = total(Array.from({ length: 100 }, () => one), NINE, SHARED.level);
  expect(width(hundred)).toBeLessThan(width(total([one], NINE, SHARED.level)) / 3);
  expect(width(hundred)).toBeGreaterThan(width(total([one], NINE, SHARED.level)) / 10);
});

test('SKUs that sell in bulk now and then make a total less sure, though their quantiles are nothing', () => {
  const bulk = { mean: 5, quantiles: NINE.map(() => 0) };
  const { quantiles } = total(Array.from({ length: 10 }, () => bulk), NINE, SHARED.level);
  // Each sells 50 or more in one period of ten: the total's deviation is some 47 of a mean of 50.
  expect((quantiles[8] ?? NaN) - (quantiles[0] ?? NaN)).toBeGreaterThan(90);
});

test('no members, no demand', () => {
  expect(total([], NINE, SHARED.level)).toEqual({ mean: 0, quantiles: NINE.map(() => 0) });
});

test('what SKUs share is worth two parts in a hundred of their deviations: a hundred of them stray by 1.7 times what chance alone would have', () => {
  const deviation = 50;
  const one = { mean: 1_000, quantiles: [-1.2816, -0.8416, -0.5244, -0.2533, 0, 0.2533, 0.5244, 0.8416, 1.2816].map((z) => 1_000 + deviation * z) };
  const { mean, quantiles } = total(Array.from({ length: 100 }, () => one), NINE, SHARED.level);
  const strays = ((quantiles[8] ?? NaN) - mean) / 1.2816 / deviation;
  expect(Math.abs(strays / Math.sqrt(100 + 0.02 * 100 * 99) - 1)).toBeLessThan(0.1);
});

/** Rounds of a shop of `skus` whose errors go together by `truly`; each of the SKUs says of itself that it strays by `said` times what it does. */
function lived(truly: (far: number) => number, skus: number, said: number, judge: (round: number, held: boolean, far: number) => void): Shared {
  const random = randomness(3);
  const normal = (): number => normalQuantile(uniform(random));
  const one = { mean: 100, quantiles: NINE.map((p) => 100 + said * 15 * normalQuantile(p)) };
  let shared = SHARED;
  for (let round = 0; round < 1_000; round++) {
    const far = [0.05, 0.5, 1][round % 3]!;
    const [panel, shop] = [init(), init()];
    const weather = Math.sqrt(truly(far)) * normal();
    const judged = { sums: panel, far, errors: 0, squares: 0 };
    let actual = 0;
    for (let sku = 0; sku < skus; sku++) {
      addForecast(shop, one, NINE, lastZ(NINE), sharedAt(shared, far));
      const error = 15 * (weather + Math.sqrt(1 - truly(far)) * normal());
      actual += 100 + error;
      if (sku >= 100) continue;
      addForecast(panel, one, NINE, lastZ(NINE), sharedAt(shared, far));
      judged.errors += error;
      judged.squares += error * error;
    }
    const { quantiles } = predict(shop, NINE);
    judge(round, actual >= (quantiles[0] ?? NaN) && actual <= (quantiles[8] ?? NaN), far);
    shared = learnShared(shared, [judged]);
  }
  return shared;
}

test.each([0.003, 0.02, 0.1, 0.3])('SKUs whose errors go together by %d are found to, and their totals then lie within their interval', (truly) => {
  let held = 0;
  const shared = lived(() => truly, 100, 1, (round, isHeld) => { if (round >= 400 && isHeld) held++; });
  expect(Math.abs(held / 600 - 0.8)).toBeLessThan(0.04);
  expect(Math.abs(Math.log(shared.level / truly))).toBeLessThan(Math.log(2.5));
});

test('a panel tells what the whole shop shares, also where each SKU is less sure of itself than it need be', () => {
  let held = 0;
  lived(() => 0.05, 500, 1.6, (round, isHeld) => { if (round >= 400 && isHeld) held++; });
  expect(Math.abs(held / 600 - 0.8)).toBeLessThan(0.05);
});

test.each([3, 8])('twelve partitions of %d SKUs, each of which learns by itself, make a total that is as sure as it should be', (skus) => {
  const random = randomness(7);
  const normal = (): number => normalQuantile(uniform(random));
  const one = { mean: 100, quantiles: NINE.map((p) => 100 + 15 * normalQuantile(p)) };
  const truly = 0.02;
  const far = 0.5;
  let learned: Shared[] = Array.from({ length: 12 }, () => SHARED);
  const widths: number[] = [];
  for (let day = 0; day < 4_000; day++) {
    const weather = Math.sqrt(truly) * normal();
    const shop = init();
    learned = learned.map((shared) => {
      const judged: JudgedTotal = { sums: init(), far, errors: 0, squares: 0 };
      for (let sku = 0; sku < skus; sku++) {
        addForecast(shop, one, NINE, lastZ(NINE), sharedAt(shared, far));
        addForecast(judged.sums, one, NINE, lastZ(NINE), sharedAt(shared, far));
        const error = 15 * (weather + Math.sqrt(1 - truly) * normal());
        judged.errors += error;
        judged.squares += error * error;
      }
      return learnShared(shared, [judged]);
    });
    const { quantiles } = predict(shop, NINE);
    if (day >= 400) widths.push((quantiles[8] ?? NaN) - (quantiles[0] ?? NaN));
  }
  const members = 12 * skus;
  const right = 2 * 1.2816 * 15 * Math.sqrt(members + truly * members * (members - 1));
  expect(Math.abs(widths.reduce((sum, width) => sum + width, 0) / widths.length / right - 1)).toBeLessThan(0.06);
});

test('one SKU shares with nobody, and tells nothing of it', () => {
  const sums = init();
  addForecast(sums, { mean: 10, quantiles: NINE.map((p) => 20 * p) }, NINE, lastZ(NINE), SHARED.level);
  expect(learnShared(SHARED, [{ sums, far: 1, errors: 50, squares: 2_500 }])).toEqual(SHARED);
});

test('errors that go together the more, the further ahead, are found to', () => {
  const held = new Map<number, number>();
  const shared = lived((far) => 0.03 * Math.exp(2 * far - 1), 100, 1, (round, isHeld, far) => { if (round >= 400 && isHeld) held.set(far, (held.get(far) ?? 0) + 1); });
  expect(Math.abs(shared.slope - 1)).toBeLessThan(0.4);
  for (const count of held.values()) expect(Math.abs(count / 200 - 0.8)).toBeLessThan(0.06);
});

test('totals of nothing, and of one that never agrees, leave what is shared between its bounds', () => {
  const empty: JudgedTotal = { sums: init(), far: 0.5, errors: 0, squares: 0 };
  expect(learnShared(SHARED, [empty])).toEqual(SHARED);
  const sums = init();
  for (let i = 0; i < 500; i++) addForecast(sums, { mean: 10, quantiles: NINE.map(() => 10) }, NINE, lastZ(NINE), SHARED.level);
  const after = (errors: number): Shared => Array.from({ length: 2_000 }).reduce<Shared>((shared) => learnShared(shared, [{ sums, far: 1, errors, squares: 0 }]), SHARED);
  expect([after(1e9), after(0)].map(({ level }) => level)).toEqual([0.5, 5e-4]);
  for (const { slope } of [after(1e9), after(0)]) expect(Math.abs(slope)).toBeLessThanOrEqual(1.5);
});
