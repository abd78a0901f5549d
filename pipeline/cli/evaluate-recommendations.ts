/** `millrace evaluate recommendations`: how well the recommender guesses what a shopper turns to next. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { performance } from 'node:perf_hooks';
import { blockOf, evaluateLeaveOneOut, evaluateSessions, type Asked, type Mode, type Observer, type TestSession } from '../../models/evaluate/recommendations.js';
import { RECOMMENDERS, recommenderNamed, type Recommender, type RecommenderName } from '../../models/evaluate/recommenders.js';
import { recallAt, type RankingMetrics } from '../../models/evaluate/ranking-metrics.js';
import { inOneTime, type Histories } from '../../models/evaluate/user-order.js';
import * as itemIndex from '../../models/item-index.js';
import { recommendationsPage, type Evaluated } from '../reports/recommendations.js';
import { readCategories } from './catalogue-file.js';
import { inColumns, round, writePage } from './report.js';
import { readSplitSessions, readTestSessions, readTrainSessions } from './session-files.js';
import { DataFileError, tellingDataErrors } from './text-lines.js';
import { readUserEvents } from './user-histories.js';

const SESSION_K = 20;
const LEAVE_ONE_OUT_K = 10;
/** List lengths that shops have. */
const RECALL_AT = [5, 10, 20] as const;

interface Options {
  readonly train?: string;
  readonly test?: string;
  readonly testDays?: number;
  readonly leaveOneOut?: string;
  readonly categories?: string;
  readonly mode: Mode;
  readonly model: readonly RecommenderName[];
  readonly report?: string;
  readonly json?: boolean;
}

export function evaluateRecommendationsCommand(): Command {
  return new Command('recommendations')
    .description('Evaluate recommendations on files of sessions, or by leaving out the last item of each user.')
    .option('--train <file>', 'sessions to learn, in order: JSON lines [item, item, …], or clicks as YooChoose, Diginetica, RetailRocket, OTTO or RecBole have them; gzip and pipes accepted')
    .option('--test <file>', 'what to ask: JSON lines [[prefix…], target], or such a table, of which every prefix is asked')
    .option('--test-days <days>', 'instead of --test: the sessions that ended in the last days of the train file are asked', parseDays)
    .option('--leave-one-out <file>', 'events: a table with a header (user, item, timestamp; ratings are left aside), or lines "user item" or "user item item …" in time order; the last item of each user is asked')
    .option('--categories <file>', 'a table with a header (item, category): what the shop says of its items, for the recommender to rank by')
    .addOption(new Option('--mode <mode>', 'learn nothing after the train file, or each test session once it is scored').choices(['frozen', 'prequential']).default('frozen'))
    .addOption(new Option('--model <name>', `${RECOMMENDERS.join(', ')}, or all: fusion and each of them beside it`).argParser(parseModels).default(['fusion'], 'fusion'))
    .option('--report <file>', 'also write a page with plots (HTML, needs no network)')
    .option('--json', 'print one JSON object; all measures are fractions from 0 to 1')
    .action(tellingDataErrors(run));
}

async function run(options: Options): Promise<void> {
  const began = performance.now();
  const observer: Observer = {
    now: () => performance.now() * 1000,
    progress: (sentence) => void process.stderr.write(`${sentence}\n`),
  };
  const { ask, k, known } = await questions(options, observer);
  // Nobody's own items are asked for where they are left out.
  const models = options.model.length > 1 && options.leaveOneOut !== undefined ? options.model.filter((model) => model !== 'own-items') : options.model;
  const answers = models.map((model) => {
    if (options.model.length > 1) observer.progress(`Model ${model}.`);
    const answer = ask(model);
    // The others know no categories.
    return { ...answer, protocol: answer.protocol + (model === 'fusion' ? known : '') };
  });
  const seconds = round((performance.now() - began) / 1000);
  if (options.report !== undefined) await writeReport(options.report, answers, k, options);
  print(answers, seconds, options);
}

interface Answer extends Evaluated {
  readonly protocol: string;
}

/** What the options ask of each model. */
async function questions(options: Options, observer: Observer): Promise<{ ask: (model: RecommenderName) => Answer; k: number; known: string }> {
  if (options.leaveOneOut === undefined) {
    const index = itemIndex.init();
    const files = await readSessions(options, index);
    const categoryOf = await categoriesOf(options, index);
    return { ask: (model) => sessions(files, recommenderNamed(model, true, categoryOf), model, options.mode, observer), k: SESSION_K, known: toldOf(categoryOf) };
  }
  if (options.train !== undefined || options.test !== undefined || options.testDays !== undefined) {
    throw new DataFileError('Give either --leave-one-out or --train and --test, not both.');
  }
  const file = options.leaveOneOut;
  const index = itemIndex.init();
  const { events, isTimed } = await readUserEvents(file, index);
  const categoryOf = await categoriesOf(options, index);
  const histories = isTimed ? { events, order: 'in the order of their times' } : inFileOrder(inOneTime(events));
  return { ask: (model) => leaveOneOut(file, histories, recommenderNamed(model, false, categoryOf), model, observer), k: LEAVE_ONE_OUT_K, known: toldOf(categoryOf) };
}

const toldOf = ({ size }: ReadonlyMap<number, string>): string => (size > 0 ? ` The categories of ${size} items were known to the recommender.` : '');

async function categoriesOf({ categories }: Options, index: itemIndex.ItemIndex): Promise<ReadonlyMap<number, string>> {
  return categories === undefined ? new Map() : readCategories(categories, index);
}

const inFileOrder = ({ events, isSideBySide }: Histories): Ordered =>
  ({ events, order: isSideBySide ? 'users side by side (the file lists one after another, which is no order in time)' : 'in file order' });

