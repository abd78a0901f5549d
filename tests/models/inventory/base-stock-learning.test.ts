import fc from 'fast-check';
import { expect, test } from 'vitest';
import { corrected, init, isShortOfPromise, isTrusted, learn, replay, type Correction } from '../../../models/inventory/base-stock-learning.js';
import { randomness, uniform } from '../../../models/kernels/numbers.js';

const asked = (textbook: number, deviation: number, service = 0.8): { textbook: number; deviation: number; service: number } => ({ textbook, deviation, service });

test('a textbook level that is wrong is corrected to the newsvendor quantile', () => {
  let state = init();
  for (let i = 0; i < 20_000; i++) state = learn(state, asked(30, 25), [(i * 37) % 100]);
  // Demand is uniform on 0 … 99; the quantile 4/5 is 80.
  expect(Math.abs(corrected(state, asked(30, 25)) - 80)).toBeLessThan(5);
});

test('an untrained level is the textbook one, and a better one is trusted only once it has paid for some cycles', () => {
  expect(corrected(init(), asked(12, 5))).toBe(12);
  let state = init();
  const trusted: boolean[] = [];
  for (let i = 0; i < 8; i++) {
    trusted.push(isTrusted(state));
    state = learn(state, asked(10, 10), [40]);
  }
  expect(trusted).toEqual([false, false, false, false, false, false, true, true]);
});

test('a level that was just right stays', () => {
  const { shift, cycles, covered } = learn(init(), asked(12, 5), [12]);
  expect({ shift, cycles, covered }).toEqual({ shift: 0, cycles: 1, covered: 1 });
});

test('what is covered is told of the levels that were suggested, not of those that are only learned yet', () => {
  const raised = learn(init(), asked(10, 10), [40]);
  expect([corrected(raised, asked(10, 10)) > 11, isTrusted(raised)]).toEqual([true, false]);
  expect(learn(raised, asked(10, 10), [11]).covered).toBe(0);
});

test('a lower level that only seems to save, since no shortage was due yet, is not trusted', () => {
  const tooHigh = (service: number, cycles: number): Correction =>
    Array.from({ length: cycles }).reduce<Correction>((state) => learn(state, asked(30, 10, service), [20]), init());
  for (const cycles of [6, 20, 50]) {
    expect(tooHigh(0.95, cycles).cost).toBeLessThan(tooHigh(0.95, cycles).textbookCost);
    expect(isTrusted(tooHigh(0.95, cycles))).toBe(false);
  }
  expect(isTrusted(tooHigh(0.95, 61))).toBe(true);
  expect([isTrusted(tooHigh(0.5, 6)), isTrusted(tooHigh(0.5, 7))]).toEqual([true, true]);
});

test('where the textbook level is right, what is served costs hardly more: luck is not taken for a better level', () => {
  // Poisson demand of 20; its quantiles are the textbook levels.
  const random = randomness(7);
  const poisson = (): number => { let [n, p] = [0, uniform(random)]; while (p > Math.exp(-20)) { p *= uniform(random); n++; } return n; };
  const levels = { 0.5: 20, 0.8: 24, 0.95: 28 };
  for (const [service, level] of Object.entries(levels)) {
    const costs = Array.from({ length: 400 }, () => replay(Array.from({ length: 26 }, () => ({ ...asked(level, Math.sqrt(20), Number(service)), demand: poisson() }))));
    const sum = (name: 'served' | 'learned' | 'textbook'): number => costs.reduce((total, one) => total + one[name], 0);
    expect(sum('served') / sum('textbook')).toBeLessThan(1.003);
    expect(sum('learned') / sum('textbook')).toBeGreaterThan(sum('served') / sum('textbook'));
  }
});

test('few covered cycles are only called few where chance does not explain them', () => {
  expect([[5, 6], [18, 20], [22, 26], [0, 3]].map(([covered, cycles]) => isShortOfPromise({ covered: covered!, cycles: cycles!, promised: 0.95 * cycles! }))).toEqual([false, false, false, false]);
  expect([[2, 6], [14, 20], [20, 26]].map(([covered, cycles]) => isShortOfPromise({ covered: covered!, cycles: cycles!, promised: 0.95 * cycles! }))).toEqual([true, true, true]);
  expect(isShortOfPromise({ covered: 0, cycles: 20, promised: 0 })).toBe(false);
});

test('learning costs less than a textbook level that is far off, and no less than hindsight', () => {
  const costs = replay(Array.from({ length: 300 }, (_, i) => ({ ...asked(10, 20), demand: 40 + ((i * 37) % 21) })));
  expect(costs.learned).toBeLessThan(0.5 * costs.textbook);
  expect(costs.served).toBeLessThan(0.5 * costs.textbook);
  expect(costs.learned).toBeGreaterThanOrEqual(costs.hindsight);
});

test('the level is never negative nor NaN, whatever the demand and the service', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1_000)), fc.constantFrom(0, 1, 0.5, 0.95), fc.double({ min: 0, max: 1e9, noNaN: true }), fc.double({ min: 0, max: 1e9, noNaN: true }), (demands, service, textbook, deviation) => {
      let state: Correction = init();
      for (const demand of demands) {
        state = learn(state, { textbook, deviation, service }, [demand]);
        expect(corrected(state, { textbook, deviation })).toBeGreaterThanOrEqual(0);
        expect(Math.abs(state.shift)).toBeLessThanOrEqual(4);
      }
    }),
  );
});
