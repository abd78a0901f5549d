import fc from 'fast-check';
import { expect, test } from 'vitest';
import { frequency, imagine, init as initBank, learn, learnClosed, level, profile, type Bank } from '../../../models/forecast/expert-bank.js';
import { ALL, ask, EXPERTS } from '../../../models/forecast/expert-quantiles.js';
import { randomness, uniform } from '../../../models/kernels/numbers.js';

const P = Float64Array.of(0.1, 0.5, 0.9);

/** Of a shop whose new SKUs sell on every other day. */
function init(skus: number, seasonPeriods: number): Bank {
  const bank = initBank(skus, seasonPeriods);
  imagine(bank, 1);
  return bank;
}

function fit(units: readonly number[], seasonPeriods = 7): Bank {
  const bank = init(1, seasonPeriods);
  units.forEach((value, t) => learn(bank, 0, value, 1, t % seasonPeriods));
  return bank;
}

function forecast(bank: Bank, exposure = 1, phase = 0, ahead = 1): { quantiles: number[][]; means: number[] } {
  const { quantiles, means } = ask(bank, 0, { periods: [{ exposure, phase, ahead }], probabilities: P, asked: ALL });
  return { quantiles: EXPERTS.map((_, k) => Array.from(quantiles.subarray(k * P.length, (k + 1) * P.length))), means: [...means.subarray(0, EXPERTS.length)] };
}

test('a row takes at most 256 bytes at a weekly season', () => {
  expect(init(1, 7).width * Float32Array.BYTES_PER_ELEMENT).toBeLessThanOrEqual(256);
});

test.each([['level quick', 0.5], ['level fast', 0.2]] as const)('of a demand that wanders as %s assumes, its 80 % intervals hold 80 % four weeks ahead, too', (name, rate) => {
  const random = randomness(7);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - uniform(random))) * Math.cos(2 * Math.PI * uniform(random));
  let held = 0;
  for (let sku = 0; sku < 300; sku++) {
    let at = 2_000;
    const sold = Array.from({ length: 148 }, () => {
      const error = 100 * normal();
      const units = Math.max(0, Math.round(at + error));
      at += rate * error;
      return units;
    });
    const [low = NaN, , high = NaN] = forecast(fit(sold.slice(0, 120), 1), 1, 0, 28).quantiles[EXPERTS.indexOf(name)] ?? [];
    if (sold[147]! >= low && sold[147]! <= high) held++;
  }
  expect(Math.abs(held / 300 - 0.8)).toBeLessThan(0.05);
});

test('an untrained row and ten years of zeros answer zero', () => {
  for (const bank of [init(1, 7), fit(Array<number>(3_650).fill(0))]) {
    const { quantiles, means } = forecast(bank);
    expect(new Set([...quantiles.flat(), ...means])).toEqual(new Set([0]));
  }
});

test('a weekday on which a busy SKU never sells is closed to it', () => {
  const { quantiles, means } = forecast(fit(Array.from({ length: 140 }, (_, t) => (t % 7 === 0 ? 0 : 30 + (t % 3)))), 1, 0);
  expect(Math.max(...means, ...quantiles.map(([, median = NaN]) => median))).toBeLessThan(3);
});

test('weekdays are believed as far as they are more than chance', () => {
  const noise = (t: number): number => (Math.imul(t + 7, 0x9e3779b1) >>> 24) / 256;
  const rare = fit(Array.from({ length: 350 }, (_, t) => (t % 31 === 3 ? 1 : 0)));
  const even = fit(Array.from({ length: 350 }, (_, t) => Math.round(8 + 6 * (noise(t) - 0.5))));
  const weekly = fit(Array.from({ length: 350 }, (_, t) => Math.round((t % 7 === 2 ? 24 : 8) + 6 * (noise(t) - 0.5))));
  for (let phase = 0; phase < 7; phase++) {
    expect(Math.abs(profile(rare, 0, phase) - 1)).toBeLessThan(0.05);
    expect(Math.abs(profile(even, 0, phase) - 1)).toBeLessThan(0.12);
  }
  expect(profile(weekly, 0, 2)).toBeGreaterThan(1.9);
});

