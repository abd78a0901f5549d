/** `millrace evaluate hours`: what learned hours are worth on a file of sales with times. */
import { Command } from 'commander';
import { performance } from 'node:perf_hooks';
import { evaluateHours, type HourEvaluation, type HourSales } from '../../models/evaluate/hours.js';
import { parseCount, wholeFrom } from './counts.js';
import { parseDates } from './dates.js';
import { inColumns, rounded } from './report.js';
import { dateOf, readSalesByHour, type Sales } from './sales-file.js';
import { DataFileError, tellingDataErrors } from './text-lines.js';

interface Options {
  sales: string;
  cutoffs: readonly number[];
  horizon: number;
  minHistoryDays: number;
  minSellingDays: number;
  json?: boolean;
}

export function evaluateHoursCommand(): Command {
  return new Command('hours')
    .description('What learned hours are worth on a CSV of sales with times (sku,date,units; gzip accepted): beside a day spread evenly over the hours in which the shop sells.')
    .requiredOption('--sales <file>', 'CSV with the columns sku, date (YYYY-MM-DDThh:mm by the clocks of the shop) and units')
    .requiredOption('--cutoffs <dates>', 'last known days, separated by commas', parseDates)
    .option('--horizon <days>', 'days to forecast after each cut-off', parseCount, 7)
    .option('--min-history-days <days>', 'score a SKU only if first sold this many days before the cut-off', wholeFrom(0, 10_000), 56)
    .option('--min-selling-days <days>', 'score a SKU only if it sold on this many days up to the cut-off', parseCount, 10)
    .option('--json', 'print one JSON object')
    .action(tellingDataErrors(run));
}

async function run({ sales: file, cutoffs, horizon, minHistoryDays, minSellingDays, json }: Options): Promise<void> {
  const began = performance.now();
  const sales = await readSalesByHour(file);
  for (const cutoff of cutoffs) {
    if (cutoff < sales.firstDay || cutoff + horizon > sales.lastDay) {
      throw new DataFileError(`The cut-off ${dateOf(cutoff)} needs a day before and ${horizon} days after it, but ${file} runs from ${dateOf(sales.firstDay)} to ${dateOf(sales.lastDay)}.`);
    }
  }
  process.stderr.write(`${sales.skus} SKUs, ${dateOf(sales.firstDay)} to ${dateOf(sales.lastDay)}. Hours of the ${horizon} days after each cut-off, with what was known at it, ` +
    `of SKUs first sold at least ${minHistoryDays} days before with ${minSellingDays} selling days or more.\n`);
  const result = evaluateHours(inOrder(sales), { cutoffs, horizon, minHistory: minHistoryDays, minSelling: minSellingDays });
  if (result.sold === 0) throw new DataFileError(`No SKU of ${file} that can be scored sold anything after a cut-off.`);
  const report = { ...result, seconds: (performance.now() - began) / 1000 };
  process.stdout.write(json === true ? `${JSON.stringify(report, rounded)}\n` : text(report));
}

function inOrder({ skus, sku, days, hours, units }: Sales): HourSales {
  const order = days.map((_, i) => i).toSorted((a, b) => days[a] - days[b] || hours[a] - hours[b]);
  const sorted = (of: readonly number[]): number[] => order.map((i) => of[i] ?? 0);
  return { skus, sku: sorted(sku), day: sorted(days), hour: sorted(hours), units: sorted(units) };
}

function text({ series, sold, profiles, seconds }: HourEvaluation & { seconds: number }): string {
  return [
    inColumns([14, 10, 10, 11, 10], [
      ['profile', 'log loss', 'WQL', 'shop WAPE', 'shop WQL', 'coverage'],
      ...profiles.map(({ profile, log_loss, wql, shop_wape, shop_wql, shop_coverage_80 }) =>
        [profile, ...[log_loss, wql, shop_wape, shop_wql, shop_coverage_80].map((score) => score.toFixed(4))]),
    ]),
    `${series} series, ${sold} hours in which one of them sold. ${seconds.toFixed(1)} s in all`,
    '',
  ].join('\n');
}
