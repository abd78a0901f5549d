/** `millrace evaluate forecasts`: rolling-origin accuracy of the demand forecaster on a file of sales. */
import { Command, Option } from 'commander';
import { performance } from 'node:perf_hooks';
import { evaluateForecasts, PROBABILITIES, type ForecastEvaluation, type Judged } from '../../models/evaluate/forecasts.js';
import { prequential, type Prequential } from '../../models/evaluate/prequential.js';
import type { ForecastScores } from '../../models/evaluate/forecast-metrics.js';
import type { Plan } from '../../models/forecast/planned-days.js';
import { cpuSeconds } from '../bench/bench.js';
import { COLUMNS, forecastsPage } from '../reports/forecasts.js';
import { parseCalendar } from '../shop-calendar.js';
import { parseCount, wholeFrom } from './counts.js';
import { parseDates } from './dates.js';
import { prequentialJson, prequentialProtocol, prequentialTable } from './prequential.js';
import { round, writePage } from './report.js';
import { dateOf, inPeriods, readSales, STEPS, stepOf, type Sales, type Step } from './sales-file.js';
import { statsforecastOf } from './statsforecast.js';
import { DataFileError, tellingDataErrors, textOf } from './text-lines.js';

interface Options {
  sales: string;
  cutoffs: readonly number[];
  horizon: number;
  season?: number;
  step: Step;
  calendar?: string;
  minHistoryDays: number;
  minSellingDays: number;
  prequential?: number | true;
  compare?: 'statsforecast';
  python: string;
  report?: string;
  json?: boolean;
}

export function evaluateForecastsCommand(): Command {
  return new Command('forecasts')
    .description('Evaluate demand forecasts on a CSV of sales (sku,date,units, and category if there is one; gzip accepted; missing days are zero).')
    .requiredOption('--sales <file>', 'CSV with the columns sku, date (YYYY-MM-DD) and units')
    .requiredOption('--cutoffs <dates>', 'last known days, separated by commas', parseDates)
    .option('--horizon <periods>', 'periods to forecast after each cut-off', parseCount, 28)
    .option('--season <periods>', 'length of the season, also of the scale (default: 7 by day; 52 by week and 12 by month where a year and a half come before the first cut-off, else 1)', parseCount)
    .addOption(new Option('--step <step>', 'length of a period (auto: what the dates of the file show)').choices(STEPS).default('auto'))
    .option('--calendar <file>', 'days known in advance, as SHOP_CALENDAR has them: closed ones, holidays and promotions by name (daily sales only)')
    .option('--min-history-days <days>', 'score a SKU only if first sold this many days before the cut-off', wholeFrom(0, 10_000), 0)
    .option('--min-selling-days <periods>', 'score a SKU only if it sold in this many periods up to the cut-off', parseCount, 1)
    .option('--prequential [periods]', 'also judge intervals on every open period after this warm-up, by forecasts of 1 period, a quarter, half and a whole horizon before (two horizons)', parseCount)
    .addOption(new Option('--compare <name>', 'beside it, on the same series: Python\'s statsforecast (AutoETS, Theta, AutoCES, seasonal naive), which takes minutes').choices(['statsforecast']))
    .option('--python <path>', 'the Python of --compare', 'python3')
    .option('--report <file>', 'also write a page with plots (HTML, needs no network)')
    .option('--json', 'print one JSON object')
    .action(tellingDataErrors(run));
}