test('what sells three a day is not forecast to sell one', () => {
  const { quantiles } = forecast(fit(Array<number>(30).fill(3)));
  quantiles.forEach(([low, , high]) => expect([low, high].map((q) => Math.round(q ?? NaN))).toEqual([3, 3]));
});

test('a steady demand is forecast by every expert', () => {
  const { means, quantiles } = forecast(fit(Array<number>(200).fill(5)));
  means.forEach((mean) => expect(mean).toBeCloseTo(5, 0));
  quantiles.forEach((q) => expect(Math.abs((q[1] ?? NaN) - 5)).toBeLessThanOrEqual(1));
});

test('a hurdle keeps size and frequency apart: four in five days nothing, else ten', () => {
  const { quantiles } = forecast(fit(Array.from({ length: 200 }, (_, t) => (t % 5 === 0 ? 10 : 0)), 1));
  const brisk = quantiles[1] ?? [];
  expect(brisk[1]).toBe(0);
  expect(brisk[2]).toBeCloseTo(10, 3);
});

test('a phase on which it never sells is closed to it: not learned as lost demand, and open again once it sells', () => {
  const bank = init(1, 7);
  for (let t = 0; t < 280; t++) learn(bank, 0, t % 7 > 4 ? 7 : 0, t % 7 > 4 ? 2 : 0.6, t % 7);
  expect(frequency(bank, 0, 1)).toBeGreaterThan(0.95);
  expect(level(bank, 0, 2) * 2 * profile(bank, 0, 5)).toBeCloseTo(7, 0);
  expect(level(bank, 0, 0) * 2 * profile(bank, 0, 5)).toBeCloseTo(7, 0);
  expect(profile(bank, 0, 2)).toBeLessThan(0.05);
  const even = fit(Array.from({ length: 280 }, (_, t) => (t % 7 > 4 ? 7 : 0)));
  for (let t = 280; t < 420; t++) learn(even, 0, t % 7 > 4 || t % 7 === 2 ? 7 : 0, 1, t % 7);
  for (const phase of [2, 5]) expect(Math.abs(level(even, 0, 2) * profile(even, 0, phase) - 7)).toBeLessThan(1.5);
});

test('what a phase taught fades on closed days, and draws the others no more', () => {
  const bank = init(1, 7);
  let taught = 0;
  for (let t = 0; t < 210; t++) {
    if (t % 7 < 5) learn(bank, 0, 4, 1, t % 7);
    else if (t < 42) learn(bank, 0, 0, 1, t % 7);
    else learnClosed(bank, 0, t % 7);
    if (t === 41) taught = profile(bank, 0, 0);
  }
  expect(taught).toBeGreaterThan(1.15);
  expect(profile(bank, 0, 0)).toBeCloseTo(1, 1);
  expect(Math.abs(level(bank, 0, 2) * profile(bank, 0, 0) - 4)).toBeLessThan(0.4);
  const never = init(1, 7);
  learnClosed(never, 0, 3);
  expect(never).toEqual(init(1, 7));
});

test('closed periods that are not learned change nothing, and an exposure of zero answers zero', () => {
  const { quantiles, means } = forecast(fit([3, 4, 3, 4, 3, 4]), 0);
  expect(new Set([...quantiles.flat(), ...means])).toEqual(new Set([0]));
});

test('twice the exposure is twice the level', () => {
  const bank = fit(Array.from({ length: 100 }, (_, t) => 50 + (t % 3)), 1);
  const once = forecast(bank, 1).means;
  forecast(bank, 2).means.forEach((mean, k) => expect(mean / (once[k] ?? NaN)).toBeCloseTo(2, 1));
});

test('a weekly pattern of a SKU that sells daily is its own', () => {
  const bank = fit(Array.from({ length: 210 }, (_, t) => (t % 7 === 2 ? 60 : 20)));
  const season = EXPERTS.indexOf('own season');
  const peak = forecast(bank, 1, 2).means[season] ?? NaN;
  const other = forecast(bank, 1, 4).means[season] ?? NaN;
  expect(peak / other).toBeGreaterThan(2.3);
});

