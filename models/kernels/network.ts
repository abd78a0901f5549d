/**
 * Kernels of the ranker's network: 16 leaky units and a linear one over column-major features, four or eight candidates at a time.
 *
 * Sums stay in registers, of which there are sixteen, while the features go by. Lanes beyond the last candidate are
 * computed as well and mean nothing: their slopes must be zero, and the features there finite.
 */
import {
  add, add4, addInt, assemble, divide4, float, instantiate, int, kernel, larger4, load4, loadFloat, loadSpread4, loop, newMemory, above4, root4, select4,
  seq, shift, spread4, store4, storeFloat, subtract4, sumOf4, times4, timesInt,
  type Code, type Local, type Memory, type Module,
} from './assembler.js';
import * as columns from './columns.js';
import { FEATURE_KERNELS, repeat } from './feature-kernels.js';

/** Candidates to a column. */
export const STRIDE = 128;
export const HIDDEN = 16;
/** Weights to a feature: one for each hidden unit, then the linear one. */
export const UNITS = HIDDEN + 1;
export const LEAK = 0.01;
const MOST_FEATURES = 64;

const COLUMN = STRIDE * 4;
const PER_FEATURE = UNITS * 4;
const WEIGHTS = (MOST_FEATURES * UNITS + HIDDEN) * 4;
const AT = {
  scores: 0, hidden: COLUMN, repeated: 22 * COLUMN, scales: 24 * COLUMN, x: 32 * COLUMN, weights: 96 * COLUMN, gradient: 96 * COLUMN + WEIGHTS, averaged: 96 * COLUMN + 2 * WEIGHTS,
  means: 96 * COLUMN + 3 * WEIGHTS, squares: 96 * COLUMN + 4 * WEIGHTS,
} as const;
const PAGES = Math.ceil((AT.squares + WEIGHTS) / 65_536);

const candidateAt = (base: Code, c: Local): Code => addInt(base, shift(c.get, 2));
/** Units whose sums stay in registers together, for eight candidates; all of them in blocks. */
const AT_ONCE = 5;
const BLOCKS = [[0, 5], [5, 4], [9, 4], [13, 4]] as const;
const upTo = (many: number, write: (k: number) => Code): Code[] => Array.from({ length: many }, (_, k) => write(k));

/**
 * scores[c] and the hidden units' inputs, for c < n, by the weights at an address. Eight candidates by a few units at a
 * time: more sums than there are registers would go through memory at every feature.
 */
const forward = kernel('forward', ['i32', 'i32', 'i32'], (body, n, features, weights) => {
  const [c, f, xAt, wAt, out] = body.locals('i32', 5);
  const [left, right, weight] = body.locals('v128', 3);
  const sums = body.locals('v128', 2 * AT_ONCE);
  const leak = spread4(float(LEAK));
  const inputs = (from: number, many: number): Code => seq(
    ...sums.slice(0, 2 * many).map((sum) => sum.set(spread4(float(0)))),
    xAt.set(candidateAt(int(AT.x), c)),
    wAt.set(weights.get),
    loop(f, features.get, 1, seq(
      left.set(load4(xAt.get)),
      right.set(load4(xAt.get, 16)),
      ...upTo(many, (k) => seq(
        weight.set(loadSpread4(wAt.get, (from + k) * 4)),
        sums[2 * k].set(add4(sums[2 * k].get, times4(left.get, weight.get))),
        sums[2 * k + 1].set(add4(sums[2 * k + 1].get, times4(right.get, weight.get))),
      )),
      xAt.set(addInt(xAt.get, int(COLUMN))),
      wAt.set(addInt(wAt.get, int(PER_FEATURE))),
    )),
    out.set(candidateAt(int(AT.hidden + from * COLUMN), c)),
    ...upTo(many, (k) => seq(store4(out.get, sums[2 * k].get, k * COLUMN), store4(out.get, sums[2 * k + 1].get, k * COLUMN + 16))),
  );
  const activated = (sum: Local, k: number, side: number): Code => sum.set(add4(
    sum.get, times4(larger4(load4(out.get, k * COLUMN + side), times4(load4(out.get, k * COLUMN + side), leak)), loadSpread4(wAt.get, k * 4)),
  ));
  return loop(c, n.get, 8, seq(
    ...BLOCKS.map(([from, many]) => inputs(from, many)),
    // `wAt` stands behind the last feature now, at the output weights; the linear unit's input is the first part of the score.
    out.set(candidateAt(int(AT.hidden), c)),
    left.set(load4(out.get, HIDDEN * COLUMN)),
    right.set(load4(out.get, HIDDEN * COLUMN + 16)),
    ...upTo(HIDDEN, (k) => seq(activated(left, k, 0), activated(right, k, 16))),
    store4(candidateAt(int(AT.scores), c), left.get),
    store4(candidateAt(int(AT.scores), c), right.get, 16),
  ));
});

