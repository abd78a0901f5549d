/** `millrace evaluate cold-start`: whether items that nobody has clicked are found, in files or in a simulated shop whose truth is known. */
import { Command } from 'commander';
import { performance } from 'node:perf_hooks';
import { loadFastest, tellBackend } from '../../infra/tensorflow/backend.js';
import { towerSlopes } from '../../infra/tensorflow/content-tower.js';
import { drawCold, evaluateColdStart, K, type ColdStartShop, type Visit } from '../../models/evaluate/cold-start.js';
import * as itemIndex from '../../models/item-index.js';
import { simulatedShop, type SimulatedShop } from '../../producers/simulate.js';
import { noMetrics } from '../core/metrics.js';
import { readContents } from './catalogue-file.js';
import { wholeFrom } from './counts.js';
import { inColumns, percent, round, rounded } from './report.js';
import { readSplitSessions } from './session-files.js';
import { DataFileError, tellingDataErrors } from './text-lines.js';

interface Options {
  readonly catalog?: string;
  readonly train?: string;
  readonly testDays: number;
  readonly items: number;
  readonly shoppers: number;
  readonly views: number;
  readonly steps: number;
  readonly seed: number;
  readonly json?: boolean;
}

/** A shop, and how it came about, in words. */
interface Told {
  readonly shop: ColdStartShop;
  readonly story: string;
}

export function evaluateColdStartCommand(): Command {
  return new Command('cold-start')
    .description('Evaluate vectors told from content, for items that nobody has clicked: those first clicked in the last days of a file, or a fifth of a simulated shop whose truth is known.')
    .option('--catalog <file>', 'what items say: CSV with sku, and name, category, brand, price as far as there are')
    .option('--train <file>', 'with --catalog: a table of clicks with times, as for evaluate recommendations')
    .option('--test-days <days>', 'of files: items first clicked in so many last days are cold, and the sessions that ended in these days are asked', wholeFrom(1), 30)
    .option('--items <count>', 'items of the simulated shop; a fifth of them are cold', wholeFrom(1), 1_000)
    .option('--shoppers <count>', 'shoppers of the simulated shop', wholeFrom(1), 1_000)
    .option('--views <count>', 'product views of the simulated shop to learn from; a fourth as many more are asked about', wholeFrom(1), 60_000)
    .option('--steps <count>', 'steps of the content tower, 128 items each', wholeFrom(1), 300)
    .option('--seed <number>', 'decides the simulated shop and all chance', wholeFrom(1), 1)
    .option('--json', 'print one JSON object; all measures are fractions from 0 to 1')
    .action(tellingDataErrors(run));
}

async function run(options: Options): Promise<void> {
  const { steps, seed, json } = options;
  const began = performance.now();
  const { shop, story } = await shopOf(options);
  const say = (fields: object, sentence: string): void => void process.stderr.write(`${sentence} ${JSON.stringify(fields)}\n`);
  const tensorflow = await loadFastest();
  tellBackend(tensorflow, { metrics: noMetrics, journal: { debug: () => {}, info: say, warn: say, error: say } });
  const scores = evaluateColdStart(shop, towerSlopes(tensorflow), steps, seed);
  if (scores.questions === 0) throw new DataFileError(`${story} Nobody who clicked one had clicked another item before it in the visit: there is nothing to ask.`);
  const seconds = round((performance.now() - began) / 1000);
  const protocol =
    `${story} Learned ${scores.learnedViews} views in one pass, then ${scores.steps} steps of the tower on the ${tensorflow.backend} backend, whose network is believed to ${percent(scores.trust)}; ` +
    `asked for ${scores.questions} later views of cold items, from the clicks before them in the visit. Recall@${K} among all items, and among the cold ones alone; ` +
    'behind each the standard error of its difference from category, by item. ' +
    'Ties are broken by chance. random: no tower; popularity: clicks; category: the mean vector of the category; nearest: the mean of the five items most alike by what they say; ' +
    'alike: the mean of all by the square of that likeness; content: the tower; words: the tower without categories; truth: the simulated shop\'s own probabilities.';
  if (json === true) {
    process.stdout.write(`${JSON.stringify({ ...scores, backend: tensorflow.backend, seconds, protocol }, rounded)}\n`);
    return;
  }
  const rows = Object.entries(scores.recall).map(([name, { amongAll, amongCold, errorAmongAll, errorAmongCold }]) =>
    [name, ...[amongAll, errorAmongAll, amongCold, errorAmongCold].map((share) => share.toFixed(4))]);
  const { ofItsCategory, byChance, recall } = scores.similar;
  const similar = `Of the ${K} items nearest to a cold one ${percent(ofItsCategory)} are of its category (by chance ${percent(byChance)}); a scan finds ${percent(recall.float32)} of them in single precision, ${percent(recall.int8)} in 8 bits.`;
  process.stdout.write(`${protocol}\n\n${inColumns([12, 12], [['recall@20', 'among all', '±', 'among cold', '±'], ...rows])}\n${similar}\nseconds ${seconds}\n`);
}