async function run(options: Options): Promise<void> {
  const began = performance.now();
  const say = (sentence: string): void => void process.stderr.write(`${sentence}\n`);
  const sales = await readSales(options.sales);
  const step = options.step === 'auto' ? stepOf(sales.days) : { name: options.step, length: options.step === 'week' ? 7 : 1 };
  const { table, periodOf, last } = inPeriods(sales, step);
  const { cutoffs } = options;
  cutoffs.forEach((day, i) => {
    checkCutoff(options.sales, day, sales, periodOf, last, options.horizon);
    const before = cutoffs[i - 1];
    if (before !== undefined && periodOf(before) === periodOf(day)) throw new DataFileError(`The cut-offs ${dateOf(before)} and ${dateOf(day)} lie in one ${step.name}: name one of them.`);
  });
  const season = options.season ?? usualSeason(step.name, periodOf(cutoffs[0]!) + 1);
  const plan = options.calendar === undefined ? undefined : await readPlan(options.calendar, step.name, periodOf);
  const stepDays = step.name === 'month' ? 30.4 : step.name === 'week' ? 7 : 1;
  const protocol = {
    cutoffs: cutoffs.map((day) => periodOf(day)),
    horizon: options.horizon,
    season,
    daysAPeriod: stepDays,
    minHistory: Math.round(options.minHistoryDays / stepDays),
    minSelling: options.minSellingDays,
    firstDay: step.name === 'day' ? sales.firstDay : undefined,
    plan,
  };
  const protocolText =
    `${table.skus} SKUs in ${table.periods} periods of a ${step.name}, ${dateOf(sales.firstDay)} to ${dateOf(sales.lastDay)}. ` +
      `Scored: SKUs with ${options.minSellingDays} selling periods or more, first sold at least ${options.minHistoryDays} days before the cut-off; ` +
      `periods up to and including the cut-off are known, missing ones are zero, quantiles 0.1 to 0.9; season ${season}.` +
      (plan ? ` Millrace was told ${plan.size} days in advance (${options.calendar}); the others were not.` : '');
  const warmUp = options.prequential === true ? 2 * options.horizon : options.prequential;
  if (warmUp !== undefined && warmUp >= table.periods) throw new DataFileError(`Nothing is left of ${options.sales} after a warm-up of ${warmUp} ${step.name}s: give --prequential less.`);
  say(protocolText);
  const result = evaluateForecasts(table, protocol, cpuSeconds, say, options.compare === 'statsforecast' ? statsforecastOf(options.python) : undefined);
  if (result.overall.series === 0) throw new DataFileError(`No series of ${options.sales} has enough sales before a cut-off to be scored.`);
  const judged = warmUp === undefined ? undefined : { result: prequential(table, protocol, warmUp, say), protocol: prequentialProtocol(warmUp, protocol.horizon, step.name) };
  const report = describe(result, judged?.result, {
    step: step.name,
    horizon: options.horizon,
    season,
    cutoffs: cutoffs.map(dateOf),
    seconds: (performance.now() - began) / 1000,
  });
  if (options.report !== undefined) {
    await writeReport(options.report, result, judged?.result, sales.names, {
      protocol: `${protocolText} Cut-offs ${cutoffs.map(dateOf).join(', ')}; ${options.horizon} periods ahead.${judged ? ` ${judged.protocol}` : ''}`,
      step: step.name, season,
    });
  }
  process.stdout.write(options.json === true ? `${JSON.stringify(report)}\n` : table_(result, judged, step.name, report.seconds));
}

/** A week of days; a year of weeks or months once it has been seen one and a half times. */
function usualSeason(step: Exclude<Step, 'auto'>, known: number): number {
  if (step === 'day') return 7;
  const year = step === 'week' ? 52 : 12;
  return known >= 1.5 * year ? year : 1;
}

interface JudgedDaily {
  readonly result: Prequential;
  readonly protocol: string;
}

function describe(
  result: ForecastEvaluation,
  daily: Prequential | undefined,
  protocol: { step: string; horizon: number; season: number; cutoffs: string[]; seconds: number },
) {
  const { seconds, ...rest } = protocol;
  return {
    ...judged(result.overall),
    seconds: round(seconds),
    protocol: rest,
    by_cutoff: result.cutoffs.map((scores, i) => ({ cutoff: protocol.cutoffs[i], ...rounded(scores) })),
    by_class: result.classes.map((scores) => ({ class: scores.class, ...judged(scores) })),
    ...(daily && { prequential: prequentialJson(daily) }),
    totals: result.totals.map((scores) => ({ of: scores.of, model: scores.model, ...rounded(scores) })),
    baselines: result.baselines.map((scores) => ({ model: scores.model, ...rounded(scores), cpu_seconds: round(scores.cpuSeconds) })),
    ...(result.rivals.length > 0 && { rivals: result.rivals.map((one) => ({ model: one.model, ...rounded(one), ...besideOurs(one, result) })) }),
    cpu_seconds: round(ourSeconds(result)),
    learn_cpu_seconds: round(result.learnSeconds),
    predict_cpu_seconds: round(result.predictSeconds),
    updates_per_cpu_second: Math.round(result.updates / Math.max(1e-9, result.learnSeconds)),
  };
}

/** Days known in advance, by period. */
async function readPlan(file: string, step: string, periodOf: (day: number) => number): Promise<Plan> {
  if (step !== 'day') throw new DataFileError(`--calendar names days, but the periods are those of a ${step}.`);
  let text = '';
  for await (const part of textOf(file)) text += part;
  const { plan, problems } = parseCalendar(text, file);
  if (problems.length > 0) throw new DataFileError(problems.join('\n'));
  return new Map([...plan].map(([day, planned]) => [periodOf(day), planned]));
}

