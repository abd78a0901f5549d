/** `millrace evaluate candidates`: what ranking a few candidates instead of all items costs, with filters and without. */
import { Command, InvalidArgumentError } from 'commander';
import { performance } from 'node:perf_hooks';
import { noneShown } from '../../consumers/shown-items.js';
import { evaluateCandidates, K, type Question, type Served } from '../../models/evaluate/candidate-recall.js';
import { clicksBefore } from '../../models/evaluate/recommenders.js';
import * as fusion from '../../models/fusion.js';
import * as itemIndex from '../../models/item-index.js';
import type { Catalogue } from '../serving/catalogue-search.js';
import { Ranking } from '../serving/rank.js';
import { wholeFrom } from './counts.js';
import { round, rounded } from './report.js';
import { readTestSessions, readTrainSessions } from './session-files.js';
import { DataFileError, tellingDataErrors } from './text-lines.js';

/** Clicks that a scorer looks at. */
const CONTEXT = 10;

interface Options {
  readonly train: string;
  readonly test: string;
  readonly filters: readonly number[];
  readonly questions: number;
  readonly json?: boolean;
}

export function evaluateCandidatesCommand(): Command {
  return new Command('candidates')
    .description('Evaluate what is served against ranking every item with the same ranker, without a filter and with filters that let a share of all items through.')
    .requiredOption('--train <file>', 'sessions to learn, as for evaluate recommendations')
    .requiredOption('--test <file>', 'what to ask, as for evaluate recommendations')
    .option('--filters <percents>', 'shares of all items that filters let through, in percent', parseShares, [1, 0.3, 0.05, 0.01])
    .option('--questions <count>', 'questions for each filter: every item is scored for each of them', wholeFrom(1), 500)
    .option('--json', 'print one JSON object; shares are fractions from 0 to 1')
    .action(tellingDataErrors(run));
}

async function run({ train: trainFile, test: testFile, filters, questions, json }: Options): Promise<void> {
  const began = performance.now();
  const index = itemIndex.init();
  const train = await readTrainSessions(trainFile, index);
  const items = Int32Array.from({ length: itemIndex.size(index) }, (_, item) => item);
  const asked = (await readTestSessions(testFile, index)).flatMap(({ queries }) => queries.map(({ prefix, target }): Question =>
    ({ recent: clicksBefore(prefix, prefix.length).slice(0, CONTEXT), target }))).filter(({ target }) => target < items.length);
  const served = servedBy(learnedFrom(train), items.length);
  const answers = filters.map((share) => evaluateCandidates(served, items, asked, share, questions));
  const none = answers.find(({ n }) => n === 0);
  if (none) throw new DataFileError(`Of the ${asked.length} questions of ${testFile} none asks for an item that ${percentOf(none.share)} of all items let through.`);
  const seconds = round((performance.now() - began) / 1000);
  const protocol =
    `Learned ${train.length} sessions of ${items.length} items, event by event as a server does, then nothing. Each question is a prefix of a test session whose next item was learned, is not the ` +
    `item clicked last and passes the filter. Beside the ${K} items served, the ${K} best of all that pass, scored by the same ranker. recall: the share of the latter that is served; ` +
    'score lost: how much lower the served ones score in the mean, in log odds; hit rate: how often the next item is among the served ones, and among the best of all. Filters let items through by number.';
  if (json === true) {
    process.stdout.write(`${JSON.stringify({ filters: answers.map(({ share, items: passing, n, recall, scoreLost, hitRate, exactHitRate }) => ({ share, items: passing, n, recall_at_20: recall, score_lost: scoreLost, hit_rate_at_20: hitRate, exact_hit_rate_at_20: exactHitRate })), seconds, protocol }, rounded)}\n`);
    return;
  }
  const head = ['filter', 'items', 'questions', 'recall@20', 'score lost', 'hit rate', 'of the exact'];
  const rows = answers.map(({ share, items: passing, n, recall, scoreLost, hitRate, exactHitRate }) =>
    [share === 1 ? 'none' : percentOf(share), passing, n, recall.toFixed(4), scoreLost.toFixed(3), hitRate.toFixed(4), exactHitRate.toFixed(4)]);
  process.stdout.write(`${protocol}\n\n${[head, ...rows].map((row) => row.map((cell) => String(cell).padStart(13)).join('')).join('\n')}\nseconds ${seconds}\n`);
}

const percentOf = (share: number): string => `${Number((100 * share).toFixed(4))} %`;

function learnedFrom(train: readonly Int32Array[]): fusion.Fusion {
  const state = fusion.init();
  const work = fusion.workspace();
  let events = 0;
  for (const session of train) {
    for (const [at, item] of session.entries()) {
      fusion.learn(state, clicksBefore(session, at), item, work);
      if (++events % 100_000 === 0) process.stderr.write(`Learned ${events} events.\n`);
    }
  }
  return state;
}

/** Answers as a scorer gives them, whose catalogue is the items that were learned. */
function servedBy(model: fusion.Fusion, size: number): Served {
  const catalogue: Catalogue = {
    size, isKnown: () => true, isDeleted: () => false, category: () => null, categories: () => [], brand: () => null, price: () => Number.NaN, inCategory: () => new Int32Array(0), watch: () => {},
  };
  const ranking = new Ranking({ model, shown: noneShown() }, catalogue);
  return {
    serve(recent, passing, isFiltered) {
      const isIn = new Uint8Array(size);
      for (const item of passing) isIn[item] = 1;
      const isRefused = (item: number): boolean => isIn[item] === 0 || item === recent[0];
      return ranking.rank(recent, K, { isRefused, listed: () => (isFiltered ? { lists: [passing], count: passing.length } : undefined) }).items;
    },
    score: (recent, items) => ranking.score(recent, items),
  };
}

function parseShares(text: string): number[] {
  const shares = text.split(',').map((percent) => Number(percent) / 100);
  if (!shares.every((share) => share > 0 && share <= 1)) throw new InvalidArgumentError('It must be percents from 0 to 100, with commas between them.');
  return shares;
}