/** Turns the hidden inputs into their slopes, given d loss/d score in `scores`; adds the output weights' gradient. */
const backward = kernel('backward', ['i32', 'i32'], (body, n, features) => {
  const [c, k, row, weight, at] = body.locals('i32', 5);
  const [z, slope, mask, sum, factor] = body.locals('v128', 5);
  const one = spread4(float(1));
  const leak = spread4(float(LEAK));
  return seq(
    row.set(int(AT.hidden)),
    weight.set(addInt(int(AT.weights), timesInt(features.get, int(PER_FEATURE)))),
    loop(k, int(HIDDEN), 1, seq(
      sum.set(spread4(float(0))),
      factor.set(loadSpread4(weight.get)),
      loop(c, n.get, 4, seq(
        at.set(candidateAt(row.get, c)),
        z.set(load4(at.get)),
        slope.set(load4(candidateAt(int(AT.scores), c))),
        mask.set(above4(z.get, spread4(float(0)))),
        z.set(times4(z.get, slope.get)),
        sum.set(add4(sum.get, select4(z.get, times4(z.get, leak), mask.get))),
        store4(at.get, times4(times4(slope.get, factor.get), select4(one, leak, mask.get))),
      )),
      storeFloat(weight.get, add(loadFloat(weight.get, WEIGHTS), sumOf4(sum)), WEIGHTS),
      row.set(addInt(row.get, int(COLUMN))),
      weight.set(addInt(weight.get, int(4))),
    )),
    // The linear unit's slopes are the scores' own.
    loop(c, n.get, 4, store4(candidateAt(row.get, c), load4(candidateAt(int(AT.scores), c)))),
  );
});

/** gradient[f][unit] += Σ_c x[f][c]·slope[unit][c], half of the units at a time */
const accumulate = kernel('accumulate', ['i32', 'i32'], (body, n, features) => {
  const [f, c, xAt, to, at] = body.locals('i32', 5);
  const value = body.local('v128');
  const sums = body.locals('v128', HIDDEN / 2 + 1);
  const half = (from: number, many: number): Code => seq(
    ...upTo(many, (k) => sums[k].set(spread4(float(0)))),
    loop(c, n.get, 4, seq(
      value.set(load4(candidateAt(xAt.get, c))),
      at.set(candidateAt(int(AT.hidden + from * COLUMN), c)),
      ...upTo(many, (k) => sums[k].set(add4(sums[k].get, times4(value.get, load4(at.get, k * COLUMN))))),
    )),
    ...upTo(many, (k) => storeFloat(to.get, add(loadFloat(to.get, (from + k) * 4), sumOf4(sums[k])), (from + k) * 4)),
  );
  return seq(
    xAt.set(int(AT.x)),
    to.set(int(AT.gradient)),
    loop(f, features.get, 1, seq(
      half(0, HIDDEN / 2),
      half(HIDDEN / 2, HIDDEN / 2 + 1),
      xAt.set(addInt(xAt.get, int(COLUMN))),
      to.set(addInt(to.get, int(PER_FEATURE))),
    )),
  );
});

/** x[f][c] = (x[f][c] − scales[f][0])·scales[f][1], for c < n */
const centreX = kernel('centre', ['i32', 'i32'], (body, n, features) => {
  const [f, c, xAt, scale, at] = body.locals('i32', 5);
  const [mean, factor] = body.locals('v128', 2);
  return seq(
    xAt.set(int(AT.x)),
    scale.set(int(AT.scales)),
    loop(f, features.get, 1, seq(
      mean.set(loadSpread4(scale.get)),
      factor.set(loadSpread4(scale.get, 4)),
      loop(c, n.get, 4, seq(
        at.set(candidateAt(xAt.get, c)),
        store4(at.get, times4(subtract4(load4(at.get), mean.get), factor.get)),
      )),
      xAt.set(addInt(xAt.get, int(COLUMN))),
      scale.set(addInt(scale.get, int(8))),
    )),
  );
});

/**
 * One step of Adam on `size` weights (taken in whole fours: what lies behind them is and stays zero), whose gradient is a sum
 * over 1/`part` lists and becomes zero; the averaged weights follow by `share`.
 */
const adam = kernel('adam', ['i32', 'f32', 'f32', 'f32'], (body, size, part, rate, share) => {
  const [i, at] = body.locals('i32', 2);
  const [g, mean, square, weight] = body.locals('v128', 4);
  const of = (place: number): Code => load4(at.get, place - AT.weights);
  const keep = (place: number, value: Code): Code => store4(at.get, value, place - AT.weights);
  const towards = (held: Local, value: Code, by: Code): Code => held.set(add4(held.get, times4(by, subtract4(value, held.get))));
  return loop(i, size.get, 4, seq(
    at.set(addInt(int(AT.weights), shift(i.get, 2))),
    g.set(times4(of(AT.gradient), spread4(part.get))),
    mean.set(of(AT.means)),
    towards(mean, g.get, spread4(float(0.1))),
    square.set(of(AT.squares)),
    towards(square, times4(g.get, g.get), spread4(float(0.001))),
    weight.set(subtract4(of(AT.weights), divide4(times4(spread4(rate.get), mean.get), add4(root4(square.get), spread4(float(1e-8)))))),
    keep(AT.means, mean.get),
    keep(AT.squares, square.get),
    keep(AT.weights, weight.get),
    keep(AT.gradient, spread4(float(0))),
    g.set(of(AT.averaged)),
    towards(g, weight.get, spread4(share.get)),
    keep(AT.averaged, g.get),
  ));
});