async function writeReport(file: string, result: ForecastEvaluation, daily: Prequential | undefined, names: readonly string[], how: { protocol: string; step: string; season: number }): Promise<void> {
  const html = forecastsPage({
    ...how,
    ...result,
    daily,
    classes: result.classes.map((scores) => ({ ...scores, name: scores.class })),
    baselines: [...result.baselines, ...result.rivals].map((scores) => ({ ...scores, name: scores.model })),
    probabilities: PROBABILITIES,
    examples: result.examples.map((example) => ({ ...example, name: names[example.sku] ?? '' })),
  });
  await writePage(file, html);
}

/** From the first sale to the forecasts of all cut-offs. */
const ourSeconds = ({ learnSeconds, predictSeconds }: ForecastEvaluation): number => learnSeconds + predictSeconds;

/** Our error as a part of its: below 1, ours is better; and how many times our processor time it took, which hangs on no number of cores. */
function besideOurs(rival: ForecastScores & { seconds: number; cpuSeconds: number }, result: ForecastEvaluation) {
  return {
    our_sql_ratio: round(result.overall.sql / rival.sql), seconds: round(rival.seconds), cpu_seconds: round(rival.cpuSeconds),
    times_our_cpu_seconds: Math.round(rival.cpuSeconds / Math.max(1e-9, ourSeconds(result))),
  };
}

function rounded(scores: ForecastScores): ForecastScores {
  return {
    series: Math.round(scores.series),
    sql: round(scores.sql),
    wql: round(scores.wql),
    mase: round(scores.mase),
    rmsse: round(scores.rmsse),
    rmsse_pooled: round(scores.rmsse_pooled),
    bias: round(scores.bias),
    coverage_80: round(scores.coverage_80),
  };
}

const judged = (scores: Judged): Judged => ({ ...rounded(scores), coverage_80_shared: round(scores.coverage_80_shared) });

function table_(result: ForecastEvaluation, daily: JudgedDaily | undefined, step: string, seconds: number): string {
  const width = Math.max(40, ...result.rivals.map(({ model }) => model.length + 1));
  const row = (name: string, scores: ForecastScores): string =>
    name.padEnd(width) + COLUMNS.map((column) => format(column, scores[column]).padStart(13)).join('');
  const ours = (name: string, scores: Judged): string => row(name, scores) + format('coverage_80', scores.coverage_80_shared).padStart(20);
  const header = ''.padEnd(width) + COLUMNS.map((column) => column.padStart(13)).join('');
  const spent = (cpu: number): string => cpu.toFixed(2).padStart(13);
  return [
    header + 'coverage_80_shared'.padStart(20) + 'cpu_seconds'.padStart(13),
    ours('millrace', result.overall) + spent(ourSeconds(result)),
    ...result.classes.filter((scores) => scores.series > 0).map((scores) => ours(`  ${scores.class}`, scores)),
    ...result.baselines.map((scores) => row(scores.model, scores) + ''.padStart(20) + spent(scores.cpuSeconds)),
    ...result.rivals.map((one) => `${row(one.model, one)}${''.padStart(20)}${spent(one.cpuSeconds)}\n  ${Object.entries(besideOurs(one, result)).map(([name, value]) => `${name} ${value}`).join(', ')}`),
    ...(daily ? ['', prequentialTable(daily.result, daily.protocol, width)] : []),
    '',
    `Totals by ${step}, from the bottom up, beside textbook methods that see the total alone:`,
    header,
    ...result.totals.map((scores) => row(`${scores.of}: ${scores.model}`, scores)),
    `Processor time of millrace: ${result.learnSeconds.toFixed(2)} s to learn ${result.updates} periods of SKUs, once, ${result.predictSeconds.toFixed(2)} s to forecast; ${seconds.toFixed(1)} s in all by the wall`,
    '',
  ].join('\n');
}

function format(column: (typeof COLUMNS)[number], value: number): string {
  return Number.isFinite(value) ? value.toFixed(column === 'series' ? 0 : 4) : '–';
}

function checkCutoff(
  file: string,
  day: number,
  sales: Sales,
  periodOf: (day: number) => number,
  last: number,
  horizon: number,
): void {
  if (day < sales.firstDay) {
    throw new DataFileError(`The cut-off ${dateOf(day)} lies before the first day of ${file}, ${dateOf(sales.firstDay)}.`);
  }
  const beyond = periodOf(day) + horizon - last;
  // A closed day at the end is missing from the file and truly zero; a quarter of the horizon is not.
  if (beyond > Math.max(1, horizon / 4)) {
    throw new DataFileError(
      `The cut-off ${dateOf(day)} needs ${horizon} periods after it, but ${file} ends on ${dateOf(sales.lastDay)}, ${beyond} short.`,
    );
  }
}
