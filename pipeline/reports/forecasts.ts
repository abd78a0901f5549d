/** The page of `evaluate forecasts --report`: series with their fans, calibration, error by horizon and class, and baselines. */
import type { Calibration } from '../../models/evaluate/forecast-calibration.js';
import type { Example } from '../../models/evaluate/forecast-detail.js';
import type { Prequential } from '../../models/evaluate/prequential.js';
import type { ForecastScores } from '../../models/evaluate/forecast-metrics.js';
import { figure, page, plots, table } from './page.js';
import { fanPlot, linePlot, percent, type Axes, type Point } from './plots.js';

export interface Named extends ForecastScores {
  readonly name: string;
}

export interface ForecastsReport {
  readonly protocol: string;
  /** 'day', 'week' or 'month'. */
  readonly step: string;
  readonly season: number;
  readonly overall: ForecastScores;
  readonly classes: readonly Named[];
  readonly baselines: readonly Named[];
  readonly horizons: readonly { readonly name: string; readonly sql: readonly number[] }[];
  readonly calibration: readonly Calibration[];
  /** Intervals judged period after period, where that was asked for. */
  readonly daily?: Prequential;
  readonly probabilities: readonly number[];
  readonly examples: readonly (Example & { readonly name: string })[];
}

const KINDS: Readonly<Record<Example['kind'], string>> = {
  steady: 'A steady seller', intermittent: 'Sold now and then', trending: 'A level that moves', dead: 'No longer sold',
};
/** Scores beside each other, here and on the console. */
export const COLUMNS = ['series', 'sql', 'wql', 'mase', 'rmsse', 'bias', 'coverage_80'] as const;

export function forecastsPage(report: ForecastsReport): string {
  const { overall, protocol, step, baselines, classes } = report;
  const rival = baselines.reduce((best, one) => (one.sql < best.sql ? one : best), baselines[0]);
  return page({
    title: 'Demand forecasts against what was sold',
    protocol,
    figures: [
      { name: 'Series', value: overall.series.toFixed(0), note: 'a cut-off' },
      { name: 'SQL', value: shown(overall.sql), note: rival === undefined ? '' : `${rival.name}: ${shown(rival.sql)}` },
      { name: 'WQL', value: shown(overall.wql) },
      { name: 'MASE', value: shown(overall.mase) },
      { name: 'RMSSE', value: shown(overall.rmsse) },
      { name: 'Bias', value: percent(overall.bias), note: 'of units sold' },
      { name: '80 % interval holds', value: percent(overall.coverage_80), note: 'of open periods' },
      ...(report.daily ? [{ name: `80 % interval, every ${step}`, value: percent(report.daily.overall.coverage_80), note: `ties shared: ${percent(report.daily.overall.coverage_80_shared)}` }] : []),
    ],
    sections: [
      plots(report.examples.map((example) => figure(`${KINDS[example.kind]}: ${example.name}`, fan(example, report), 'Line and bands: median, 60 % and 80 % interval. Dots: what was sold then.'))),
      plots([calibrationOf(report.calibration), byHorizon(report), ...(report.daily ? [heldByLead(report.daily, step)] : [])]),
      table('Beside the baselines of the same run', ['forecast', ...COLUMNS], [row('millrace', overall), ...baselines.map((one) => row(one.name, one))],
        'Smaller is better but for coverage; bias is signed. Means of the cut-offs.'),
      table('By how often a SKU sells', ['class', ...COLUMNS], [row('all', overall), ...classes.filter(({ series }) => series > 0).map((one) => row(one.name, one))],
        `Share of ${step}s with a sale, lately: rare under 10 %, slow to 30 %, frequent to 70 %, daily above.`),
    ],
  });
}