test('a SKU learns by itself: among others it knows what it knows alone, and their rows stay', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(50), { maxLength: 120 }), (units) => {
      const bank = init(3, 7);
      units.forEach((value, t) => learn(bank, 1, value, 1, t % 7));
      const rowOf = (sku: number): Float32Array => bank.rows.slice(sku * bank.width, (sku + 1) * bank.width);
      expect(rowOf(1)).toEqual(fit(units).rows);
      for (const sku of [0, 2]) expect(rowOf(sku).every((value) => value === 0)).toBe(true);
    }),
  );
});

test('quantiles are finite, never negative and never crossing, and predicting leaves the bank equal', () => {
  const demand = fc.array(fc.oneof(fc.nat(5), fc.double({ min: -10, max: 10, noNaN: true }), fc.constant(1e9)), { maxLength: 80 });
  fc.assert(
    fc.property(demand, fc.double({ min: 0, max: 5, noNaN: true }), (units, exposure) => {
      const bank = fit(units);
      const before = bank.rows.slice();
      const { quantiles, means } = forecast(bank, exposure, 3, 28);
      for (const q of quantiles) {
        q.forEach((value, i) => {
          expect(Number.isFinite(value)).toBe(true);
          expect(value).toBeGreaterThanOrEqual(i === 0 ? 0 : (q[i - 1] ?? NaN));
        });
      }
      means.forEach((mean) => expect(Number.isFinite(mean) && mean >= 0).toBe(true));
      expect(bank.rows).toEqual(before);
    }),
  );
});

test('a sale of a thousand million units counts for a hundred of the SKU, and bulk orders that come again for what they are', () => {
  const ordinary = Array.from({ length: 90 }, (_, t) => 1 + (t % 3));
  const slip = forecast(fit([...ordinary, 1e9, ...ordinary.slice(0, 30)]), 1, 0, 1).means;
  const usual = forecast(fit([...ordinary, 2, ...ordinary.slice(0, 30)]), 1, 0, 1).means;
  slip.forEach((mean, expert) => expect(mean).toBeLessThan((usual[expert] ?? 0) + 3));
  const wholesale = forecast(fit([...ordinary, ...Array.from({ length: 40 }, () => 5_000)]), 1, 0, 1).means;
  expect(Math.max(...wholesale)).toBeGreaterThan(4_000);
});

test('what an expert says does not depend on who else is asked: one that sells a hundred a day has no quantile of nothing', () => {
  const sold = fc.oneof(fc.constant(0), fc.nat(5), fc.integer({ min: 60, max: 400 }), fc.constant(1e6));
  fc.assert(fc.property(fc.array(sold, { minLength: 1, maxLength: 60 }), fc.array(fc.boolean(), { minLength: EXPERTS.length, maxLength: EXPERTS.length }), (units, needed) => {
    const bank = fit(units);
    const question = { periods: [{ exposure: 1, phase: 0, ahead: 3 }], probabilities: P };
    const all = ask(bank, 0, { ...question, asked: ALL }).quantiles.slice();
    const some = ask(bank, 0, { ...question, asked: ALL.filter((k) => needed[k]) }).quantiles.slice();
    const saidIn = (rows: Float64Array): Float64Array[] => needed.flatMap((isAsked, k) => (isAsked ? [rows.slice(k * P.length, (k + 1) * P.length)] : []));
    expect(saidIn(some)).toEqual(saidIn(all));
  }), { numRuns: 300 });
  const busy = fit(Array.from({ length: 200 }, (_, t) => 100 + ((t * 37) % 60)));
  const { quantiles } = ask(busy, 0, { periods: [{ exposure: 1, phase: 0, ahead: 3 }], probabilities: P, asked: [7] });
  expect(Math.min(...quantiles.slice(7 * P.length, 8 * P.length))).toBeGreaterThan(60);
});