async function shopOf(options: Options): Promise<Told> {
  const { catalog, train } = options;
  if (catalog === undefined && train === undefined) return simulated(options);
  if (catalog === undefined || train === undefined) throw new DataFileError('Give --catalog and --train, or neither for the simulated shop.');
  return ofFiles(catalog, train, options.testDays);
}

async function ofFiles(catalog: string, train: string, testDays: number): Promise<Told> {
  const index = itemIndex.init();
  const files = await readSplitSessions(train, testDays, index);
  const contents = await readContents(catalog, index);
  const known = new Set(files.train.flatMap((clicks) => [...clicks]));
  const cold = contents.map((_, item) => !known.has(item));
  const visitOf = (clicks: Int32Array): Visit => ({ shopper: 0, items: [...clicks] });
  return {
    shop: { contents, cold, learned: files.train.map(visitOf), asked: files.test.map(({ clicks }) => visitOf(clicks)) },
    story: `${contents.length} items of ${catalog} and ${train}. The ${cold.filter(Boolean).length} that nobody clicked more than ${testDays} days before the last click are cold.`,
  };
}

function simulated({ items, shoppers, views, seed }: Options): Told {
  const shop = simulatedShop({ seed, shoppers, items });
  const visits = visitsOf(shop, Math.ceil(views * 1.25));
  const numbers = new Map(shop.products.map(({ sku }, item) => [sku, item]));
  let left = views;
  const cut = visits.findIndex(({ items: viewed }) => (left -= viewed.length) < 0);
  const cold = drawCold(items, seed);
  return {
    shop: {
      contents: shop.products.map(({ name, category, brand, price }) => ({ title: name, category, brand, price: Number(price) })),
      cold,
      learned: visits.slice(0, cut),
      asked: visits.slice(cut),
      truthOf: (shopper, last) => {
        const chances = new Float64Array(items);
        for (const [sku, chance] of shop.truth.nextItem(shopper, shop.products[last].sku)) chances[numbers.get(sku) ?? 0] = chance;
        return chances;
      },
    },
    story: `A simulated shop (seed ${seed}) of ${items} items and ${shoppers} shoppers. ${cold.filter(Boolean).length} items are cold: their views are taken out of what is learned.`,
  };
}

/** What shoppers viewed, visit by visit, in the order in which visits began. */
function visitsOf(shop: SimulatedShop, views: number): Visit[] {
  const numbers = new Map(shop.products.map(({ sku }, item) => [sku, item]));
  const open = new Map<number, number[]>();
  const visits: Visit[] = [];
  for (let time = 0, seen = 0; seen < views; time += 1_000) {
    const { call, odd } = shop.next(time);
    const id = call['anonymousId'];
    const shopper = typeof id === 'string' ? shop.truth.shopperOf(id) : undefined;
    if (odd !== undefined || shopper === undefined) continue;
    if (call['type'] === 'page') {
      const items: number[] = [];
      open.set(shopper, items);
      visits.push({ shopper, items });
    }
    const item = call['event'] === 'Product Viewed' ? numbers.get(skuIn(call['properties'])) : undefined;
    if (item === undefined) continue;
    open.get(shopper)?.push(item);
    seen++;
  }
  return visits;
}

function skuIn(properties: unknown): string {
  return typeof properties === 'object' && properties !== null && 'sku' in properties ? String(properties.sku) : '';
}
