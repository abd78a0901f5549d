import { serialize } from 'node:v8';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as affinity from '../../models/affinity.js';
import * as coVisitation from '../../models/co-visitation.js';
import * as embedding from '../../models/embedding.js';
import { joinBytes, splitBytes } from '../../consumers/snapshot-bytes.js';
import * as evidence from '../../models/evidence.js';
import * as fusion from '../../models/fusion.js';
import * as itemIndex from '../../models/item-index.js';
import { whole } from '../../models/kernels/snapshot.js';
import { begin, scratch } from '../../models/kernels/candidates.js';
import * as popularity from '../../models/popularity.js';
import * as repeats from '../../models/repeats.js';
import * as secondOrder from '../../models/second-order.js';
import * as sessionKnn from '../../models/session-knn.js';
import * as visitPatterns from '../../models/visit-patterns.js';

/** What every model of recommendations must hold, whatever it computes. */
interface Conforming<State> {
  readonly name: string;
  init(): State;
  learn(state: State, recent: Int32Array, item: number, weight: number): void;
  /** Some prediction, as numbers. */
  predict(state: State, recent: Int32Array): number[];
  snapshot(state: State): Uint8Array;
  /** Undefined where a model is never kept. */
  restore?(bytes: Uint8Array): State;
  /** Takes the items out; undefined where a model keeps nothing by item. */
  forget?(state: State, items: Int32Array): void;
}

const space = scratch();
const user = new Float32Array(embedding.DIMENSIONS);

describeModel({
  name: 'item-index',
  init: itemIndex.init,
  learn: (state, _recent, item) => void itemIndex.learn(state, `sku-${item}`),
  predict: (state, recent) => Array.from(recent, (item) => itemIndex.predict(state, `sku-${item}`)),
  snapshot: itemIndex.snapshot,
  restore: itemIndex.restore,
});

describeModel({
  name: 'co-visitation',
  init: () => coVisitation.init({ leastHalfLife: 0.5, halfLifePerItem: 0.05 }),
  learn: coVisitation.learn,
  predict: (state, recent) => coVisitation.predict(state, recent, space, 10).flatMap(({ item, score }) => [item, score]),
  snapshot: (state) => whole(coVisitation.snapshot(state)),
  restore: coVisitation.restore,
  forget: coVisitation.forget,
});

describeModel({
  name: 'affinity',
  init: affinity.init,
  learn: affinity.learn,
  predict: (state, recent) => {
    begin(space);
    affinity.gather(state, recent, space);
    return [...space.items.subarray(0, space.slots), ...space.long.subarray(0, space.slots)];
  },
  snapshot: affinity.snapshot,
  restore: affinity.restore,
  forget: affinity.forget,
});

describeModel({
  name: 'popularity',
  init: () => popularity.init({ leastFast: 0.5, leastSlow: 2, fastPerItem: 0.01, slowPerItem: 0.02 }),
  learn: (state, _recent, item, weight) => popularity.learn(state, item, weight),
  predict: (state, recent) => [
    ...popularity.predict(state, 'trending', 5).flatMap(({ item, share }) => [item, share]),
    ...Array.from(recent, (item) => popularity.popularShare(state, item)),
    ...Array.from(recent, (item) => state.born[item] ?? -1),
  ],
  snapshot: popularity.snapshot,
  restore: popularity.restore,
  forget: popularity.forget,
});

for (const [name, settings] of [['embedding', { negatives: 64, replays: 0 }], ['embedding that replays', { negatives: 8, replays: 2 }]] as const) {
  describeModel({
    name,
    init: () => embedding.init({ seed: 7, ...settings }),
    learn: embedding.learn,
    predict: (state, recent) => {
      embedding.userVector(state, recent, user);
      return Array.from({ length: 40 }, (_, item) => embedding.predict(state, user, item));
    },
    snapshot: embedding.snapshot,
    restore: embedding.restore,
    forget: embedding.forget,
  });
}

describeModel({
  name: 'repeats',
  init: repeats.init,
  learn: (state, recent, item) => repeats.learn(state, recent, item),
  predict: (state, recent) => Array.from(recent, (item) => repeats.predict(state, item)),
  snapshot: repeats.snapshot,
  restore: repeats.restore,
  forget: repeats.forget,
});

describeModel({
  name: 'second-order',
  init: secondOrder.init,
  learn: secondOrder.learn,
  predict: (state, recent) => {
    begin(space);
    secondOrder.gather(state, recent, space);
    return [...space.items.subarray(0, space.slots), ...space.after.chances.subarray(0, space.after.count)];
  },
  snapshot: secondOrder.snapshot,
  restore: secondOrder.restore,
  forget: secondOrder.forget,
});

