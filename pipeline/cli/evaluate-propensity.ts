/** `millrace evaluate propensity`: stratified cross-validation of the purchase-propensity models on a labelled file. */
import { Command } from 'commander';
import { evaluatePropensity, type LabelledTable, type PropensityScores } from '../../models/evaluate/propensity.js';
import type { Value } from '../../models/propensity/hashed-features.js';
import { wholeFrom } from './counts.js';
import { readCsv } from './csv-file.js';
import { inColumns, rounded } from './report.js';
import { DataFileError, tellingDataErrors } from './text-lines.js';

interface Options {
  data: string;
  label: string;
  folds: number;
  json?: boolean;
}

const YES = new Set(['true', '1', 'yes', 'y', 't']);
const NO = new Set(['false', '0', 'no', 'n', 'f']);

export function evaluatePropensityCommand(): Command {
  return new Command('propensity')
    .description('Evaluate purchase-propensity models by stratified cross-validation on a labelled CSV (comma, semicolon or tab; gzip accepted).')
    .requiredOption('--data <file>', 'CSV with a header; every column but the label is a feature')
    .requiredOption('--label <column>', 'column with the outcome (true/false, yes/no or 1/0)')
    .option('--folds <count>', 'folds of the cross-validation', wholeFrom(2, 100), 5)
    .option('--json', 'print one JSON array')
    .action(tellingDataErrors(run));
}

async function run(options: Options): Promise<void> {
  const say = (sentence: string): void => void process.stderr.write(`${sentence}\n`);
  const table = await readTable(options.data, options.label);
  const yes = table.outcomes.reduce((sum, outcome) => sum + outcome, 0);
  const rarer = Math.min(yes, table.outcomes.length - yes);
  if (rarer < options.folds) {
    throw new DataFileError(
      `${options.data} has ${yes} yes and ${table.outcomes.length - yes} no in ${options.label}; ${options.folds} folds need at least ${options.folds} of each.`,
    );
  }
  say(
    `${table.outcomes.length} rows, ${table.columns.length} features, ${yes} yes. ` +
      `Stratified ${options.folds}-fold; encodings and cuts are fitted inside each training part, nothing is resampled.`,
  );
  const scores = evaluatePropensity(table, options.folds, say);
  process.stdout.write(`${options.json === true ? JSON.stringify(scores, rounded) : text(scores)}\n`);
}

const text = (scores: readonly PropensityScores[]): string => inColumns([16, 10], [
  ['', 'auc', 'auprc', 'logloss'],
  ...scores.map(({ model, auc, auprc, logloss }) => [model, auc.toFixed(4), auprc.toFixed(4), logloss.toFixed(4)]),
]);

async function readTable(file: string, label: string): Promise<LabelledTable> {
  const raw: string[][] = [];
  const lineOf: number[] = [];
  const header = await readCsv(file, [], (cells, line) => {
    raw.push(cells);
    lineOf.push(line);
  });
  const at = header.indexOf(label);
  if (at < 0) throw new DataFileError(`${file} has no column ${label}; its columns are ${header.join(', ')}.`);
  if (raw.length === 0) throw new DataFileError(`${file} has no rows below its header.`);
  if (header.length < 2) throw new DataFileError(`${file} has no column besides the label ${label}.`);
  const outcomes = Uint8Array.from(raw, (cells, i) => outcomeOf(file, label, cells[at] ?? '', lineOf[i] ?? 0));
  const columns = header.filter((_, i) => i !== at);
  // A column is numeric when every filled cell is: one stray word makes categories of them all, not gaps.
  const numeric = header.map((_, i) => raw.every((cells) => isNumber(cells[i] ?? '')));
  const rows = raw.map((cells) =>
    cells.map((cell, i): Value => valueOf(cell.trim(), numeric[i] === true)).filter((_, i) => i !== at),
  );
  return { columns, rows, outcomes };
}

function outcomeOf(file: string, label: string, cell: string, line: number): number {
  const word = cell.trim().toLowerCase();
  if (YES.has(word)) return 1;
  if (NO.has(word)) return 0;
  throw new DataFileError(`Line ${line} of ${file} has "${cell}" in ${label}, which is neither yes nor no.`);
}

function isNumber(cell: string): boolean {
  const text = cell.trim();
  return text === '' || Number.isFinite(Number(text));
}

function valueOf(cell: string, numeric: boolean): Value {
  if (cell === '') return undefined;
  return numeric ? Number(cell) : cell;
}
