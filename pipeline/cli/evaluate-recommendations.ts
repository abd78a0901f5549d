/** `millrace evaluate recommendations`: how well the recommender guesses what a shopper turns to next. */
import { Command, InvalidArgumentError } from 'commander';
import { performance } from 'node:perf_hooks';
import { evaluateLeaveOneOut, evaluateSessions, type Mode, type Observer, type TestSession } from '../../models/evaluate/recommendations.js';
import { RECOMMENDERS, recommenderNamed, type RecommenderName } from '../../models/evaluate/recommenders.js';
import type { RankingMetrics } from '../../models/evaluate/ranking-metrics.js';
import * as itemIndex from '../../models/item-index.js';
import { readSplitSessions, readTestSessions, readTrainSessions, readUserEvents } from './session-files.js';
import { DataFileError } from './text-lines.js';

const MODES = ['frozen', 'prequential'] as const;
const SESSION_K = 20;
const LEAVE_ONE_OUT_K = 10;

interface Options {
  readonly train?: string;
  readonly test?: string;
  readonly testDays?: number;
  readonly leaveOneOut?: string;
  readonly mode: Mode;
  readonly model: RecommenderName;
  readonly json?: boolean;
}

export function evaluateRecommendationsCommand(): Command {
  return new Command('recommendations')
    .description('Evaluate recommendations on files of sessions, or by leaving out the last item of each user.')
    .option('--train <file>', 'sessions to learn, in order: JSON lines [item, item, …], or a table of clicks as YooChoose, Diginetica or RetailRocket publish it; gzip and pipes accepted')
    .option('--test <file>', 'what to ask: JSON lines [[prefix…], target], or such a table, of which every prefix is asked')
    .option('--test-days <days>', 'instead of --test: the sessions that ended in the last days of the train file are asked', parseDays)
    .option('--leave-one-out <file>', 'lines "user item" or "user item item …" in time order; the last item of each user is asked')
    .option('--mode <mode>', `${MODES.join(' or ')}: learn nothing after the train file, or each test session once it is scored`, parseMode, 'frozen')
    .option('--model <name>', RECOMMENDERS.join(', '), parseModel, 'fusion')
    .option('--json', 'print one JSON object; all measures are fractions from 0 to 1')
    .action(async (options: Options) => {
      try {
        await run(options);
      } catch (error) {
        if (!(error instanceof DataFileError)) throw error;
        process.stderr.write(`${error.message}\n`);
        process.exitCode = 1;
      }
    });
}

async function run(options: Options): Promise<void> {
  const began = performance.now();
  const observer: Observer = {
    now: () => performance.now() * 1000,
    progress: (sentence) => void process.stderr.write(`${sentence}\n`),
  };
  const seconds = (): number => round((performance.now() - began) / 1000);
  if (options.leaveOneOut !== undefined) {
    if (options.train !== undefined || options.test !== undefined || options.testDays !== undefined) {
      throw new DataFileError('Give either --leave-one-out or --train and --test, not both.');
    }
    print(await leaveOneOut(options.leaveOneOut, options.model, observer), seconds(), options);
    return;
  }
  print(await sessions(await readSessions(options), options, observer), seconds(), options);
}

interface Sessions {
  readonly train: Int32Array[];
  readonly test: TestSession[];
}

async function readSessions({ train, test, testDays }: Options): Promise<Sessions> {
  const index = itemIndex.init();
  if (train !== undefined && test !== undefined && testDays === undefined) {
    return { train: await readTrainSessions(train, index), test: await readTestSessions(test, index) };
  }
  if (train !== undefined && test === undefined && testDays !== undefined) return readSplitSessions(train, testDays, index);
  throw new DataFileError('Give --train and --test, or --train and --test-days, or --leave-one-out.');
}

interface Report {
  readonly protocol: string;
  readonly figures: Readonly<Record<string, number | string | readonly number[]>>;
}

