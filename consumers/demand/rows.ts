import { CLASS_NAMES, untrainedMixture, type Mixture } from '../../models/forecast/sku-forecast.js';
import type { Plan } from '../../models/forecast/planned-days.js';
import * as shop from '../../models/forecast/shop-demand.js';
import { init, type SkuSeries } from '../../models/forecast/sku-series.js';
import * as yearCourse from '../../models/forecast/year-course.js';
import { rows, type RowKind } from '../../pipeline/core/rows.js';
import type { DemandMember, DemandMixture, DemandPanel, DemandScore, DemandUnlisted, ShopSeason, ShopWindow, SkuDemand, Supply } from '../../schemas/types.js';

/** Quantile levels of every forecast. */
export const LEVELS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9] as const;

/** By SKU. */
export const demandRows = rows<SkuDemand>('demand', 'SkuDemand');
export const supplyRows = rows<Supply>('supply', 'Supply');
/** A series without sales, of a SKU of which a shortage or a promotion was told before its first one. */
export const unsoldRows = rows<SkuDemand>('unsold', 'SkuDemand');

/** Of a partition: they belong to no key. */
export const SHOP = '';
export const seasonRows = rows<ShopSeason>('season', 'ShopSeason');
export const windowRows = rows<ShopWindow>('window', 'ShopWindow');
export const mixtureRows = rows<DemandMixture>('mixture', 'DemandMixture');

/** Forecasts that wait for their days, by (origin, SKU), and the SKUs to choose them from, by (part of the panel, SKU). */
export const panelRows = rows<DemandPanel>('panel', 'DemandPanel');
export const unlistedRows = rows<DemandUnlisted>('unlisted', 'DemandUnlisted');
export const memberRows = rows<DemandMember>('member', 'DemandMember');
export const PARTS = 64;
export const panelKey = (origin: number): string => `#${origin}`;
export const memberKey = (part: number): string => `#part-${part}`;

export const floatsOf = (bytes: Buffer): Float32Array => {
  const floats = new Float32Array(bytes.length >> 2);
  new Uint8Array(floats.buffer).set(bytes.subarray(0, floats.byteLength));
  return floats;
};

export const bytesOf = (floats: Float32Array): Buffer => Buffer.from(floats.buffer, floats.byteOffset, floats.byteLength);

export const seriesOf = (row: SkuDemand): SkuSeries => ({ ...row, folded: floatsOf(row.folded) });

/** What a row keeps beside the series. */
export type Published = Pick<SkuDemand, 'publishedAt' | 'suggestedDay' | 'suggestedUnits' | 'suggestedOnOrder'>;
export const neverPublished: Published = { publishedAt: 0, suggestedDay: 0, suggestedUnits: 0, suggestedOnOrder: 0 };

export function demandRow(series: SkuSeries, { publishedAt, suggestedDay, suggestedUnits, suggestedOnOrder }: Published): SkuDemand {
  return { ...series, folded: bytesOf(series.folded), publishedAt, suggestedDay, suggestedUnits, suggestedOnOrder };
}

/** A series that begins on a day, with what was told of stock and promotions before (`told`). */
export const unsold = (told: SkuDemand | undefined, day: number): SkuSeries => ({ ...init(day), ...(told && { shortages: told.shortages, promotions: told.promotions }) });

function seasonOf(row: ShopSeason | undefined): shop.ShopSeason {
  if (!row) return shop.init();
  const { season, learned, closedRun, level, slope, offset, periods, young, month, monthLearned, noise, year, sellers, events, past, saleMade, saleBeyond3, saleBeyond6, saleExpected, newcomers, wentOn } = row;
  return { index: { season: [...season], learned: [...learned], closedRun: [...closedRun], level, slope, offset, periods, young, month: [...month], monthLearned: [...monthLearned], noise, year: yearCourse.copyOf(year) }, sellers, events, past: floatsOf(past), saleMade, saleBeyond3, saleBeyond6, saleExpected, newcomers, wentOn };
}

export function seasonRow({ index, past, ...rest }: shop.ShopSeason, members: number): ShopSeason {
  return { ...index, ...rest, past: bytesOf(past), members };
}

export const untrainedScore: DemandScore = { samples: 0, covered: 0, pinball: 0, forecast: 0, actual: 0 };

export interface Taught extends Mixture {
  /** By demand class. */
  readonly scores: readonly DemandScore[];
}

export function taughtOf(row: DemandMixture | undefined): Taught {
  const fresh = untrainedMixture(LEVELS);
  if (!row) return { ...fresh, scores: CLASS_NAMES.map(() => untrainedScore) };
  fresh.mixer.loss.set(floatsOf(row.loss));
  fresh.mixer.variance.set(floatsOf(row.variance));
  fresh.mixer.weights.set(floatsOf(row.weights));
  fresh.tails.tail.set(row.tails);
  fresh.tails.target = row.target;
  fresh.shared = { level: row.shared, slope: row.sharedSlope };
  return { ...fresh, scores: row.scores };
}

export function mixtureRow({ mixer, tails, shared, scores }: Taught): DemandMixture {
  return {
    loss: bytesOf(Float32Array.from(mixer.loss)), variance: bytesOf(Float32Array.from(mixer.variance)), weights: bytesOf(Float32Array.from(mixer.weights)),
    tails: [...tails.tail], target: tails.target, shared: shared.level, sharedSlope: shared.slope, scores: [...scores],
  };
}

/** Reads rows of a partition: the task's own, or a view's. */
export type ReadShop = <T>(kind: RowKind<T>) => T | undefined;

export interface Shop {
  readonly season: shop.ShopSeason;
  readonly window: shop.ShopWindow;
  readonly taught: Taught;
  outlook(today: number): shop.Outlook;
}

const seasons = new WeakMap<object, shop.ShopSeason>();
const mixtures = new WeakMap<object, Taught>();
/** Of a shop that has judged no forecast yet, in which each new forecast would make it anew: that is most of what one costs. */
let untaught: Taught | undefined;
const outlooks = new WeakMap<object, { today: number; season: object | undefined; plan: Plan; outlook: shop.Outlook }>();

/** What SKUs share, as its rows have it now. Rows never change, so that what was made of one is made once. */
export function shopOf(read: ReadShop, plan: Plan): Shop {
  const ofSeason = read(seasonRows);
  const ofWindow = read(windowRows);
  const ofMixture = read(mixtureRows);
  const season = remembered(seasons, ofSeason, seasonOf);
  const window = ofWindow ?? shop.noWindow;
  return {
    season,
    window,
    get taught() { return ofMixture ? remembered(mixtures, ofMixture, taughtOf) : (untaught ??= taughtOf(undefined)); },
    outlook(today) {
      const known = outlooks.get(window);
      if (known && known.today === today && known.season === ofSeason && known.plan === plan) return known.outlook;
      const outlook = shop.outlook(season, window, today, plan);
      outlooks.set(window, { today, season: ofSeason, plan, outlook });
      return outlook;
    },
  };
}

function remembered<K extends object, V>(memory: WeakMap<K, V>, key: K | undefined, make: (key: K | undefined) => V): V {
  const known = key && memory.get(key);
  if (known) return known;
  const made = make(key);
  if (key) memory.set(key, made);
  return made;
}

