/**
 * The sums over experts and probabilities that mixing forecasts and judging them come down to, two probabilities at a time:
 *
 *   mix     q̂_p = max over p′ ≤ p of Σ_k w_k,p′ q_k,p′
 *   teach   G_k,p ← G_k,p + s_p (q_k,p − q̂_p),   s_p = (1[y ≤ q̂_p] − p) / scale
 *
 * Each is summed in the order of the experts, as a loop would. Matrices are expert × probability; where probabilities are odd in number the last
 * pair reads one of the next row, and writes it not.
 */
import { addInt, and4, assemble, below, instantiate, int, kernel, loadInt, newMemory, repeatWhile, seq, type Code, type Kernel } from './assembler.js';
import {
  add2, atMost2, constant2, divide2, largerDouble, load2, loadDouble, nothing2, spread2, store2, storeDouble, storeFirst, subtract2, times2,
} from './doubles.js';

const DOUBLE = 8;
const PAIR = 2 * DOUBLE;
const INT = 4;
const PAGE = 65_536;

const pairsOf = (n: number): number[] => Array.from({ length: Math.ceil(n / 2) }, (_, j) => j);
const storePair = (n: number, j: number): typeof store2 => (2 * j + 1 < n ? store2 : storeFirst);

/**
 * Mixes periods of `n` probabilities into `mixture` up to `mixtureEnd`. From `rows` to `rowsEnd` stands how many bytes each expert's row is behind the
 * first one of its period, periods are `stride` bytes apart, and weights are a row an expert, one behind the other.
 */
export const mixKernel = (n: number): Kernel =>
  kernel('mix', ['i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32'], (body, mixture, mixtureEnd, weights, rows, rowsEnd, quantiles, stride) => {
    const [w, r, q] = body.locals('i32', 3);
    const sums = body.locals('v128', pairsOf(n).length);
    const most = body.local('f64');
    return repeatWhile(below(mixture.get, mixtureEnd.get), seq(
      ...sums.map((sum) => sum.set(nothing2)),
      w.set(weights.get),
      r.set(rows.get),
      repeatWhile(below(r.get, rowsEnd.get), seq(
        q.set(addInt(quantiles.get, loadInt(r.get))),
        ...sums.map((sum, j) => sum.set(add2(sum.get, times2(load2(w.get, j * PAIR), load2(q.get, j * PAIR))))),
        w.set(addInt(w.get, int(n * DOUBLE))),
        r.set(addInt(r.get, int(INT))),
      )),
      ...sums.map((sum, j) => storePair(n, j)(mixture.get, sum.get, j * PAIR)),
      most.set(loadDouble(mixture.get)),
      ...Array.from({ length: n - 1 }, (_, i) => seq(
        most.set(largerDouble(most.get, loadDouble(mixture.get, (i + 1) * DOUBLE))),
        storeDouble(mixture.get, most.get, (i + 1) * DOUBLE),
      )),
      mixture.set(addInt(mixture.get, int(n * DOUBLE))),
      quantiles.set(addInt(quantiles.get, stride.get)),
    ));
  });

/** A group's gradients end at `end`. */
const teachKernel = (n: number): Kernel =>
  kernel('teach', ['i32', 'i32', 'i32', 'i32', 'i32', 'f64', 'f64'], (body, gradients, end, quantiles, mixture, probabilities, actual, scale) => {
    const [came, unit] = body.locals('v128', 2);
    const pairs = pairsOf(n);
    const [slopes, mixed] = [body.locals('v128', pairs.length), body.locals('v128', pairs.length)];
    const more = (j: number): Code => times2(slopes[j].get, subtract2(load2(quantiles.get, j * PAIR), mixed[j].get));
    return seq(
      came.set(spread2(actual.get)),
      unit.set(spread2(scale.get)),
      ...pairs.flatMap((j) => [
        mixed[j].set(load2(mixture.get, j * PAIR)),
        slopes[j].set(divide2(subtract2(and4(atMost2(came.get, mixed[j].get), constant2(1)), load2(probabilities.get, j * PAIR)), unit.get)),
      ]),
      repeatWhile(below(gradients.get, end.get), seq(
        ...pairs.map((j) => storePair(n, j)(gradients.get, add2(load2(gradients.get, j * PAIR), more(j)), j * PAIR)),
        gradients.set(addInt(gradients.get, int(n * DOUBLE))),
        quantiles.set(addInt(quantiles.get, int(n * DOUBLE))),
      )),
    );
  });

/** Arrays of a round, in a memory of their own. */
export interface MixingKernels {
  /** Group × expert × probability. */
  readonly weights: Float64Array;
  readonly gradients: Float64Array;
  readonly mixture: Float64Array;
  /** A round of judging begins: gradients are zero, and quantiles are read anew. */
  start(probabilities: Float64Array): void;
  /** `mixture` from a forecast of these quantiles (expert × probability, from `at` on) by a group's weights. */
  mix(group: number, quantiles: Float32Array | Float64Array, at: number): void;
  /** Adds to a group's gradients by what came, the quantiles mixed last and their mixture. */
  teach(group: number, actual: number, scale: number): void;
}

/** Forecasts that are fetched in one go: those of one day lie side by side. */
const FETCHED = 16;

export function mixingKernels(groups: number, experts: number, n: number): MixingKernels {
  const row = n * DOUBLE;
  const size = experts * row;
  let free = 0;
  const take = (bytes: number): number => {
    const at = free;
    // Two doubles are read at once: behind the last one there is another.
    free += bytes + DOUBLE;
    return at;
  };
  const [weights, gradients, forecasts, mixture, wanted, rows] = [groups * size, groups * size, FETCHED * size, row, row, experts * INT].map(take);
  const memory = newMemory(Math.ceil(free / PAGE));
  const run = instantiate(assemble([mixKernel(n), teachKernel(n)]), memory, ['mix', 'teach']);
  new Int32Array(memory.buffer, rows, experts).set(Array.from({ length: experts }, (_, k) => k * row));
  const view = (from: number, bytes: number): Float64Array => new Float64Array(memory.buffer, from, bytes / DOUBLE);
  const block = view(forecasts, FETCHED * size);
  const sums = view(gradients, groups * size);
  let fetched: Float32Array | Float64Array | undefined;
  let [from, to, current] = [0, 0, forecasts];
  return {
    weights: view(weights, groups * size),
    gradients: sums,
    mixture: view(mixture, row),
    start(probabilities) {
      view(wanted, row).set(probabilities);
      sums.fill(0);
      fetched = undefined;
    },
    mix(group, quantiles, at) {
      if (fetched !== quantiles || at < from || at + experts * n > to) {
        fetched = quantiles;
        from = at;
        to = Math.min(quantiles.length, at + FETCHED * experts * n);
        block.set(quantiles.subarray(from, to));
      }
      current = forecasts + (at - from) * DOUBLE;
      run.mix(mixture, mixture + row, weights + group * size, rows, rows + experts * INT, current, 0);
    },
    teach: (group, actual, scale) => run.teach(gradients + group * size, gradients + (group + 1) * size, current, mixture, wanted, actual, scale),
  };
}