async function sessions({ train, test }: Sessions, { mode, model }: Options, observer: Observer): Promise<Report> {
  const result = evaluateSessions(recommenderNamed(model, true), train, test, mode, SESSION_K, observer);
  const { metrics } = result;
  const later = mode === 'frozen' ? 'nothing is learned after it' : 'each test session is learned once its prefixes are scored';
  return {
    protocol:
      `Learned ${train.length} sessions (${result.trainEvents} events, ${result.items} items) in file order, in one pass; ${later}. ` +
      `Ranked all items after each of ${metrics.n} prefixes of ${test.length} test sessions, clicked ones included; ` +
      `a target that is not ranked is a miss, ties count against the model. precision_at_20 is the hit rate.`,
    figures: {
      model,
      mode,
      n: metrics.n,
      precision_at_20: round(metrics.hitRate),
      mrr_at_20: round(metrics.mrr),
      update_us_mean: round(result.updateUsMean),
      query_us_p50: round(result.queryUsP50),
      query_us_p99: round(result.queryUsP99),
      ...others(metrics, SESSION_K),
    },
  };
}

async function leaveOneOut(file: string, model: RecommenderName, observer: Observer): Promise<Report> {
  const index = itemIndex.init();
  const events = await readUserEvents(file, index);
  const { metrics, items } = evaluateLeaveOneOut(recommenderNamed(model, false), events, LEAVE_ONE_OUT_K, observer);
  if (metrics.n === 0) throw new DataFileError(`${file} has no user with two items, so there is nothing to leave out.`);
  return {
    protocol:
      `Learned ${events.length - metrics.n} events on ${items} items in file order, in one pass, and ranked all items for each of ${metrics.n} users, ` +
      `without those the user has had; the last item of each user is the target, ties count against the model.`,
    figures: {
      model,
      n: metrics.n,
      hit_rate_at_10: round(metrics.hitRate),
      ndcg_at_10: round(metrics.ndcg),
      mrr_at_10: round(metrics.mrr),
      ...others(metrics, LEAVE_ONE_OUT_K),
    },
  };
}

function others(metrics: RankingMetrics, k: number): Record<string, number | readonly number[]> {
  return {
    [`recall_at_${k}`]: round(metrics.hitRate),
    [`ndcg_at_${k}`]: round(metrics.ndcg),
    [`f1_at_${k}`]: round(metrics.f1),
    coverage: round(metrics.coverage),
    novelty_bits: round(metrics.novelty),
    hit_rate_95: metrics.hitRateInterval.map(round),
    mrr_95: metrics.mrrInterval.map(round),
    ndcg_95: metrics.ndcgInterval.map(round),
  };
}

function print({ protocol, figures }: Report, seconds: number, options: Options): void {
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify({ ...figures, seconds, protocol })}\n`);
    return;
  }
  const rows = Object.entries({ ...figures, seconds }).map(([name, value]) => `${name.padEnd(18)}${shown(value)}`);
  process.stdout.write(`${protocol}\n\n${rows.join('\n')}\n`);
}

function shown(value: number | string | readonly number[]): string {
  return typeof value === 'object' ? value.map((bound) => bound.toFixed(4)).join(' … ') : String(value);
}

function round(value: number): number {
  return Number(value.toFixed(5));
}

function parseMode(text: string): Mode {
  const mode = MODES.find((name) => name === text);
  if (mode === undefined) throw new InvalidArgumentError(`It is one of ${MODES.join(', ')}.`);
  return mode;
}

function parseDays(text: string): number {
  const days = Number(text);
  if (!(days > 0)) throw new InvalidArgumentError('It is a number of days above 0.');
  return days;
}

function parseModel(text: string): RecommenderName {
  const model = RECOMMENDERS.find((name) => name === text);
  if (model === undefined) throw new InvalidArgumentError(`It is one of ${RECOMMENDERS.join(', ')}.`);
  return model;
}
