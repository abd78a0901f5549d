/**
 * Gradient-boosted trees for a yes-or-no outcome, on binned columns.
 *
 *   F_0 = logit(mean y),  F_t = F_(t−1) + ν · tree_t;  leaf = −G / (H + λ),  G = Σ (p − y),  H = Σ p (1 − p)
 *   a split's gain = G_l²/(H_l + λ) + G_r²/(H_r + λ) − G²/(H + λ)
 *
 * Columns are numbers; a missing one is NaN and goes left. Cuts are quantiles of the training rows (at most 63 a column), trees grow
 * level by level to a fixed depth, each on a seeded sample of the rows. An untrained model (no rows, or one class only) answers
 * the smoothed base rate. Source: Friedman 2001; the second-order form, Chen and Guestrin 2016.
 */
export interface BoostedTrees {
  readonly base: number;
  /** Ascending cuts a column. */
  readonly cuts: readonly Float64Array[];
  /** Per tree, 2^depth − 1 inner nodes: column, or −1 where the node passes everything left. */
  readonly columns: Int16Array[];
  readonly bins: Uint8Array[];
  readonly leaves: Float64Array[];
}

export interface BoostingOptions {
  trees?: number;
  seed?: number;
}

const MAX_BINS = 64;
const DEPTH = 4;
/** ν. */
const RATE = 0.06;
/** λ. */
const PENALTY = 3;
/** Least Σ p (1 − p) in a child. */
const LEAST_WEIGHT = 4;
/** Of the rows, by tree. */
const SAMPLE = 0.7;

export function train(rows: readonly Float64Array[], outcomes: Uint8Array, { trees = 180, seed = 1 }: BoostingOptions = {}): BoostedTrees {
  const width = rows[0]?.length ?? 0;
  const positives = outcomes.reduce((sum, y) => sum + y, 0);
  const base = Math.log((positives + 1) / (rows.length - positives + 1));
  const cuts = Array.from({ length: width }, (_, c) => cutsOf(rows, c));
  const model: BoostedTrees = { base, cuts, columns: [], bins: [], leaves: [] };
  if (positives === 0 || positives === rows.length) return model;

  const binned = cuts.map((cut, c) => Uint8Array.from(rows, (row) => binOf(cut, row[c] ?? NaN)));
  const score = new Float64Array(rows.length).fill(base);
  const random = randomNumbers(seed);
  const gradient = new Float64Array(rows.length);
  const curvature = new Float64Array(rows.length);
  const node = new Int32Array(rows.length);
  for (let t = 0; t < trees; t++) {
    const chosen: number[] = [];
    for (let i = 0; i < rows.length; i++) {
      const p = 1 / (1 + Math.exp(-(score[i] ?? 0)));
      gradient[i] = p - (outcomes[i] ?? 0);
      curvature[i] = p * (1 - p);
      if (random() < SAMPLE) chosen.push(i);
    }
    const tree = grow({ binned, gradient, curvature, chosen, node });
    for (let leaf = 0; leaf < tree.leaves.length; leaf++) tree.leaves[leaf] = (tree.leaves[leaf] ?? 0) * RATE;
    model.columns.push(tree.columns);
    model.bins.push(tree.bins);
    model.leaves.push(tree.leaves);
    for (let i = 0; i < rows.length; i++) {
      score[i] = (score[i] ?? 0) + (tree.leaves[leafOf(tree, (column) => binned[column]?.[i] ?? 0)] ?? 0);
    }
  }
  return model;
}

export function predict(model: BoostedTrees, row: Float64Array): number {
  const bins = model.cuts.map((cut, c) => binOf(cut, row[c] ?? NaN));
  let score = model.base;
  for (let t = 0; t < model.leaves.length; t++) {
    const columns = model.columns[t];
    const splits = model.bins[t];
    if (columns === undefined || splits === undefined) continue;
    score += model.leaves[t]?.[leafOf({ columns, bins: splits }, (column) => bins[column] ?? 0)] ?? 0;
  }
  return 1 / (1 + Math.exp(-score));
}

interface Tree {
  columns: Int16Array;
  bins: Uint8Array;
  leaves: Float64Array;
}

interface Growth {
  binned: readonly Uint8Array[];
  gradient: Float64Array;
  curvature: Float64Array;
  chosen: readonly number[];
  node: Int32Array;
}

