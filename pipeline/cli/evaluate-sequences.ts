/** `millrace evaluate sequences`: what a sequence network would add to the ranker, and at what cost. */
import { Command, InvalidArgumentError } from 'commander';
import { performance } from 'node:perf_hooks';
import { loadFastest, tellBackend } from '../../infra/tensorflow/backend.js';
import { sequenceSlopes } from '../../infra/tensorflow/sequence-encoder.js';
import type { RankingMetrics } from '../../models/evaluate/ranking-metrics.js';
import { defaults, evaluateSequenceFeature } from '../../models/evaluate/sequence-feature.js';
import * as itemIndex from '../../models/item-index.js';
import { noMetrics } from '../core/metrics.js';
import { wholeFrom } from './counts.js';
import { rounded } from './report.js';
import { everyPrefix, readTestSessions, readTrainSessions } from './session-files.js';
import { DataFileError, tellingDataErrors } from './text-lines.js';

interface Options {
  readonly train: string;
  readonly test?: string;
  readonly rate: number;
  readonly passes: number;
  readonly seed: number;
  readonly json?: boolean;
}

export function evaluateSequencesCommand(): Command {
  return new Command('sequences')
    .description('Evaluate a sequence network as a feature of the ranker, with and without it on the same candidates, frozen.')
    .requiredOption('--train <file>', 'sessions to learn, as for evaluate recommendations')
    .option('--test <file>', 'what to ask; without it the last tenth of the train sessions is asked, and not learned')
    .option('--rate <number>', 'the network\'s step size', parseRate, defaults.rate)
    .option('--passes <count>', 'how often the network learns each block of sessions', wholeFrom(1), defaults.passes)
    .option('--seed <number>', 'decides all chance', wholeFrom(1), defaults.seed)
    .option('--json', 'print one JSON object')
    .action(tellingDataErrors(run));
}

async function run({ train: trainFile, test: testFile, rate, passes, seed, json }: Options): Promise<void> {
  const began = performance.now();
  const index = itemIndex.init();
  const all = await readTrainSessions(trainFile, index);
  const train = testFile === undefined ? all.slice(0, Math.floor(all.length * 0.9)) : all;
  const test = testFile === undefined ? everyPrefix(all.slice(train.length), `The last tenth of ${trainFile}`) : await readTestSessions(testFile, index);
  const say = (fields: object, sentence: string): void => void process.stderr.write(`${sentence} ${JSON.stringify(fields)}\n`);
  const tensorflow = await loadFastest();
  tellBackend(tensorflow, { metrics: noMetrics, journal: { debug: () => {}, info: say, warn: say, error: say } });
  const scores = evaluateSequenceFeature(train, test, sequenceSlopes(tensorflow), { ...defaults, rate, passes, seed }, {
    now: () => performance.now() * 1000,
    progress: (sentence) => void process.stderr.write(`${sentence}\n`),
  });
  if (scores.steps === 0) throw new DataFileError(`${trainFile} has too few sessions to teach the network a single step: it learns from the second block of ${defaults.block} sessions on.`);
  const figures = {
    n: scores.with.n,
    without: shown(scores.without), with: shown(scores.with), alone: shown(scores.alone),
    precision_gain: scores.hitGain, precision_gain_error: scores.hitGainError, mrr_gain: scores.mrrGain, mrr_gain_error: scores.mrrGainError,
    rate, passes, seed, steps: scores.steps, train_us_an_event: scores.trainUsAnEvent, query_us_mean: scores.queryUsMean,
    backend: tensorflow.backend, seconds: (performance.now() - began) / 1000,
    protocol:
      `Learned ${train.length} sessions once, in file order and in blocks, each block ${passes === 1 ? 'once' : `${passes} times`} by the network (seed ${seed}); two rankers had the same lessons on the same candidates, one with the network's two columns. ` +
      `Ranked after each of ${scores.with.n} prefixes, frozen. alone: the same candidates by the network's logit only. Errors are standard errors of the paired difference.`,
  };
  process.stdout.write(`${JSON.stringify(figures, rounded, json === true ? 0 : 2)}\n`);
}

const shown = ({ hitRate, mrr }: RankingMetrics): object => ({ precision_at_20: hitRate, mrr_at_20: mrr });

function parseRate(text: string): number {
  const rate = Number(text);
  if (!(rate > 0 && rate < 1)) throw new InvalidArgumentError('It is a number between 0 and 1.');
  return rate;
}