describeModel({
  name: 'visit-patterns',
  init: visitPatterns.init,
  learn: visitPatterns.learn,
  predict: (state, recent) => {
    const chances = new Float64Array(visitPatterns.KINDS);
    visitPatterns.predict(state, recent, chances);
    return [...chances];
  },
  snapshot: visitPatterns.snapshot,
  restore: visitPatterns.restore,
});

describeModel({
  name: 'session-knn',
  init: sessionKnn.init,
  learn: (state, recent, item) => sessionKnn.learn(state, Int32Array.from([...recent.slice(0, 3).reverse(), item])),
  predict: (state, recent) => {
    sessionKnn.predict(state, recent, space);
    return [...space.items.subarray(0, space.slots), ...space.forward.subarray(0, space.slots)];
  },
  snapshot: serialize,
});

const work = fusion.workspace();

describeModel({
  name: 'fusion',
  init: () => fusion.init({ firstLessons: 20, lessonShare: 0.5 }),
  learn: (state, recent, item, weight) => fusion.learn(state, recent, item, work, weight),
  predict: (state, recent) => {
    const { items, scores } = fusion.predict(state, recent, work, { limit: 20 });
    return [...items, ...scores, ...evidence.predict(state, recent, items, work).map((found) => found?.click ?? -1)];
  },
  snapshot: (state) => joinBytes([...fusion.snapshot(state)]),
  restore: (bytes) => fusion.restore(splitBytes(bytes, fusion.PIECES)),
  forget: fusion.forget,
});

function describeModel<State>(model: Conforming<State>): void {
  const items = fc.integer({ min: 0, max: 39 });
  const weights = fc.constantFrom(1, 1, 1, 3, 10, 0, -1, Number.NaN);
  const streams = fc.array(fc.tuple(items, weights), { minLength: 1, maxLength: 120 });
  const stranger = Int32Array.of(5, 39, -1, 1_000_000, 5);

  const feed = (state: State, stream: readonly (readonly [number, number])[], from = 0): State => {
    for (let at = from; at < stream.length; at++) {
      const recent = Int32Array.from(stream.slice(Math.max(0, at - 12), at).reverse(), ([item]) => item);
      model.learn(state, recent, stream[at][0], stream[at][1]);
    }
    return state;
  };

  const { forget, restore } = model;
  describe(`${model.name} conforms`, () => {
    test('untrained, it answers, and with numbers', () => {
      expect(model.predict(model.init(), stranger).every(Number.isFinite)).toBe(true);
      expect(model.predict(model.init(), new Int32Array(0)).every(Number.isFinite)).toBe(true);
    });

    test('the same events end in the same bytes', () => {
      fc.assert(fc.property(streams, (stream) => {
        expect(Buffer.compare(model.snapshot(feed(model.init(), stream)), model.snapshot(feed(model.init(), stream)))).toBe(0);
      }), { numRuns: 30 });
    });

    test('a prediction is finite and leaves the state as it was', () => {
      fc.assert(fc.property(streams, (stream) => {
        const state = feed(model.init(), stream);
        const before = model.snapshot(state);
        const first = model.predict(state, stranger);
        expect(first.every(Number.isFinite)).toBe(true);
        expect(model.predict(state, stranger)).toEqual(first);
        expect(Buffer.compare(model.snapshot(state), before)).toBe(0);
      }), { numRuns: 30 });
    });

    test('stopping at any event, and going on from the snapshot, equals never stopping', (context) => {
      if (!restore) return context.skip('It is never kept.');
      fc.assert(fc.property(streams, fc.nat(), (stream, cut) => {
        const at = cut % stream.length;
        const stopped = restore(model.snapshot(feed(model.init(), stream.slice(0, at))));
        feed(stopped, stream, at);
        expect(Buffer.compare(model.snapshot(stopped), model.snapshot(feed(model.init(), stream)))).toBe(0);
      }), { numRuns: 30 });
    });

    test('a snapshot that is cut short, or foreign is refused with a sentence', (context) => {
      if (!restore) return context.skip('It is never kept.');
      const bytes = model.snapshot(feed(model.init(), [[3, 1], [4, 1], [3, 1]]));
      expect(() => restore(bytes.subarray(0, bytes.length - 16))).toThrow(/snapshot/);
      expect(() => restore(Uint8Array.of(1, 2, 3))).toThrow(/snapshot/);
    });

    test('with an item forgotten, predictions stay finite and learning goes on', (context) => {
      if (!forget) return context.skip('It keeps nothing by item.');
      fc.assert(fc.property(streams, items, (stream, gone) => {
        const state = feed(model.init(), stream);
        forget(state, Int32Array.of(gone, 100_000));
        expect(model.predict(state, stranger).every(Number.isFinite)).toBe(true);
        feed(state, stream);
        expect(model.predict(state, stranger).every(Number.isFinite)).toBe(true);
      }), { numRuns: 30 });
    });
  });
}