function grow({ binned, gradient, curvature, chosen, node }: Growth): Tree {
  const inner = (1 << DEPTH) - 1;
  const tree: Tree = {
    columns: new Int16Array(inner).fill(-1),
    bins: new Uint8Array(inner),
    leaves: new Float64Array(1 << DEPTH),
  };
  node.fill(0);
  for (let level = 0; level < DEPTH; level++) {
    const nodes = 1 << level;
    const offset = nodes - 1;
    const best = new Float64Array(nodes).fill(1e-6);
    const sums = new Float64Array(nodes * MAX_BINS * 2);
    for (let c = 0; c < binned.length; c++) {
      const column = binned[c];
      if (column === undefined) continue;
      sums.fill(0);
      for (const i of chosen) {
        const at = (((node[i] ?? 0) - offset) * MAX_BINS + (column[i] ?? 0)) * 2;
        sums[at] = (sums[at] ?? 0) + (gradient[i] ?? 0);
        sums[at + 1] = (sums[at + 1] ?? 0) + (curvature[i] ?? 0);
      }
      for (let n = 0; n < nodes; n++) {
        const split = bestSplit(sums, n * MAX_BINS * 2);
        if (split.gain <= (best[n] ?? 0)) continue;
        best[n] = split.gain;
        tree.columns[offset + n] = c;
        tree.bins[offset + n] = split.bin;
      }
    }
    for (const i of chosen) {
      const at = node[i] ?? 0;
      const column = tree.columns[at] ?? -1;
      const right = column >= 0 && (binned[column]?.[i] ?? 0) > (tree.bins[at] ?? 0);
      node[i] = 2 * at + (right ? 2 : 1);
    }
  }
  const g = new Float64Array(1 << DEPTH);
  const h = new Float64Array(1 << DEPTH);
  for (const i of chosen) {
    const leaf = (node[i] ?? 0) - inner;
    g[leaf] = (g[leaf] ?? 0) + (gradient[i] ?? 0);
    h[leaf] = (h[leaf] ?? 0) + (curvature[i] ?? 0);
  }
  for (let leaf = 0; leaf < g.length; leaf++) tree.leaves[leaf] = -(g[leaf] ?? 0) / ((h[leaf] ?? 0) + PENALTY);
  return tree;
}

function bestSplit(sums: Float64Array, at: number): { gain: number; bin: number } {
  let g = 0;
  let h = 0;
  for (let b = 0; b < MAX_BINS; b++) {
    g += sums[at + 2 * b] ?? 0;
    h += sums[at + 2 * b + 1] ?? 0;
  }
  const whole = (g * g) / (h + PENALTY);
  let best = { gain: 0, bin: 0 };
  let left = 0;
  let leftWeight = 0;
  for (let b = 0; b < MAX_BINS - 1; b++) {
    left += sums[at + 2 * b] ?? 0;
    leftWeight += sums[at + 2 * b + 1] ?? 0;
    const right = g - left;
    const rightWeight = h - leftWeight;
    if (leftWeight < LEAST_WEIGHT) continue;
    if (rightWeight < LEAST_WEIGHT) break;
    const gain = (left * left) / (leftWeight + PENALTY) + (right * right) / (rightWeight + PENALTY) - whole;
    if (gain > best.gain) best = { gain, bin: b };
  }
  return best;
}

function leafOf(tree: Pick<Tree, 'columns' | 'bins'>, binAt: (column: number) => number): number {
  let at = 0;
  for (let level = 0; level < DEPTH; level++) {
    const column = tree.columns[at] ?? -1;
    at = 2 * at + (column >= 0 && binAt(column) > (tree.bins[at] ?? 0) ? 2 : 1);
  }
  return at - ((1 << DEPTH) - 1);
}

function cutsOf(rows: readonly Float64Array[], column: number): Float64Array {
  const values = Float64Array.from(rows, (row) => row[column] ?? NaN).filter((value) => !Number.isNaN(value)).sort();
  const distinct = values.filter((value, i) => i === 0 || value !== values[i - 1]);
  if (distinct.length < MAX_BINS) return distinct.slice(1);
  const cuts = new Set<number>();
  for (let b = 1; b < MAX_BINS; b++) cuts.add(values[Math.floor((b * values.length) / MAX_BINS)] ?? 0);
  return Float64Array.from(cuts);
}

/** Bin 0 is below the first cut, or missing. */
function binOf(cuts: Float64Array, value: number): number {
  if (Number.isNaN(value)) return 0;
  let low = 0;
  let high = cuts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((cuts[middle] ?? 0) <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Mulberry32: the same seed gives the same trees. */
function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 4_294_967_296;
  };
}