const KERNELS = ['forward', 'backward', 'accumulate', 'adam', 'centre', 'logarithms', 'affine', 'combine', 'repeat'] as const;
let compiled: Module | undefined;

export interface Network {
  readonly memory: Memory;
  readonly features: number;
  /** [feature·128 + candidate] */
  readonly x: Float32Array;
  readonly scores: Float32Array;
  /** Values for `repeatAlong`. */
  readonly repeated: Float32Array;
  /** By feature: mean and factor of `centre`. */
  readonly scales: Float32Array;
  /** [feature][unit], then the 16 output weights; the gradient likewise. */
  readonly weights: Float32Array;
  readonly gradient: Float32Array;
  /** Weights averaged over the steps: less noise than the last ones. */
  readonly averaged: Float32Array;
  /** Adam's running means of gradients and of their squares. */
  readonly means: Float32Array;
  readonly squares: Float32Array;
  readonly run: Record<(typeof KERNELS)[number], (...values: number[]) => void>;
}

export function network(features: number): Network {
  if (features > MOST_FEATURES) throw new RangeError(`A ranker has at most ${MOST_FEATURES} features; got ${features}.`);
  compiled ??= assemble([forward, backward, accumulate, adam, centreX, columns.logarithms, ...FEATURE_KERNELS, repeat(COLUMN)]);
  const memory = newMemory(PAGES);
  const size = features * UNITS + HIDDEN;
  return {
    memory,
    features,
    x: new Float32Array(memory.buffer, AT.x, features * STRIDE),
    scores: new Float32Array(memory.buffer, AT.scores, STRIDE),
    repeated: new Float32Array(memory.buffer, AT.repeated, MOST_FEATURES),
    scales: new Float32Array(memory.buffer, AT.scales, features * 2),
    weights: new Float32Array(memory.buffer, AT.weights, size),
    gradient: new Float32Array(memory.buffer, AT.gradient, size),
    averaged: new Float32Array(memory.buffer, AT.averaged, size),
    means: new Float32Array(memory.buffer, AT.means, size),
    squares: new Float32Array(memory.buffer, AT.squares, size),
    run: instantiate(compiled, memory, KERNELS),
  };
}

/** Takes a feature's mean off its first n values and multiplies them by its factor. */
export function centre({ run, features, scales }: Network, n: number, given: Float32Array): void {
  scales.set(given);
  run.centre(n, features);
}

/** Natural logarithms of `many` places of x, times a factor. */
export function logarithms({ run }: Network, from: number, many: number, factor: number): void {
  run.logarithms(AT.x + from * 4, many, factor * Math.LN2);
}

/** x[to…to+n) = x[from…)·factor + offset; places are those of x, n a multiple of four here and below. */
export function affine({ run }: Network, from: number, to: number, n: number, factor: number, offset: number): void {
  run.affine(AT.x + from * 4, AT.x + to * 4, n, factor, offset);
}

/** x[to…to+n) = x[from…) + x[other…)·factor */
export function combine({ run }: Network, from: number, other: number, to: number, n: number, factor: number): void {
  run.combine(AT.x + from * 4, AT.x + other * 4, AT.x + to * 4, n, factor);
}

/** The first n places of some columns, from the one at `to` on, become each its value: at most 64. */
export function repeatAlong({ run, repeated }: Network, values: readonly number[], to: number, n: number): void {
  repeated.set(values);
  run.repeat(AT.repeated, AT.x + to * 4, values.length, n);
}

/** Scores of the first n candidates by the weights that are being learned. */
export function forwardLearning({ run, features }: Network, n: number): void {
  run.forward(n, features, AT.weights);
}

/** Scores of the first n candidates by the averaged weights. */
export function forwardAveraged({ run, features }: Network, n: number): void {
  run.forward(n, features, AT.averaged);
}

/** One step of Adam by the mean gradient of `lists`, with a rate corrected for how it began; the average takes its share of the new weights. */
export function descend({ run, weights }: Network, lists: number, rate: number, share: number): void {
  run.adam(weights.length, 1 / lists, rate, share);
}

/** Adds the gradient of a loss whose slopes stand in `scores`, after `forwardLearning`. */
export function backpropagate({ run, features, scores }: Network, n: number): void {
  scores.fill(0, n, Math.min(STRIDE, n + 3));
  run.backward(n, features);
  run.accumulate(n, features);
}
