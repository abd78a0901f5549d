/** `millrace evaluate stock`: what shelves would have held and missed, had a shop ordered what it is told to. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { performance } from 'node:perf_hooks';
import { evaluateStock, type StockProtocol, type StockScore } from '../../models/evaluate/stock.js';
import type { Policy } from '../../models/inventory/reorder-policies.js';
import { REORDER_POLICIES, type ReorderPolicy } from '../../schemas/ordering.js';
import { wholeFrom } from './counts.js';
import { parseDate } from './dates.js';
import { inColumns, percent, rounded } from './report.js';
import { dateOf, inPeriods, readSales } from './sales-file.js';
import { DataFileError, tellingDataErrors } from './text-lines.js';

interface Options {
  sales: string;
  policy: ReorderPolicy;
  service: number;
  leadTimeDays: number;
  leadTimeDeviationDays: number;
  reviewDays: number;
  coverDays: number;
  packSize: number;
  minimumUnits: number;
  from?: number;
  json?: boolean;
}

export function evaluateStockCommand(): Command {
  return new Command('stock')
    .description('What shelves would have held and missed on a CSV of sales (sku,date,units; gzip accepted), had each SKU been ordered as suggested: by the forecast, and by its last 56 days.')
    .requiredOption('--sales <file>', 'CSV with the columns sku, date (YYYY-MM-DD) and units: what customers want')
    .addOption(new Option('--policy <name>', 'how it is ordered').choices(REORDER_POLICIES).default('periodic'))
    .option('--service <percent>', 'percent of cycles to cover', numberFrom(0, 99.99), 95)
    .option('--lead-time-days <days>', 'days from order to shelf', numberFrom(0, 365), 7)
    .option('--lead-time-deviation-days <days>', 'their standard deviation', numberFrom(0, 365), 0)
    .option('--review-days <days>', 'days between two orders (periodic)', wholeFrom(1, 365), 7)
    .option('--cover-days <days>', 'days that one order should last (reorder-point), or that are left to sell (newsvendor)', wholeFrom(1, 365), 14)
    .option('--pack-size <units>', 'units of a pack', numberFrom(1, 1e9), 1)
    .option('--minimum-units <units>', 'least units of an order', numberFrom(0, 1e9), 0)
    .option('--from <date>', 'count from this day on; shelves are kept before it, too', parseDate)
    .option('--json', 'print one JSON object')
    .action(tellingDataErrors(run));
}

async function run(options: Options): Promise<void> {
  const began = performance.now();
  const sales = await readSales(options.sales);
  const { table, periodOf } = inPeriods(sales, { name: 'day', length: 1 });
  const { leadTimeDays: days, leadTimeDeviationDays: deviationDays, packSize, minimumUnits, service, from } = options;
  const protocol: StockProtocol = { policy: policyOf(options), order: { leadTime: { days, deviationDays }, packSize, minimumUnits }, service: service / 100, scoredFrom: from === undefined ? 0 : periodOf(from) };
  const { skus, forecast, history } = evaluateStock(table, { ...protocol, firstDay: sales.firstDay });
  if (forecast.cycles === 0) throw new DataFileError(`Nothing is ordered and delivered in ${options.sales} since ${dateOf(from ?? sales.firstDay)}: its SKUs have not sold for long enough, or are not to be covered.`);
  if (Number.isNaN(forecast.fill)) throw new DataFileError(`Of what is ordered nothing is sold in ${options.sales} since ${dateOf(from ?? sales.firstDay)}.`);
  const report = { skus, forecast, history, seconds: (performance.now() - began) / 1000, protocol: { ...protocol, from: dateOf(from ?? sales.firstDay) } };
  process.stdout.write(options.json === true ? `${JSON.stringify(report, rounded)}\n` : text(report));
}

function policyOf({ policy: kind, reviewDays, coverDays }: Options): Policy {
  switch (kind) {
    case 'periodic': return { kind, reviewDays };
    case 'reorder-point': return { kind, orderDays: coverDays };
    case 'newsvendor': return { kind, sellingDays: coverDays };
  }
}

function text({ skus, forecast, history, seconds }: { skus: number; forecast: StockScore; history: StockScore; seconds: number }): string {
  const row = (name: string, { covered, cycles, fill, stock, orders, left }: StockScore): (string | number)[] =>
    [name, percent(covered), percent(fill), stock.toFixed(2), orders.toFixed(2), percent(left), cycles];
  return [
    inColumns([10, 9, 9, 10, 8, 9], [
      ['ordered by', 'covered', 'sold', 'stock', 'orders', 'left', 'cycles'],
      row('forecast', forecast),
      row('history', history),
    ]),
    `${skus} SKUs. Covered: deliveries before which nothing was lost. Sold: of the units wanted. Stock: units of a SKU in the evening. Orders: of a SKU in four weeks. Left: thrown away, of the units wanted.`,
    `${seconds.toFixed(1)} s in all`,
    '',
  ].join('\n');
}

function numberFrom(least: number, most: number): (value: string) => number {
  return (value) => {
    const number = value.trim() === '' ? NaN : Number(value);
    if (!(number >= least && number <= most)) throw new InvalidArgumentError(`It must be a number from ${least} to ${most.toLocaleString('en')}.`);
    return number;
  };
}