interface Ordered extends Pick<Histories, 'events'> {
  /** The order of the events, in words. */
  readonly order: string;
}

interface Sessions {
  readonly train: Int32Array[];
  readonly test: TestSession[];
}

async function readSessions({ train, test, testDays }: Options, index: itemIndex.ItemIndex): Promise<Sessions> {
  if (train !== undefined && test !== undefined && testDays === undefined) {
    return { train: await readTrainSessions(train, index), test: await readTestSessions(test, index) };
  }
  if (train !== undefined && test === undefined && testDays !== undefined) return readSplitSessions(train, testDays, index);
  throw new DataFileError('Give --train and --test, or --train and --test-days, or --leave-one-out.');
}

function sessions({ train, test }: Sessions, recommender: Recommender, model: RecommenderName, mode: Mode, observer: Observer): Answer {
  const result = evaluateSessions(recommender, train, test, mode, SESSION_K, observer);
  const { metrics } = result;
  const later = mode === 'frozen'
    ? `nothing is learned after it, and so the ranker learned each ${blockOf(mode, train.length)} sessions before the sources did (a server learns event by event, as prequential does)`
    : 'each test session is learned once its prefixes are scored';
  return {
    model,
    asked: result.asked,
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
      sources_us_mean: round(result.sourcesUsMean),
      query_us_p50: round(result.queryUsP50),
      query_us_p99: round(result.queryUsP99),
      ...others(metrics, result.asked, SESSION_K),
    },
  };
}

function leaveOneOut(file: string, { events, order }: Ordered, recommender: Recommender, model: RecommenderName, observer: Observer): Answer {
  const result = evaluateLeaveOneOut(recommender, events, LEAVE_ONE_OUT_K, observer);
  const { metrics, asked, items, queryUsP50, queryUsP99 } = result;
  if (metrics.n === 0) throw new DataFileError(`${file} has no user with two items, so there is nothing to leave out.`);
  if (result.hadBefore === metrics.n) throw new DataFileError(`${file} has no user whose last item is new to them, so there is nothing to find: is every line there twice?`);
  return {
    model,
    asked,
    protocol:
      `Learned ${events.length - metrics.n} events on ${items} items in one pass, ` +
      `${order}, ` +
      `and ranked all items for each of ${metrics.n} users, without those the user has had; the last item of each user is the target` +
      `${result.hadBefore > 0 ? ` (${result.hadBefore} of them had it before: a miss)` : ''}, ties count against the model.`,
    figures: {
      model,
      n: metrics.n,
      hit_rate_at_10: round(metrics.hitRate),
      ndcg_at_10: round(metrics.ndcg),
      mrr_at_10: round(metrics.mrr),
      query_us_p50: round(queryUsP50),
      query_us_p99: round(queryUsP99),
      ...others(metrics, asked, LEAVE_ONE_OUT_K),
    },
  };
}

function others(metrics: RankingMetrics, { ranks }: Asked, k: number): Record<string, number | readonly number[]> {
  return {
    ...Object.fromEntries(RECALL_AT.map((at) => [`recall_at_${at}`, round(recallAt(ranks, at))])),
    [`list_precision_at_${k}`]: round(metrics.hitRate / k),
    [`ndcg_at_${k}`]: round(metrics.ndcg),
    [`f1_at_${k}`]: round(metrics.f1),
    coverage: round(metrics.coverage),
    novelty_bits: round(metrics.novelty),
    hit_rate_95: metrics.hitRateInterval.map(round),
    mrr_95: metrics.mrrInterval.map(round),
    ndcg_95: metrics.ndcgInterval.map(round),
  };
}

async function writeReport(file: string, answers: readonly Answer[], k: number, options: Options): Promise<void> {
  const [{ protocol, model }] = answers;
  const how = options.leaveOneOut === undefined ? options.mode : 'leave one out';
  const html = recommendationsPage({ title: `Recommendations: ${model}, ${how}`, protocol, k, models: answers, isInTime: options.leaveOneOut === undefined });
  await writePage(file, html);
}

/** The first model's figures; the others beside them where several were asked. */
function print(answers: readonly Answer[], seconds: number, options: Options): void {
  const [{ figures, protocol }, ...rest] = answers;
  if (options.json === true) {
    const models = rest.length > 0 ? { models: answers.map((answer) => answer.figures) } : {};
    process.stdout.write(`${JSON.stringify({ ...figures, seconds, protocol, ...models })}\n`);
    return;
  }
  const rows = Object.entries({ ...figures, seconds }).map(([name, value]) => `${name.padEnd(24)}${shown(value)}`);
  process.stdout.write(`${protocol}\n\n${rows.join('\n')}\n`);
  if (rest.length > 0) process.stdout.write(`\n${comparison(answers)}\n`);
}

function comparison(answers: readonly Answer[]): string {
  const columns = Object.keys(answers[0].figures).filter((name) => /^(precision|hit_rate|ndcg|mrr)_at|^coverage$/.test(name));
  return inColumns([16, 18], [['', ...columns], ...answers.map(({ model, figures }) => [model, ...columns.map((name) => shown(figures[name]))])]);
}

function shown(value: number | string | readonly number[]): string {
  return typeof value === 'object' ? value.map((bound) => bound.toFixed(4)).join(' … ') : String(value);
}

function parseDays(text: string): number {
  const days = Number(text);
  if (!(days > 0)) throw new InvalidArgumentError('It is a number of days above 0.');
  return days;
}

function parseModels(text: string): readonly RecommenderName[] {
  if (text === 'all') return RECOMMENDERS;
  const model = RECOMMENDERS.find((name) => name === text);
  if (model === undefined) throw new InvalidArgumentError(`It is one of ${RECOMMENDERS.join(', ')}, or all.`);
  return [model];
}
