/** The page of `evaluate recommendations --report`: hits by list length, session length and time, and the time a query takes. */
import type { Asked } from '../../models/evaluate/recommendations.js';
import { figure, page, plots, tall, type Figure } from './page.js';
import { barPlot, linePlot, percent, type Bar, type Line } from './plots.js';

/** One evaluated model; the page is about the first. */
export interface Evaluated {
  readonly model: string;
  readonly asked: Asked;
  readonly figures: Readonly<Record<string, number | string | readonly number[]>>;
}

export interface RecommendationsReport {
  readonly title: string;
  readonly protocol: string;
  /** Length of the list that the figures are about. */
  readonly k: number;
  readonly models: readonly Evaluated[];
  /** Whether queries were asked in the order of time, and can be drawn along it. */
  readonly isInTime: boolean;
}

const LENGTHS = [1, 2, 3, 4, 5, 7, 10, 15, 25, 50, 100, 200] as const;
const WINDOWS = 24;
/** Fewer would say more of chance than of the model. */
const LEAST_IN_WINDOW = 50;

export function recommendationsPage({ title, protocol, k, models, isInTime }: RecommendationsReport): string {
  const [main] = models;
  return page({
    title, protocol,
    figures: headOf(main, k),
    sections: [
      plots([
        figure('Hit rate by length of the list', linePlot(models.map((one, at) => ({ name: one.model, isMain: at === 0, points: byK(one.asked, k, 1) })), { x: 'k', y: 'Hit rate@k', showY: percent })),
        figure('MRR by length of the list', linePlot(models.map((one, at) => ({ name: one.model, isMain: at === 0, points: byK(one.asked, k, -1) })), { x: 'k', y: 'MRR@k', showY: percent })),
        figure(`Hit rate@${k} by known clicks`, barPlot(byLength(main.asked, k), { x: 'clicks known when asked', y: `Hit rate@${k}`, showY: percent }), 'With the 95 % interval of each bar.'),
        ...(isInTime ? [figure(`Hit rate@${k} along the test`, linePlot(models.map((one, at) => along(one, at === 0, k)), { x: 'share of the test asked so far', y: `Hit rate@${k}`, showX: percent, showY: percent }), `In ${windowsOf(main)} parts of equal size, in the order of the file.`)] : []),
        figure('Time a query takes', barPlot(histogram(main.asked.microseconds), { x: 'microseconds, up to', y: 'share of queries', showY: percent })),
        figure('Rank of what was chosen', barPlot(byRank(main.asked, k), { x: 'rank', y: 'share of queries', showY: percent }), `The rest was ranked below ${k}, or not at all.`),
      ]),
      tableOf(models),
    ],
  });
}

function headOf({ figures, model }: Evaluated, k: number): Figure[] {
  const interval = (name: string): string | undefined => {
    const bounds = figures[name];
    return typeof bounds === 'object' ? `95 %: ${bounds.map((bound) => (100 * bound).toFixed(1)).join(' to ')}` : undefined;
  };
  const number = (name: string): number => Number(figures[name] ?? 0);
  return [
    { name: 'Model', value: model, note: `${String(figures['n'])} queries` },
    { name: `Hit rate@${k}`, value: percentExact(number(`recall_at_${k}`)), note: interval('hit_rate_95') ?? '' },
    { name: `MRR@${k}`, value: percentExact(number(`mrr_at_${k}`)), note: interval('mrr_95') ?? '' },
    { name: `NDCG@${k}`, value: percentExact(number(`ndcg_at_${k}`)), note: interval('ndcg_95') ?? '' },
    { name: 'Catalogue shown', value: percent(number('coverage')), note: `novelty ${number('novelty_bits').toFixed(1)} bits` },
    { name: 'Query', value: `${number('query_us_p50').toFixed(0)} µs`, note: `99 % below ${number('query_us_p99').toFixed(0)} µs` },
  ];
}

const percentExact = (value: number): string => `${(100 * value).toFixed(2)} %`;

