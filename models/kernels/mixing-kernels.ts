/**
 * The sums over experts and probabilities that mixing forecasts and judging them come down to, two probabilities at a time:
 *
 *   mix     q̂_p = max over p′ ≤ p of Σ_k w_k,p′ q_k,p′
 *   teach   G_k,p ← G_k,p + s_p (q_k,p − q̂_p)
 *
 * Each is summed in the order of the experts, as a loop would. Matrices are expert × probability; where probabilities are odd in number the last
 * pair reads one of the next row, and writes it not.
 */
import { addInt, assemble, below, instantiate, int, kernel, loadInt, newMemory, repeatWhile, seq, type Code, type Kernel } from './assembler.js';
import { add2, largerDouble, load2, loadDouble, nothing2, store2, storeDouble, storeFirst, subtract2, times2 } from './doubles.js';

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

const teachKernel = (n: number): Kernel =>
  kernel('teach', ['i32', 'i32', 'i32', 'i32', 'i32'], (body, gradients, quantiles, slopes, mixture, end) => {
    const pairs = pairsOf(n);
    const [ofSlopes, ofMixture] = [body.locals('v128', pairs.length), body.locals('v128', pairs.length)];
    const more = (j: number): Code => times2(ofSlopes[j].get, subtract2(load2(quantiles.get, j * PAIR), ofMixture[j].get));
    return seq(
      ...pairs.flatMap((j) => [ofSlopes[j].set(load2(slopes.get, j * PAIR)), ofMixture[j].set(load2(mixture.get, j * PAIR))]),
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
  /** Expert × probability, of one forecast. */
  readonly quantiles: Float64Array;
  readonly mixture: Float64Array;
  readonly slopes: Float64Array;
  /** `mixture` from the quantiles by a group's weights. */
  mix(group: number): void;
  /** Adds to a group's gradients by `slopes`, the quantiles and their mixture. */
  teach(group: number): void;
}

export function mixingKernels(groups: number, experts: number, probabilities: number): MixingKernels {
  const row = probabilities * DOUBLE;
  const size = experts * row;
  // Two doubles are read at once: behind the last one there is another.
  const weights = 0;
  const gradients = groups * size + DOUBLE;
  const quantiles = 2 * gradients;
  const mixture = quantiles + size + DOUBLE;
  const slopes = mixture + row + DOUBLE;
  const rows = slopes + row + DOUBLE;
  const end = rows + experts * INT;
  const memory = newMemory(Math.ceil(end / PAGE));
  const run = instantiate(assemble([mixKernel(probabilities), teachKernel(probabilities)]), memory, ['mix', 'teach']);
  new Int32Array(memory.buffer, rows, experts).set(Array.from({ length: experts }, (_, k) => k * row));
  const view = (from: number, bytes: number): Float64Array => new Float64Array(memory.buffer, from, bytes / DOUBLE);
  return {
    weights: view(weights, groups * size),
    gradients: view(gradients, groups * size),
    quantiles: view(quantiles, size),
    mixture: view(mixture, row),
    slopes: view(slopes, row),
    mix: (group) => run.mix(mixture, mixture + row, weights + group * size, rows, end, quantiles, 0),
    teach: (group) => run.teach(gradients + group * size, quantiles, slopes, mixture, gradients + (group + 1) * size),
  };
}