function fan({ history, actual, quantiles }: Example, { probabilities, season, step }: ForecastsReport): string {
  const n = probabilities.length;
  const shownPeriods = Math.min(history.length, 8 * Math.max(season, 4));
  const path = (values: ArrayLike<number>, from: number): Point[] => Array.from(values, (y, at) => ({ x: from + at, y }));
  const level = (p: number): number[] => Array.from(actual, (_, h) => quantiles[h * n + p]);
  const axes: Axes = { x: `${step}s from the cut-off`, y: 'units', showY: units };
  return fanPlot({
    history: path(history.subarray(-shownPeriods), 1 - shownPeriods),
    actual: path(actual, 1),
    median: path(level((n - 1) / 2), 1),
    bands: [{ low: level(0), high: level(n - 1) }, { low: level(1), high: level(n - 2) }],
  }, axes);
}

function calibrationOf(calibration: readonly Calibration[]): string {
  const axes: Axes = { x: 'quantile that was forecast', y: 'share of actuals below it', showX: percent, showY: percent };
  const line = (name: string, isMain: boolean, pick: (one: Calibration) => number): { name: string; isMain: boolean; points: Point[] } =>
    ({ name, isMain, points: calibration.map((one) => ({ x: one.probability, y: pick(one) })) });
  return figure('Calibration', linePlot([
    line('below it, ties shared out', true, (one) => one.shared), line('as promised', false, (one) => one.probability),
    line('below it', false, (one) => one.below), line('at or below it', false, (one) => one.atMost),
  ], axes), 'Units are whole numbers and often 0, so many equal the quantile: the blue line shares them out, and would lie on the promise.');
}

function byHorizon({ horizons, step }: ForecastsReport): string {
  const lines = horizons.map(({ name, sql }, at) => ({ name, isMain: at === 0, points: sql.map((y, h) => ({ x: h + 1, y })) }));
  const most = robustMost(horizons.map(({ sql }) => Math.max(...sql)));
  const beyond = horizons.flatMap(({ name, sql }) => {
    const at = sql.findIndex((value) => value > most);
    return at < 0 ? [] : [`${name} at ${step} ${at + 1} (up to ${units(Math.max(...sql))})`];
  });
  const caption = beyond.length === 0 ? '' : `The plot ends at ${units(most)}, where some lines leave it: ${beyond.join(', ')}.`;
  return figure('Error by horizon', linePlot(lines, { x: `${step}s ahead`, y: 'SQL', showY: units, most }), caption);
}

function heldByLead({ leads, classes }: Prequential, step: string): string {
  const line = (name: string, isMain: boolean, held: Prequential['leads'], of: 'coverage_80' | 'coverage_80_shared') =>
    ({ name, isMain, points: held.map((one) => ({ x: one.ahead, y: one[of] })) });
  const known = classes.filter(({ leads: ofClass }) => ofClass.every(({ forecasts }) => forecasts > 0));
  const lines = [
    line('all', true, leads, 'coverage_80'), line('all, ties shared', false, leads, 'coverage_80_shared'),
    ...known.map((one) => line(one.class, false, one.leads, 'coverage_80')),
  ];
  const least = Math.min(0.5, ...lines.flatMap(({ points }) => points.map(({ y }) => Math.floor(10 * y) / 10)));
  return figure('80 % intervals by lead', linePlot(lines, { x: `${step}s ahead`, y: 'share that held', showY: percent, least }),
    `Every open ${step} after the warm-up. Of what sells rarely even an interval of nothing but 0 holds more.`);
}

/** Twice the middle of the lines' highest values, of the first at least all of it: one hopeless line must not flatten the others. */
function robustMost(highest: readonly number[]): number {
  const sorted = highest.toSorted((a, b) => a - b);
  return Math.max(highest[0] ?? 0, 2 * (sorted[Math.floor((sorted.length - 1) / 2)] ?? 0));
}

function row(name: string, scores: ForecastScores): string[] {
  return [name, ...COLUMNS.map((column) => (column === 'series' ? scores.series.toFixed(0) : shown(scores[column])))];
}

const shown = (value: number): string => (Number.isFinite(value) ? value.toFixed(3) : '–');
const units = (value: number): string => Number(value.toPrecision(3)).toLocaleString('en');
