/** `millrace evaluate compression`: what item vectors in 8 bits and a pruned ranker cost in quality, and save in memory. */
import { Command } from 'commander';
import { evaluateCompression } from '../../models/evaluate/compression.js';
import * as itemIndex from '../../models/item-index.js';
import { rounded } from './report.js';
import { readTestSessions, readTrainSessions } from './session-files.js';
import { tellingDataErrors } from './text-lines.js';

const SHARES = [0.3, 0.5, 0.7, 0.9];

interface Options {
  readonly train: string;
  readonly test: string;
  readonly json?: boolean;
}

export function evaluateCompressionCommand(): Command {
  return new Command('compression')
    .description('Evaluate what item vectors in 8 bits and a pruned ranker cost in quality, and save in memory; frozen.')
    .requiredOption('--train <file>', 'sessions to learn, as for evaluate recommendations')
    .requiredOption('--test <file>', 'what to ask')
    .option('--json', 'print one JSON array')
    .action(tellingDataErrors(run));
}

async function run({ train: trainFile, test: testFile, json }: Options): Promise<void> {
  const index = itemIndex.init();
  const train = await readTrainSessions(trainFile, index);
  const test = await readTestSessions(testFile, index);
  const all = evaluateCompression(train, test, SHARES, (sentence) => void process.stderr.write(`${sentence}\n`)).map((one) => ({
    variant: one.variant, precision_at_20: one.precision, mrr_at_20: one.mrr, precision_loss: one.precisionLoss, precision_loss_error: one.precisionLossError,
    bytes_before: one.bytesBefore, bytes_after: one.bytesAfter, ...(one.recall === undefined ? {} : { recall_at_20: one.recall }),
  }));
  if (json === true) {
    process.stdout.write(`${JSON.stringify(all, rounded)}\n`);
    return;
  }
  const questions = test.reduce((sum, { queries }) => sum + queries.length, 0);
  process.stdout.write(`Learned ${train.length} sessions in one pass; the same model asked after ${questions} prefixes, each time with less memory. Nothing is learned again.\n\n`);
  for (const one of all) process.stdout.write(`${one.variant.padEnd(34)}P@20 ${one.precision_at_20.toFixed(4)}  MRR@20 ${one.mrr_at_20.toFixed(4)}  loss ${one.precision_loss.toFixed(4)} ± ${one.precision_loss_error.toFixed(4)}  ${one.bytes_before} → ${one.bytes_after} bytes${one.recall_at_20 === undefined ? '' : `  recall@20 of the scan ${one.recall_at_20.toFixed(4)}`}\n`);
}
