/** `millrace evaluate cold-start`: whether items that nobody has clicked are found, in a simulated shop whose truth is known. */
import { Command } from 'commander';
import { performance } from 'node:perf_hooks';
import { loadFastest, tellBackend } from '../../infra/tensorflow/backend.js';
import { towerSlopes } from '../../infra/tensorflow/content-tower.js';
import { evaluateColdStart, K, type Visit } from '../../models/evaluate/cold-start.js';
import { simulatedShop, type SimulatedShop } from '../../producers/simulate.js';
import { noMetrics } from '../core/metrics.js';
import { wholeFrom } from './counts.js';

interface Options {
  readonly items: number;
  readonly shoppers: number;
  readonly views: number;
  readonly steps: number;
  readonly seed: number;
  readonly json?: boolean;
}

export function evaluateColdStartCommand(): Command {
  return new Command('cold-start')
    .description('Evaluate vectors told from content, for items that nobody has clicked, in a simulated shop whose truth is known.')
    .option('--items <count>', 'items of the shop; a fifth of them are cold', wholeFrom(1), 1_000)
    .option('--shoppers <count>', 'shoppers of the shop', wholeFrom(1), 1_000)
    .option('--views <count>', 'product views to learn from; a fourth as many more are asked about', wholeFrom(1), 60_000)
    .option('--steps <count>', 'steps of the content tower, 128 items each', wholeFrom(1), 300)
    .option('--seed <number>', 'decides the shop and all chance', wholeFrom(1), 1)
    .option('--json', 'print one JSON object; all measures are fractions from 0 to 1')
    .action(run);
}

async function run({ items, shoppers, views, steps, seed, json }: Options): Promise<void> {
  const began = performance.now();
  const say = (fields: object, sentence: string): void => void process.stderr.write(`${sentence} ${JSON.stringify(fields)}\n`);
  const tensorflow = await loadFastest();
  tellBackend(tensorflow, { metrics: noMetrics, journal: { debug: () => {}, info: say, warn: say, error: say } });
  const shop = simulatedShop({ seed, shoppers, items });
  const visits = visitsOf(shop, Math.ceil(views * 1.25));
  const numbers = new Map(shop.products.map(({ sku }, item) => [sku, item]));
  let left = views;
  const cut = visits.findIndex(({ items: viewed }) => (left -= viewed.length) < 0);
  const scores = evaluateColdStart({
    contents: shop.products.map(({ name, category, brand, price }) => ({ title: name, category, brand, price: Number(price) })),
    learned: visits.slice(0, cut),
    asked: visits.slice(cut),
    truthOf: (shopper, last) => {
      const chances = new Float64Array(items);
      for (const [sku, chance] of shop.truth.nextItem(shopper, shop.products[last].sku)) chances[numbers.get(sku) ?? 0] = chance;
      return chances;
    },
  }, towerSlopes(tensorflow), steps, seed);
  const seconds = Number(((performance.now() - began) / 1000).toFixed(2));
  const protocol =
    `A simulated shop (seed ${seed}) of ${scores.items} items and ${shoppers} shoppers. ${scores.cold} items are cold: their views are taken out of what is learned. ` +
    `Learned ${scores.learnedViews} views in one pass, then ${scores.steps} steps of the tower on the ${tensorflow.backend} backend; ` +
    `asked for ${scores.questions} later views of cold items, from the clicks before them in the visit. Recall@${K} among all items, and among the cold ones alone. ` +
    'Ties are broken by chance. random: no tower; category: the mean vector of the category; content: the tower; words: the tower without categories; truth: the shop\'s own probabilities.';
  if (json === true) {
    process.stdout.write(`${JSON.stringify({ ...scores, backend: tensorflow.backend, seconds, protocol })}\n`);
    return;
  }
  const rows = Object.entries(scores.recall).map(([name, { amongAll, amongCold }]) => `${name.padEnd(12)}${amongAll.toFixed(4).padStart(12)}${amongCold.toFixed(4).padStart(12)}`);
  const { ofItsCategory, byChance, recall } = scores.similar;
  const similar = `Of the ${K} items nearest to a cold one ${percent(ofItsCategory)} are of its category (by chance ${percent(byChance)}); a scan finds ${percent(recall.float32)} of them in single precision, ${percent(recall.int8)} in 8 bits.`;
  process.stdout.write(`${protocol}\n\n${'recall@20'.padEnd(12)}${'among all'.padStart(12)}${'among cold'.padStart(12)}\n${rows.join('\n')}\n${similar}\nseconds ${seconds}\n`);
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

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
