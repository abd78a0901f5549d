import fc from 'fast-check';
import { expect, test } from 'vitest';
import * as calendar from '../../../models/forecast/calendar-index.js';
import * as conformal from '../../../models/forecast/conformal.js';
import * as demand from '../../../models/forecast/demand-forecaster.js';
import { learnRound, type Sample } from '../../../models/forecast/judging.js';
import * as mixing from '../../../models/forecast/mixing.js';
import { SHARED } from '../../../models/forecast/totals.js';
import * as promotions from '../../../models/forecast/promotions.js';
import * as baseStock from '../../../models/inventory/base-stock-learning.js';

/** A part that learns: how it begins, what one lesson makes of it, and what lessons there are. */
interface Fold<State, Lesson> {
  readonly init: () => State;
  readonly learn: (state: State, lesson: Lesson) => State;
  readonly lesson: fc.Arbitrary<Lesson>;
}

/** fit(y[:n]).update(y[n:]) == fit(y): the state is all there is, nothing beside it and nothing shared between two. */
function fold<State, Lesson>({ init, learn, lesson }: Fold<State, Lesson>): () => void {
  return () => fc.assert(fc.property(fc.array(lesson, { maxLength: 60 }), fc.nat(60), (lessons, cut) => {
    const whole = lessons.reduce(learn, init());
    const before = lessons.slice(0, cut).reduce(learn, init());
    const kept = structuredClone(before);
    // What another one learns meanwhile is nothing to this one.
    lessons.toReversed().reduce(learn, structuredClone(before));
    expect(lessons.slice(cut).reduce(learn, kept)).toEqual(whole);
    expect(lessons.slice(cut).reduce(learn, before)).toEqual(whole);
  }));
}

const units = fc.oneof(fc.constantFrom(0, 1, 1e9), fc.double({ min: 0, max: 500, noNaN: true }));

const probabilities = Float64Array.of(0.1, 0.5, 0.9);
const sample: fc.Arbitrary<Sample> = fc.record({
  group: fc.nat(1), scale: fc.double({ min: 0.1, max: 1e6, noNaN: true }), actual: units, onSale: fc.constantFrom(1, 0.5), at: fc.constant(0), mean: units, far: fc.constantFrom(0.05, 0.5, 1),
  quantiles: fc.array(fc.array(units, { minLength: 3, maxLength: 3 }), { minLength: 2, maxLength: 2 }).map((experts) => Float64Array.from(experts.flatMap((ofExpert) => ofExpert.toSorted((a, b) => a - b)))),
});

const PARTS = {
  'the calendar index': fold({
    init: () => calendar.init(7),
    learn: (index, { phase, monthDay, day, made, expected }) => (calendar.learn(index, { phase, monthDay, year: { day, days: 7 } }, made, expected), index),
    lesson: fc.record({ phase: fc.nat(6), monthDay: fc.integer({ min: -1, max: 30 }), day: fc.integer({ min: 0, max: 30 }), made: units, expected: units }),
  }),
  'what a promotion is worth': fold({
    init: () => promotions.noSales,
    learn: promotions.learn,
    lesson: fc.record({ saleMade: units, saleBeyond3: units, saleBeyond6: units, saleExpected: units }),
  }),
  'experts\' weights, conformal tails and what SKUs share, by rounds of judged forecasts': fold({
    init: () => ({ probabilities, mixer: mixing.init(3, [[2, 1], [1, 1]]), tails: conformal.init(2, 0.8), shared: SHARED }),
    learn: (state, round) => (learnRound(state, round), state),
    lesson: fc.array(sample, { maxLength: 6 }),
  }),
  'the correction of a base-stock level': fold({
    init: baseStock.init,
    learn: (before, { sold, ...asked }) => baseStock.learn(before, asked, sold),
    lesson: fc.record({ sold: fc.array(units, { minLength: 1, maxLength: 3 }), textbook: units, deviation: units, service: fc.double({ min: 0, max: 1, noNaN: true }) }),
  }),
};

test.each(Object.entries(PARTS))('fit then update is fit: %s', (_name, holds) => {
  expect(holds).not.toThrow();
});

test('fit then update is fit: the whole forecaster, with days on which nothing could be seen', () => {
  const SKUS = 6;
  const blank = demand.init({ skus: SKUS, seasonPeriods: 7, horizon: 28, probabilities: [0.1, 0.5, 0.9] });
  const day = fc.array(fc.oneof({ weight: 5, arbitrary: fc.nat(6) }, { weight: 1, arbitrary: fc.constant(NaN) }), { minLength: SKUS, maxLength: SKUS });
  const learn = (model: demand.DemandForecaster, sold: number[]): demand.DemandForecaster => (demand.learn(model, Float64Array.from(sold)), model);
  fc.assert(fc.property(fc.array(day, { minLength: 60, maxLength: 90 }), fc.nat(90), (days, cut) => {
    const whole = days.reduce(learn, structuredClone(blank));
    const kept = structuredClone(days.slice(0, cut).reduce(learn, structuredClone(blank)));
    expect(days.slice(cut).reduce(learn, kept)).toEqual(whole);
  }), { numRuns: 20 });
});
