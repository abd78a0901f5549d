import fc from 'fast-check';
import { expect, test } from 'vitest';
import { corrected, init, isTrusted, learn, replay, type Correction } from '../../../models/inventory/base-stock-learning.js';

const asked = (textbook: number, deviation: number, service = 0.8): { textbook: number; deviation: number; service: number } => ({ textbook, deviation, service });

test('a textbook level that is wrong is corrected to the newsvendor quantile', () => {
  let state = init();
  for (let i = 0; i < 20_000; i++) state = learn(state, asked(30, 25), (i * 37) % 100);
  // Demand is uniform on 0 … 99; the quantile 4/5 is 80.
  expect(Math.abs(corrected(state, asked(30, 25)) - 80)).toBeLessThan(5);
});

test('an untrained level is the textbook one, and a better one is trusted only once it has paid for some cycles', () => {
  expect(corrected(init(), asked(12, 5))).toBe(12);
  let state = init();
  const trusted: boolean[] = [];
  for (let i = 0; i < 8; i++) {
    trusted.push(isTrusted(state));
    state = learn(state, asked(10, 10), 40);
  }
  expect(trusted).toEqual([false, false, false, false, false, false, true, true]);
  let worse = init();
  for (let i = 0; i < 12; i++) worse = learn(worse, asked(10, 10), i % 2 === 0 ? 9 : 11);
  expect(isTrusted(worse)).toBe(worse.cost < worse.textbookCost);
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
        state = learn(state, { textbook, deviation, service }, demand);
        expect(corrected(state, { textbook, deviation })).toBeGreaterThanOrEqual(0);
        expect(Math.abs(state.shift)).toBeLessThanOrEqual(4);
      }
    }),
  );
});
