import fc from 'fast-check';
import { expect, test } from 'vitest';
import { chancesToBeLargest, draw, forget, init, learnClicked, learnShown, place, predict, restore, snapshot, type Exploration } from '../../models/exploration.js';
import { randomness, uniform, type Randomness } from '../../models/kernels/numbers.js';

const total = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0);

/** Gamma by Marsaglia and Tsang, so Beta; for a ≥ 1 only. */
function gamma(a: number, random: Randomness): number {
  const d = a - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = Math.sqrt(-2 * Math.log(1 - uniform(random))) * Math.cos(2 * Math.PI * uniform(random));
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - uniform(random)) < (x * x) / 2 + d - d * v + d * Math.log(v)) return d * v;
  }
}

test.each([
  { a: [1, 1], b: [19, 19] },
  { a: [1, 6, 3], b: [19, 194, 40] },
  { a: [101, 90, 2], b: [1_900, 1_500, 60] },
])('the chances are those with which sampled rates win: a = $a, b = $b', ({ a, b }) => {
  const random = randomness(11);
  const wins = a.map(() => 0);
  const draws = 40_000;
  for (let n = 0; n < draws; n++) {
    let best = 0;
    let most = -1;
    a.forEach((own, i) => {
      const up = gamma(own, random);
      const rate = up / (up + gamma(b[i], random));
      if (rate > most) [best, most] = [i, rate];
    });
    wins[best]++;
  }
  const chances = chancesToBeLargest(Float64Array.from(a), Float64Array.from(b));
  wins.forEach((won, i) => expect(Math.abs(won / draws - chances[i])).toBeLessThan(4 * Math.sqrt(0.25 / draws)));
});

/** Item i is shown `shown[i]` times and clicked by every `every[i]`-th. */
function served(shown: readonly number[], every: readonly number[], placement = 'home'): Exploration {
  const state = init();
  shown.forEach((times, item) => {
    for (let n = 1; n <= times; n++) {
      learnShown(state, place(state, placement), item);
      if (n % every[item] === 0) learnClicked(state, placement, item);
    }
  });
  return state;
}

test('propensities sum to one, whatever was shown and clicked', () => {
  fc.assert(fc.property(fc.array(fc.tuple(fc.nat(5_000), fc.integer({ min: 1, max: 50 })), { minLength: 1, maxLength: 8 }), (all) => {
    const state = served(all.map(([shown]) => shown), all.map(([, every]) => every));
    const chances = predict(state, 'home', [...all.keys(), 99_999]);
    expect(total(chances)).toBeCloseTo(1, 9);
    expect(chances.every((chance) => chance >= 0 && Number.isFinite(chance))).toBe(true);
  }), { numRuns: 30 });
});

test('of items nobody has seen each is as likely as the others', () => {
  predict(init(), 'home', [3, 4, 5, 6]).forEach((chance) => expect(chance).toBeCloseTo(0.25, 9));
});

test('a clicked item is tried more, an unseen one more than one that was shown in vain', () => {
  const [clicked, vain, unseen] = predict(served([300, 300, 0], [8, 1_000, 1]), 'home', [0, 1, 2]);
  expect(clicked).toBeGreaterThan(unseen);
  expect(unseen).toBeGreaterThan(10 * vain);
});

test('the item is drawn as often as its propensity says, and the same seed draws the same', () => {
  const state = served([100, 100, 100], [10, 20, 100]);
  const random = randomness(5);
  const drawn = [0, 0, 0];
  for (let n = 0; n < 5_000; n++) drawn[draw(state, 'home', [0, 1, 2], random)?.at ?? 0]++;
  predict(state, 'home', [0, 1, 2]).forEach((chance, i) => expect(Math.abs(drawn[i] / 5_000 - chance)).toBeLessThan(0.03));
  expect(draw(state, 'home', [0, 1, 2], randomness(8))).toEqual(draw(state, 'home', [0, 1, 2], randomness(8)));
  expect(draw(state, 'home', [], random)).toBeUndefined();
});

test('the click rate of what is shown for years is what it is lately: shown and clicked are halved together', () => {
  const state = served([30_000, 30_000], [10, 11]);
  const { shown, clicked } = state.placements.get('home')!;
  expect(shown[0]).toBeLessThanOrEqual(2_000);
  for (const [item, every] of [10, 11].entries()) expect(clicked[item]! / shown[item]!).toBeCloseTo(1 / every, 2);
  Object.assign(state.placements.get('home')!, { allShown: 1e6, allClicked: 1e5 });
  learnShown(state, 'home', 0);
  const { allShown, allClicked } = state.placements.get('home')!;
  expect(allShown).toBeLessThan(6e5);
  expect(allClicked / allShown).toBeCloseTo(0.1, 3);
});

test('placements are told apart, and beyond the seven most used they share one', () => {
  const state = init();
  for (let n = 0; n < 50; n++) for (let p = 0; p < 12; p++) if (p < 7 || n % 10 === 0) learnShown(state, place(state, `place ${p}`), 0);
  expect(state.placements.size).toBe(8);
  for (let n = 0; n < 40; n++) learnClicked(state, 'place 0', 0);
  expect(predict(state, 'place 0', [0, 1])[0]).toBeGreaterThan(0.5);
  expect(predict(state, 'place 1', [0, 1])[0]).toBeLessThan(0.5);
  expect(predict(state, 'place 10', [0, 1])).toEqual(predict(state, 'place 11', [0, 1]));
});

test('clicks on what was not shown teach nothing', () => {
  const state = served([5], [100]);
  for (let n = 0; n < 9; n++) learnClicked(state, 'home', 3);
  for (let n = 0; n < 9; n++) learnClicked(state, 'where nothing was shown', 0);
  expect(predict(state, 'home', [3, 4])[0]).toBeCloseTo(0.5, 9);
  expect([...state.placements.keys()]).toEqual(['home']);
});

test('a restored state knows the same, and a forgotten item is as one never shown', () => {
  const state = served([300, 20], [9, 9]);
  expect(restore(snapshot(state))).toEqual(state);
  expect(predict(restore(snapshot(state)), 'home', [0, 1, 2])).toEqual(predict(state, 'home', [0, 1, 2]));
  forget(state, Int32Array.of(0));
  forget(state, Int32Array.of(1_000_000));
  const [forgotten, , unseen] = predict(state, 'home', [0, 1, 2]);
  expect(forgotten).toBeCloseTo(unseen, 9);
  expect(() => restore(Uint8Array.of(1, 2))).toThrow(/snapshot/);
});
