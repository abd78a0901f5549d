/** `millrace evaluate reorder`: what stock levels would have cost on a file of sales. */
import { Command, InvalidArgumentError } from 'commander';
import { performance } from 'node:perf_hooks';
import { evaluateReorder, type ReorderEvaluation } from '../../models/evaluate/reorder.js';
import { wholeFrom } from './counts.js';
import { parseDate } from './dates.js';
import { rounded } from './report.js';
import { dateOf, inPeriods, readSales } from './sales-file.js';
import { DataFileError, tellingDataErrors } from './text-lines.js';

interface Options {
  sales: string;
  leadTimeDays: number;
  reviewDays: number;
  service: number;
  from?: number;
  json?: boolean;
}

export function evaluateReorderCommand(): Command {
  return new Command('reorder')
    .description('What base-stock levels would have cost on a CSV of sales (sku,date,units; gzip accepted): as corrected online, by the textbook, and in hindsight.')
    .requiredOption('--sales <file>', 'CSV with the columns sku, date (YYYY-MM-DD) and units')
    .option('--lead-time-days <days>', 'days from order to shelf', wholeFrom(0, 365), 7)
    .option('--review-days <days>', 'days between two orders', wholeFrom(0, 365), 7)
    .option('--service <percent>', 'percent of cycles to cover; a unit too few costs this, one too many the rest of 100', parsePercent, 95)
    .option('--from <date>', 'score cycles from this day on; levels learn from those before it', parseDate)
    .option('--json', 'print one JSON object')
    .action(tellingDataErrors(run));
}

async function run({ sales: file, leadTimeDays, reviewDays, service, from, json }: Options): Promise<void> {
  const began = performance.now();
  const sales = await readSales(file);
  const { table, periodOf } = inPeriods(sales, { name: 'day', length: 1 });
  const cycleDays = leadTimeDays + reviewDays;
  if (cycleDays === 0) throw new DataFileError('Lead time and review are both 0 days: then no stock is needed.');
  const protocol = { lead_time_days: leadTimeDays, review_days: reviewDays, service: service / 100, from: dateOf(from ?? sales.firstDay), warm_up_days: 56, least_selling_days: 10 };
  process.stderr.write(`${table.skus} SKUs, ${dateOf(sales.firstDay)} to ${dateOf(sales.lastDay)}. Cycles of ${cycleDays} days from ${protocol.from}, ` +
    'of SKUs first sold at least 56 days before with 10 selling days or more.\n');
  const result = evaluateReorder(table, { cycleDays, service: service / 100, scoredFrom: from === undefined ? 0 : periodOf(from), firstDay: sales.firstDay });
  if (result.cycles === 0) throw new DataFileError(`No SKU of ${file} has sold for long enough before a cycle to be scored.`);
  const report = { ...result, seconds: (performance.now() - began) / 1000, protocol };
  process.stdout.write(json === true ? `${JSON.stringify(report, rounded)}\n` : text(report));
}

function text({ skus, cycles, cost, covered, seconds }: ReorderEvaluation & { seconds: number }): string {
  const row = (name: string, value: number, what: string): string => `${name.padEnd(12)}${value.toFixed(0).padStart(12)}${(value / cost.textbook).toFixed(3).padStart(12)}  ${what}`;
  return [
    `${'level'.padEnd(12)}${'cost'.padStart(12)}${'÷ textbook'.padStart(12)}`,
    row('textbook', cost.textbook, `quantile of the forecast; covered ${(100 * covered.textbook).toFixed(1)} % of ${cycles} cycles of ${skus} SKUs`),
    row('served', cost.served, 'the same, corrected by the cycles before where that has paid'),
    row('learned', cost.learned, 'the same, always corrected'),
    row('simple', cost.simple, `mean and z deviations of the last 56 days; covered ${(100 * covered.simple).toFixed(1)} %`),
    row('hindsight', cost.hindsight, 'the best fixed level of each SKU, known afterwards'),
    `${seconds.toFixed(1)} s in all`,
    '',
  ].join('\n');
}

function parsePercent(value: string): number {
  const percent = Number(value);
  if (value.trim() === '' || !(percent >= 0 && percent <= 99.99)) throw new InvalidArgumentError('It must be a percentage from 0 to 99.99: no stock covers every demand.');
  return percent;
}
