import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DIMENSIONS, init as newEmbedding, learn as learnEvent, userVector, vectorOf } from '../../models/embedding.js';
import { randomness, uniform } from '../../models/kernels/numbers.js';
import { CLICKS, init, learn, predict, type Batch, type SlopesOf } from '../../models/sequence-encoder.js';

const random = randomness(2);
const vectors = Array.from({ length: 30 }, () => {
  const vector = Float32Array.from({ length: DIMENSIONS }, () => uniform(random) - 0.5);
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
});
const vectorAt = (item: number): Float32Array | undefined => vectors[item];
const out = new Float32Array(DIMENSIONS);
const empty: Batch = { sequences: 0, clicks: new Float32Array(0), isClick: new Float32Array(0), targets: new Float32Array(0), targetItems: new Int32Array(0), logShares: new Float32Array(0) };
/** Slopes that pull all weights towards nothing. */
const shrinking: SlopesOf = (weights) => ({ ...weights, loss: 1 });

test('untrained, it says what the embedding\'s pooling says', () => {
  const embedding = newEmbedding();
  for (let n = 0; n < 30; n++) learnEvent(embedding, new Int32Array(0), n);
  const user = new Float32Array(DIMENSIONS);
  fc.assert(fc.property(fc.array(fc.nat(29), { minLength: 1, maxLength: CLICKS }), (clicks) => {
    const recent = Int32Array.from(clicks);
    userVector(embedding, recent, user);
    predict(init(), recent, (item) => vectorOf(embedding, item), out);
    user.forEach((value, d) => expect(out[d]).toBeCloseTo(value, 4));
  }), { numRuns: 20 });
});

test('it says a unit vector after any known click, and nothing without one', () => {
  const state = init({ seed: 4 });
  for (let n = 0; n < 3; n++) learn(state, empty, shrinking);
  fc.assert(fc.property(fc.array(fc.integer({ min: -1, max: 40 }), { maxLength: 30 }), (clicks) => {
    predict(state, Int32Array.from(clicks), vectorAt, out);
    const isKnown = clicks.some((item) => vectorAt(item) !== undefined);
    expect(Math.hypot(...out)).toBeCloseTo(isKnown ? 1 : 0, 4);
  }));
});

test('it learns nothing from a loss that is no number', () => {
  const state = init();
  learn(state, empty, shrinking);
  const before = structuredClone(state);
  expect(learn(state, empty, (weights) => ({ ...weights, loss: Infinity }))).toBe(Infinity);
  expect(state).toEqual(before);
});
