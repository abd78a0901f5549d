import fc from 'fast-check';
import { expect, test } from 'vitest';
import { drawInto, exp, exp2, log, log2, power, randomness, uniform } from '../../../models/kernels/numbers.js';

test('logarithm and exponential are right to five digits over the whole range', () => {
  fc.assert(fc.property(fc.double({ min: -80, max: 80, noNaN: true }), (x) => {
    expect(Math.abs(exp(x) / Math.exp(x) - 1)).toBeLessThan(1e-5);
    expect(Math.abs(log(Math.exp(x)) - x)).toBeLessThan(1e-5);
  }));
  expect(power(9, -0.5)).toBeCloseTo(1 / 3, 5);
});

test('nothing becomes infinite or NaN: zero, negatives, NaN and huge arguments', () => {
  for (const x of [0, -1, Number.NaN]) expect(log2(x)).toBe(-127);
  expect(exp2(5_000)).toBe(2 ** 120);
  expect(exp2(-5_000)).toBe(0);
  expect(exp2(Number.NaN)).toBe(0);
});

test('the generator is uniform, repeatable and never stuck, whatever the seed', () => {
  for (const seed of [0, 1, -7, 0x9e3779b9 | 0]) {
    const random = randomness(seed);
    const again = randomness(seed);
    let sum = 0;
    for (let n = 0; n < 2_000; n++) {
      const value = uniform(random);
      expect(value).toBe(uniform(again));
      sum += value;
    }
    expect(Math.abs(sum / 2_000 - 0.5)).toBeLessThan(0.03);
  }
});

test('entries are drawn as by one uniform each, and the generator goes on behind them', () => {
  fc.assert(fc.property(fc.integer(), fc.array(fc.integer({ min: -1, max: 1_000 }), { minLength: 1 }), fc.nat(40), fc.nat(40), (seed, list, from, many) => {
    const [random, again] = [randomness(seed), randomness(seed)];
    const out = new Int32Array(90).fill(-7);
    drawInto(out, from, from + many, Int32Array.from([...list, 5_000]), list.length, random);
    const drawn = Array.from({ length: many }, () => list[Math.floor(uniform(again) * list.length)]!);
    expect([...out]).toEqual([...Array<number>(from).fill(-7), ...drawn, ...Array<number>(90 - from - many).fill(-7)]);
    expect(uniform(random)).toBe(uniform(again));
  }));
});