/** Σ rank^power over hits within k, a query: 1 counts hits (power 0 would), −1 gives reciprocal ranks. */
function byK({ ranks }: Asked, k: number, power: 1 | -1): { x: number; y: number }[] {
  const counts = new Float64Array(k + 1);
  for (const rank of ranks) if (rank >= 1 && rank <= k) counts[rank] += power === 1 ? 1 : 1 / rank;
  let sum = 0;
  return Array.from({ length: k }, (_, at) => ({ x: at + 1, y: (sum += counts[at + 1]) / Math.max(1, ranks.length) }));
}

function byLength({ ranks, lengths }: Asked, k: number): Bar[] {
  const n = new Int32Array(LENGTHS.length);
  const hits = new Int32Array(LENGTHS.length);
  ranks.forEach((rank, at) => {
    const bin = LENGTHS.findLastIndex((least) => lengths[at] >= least);
    n[bin]++;
    if (rank >= 1 && rank <= k) hits[bin]++;
  });
  return LENGTHS.map((least, bin): Bar => {
    const rate = hits[bin] / Math.max(1, n[bin]);
    const half = 1.96 * Math.sqrt((rate * (1 - rate)) / Math.max(1, n[bin]));
    const next = LENGTHS[bin + 1];
    const label = next === undefined ? `${least}+` : next === least + 1 ? String(least) : `${least}–${next - 1}`;
    return { label, value: rate, low: Math.max(0, rate - half), high: Math.min(1, rate + half), note: `${n[bin]} queries` };
  }).filter((_, bin) => n[bin] > 0);
}

const windowsOf = ({ asked: { ranks } }: Evaluated): number => Math.min(WINDOWS, Math.max(1, Math.floor(ranks.length / LEAST_IN_WINDOW)));

function along(one: Evaluated, isMain: boolean, k: number): Line {
  const { model, asked: { ranks } } = one;
  const windows = windowsOf(one);
  const points = Array.from({ length: windows }, (_, at) => {
    const part = ranks.subarray(Math.floor((at * ranks.length) / windows), Math.floor(((at + 1) * ranks.length) / windows));
    return { x: (at + 1) / windows, y: part.filter((rank) => rank >= 1 && rank <= k).length / Math.max(1, part.length) };
  });
  return { name: model, isMain, points };
}

/** Bins that double, from those that hold a thousandth of the queries on. */
function histogram(microseconds: Float64Array): Bar[] {
  const counts = new Map<number, number>();
  for (const value of microseconds) {
    const bin = Math.ceil(2 * Math.log2(Math.max(1, value)));
    counts.set(bin, (counts.get(bin) ?? 0) + 1);
  }
  const bins = [...counts].filter(([, count]) => count >= microseconds.length / 1000).map(([bin]) => bin);
  const first = Math.min(...bins);
  return Array.from({ length: Math.max(...bins) - first + 1 }, (_, at) => {
    const edge = 2 ** ((first + at) / 2);
    return { label: edge < 10_000 ? edge.toFixed(0) : `${(edge / 1000).toFixed(0)}k`, value: (counts.get(first + at) ?? 0) / microseconds.length };
  });
}

function byRank({ ranks }: Asked, k: number): Bar[] {
  const counts = new Int32Array(k + 1);
  for (const rank of ranks) if (rank >= 1 && rank <= k) counts[rank]++;
  return Array.from({ length: k }, (_, at) => ({ label: String(at + 1), value: counts[at + 1] / Math.max(1, ranks.length) }));
}

function tableOf(models: readonly Evaluated[]): string {
  const names = Object.keys(models[0].figures).filter((name) => typeof models[0].figures[name] === 'number');
  return tall('Every figure', ['', ...models.map(({ model }) => model)],
    names.map((name) => [name.replaceAll('_', ' '), ...models.map(({ figures }) => shown(name, Number(figures[name] ?? Number.NaN)))]));
}

function shown(name: string, value: number): string {
  if (name === 'n') return String(value);
  if (name.includes('_us_') || name === 'seconds' || name === 'novelty_bits') return value.toFixed(1);
  return value.toFixed(4);
}
