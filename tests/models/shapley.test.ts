import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { randomness } from '../../models/kernels/numbers.js';
import { localLinear } from '../../models/local-linear.js';
import { exact } from '../../models/shapley.js';

const worths = (players: number): fc.Arbitrary<Float64Array> =>
  fc.array(fc.double({ min: -100, max: 100, noNaN: true }), { minLength: 2 ** players, maxLength: 2 ** players }).map((list) => Float64Array.from(list));
const games = fc.integer({ min: 1, max: 6 }).chain((players) => worths(players).map((outcomes) => ({ players, outcomes })));
const total = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0);

/** The definition itself: the mean gain over all orders. */
function byOrders(outcomes: Float64Array, players: number): number[] {
  const values = Array<number>(players).fill(0);
  let orders = 0;
  const visit = (left: readonly number[], set: number, gains: number[]): void => {
    if (left.length === 0) {
      orders++;
      gains.forEach((gain, i) => { values[i] += gain; });
    }
    for (const i of left) {
      const gained = [...gains];
      gained[i] = outcomes[set | (1 << i)] - outcomes[set];
      visit(left.filter((other) => other !== i), set | (1 << i), gained);
    }
  };
  visit(Array.from({ length: players }, (_, i) => i), 0, Array<number>(players).fill(0));
  return values.map((value) => value / orders);
}

describe('exact Shapley values', () => {
  test('are the mean gain over all orders of joining', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 5 }).chain((players) => worths(players).map((outcomes) => ({ players, outcomes }))), ({ players, outcomes }) => {
      const expected = byOrders(outcomes, players);
      exact(outcomes, players).forEach((value, i) => expect(value).toBeCloseTo(expected[i], 8));
    }), { numRuns: 40 });
  });

  test('sum to what everybody has more than nobody', () => {
    fc.assert(fc.property(games, ({ players, outcomes }) => {
      expect(total(exact(outcomes, players))).toBeCloseTo(outcomes[outcomes.length - 1] - outcomes[0], 8);
    }));
  });

  test('give nothing to who changes nothing, and the same to two who change the same', () => {
    fc.assert(fc.property(worths(3), (outcomes) => {
      // Player 3 changes nothing.
      const withNull = Float64Array.from({ length: 16 }, (_, set) => outcomes[set & 7]);
      expect(exact(withNull, 4)[3]).toBeCloseTo(0, 8);
      // The outcome knows how many of the players 0 and 1 are there, not which.
      const symmetric = Float64Array.from({ length: 8 }, (_, set) => outcomes[(set & 4) | ((set & 1) + ((set >> 1) & 1))]);
      const [first, second] = exact(symmetric, 3);
      expect(first).toBeCloseTo(second, 8);
    }));
  });

  test('are refused for another number of outcomes', () => {
    expect(() => exact(new Float64Array(7), 3)).toThrow('3 players need 8 outcomes');
  });
});

describe('the local linear fit', () => {
  test('agrees with a linear score, and says that it fits', () => {
    fc.assert(fc.property(fc.array(fc.double({ min: -9, max: 9, noNaN: true }), { minLength: 1, maxLength: 8 }), (weights) => {
      const players = weights.length;
      const outcomeOf = (set: number): number => weights.reduce((sum, weight, i) => sum + (((set >> i) & 1) === 1 ? weight : 0), 2);
      const fitted = localLinear(outcomeOf, players, randomness(3));
      fitted.weights.forEach((weight, i) => expect(weight).toBeCloseTo(weights[i], 4));
      const outcomes = Float64Array.from({ length: 2 ** players }, (_, set) => outcomeOf(set));
      exact(outcomes, players).forEach((value, i) => expect(fitted.weights[i]).toBeCloseTo(value, 4));
      expect(fitted.fit).toBeCloseTo(1, 6);
    }), { numRuns: 50 });
  });

  test('says when a score is not linear at all', () => {
    const parity = (set: number): number => [0, 1, 2, 3].reduce((sum, i) => sum ^ ((set >> i) & 1), 0);
    expect(localLinear(parity, 4, randomness(3)).fit).toBeLessThan(0.9);
  });
});
