/**
 * Stratified cross-validation of propensity models. Nothing is fitted, binned or resampled on a fold that is being scored.
 *
 *   AUC     = P(score of a yes > score of a no), ties half
 *   AUPRC   = Σ (R_n − R_(n−1)) P_n over the distinct scores (average precision)
 *   logloss = −mean(y ln p + (1 − y) ln (1 − p))
 */
import * as boosting from '../propensity/boosted-trees.js';
import { crossedFeatures, type Named, type Value } from '../propensity/hashed-features.js';
import * as ftrl from '../propensity/ftrl-logistic.js';

export interface LabelledTable {
  columns: readonly string[];
  rows: readonly (readonly Value[])[];
  outcomes: Uint8Array;
}

export interface PropensityScores {
  model: string;
  auc: number;
  auprc: number;
  logloss: number;
}

const BITS = 18;
const PASSES = 3;
/** More columns than this, and pairs of them would crowd the hashed space. */
const MOST_CROSSED = 24;

interface EncodedTable extends LabelledTable {
  /** Hashed slots of every row: a fixed function of the row, so that encoding it early leaks nothing. */
  slots: readonly Int32Array[];
}

interface Fitted {
  predict: (row: number) => number;
}

type Fit = (table: EncodedTable, training: readonly number[], seed: number) => Fitted;

const MODELS: readonly { name: string; fit: Fit }[] = [
  { name: 'ftrl-logistic', fit: fitLogistic },
  { name: 'boosted-trees', fit: fitTrees },
];

export function evaluatePropensity(
  table: LabelledTable,
  folds: number,
  progress: (sentence: string) => void,
): PropensityScores[] {
  const foldOf = stratifiedFolds(table.outcomes, folds);
  const crossed = table.columns.length <= MOST_CROSSED ? table.columns : [];
  const encoded: EncodedTable = { ...table, slots: table.rows.map((_, row) => crossedFeatures(named(table, row), crossed, BITS)) };
  return MODELS.map(({ name, fit }) => {
    const scores = Array.from({ length: folds }, (_, fold) => {
      const rows = Array.from(table.outcomes.keys());
      const model = fit(encoded, rows.filter((row) => foldOf[row] !== fold), fold + 1);
      const held = rows.filter((row) => foldOf[row] === fold);
      return rank(held.map((row) => model.predict(row)), held.map((row) => table.outcomes[row] ?? 0));
    });
    const mean = (pick: (one: Omit<PropensityScores, 'model'>) => number): number =>
      scores.reduce((sum, one) => sum + pick(one), 0) / folds;
    const result = { model: name, auc: mean((s) => s.auc), auprc: mean((s) => s.auprc), logloss: mean((s) => s.logloss) };
    progress(`${name}: AUC ${result.auc.toFixed(4)}, mean of ${folds} folds.`);
    return result;
  });
}

/** Rows of each class are dealt round the folds in a fixed shuffled order, so that all folds have the same share of yes. */
export function stratifiedFolds(outcomes: Uint8Array, folds: number): Int32Array {
  const foldOf = new Int32Array(outcomes.length);
  for (const wanted of [0, 1]) {
    const rows = [...outcomes.keys()].filter((row) => outcomes[row] === wanted);
    // Files are often sorted by time or by label: a fixed scatter, the same on every machine.
    const order = rows.map((row) => ({ row, key: Math.imul(row + 1, 0x9e3779b1) >>> 0 })).toSorted((a, b) => a.key - b.key);
    order.forEach(({ row }, i) => {
      foldOf[row] = i % folds;
    });
  }
  return foldOf;
}

export function rank(scores: readonly number[], outcomes: readonly number[]): Omit<PropensityScores, 'model'> {
  const order = [...scores.keys()].toSorted((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0));
  const yes = outcomes.reduce((sum, y) => sum + y, 0);
  const no = outcomes.length - yes;
  let trueYes = 0;
  let falseYes = 0;
  let area = 0;
  let precisionArea = 0;
  for (let i = 0; i < order.length; ) {
    const score = scores[order[i] ?? 0] ?? 0;
    let tiedYes = 0;
    let tiedNo = 0;
    while (i < order.length && (scores[order[i] ?? 0] ?? 0) === score) {
      if (outcomes[order[i] ?? 0] === 1) tiedYes++;
      else tiedNo++;
      i++;
    }
    area += tiedNo * (trueYes + tiedYes / 2);
    trueYes += tiedYes;
    falseYes += tiedNo;
    precisionArea += (tiedYes / yes) * (trueYes / (trueYes + falseYes));
  }
  let loss = 0;
  scores.forEach((score, i) => {
    const p = Math.min(1 - 1e-9, Math.max(1e-9, score));
    loss -= outcomes[i] === 1 ? Math.log(p) : Math.log(1 - p);
  });
  return { auc: area / (yes * no), auprc: precisionArea, logloss: loss / scores.length };
}

function fitLogistic(table: EncodedTable, training: readonly number[], seed: number): Fitted {
  const slotsOf = (row: number): Int32Array => table.slots[row] ?? new Int32Array(0);
  const model = ftrl.init({ bits: BITS });
  for (let pass = 0; pass < PASSES; pass++) {
    // A sorted file would teach one season after the other; the order of a pass is a fixed scatter.
    const order = training
      .map((row) => ({ row, key: Math.imul(row + seed, 0x85ebca6b + 2 * pass) >>> 0 }))
      .toSorted((a, b) => a.key - b.key);
    for (const { row } of order) ftrl.learn(model, slotsOf(row), table.outcomes[row] === 1);
  }
  return { predict: (row) => ftrl.predict(model, slotsOf(row)) };
}

function fitTrees(table: EncodedTable, training: readonly number[], seed: number): Fitted {
  // Texts become the rank of their frequency among the training rows; one never seen there is missing.
  const codes = table.columns.map((_, column) => {
    const counts = new Map<string, number>();
    for (const row of training) {
      const value = table.rows[row]?.[column];
      if (typeof value === 'string') counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    const ranked = [...counts].toSorted((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
    return new Map(ranked.map(([value], i) => [value, i]));
  });
  const numbers = (row: number): Float64Array =>
    Float64Array.from(table.rows[row] ?? [], (value, column) => {
      if (typeof value === 'string') return codes[column]?.get(value) ?? NaN;
      return value === undefined ? NaN : Number(value);
    });
  const model = boosting.train(
    training.map(numbers),
    Uint8Array.from(training, (row) => table.outcomes[row] ?? 0),
    { seed },
  );
  return { predict: (row) => boosting.predict(model, numbers(row)) };
}

function named(table: LabelledTable, row: number): Named {
  return table.columns.map((name, column) => [name, table.rows[row]?.[column]] as const);
}
