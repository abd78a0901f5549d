import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { batchOf, init, learn, predict, restore, SLOTS, snapshot, teach, tokensOf, type Based, type Example } from '../../models/content-tower.js';
import { DIMENSIONS } from '../../models/embedding.js';
import { randomness, uniform } from '../../models/kernels/numbers.js';
import { plainSlopes } from '../support/tower-slopes.js';

const out = new Float32Array(DIMENSIONS);
const words = ['Tent', 'Mug', 'Pan', 'Lamp', 'Desk'];

/** Items whose vector is that of their word, with a little of their brand; half of it is told without the network. */
function shelf(items: number, seed = 5): Based[] {
  const random = randomness(seed);
  const directions = Array.from({ length: 8 }, () => Float32Array.from({ length: DIMENSIONS }, () => uniform(random) - 0.5));
  return Array.from({ length: items }, (_, item) => {
    const vector = directions[item % 5].map((value, d) => value + 0.5 * directions[5 + (item % 3)][d]);
    const length = Math.hypot(...vector);
    const tokens = tokensOf({ title: `No ${item} ${words[item % 5]}`, category: 'Home', brand: `Brand ${item % 3}`, price: 10 + item });
    return { tokens, vector: vector.map((value) => value / length), clicks: 20, base: vector.map((value, d) => (d % 2) * value / length) };
  });
}

const cosine = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, d) => sum + value * b[d], 0);

describe('tokens', () => {
  test('are the words, category, brand and price; letters of any script, case and order aside', () => {
    const tent = { title: 'Räder für Kinder', category: 'Kids', brand: 'Harrow', price: 12.5 };
    expect([...tokensOf(tent)].sort()).toEqual([...tokensOf({ ...tent, title: 'kinder FÜR räder, räder' })].sort());
    expect(tokensOf(tent).length).toBe(8);
    expect([...tokensOf({ ...tent, categories: ['kids', 'Gifts'] })]).toEqual(expect.arrayContaining([...tokensOf(tent)]));
    expect(tokensOf({ ...tent, categories: ['kids', 'Gifts'] }).length).toBe(9);
    expect(tokensOf({ title: null, category: null, brand: null, price: null }).length).toBe(0);
    expect(tokensOf({ title: '—!', category: '', brand: null, price: Number.NaN }).length).toBe(0);
  });

  test('of any text are slots, at most a few dozen', () => {
    fc.assert(fc.property(fc.string({ maxLength: 3_000, unit: 'grapheme' }), fc.option(fc.double()), (title, price) => {
      const tokens = tokensOf({ title, category: title, brand: title, price });
      expect(tokens.length).toBeLessThanOrEqual(29);
      expect(tokens.every((slot) => slot > 0 && slot < SLOTS)).toBe(true);
    }));
  });
});

describe('the tower', () => {
  test('says a unit vector for any words, and nothing of nothing or before it was taught', () => {
    const state = init({ batch: 8 });
    predict(state, tokensOf({ title: 'Tent', category: 'x', brand: null, price: 3 }), out);
    expect(out.every((value) => value === 0)).toBe(true);
    teach(state, shelf(40), plainSlopes, (steps) => steps < 2);
    fc.assert(fc.property(fc.string({ minLength: 1 }), (title) => {
      predict(state, tokensOf({ title, category: 'x', brand: null, price: 3 }), out);
      expect(Math.hypot(...out)).toBeCloseTo(1, 4);
    }));
    predict(state, new Int32Array(0), out);
    expect(out.every((value) => value === 0)).toBe(true);
  });

  test('puts an item it never saw where items of its words lie', () => {
    const state = init({ batch: 32 });
    const all = shelf(75);
    teach(state, all.slice(0, 60), plainSlopes, (steps) => steps < 5);
    for (const { tokens, vector } of all.slice(60)) {
      predict(state, tokens, out);
      expect(cosine(out, vector)).toBeGreaterThan(0.75);
    }
  });

  test('learns what its base leaves', () => {
    const state = init({ batch: 32 });
    const known = shelf(60);
    const first = learn(state, known, plainSlopes);
    let last = first;
    for (let step = 0; step < 30; step++) last = learn(state, known, plainSlopes);
    expect(last).toBeLessThan(0.7 * first);
  });

  test('believes its network where two words together say what neither says, and not where there is nothing to say', () => {
    const random = randomness(9);
    const noise = (): Float32Array => Float32Array.from({ length: DIMENSIONS }, () => uniform(random) - 0.5);
    const side = noise();
    const items = (isTold: boolean): Example[] => Array.from({ length: 120 }, (_, item) => {
      const [a, b] = [item % 2, (item >> 1) % 2];
      const vector = noise().map((value, d) => value + (isTold ? (a === b ? 2 : -2) * side[d]! : 0));
      const length = Math.hypot(...vector);
      return { tokens: tokensOf({ title: `left${a} right${b} ${item}`, category: null, brand: null, price: null }), vector: vector.map((value) => value / length), clicks: 20 };
    });
    const [told, chance] = [true, false].map((isTold) => {
      const state = init({ batch: 16, rate: 0.01 });
      teach(state, items(isTold), plainSlopes, (steps) => steps < 60);
      return state;
    });
    expect(told!.trust).toBeGreaterThan(0.3);
    expect(chance!.trust).toBeLessThan(0.1);
  });

  test('learns the same bytes from the same seed, and goes on from its snapshot as if it had not stopped', () => {
    const run = (steps: number, from = init({ batch: 8 })): ReturnType<typeof init> => {
      for (let step = 0; step < steps; step++) learn(from, shelf(20), plainSlopes);
      return from;
    };
    expect(Buffer.compare(snapshot(run(4)), snapshot(run(4)))).toBe(0);
    expect(Buffer.compare(snapshot(run(2, restore(snapshot(run(2))))), snapshot(run(4)))).toBe(0);
    expect(() => restore(snapshot(init()).subarray(0, 1_000))).toThrow(/snapshot/);
  });

  test('predicts without a change, learns nothing of one item, and nothing from a loss that is no number', () => {
    const state = init({ batch: 8 });
    const before = snapshot(state);
    predict(state, shelf(1)[0].tokens, out);
    expect(Buffer.compare(snapshot(state), before)).toBe(0);
    expect(learn(state, shelf(1), plainSlopes)).toBeNaN();
    expect(learn(state, shelf(9), (...given) => ({ ...plainSlopes(...given), loss: Number.NaN }))).toBeNaN();
    expect(state.steps).toBe(0);
    expect(Buffer.compare(Buffer.from(state.layers.first.buffer), Buffer.from(init({ batch: 8 }).layers.first.buffer))).toBe(0);
  });

  test('has slopes that are the slopes of its loss', () => {
    const state = init();
    const batch = batchOf(shelf(6));
    const layers = { ...state.layers, first: state.layers.first.slice(0, batch.slots.length * 64).map((weight) => 10 * weight) };
    const slopes = plainSlopes(layers, batch);
    for (const name of ['first', 'firstBias', 'second', 'secondBias'] as const) {
      for (let i = 0; i < layers[name].length; i += 511) {
        const at = (move: number): number => plainSlopes({ ...layers, [name]: layers[name].map((value, j) => (j === i ? value + move : value)) }, batch).loss;
        expect(Math.abs((at(2e-3) - at(-2e-3)) / 4e-3 - slopes[name][i])).toBeLessThan(2e-3);
      }
    }
  });
});
