/**
 * The memory in which experts are asked, and the kernels over it (`quantile-kernels.ts`). Asking is synchronous and never re-enters, so one
 * workspace a number of probabilities serves all; what it holds is void once the next SKU is asked.
 */
import { assemble, instantiate, newMemory } from '../kernels/assembler.js';
import { mixKernel } from '../kernels/mixing-kernels.js';
import { AT, DOUBLE, MEMORIES, MOST_PROBABILITY, MOST_SIZES, QUANTILE_KERNELS, quantileKernels, WALK } from '../kernels/quantile-kernels.js';
import { weightsBySale } from './sale-sizes.js';

const PAGE = 65_536;
const LEAST_PERIODS = 8;

export interface Workspace {
  /** Room for so many periods, and in each of them so many experts and levels. */
  readonly periods: number;
  readonly experts: number;
  readonly levels: number;
  /** Sizes from the newest sale on; the lower half of each one's bits takes its place. */
  readonly keys: Float64Array;
  readonly keyBits: Int32Array;
  /** Mean size by memory, once they are weighed. */
  readonly mean: Float64Array;
  /** By period, as it is to the SKU. */
  readonly exposures: Float64Array;
  /** Chance of a sale, and the part of the exposure that shows in sizes, by period. */
  readonly chances: Float64Array;
  readonly factors: Float64Array;
  /** By walk: its mean and dispersion (0 for Poisson), units a count. */
  readonly walkMeans: Float64Array;
  readonly walkDispersions: Float64Array;
  readonly walkUnits: Float64Array;
  /** By walk, twice its number: address of its first quantile. */
  readonly walkOuts: Int32Array;
  /** Period × expert × probability. */
  readonly quantiles: Float64Array;
  /** Period × expert. */
  readonly means: Float64Array;
  /** Expert × probability, of the experts that are mixed. */
  readonly weights: Float64Array;
  /** Period × probability. */
  readonly mixture: Float64Array;
  /** Of the first of the quantiles; each is eight further. */
  readonly firstAddress: number;
  /** Sorts and weighs the first `count` keys, of which there is one at least; all others are to be infinite. */
  weigh(count: number): void;
  /** Chances and factors of the first `count` periods, by the hazard and the chance of a sale at exposure 1. */
  chance(hazard: number, ordinary: number, count: number): void;
  /** One expert's quantiles of the first `count` periods, by sizes as one memory weighs them. */
  hurdles(memory: number, expert: number, count: number): void;
  /** Takes the first `count` walks. */
  walk(count: number): void;
  /** Mixes these experts' quantiles of the first `count` periods. */
  mix(experts: readonly number[], count: number): void;
}

const workspaces = new Map<number, Workspace & { readonly probabilities: Float64Array; readonly capped: Float64Array }>();

/** With room for these periods, of each of which so many experts and among them so many levels are asked. */
export function workspaceOf(probabilities: Float64Array, periods: number, experts: number, levels: number): Workspace {
  const n = probabilities.length;
  let workspace = workspaces.get(n);
  if (workspace === undefined || workspace.periods < periods || workspace.experts !== experts || workspace.levels !== levels) {
    workspace = make(n, Math.max(LEAST_PERIODS, periods), experts, levels);
    workspaces.set(n, workspace);
  }
  for (let p = 0; p < n; p++) {
    workspace.probabilities[p] = probabilities[p]!;
    workspace.capped[p] = Math.min(probabilities[p]!, MOST_PROBABILITY);
  }
  return workspace;
}

function make(n: number, periods: number, experts: number, levels: number): Workspace & { probabilities: Float64Array; capped: Float64Array } {
  // Two are begun at once.
  const mostWalks = periods * levels + 1;
  let free: number = AT.free;
  const take = (doubles: number): { at: number; length: number } => {
    const at = free;
    // Two are read at once: behind the last one there is one that nobody asked for.
    free += (doubles + 1) * DOUBLE;
    return { at, length: doubles };
  };
  const places = {
    probabilities: take(n), capped: take(n), exposures: take(periods), chances: take(periods), factors: take(periods), walks: take(mostWalks * WALK.length),
    quantiles: take(periods * experts * n), means: take(periods * experts), weights: take(experts * n), mixture: take(periods * n), rows: take(experts),
  };
  const memory = newMemory(Math.ceil(free / PAGE));
  const run = instantiate(assemble([...quantileKernels(n), mixKernel(n)]), memory, [...QUANTILE_KERNELS, 'mix']);
  const view = ({ at, length }: { at: number; length: number }): Float64Array => new Float64Array(memory.buffer, at, length);
  view({ at: AT.memories, length: MOST_SIZES * MEMORIES }).set(weightsBySale());
  const { exposures, chances, factors, probabilities, capped, quantiles, weights, mixture, rows } = places;
  const apart = mostWalks * DOUBLE;
  const ofWalks = (field: number): { at: number; length: number } => ({ at: places.walks.at + field * apart, length: mostWalks });
  const rowsOf = new Int32Array(memory.buffer, rows.at, experts);
  const stride = experts * n * DOUBLE;
  return {
    periods, experts, levels, probabilities: view(probabilities), capped: view(capped),
    keys: view({ at: AT.keys, length: MOST_SIZES }), keyBits: new Int32Array(memory.buffer, AT.keys, 2 * MOST_SIZES), mean: view({ at: AT.mean, length: MEMORIES }),
    exposures: view(exposures), chances: view(chances), factors: view(factors),
    walkMeans: view(ofWalks(WALK.mean)), walkDispersions: view(ofWalks(WALK.dispersion)), walkUnits: view(ofWalks(WALK.unit)),
    walkOuts: new Int32Array(memory.buffer, ofWalks(WALK.out).at, 2 * mostWalks), firstAddress: quantiles.at,
    quantiles: view(quantiles), means: view(places.means), weights: view(weights), mixture: view(mixture),
    weigh(count) {
      run.sort(AT.keys + count * DOUBLE);
      run.weigh(count * DOUBLE);
    },
    chance: (hazard, ordinary, count) => run.chances(hazard, ordinary, exposures.at, chances.at, factors.at, count * DOUBLE),
    hurdles: (of, expert, count) =>
      run.hurdles(of * DOUBLE, chances.at, factors.at, count * DOUBLE, probabilities.at, n * DOUBLE, quantiles.at + expert * n * DOUBLE, stride),
    mix(asked, count) {
      for (let i = 0; i < asked.length; i++) rowsOf[i] = asked[i]! * n * DOUBLE;
      run.mix(mixture.at, mixture.at + count * n * DOUBLE, weights.at, rows.at, rows.at + asked.length * 4, quantiles.at, stride);
    },
    walk(count) {
      run.begin(places.walks.at, count * DOUBLE, apart);
      run.counts(places.walks.at, places.walks.at + count * DOUBLE, apart, capped.at);
    },
  };
}
