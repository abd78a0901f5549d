/**
 * Demand forecasts of a whole shop: calendar index → expert bank → mixing, one period after the other.
 *
 *   q̂_p(sku, t + h) = Σ_k w[class, p, k] q_k,p(sku; exposure(t + h))
 *
 * Learning a period costs O(1) a SKU. The mixture is judged at the horizon it is used at: every seventh period a panel of SKUs
 * leaves forecasts at six leads behind, and the weights of their demand classes learn from them as the days come in.
 * A class is (share of periods with a sale) × (falling, steady, rising). An untrained SKU answers zero.
 */
import * as bank from './expert-bank.js';
import { ALL, ask, EXPERTS } from './expert-quantiles.js';
import * as calendar from './calendar-index.js';
import { capped, type CappedSales } from './capped-sales.js';
import { learnRound, type Sample } from './judging.js';
import * as newcomers from './newcomers.js';
import * as plannedDays from './planned-days.js';
import { WEEKS, yearPlaceOf } from './year-course.js';
import { blankForecast as blank, classOf, GROUPS, groupOf, grownUpAt, meanShares, mixedMean, predictSku, untrainedMixture, type Mixture, type Period, type SkuForecast } from './sku-forecast.js';

export { CLASS_NAMES, type SkuForecast } from './sku-forecast.js';

const PANEL_SKUS = 400;
/** Panels under way at the same time. */
const PANELS = 4;
const PANEL_LEADS = [0.05, 0.2, 0.4, 0.6, 0.8, 1] as const;
/** Then days are corrected no more, where periods are days. */
const SETTLED_DAYS = 28;
export interface DemandForecaster extends Mixture {
  readonly horizon: number;
  readonly bank: bank.Bank;
  readonly index: calendar.CalendarIndex;
  readonly panels: Panel[];
  /** Memory of a panel that is over, for the next one. */
  spare: Float64Array;
  /** Periods that are known in advance. */
  readonly plan: plannedDays.Plan;
  /** What they are worth, by name. */
  readonly events: Record<string, plannedDays.EventEffect>;
  /** Day since 1970-01-01 of the first period; null where periods are no days. */
  readonly firstDay: number | null;
  /** Periods after which a SKU says something of the shop. */
  readonly grownUp: number;
  /** Period of each SKU's first sale, −1 before; its sales in the periods after, until it is grown up. */
  readonly first: Int32Array;
  readonly again: Uint8Array;
  newcomers: newcomers.Newcomers;
  /** By SKU: 1 once it has sold a part of a unit. */
  readonly byFractions: Uint8Array;
  skus: number;
  period: number;
}

interface Panel {
  readonly origin: number;
  readonly skus: Int32Array;
  readonly groups: Int32Array;
  readonly leads: readonly number[];
  /** Lead × SKU × expert × probability: those of one lead are judged together. */
  readonly quantiles: Float64Array;
  /** SKU × lead. */
  readonly means: Float64Array;
}

export function init(options: {
  skus: number;
  seasonPeriods: number;
  /** 1 where nothing is said. */
  daysAPeriod?: number;
  horizon: number;
  probabilities: readonly number[];
  /** Day since 1970-01-01 of the first period: without it days of the month are not told apart. */
  firstDay?: number;
  /** By period; none where nothing is said. */
  plan?: plannedDays.Plan;
}): DemandForecaster {
  return {
    horizon: options.horizon,
    bank: bank.init(options.skus, options.seasonPeriods, options.daysAPeriod),
    index: calendar.init(options.seasonPeriods),
    ...untrainedMixture(options.probabilities),
    panels: [],
    spare: new Float64Array(0),
    plan: options.plan ?? new Map(),
    events: {},
    firstDay: options.firstDay ?? null,
    grownUp: grownUpAt(options.daysAPeriod ?? 1),
    first: new Int32Array(options.skus).fill(-1),
    again: new Uint8Array(options.skus),
    newcomers: newcomers.noNewcomers,
    byFractions: new Uint8Array(options.skus),
    skus: options.skus,
    period: 0,
  };
}

/** Demand class of a SKU by how often it sells: an index into `CLASS_NAMES`. */
export const frequencyClass = (model: DemandForecaster, sku: number): number => classOf(model.bank, sku);

function placeOf({ bank: { seasonPeriods, daysAPeriod }, firstDay }: DemandForecaster, period: number): calendar.Place {
  const phase = period % seasonPeriods;
  if (firstDay !== null) return { phase, monthDay: calendar.monthDayOf(firstDay + period), year: yearPlaceOf(firstDay + period) };
  // A season of a year has phases of its own.
  const isCourse = daysAPeriod === 7 && seasonPeriods < WEEKS;
  return { phase, monthDay: -1, ...(isCourse && { year: { day: 7 * (period % WEEKS), days: 7 } }) };
}

/** What was made and would be expected of an ordinary period, in typical sales summed over the shop; what SKUs made that are too young for an expectation stands apart. */
function shopActivity(model: DemandForecaster, demand: Float64Array): { sales: CappedSales; sellers: number; young: number } {
  let made = 0;
  let beyond3 = 0;
  let beyond6 = 0;
  let sellers = 0;
  let young = 0;
  for (let sku = 0; sku < model.skus; sku++) {
    const units = demand[sku] ?? NaN;
    if (Number.isNaN(units)) continue;
    const level = bank.level(model.bank, sku, 2);
    const typical = level / bank.frequency(model.bank, sku, 2);
    if (bank.periods(model.bank, sku) < model.grownUp) {
      if (units > 0) young += typical > 0 ? Math.min(units / typical, 3) : 1;
      continue;
    }
    if (!(typical > 0)) continue;
    sellers += (bank.onSale(model.bank, sku, 1) * level) / typical;
    if (!(units > 0)) continue;
    const sale = capped(units / typical);
    made += sale.made;
    beyond3 += sale.beyond3;
    beyond6 += sale.beyond6;
  }
  return { sales: { made, beyond3, beyond6 }, sellers, young };
}

/** The shop's day first: what every SKU should learn it with. */
function learnShop(model: DemandForecaster, place: calendar.Place, demand: Float64Array): calendar.PeriodOutcome {
  const { sales, sellers, young } = shopActivity(model, demand);
  const planned = model.plan.get(model.period);
  if (!planned) return calendar.learn(model.index, place, sales.made, sellers, young);
  const outcome = plannedDays.learn(model.events, planned, model.index, place, sellers, sales, young);
  if (!outcome.closed && outcome.learned) model.events[planned.name] = outcome.learned;
  return outcome;
}

/** SKUs first sold four weeks ago, as the topology hears of them: when their days are corrected no more. */
function learnNewcomers(model: DemandForecaster, demand: Float64Array): void {
  const { first, again, period, grownUp } = model;
  const settled = Math.max(grownUp, Math.round(SETTLED_DAYS / model.bank.daysAPeriod));
  let [count, hits] = [0, 0];
  for (let sku = 0; sku < model.skus; sku++) {
    const since = first[sku]! < 0 ? 0 : period - first[sku]!;
    if (demand[sku]! > 0) {
      if (first[sku]! < 0) first[sku] = period;
      else if (since < grownUp) again[sku]!++;
    }
    if (since !== settled) continue;
    count++;
    hits += again[sku]!;
  }
  if (count === 0) return;
  model.newcomers = newcomers.learn(model.newcomers, count, hits, grownUp);
  bank.imagine(model.bank, newcomers.imaginedPeriods(model.newcomers));
}

/**
 * Learns one period. `demand[sku]` is NaN where the SKU is not yet sold, or where its demand could not show.
 */
export function learn(model: DemandForecaster, demand: Float64Array): void {
  const place = placeOf(model, model.period);
  const { phase } = place;
  learnNewcomers(model, demand);
  const outcome = learnShop(model, place, demand);
  if (outcome.closed) {
    for (let sku = 0; sku < model.skus; sku++) bank.learnClosed(model.bank, sku, phase);
  } else {
    learnRound(model, samplesOf(model, demand));
    for (let sku = 0; sku < model.skus; sku++) {
      const units = demand[sku] ?? NaN;
      if (Number.isNaN(units)) continue;
      bank.learn(model.bank, sku, units, outcome.exposure, phase);
      if (!Number.isInteger(units)) model.byFractions[sku] = 1;
    }
  }
  model.period++;
  while (model.panels.length > 0 && (model.panels[0]?.origin ?? 0) + model.horizon <= model.period) model.spare = model.panels.shift()?.quantiles ?? model.spare;
  if (model.period % Math.max(1, Math.round(model.horizon / PANELS)) === 0) leavePanel(model);
}

function periodAt(model: DemandForecaster, ahead: number): { exposure: number; phase: number; ahead: number } {
  const period = model.period + ahead - 1;
  const place = placeOf(model, period);
  const planned = model.plan.get(period);
  return { exposure: calendar.exposure(model.index, place, ahead) * (planned ? plannedDays.factorOf(model.events, planned, model.index.noise) : 1), phase: place.phase, ahead };
}

function leavePanel(model: DemandForecaster): void {
  const eligible: number[] = [];
  for (let sku = 0; sku < model.skus; sku++) {
    if (bank.periods(model.bank, sku) >= model.grownUp && bank.deviation(model.bank, sku) > 0) eligible.push(sku);
  }
  const step = Math.max(1, eligible.length / PANEL_SKUS);
  // Panels start at different SKUs, so that all are heard in turn.
  const start = (model.period * 0.618034) % 1;
  const chosen: number[] = [];
  for (let i = start * step; i < eligible.length; i += step) chosen.push(eligible[Math.floor(i)] ?? 0);
  if (chosen.length === 0) return;
  const leads = [...new Set(PANEL_LEADS.map((share) => Math.max(1, Math.round(share * model.horizon))))];
  const periods = periodsAhead(model, leads);
  const row = EXPERTS.length * model.probabilities.length;
  const needed = leads.length * chosen.length * row;
  const quantiles = model.spare.length >= needed ? model.spare : new Float64Array(needed);
  model.spare = new Float64Array(0);
  const groups = Int32Array.from(chosen, (sku) => groupOf(model.bank, sku));
  const means = new Float64Array(chosen.length * leads.length);
  const shares = Array.from({ length: GROUPS }, (_, group) => meanShares(model, group));
  let rows: Float64Array[] = [];
  chosen.forEach((sku, i) => {
    const said = ask(model.bank, sku, { periods, probabilities: model.probabilities, asked: ALL });
    // Every SKU's answers stand in the same place.
    if (i === 0) rows = leads.map((_, lead) => said.quantiles.subarray(lead * row, (lead + 1) * row));
    for (let lead = 0; lead < leads.length; lead++) {
      quantiles.set(rows[lead]!, (lead * chosen.length + i) * row);
      means[i * leads.length + lead] = mixedMean(shares[groups[i]!]!, said.means, lead * EXPERTS.length);
    }
  });
  model.panels.push({ origin: model.period, skus: Int32Array.from(chosen), groups, leads, quantiles, means });
}

/** What the panels under way said of the period that has just come. */
function* samplesOf(model: DemandForecaster, demand: Float64Array): Iterable<Sample> {
  const row = EXPERTS.length * model.probabilities.length;
  const now = model.period + 1;
  for (const panel of model.panels) {
    const lead = panel.leads.indexOf(now - panel.origin);
    if (lead < 0) continue;
    for (let i = 0; i < panel.skus.length; i++) {
      const sku = panel.skus[i] ?? 0;
      const actual = demand[sku] ?? NaN;
      const scale = bank.deviation(model.bank, sku);
      if (Number.isNaN(actual) || !(scale > 0)) continue;
      yield { group: panel.groups[i] ?? 0, scale, actual, onSale: 1, quantiles: panel.quantiles, at: (lead * panel.skus.length + i) * row, mean: panel.means[i * panel.leads.length + lead]!, far: (now - panel.origin) / model.horizon };
    }
  }
}

export const blankForecast = (model: DemandForecaster): SkuForecast => blank(model.horizon, model.probabilities.length);

const outlooks = new WeakMap<DemandForecaster, { period: number; periods: Period[] }>();

/** Made once a period: all SKUs share them. */
function periodsToCome(model: DemandForecaster): Period[] {
  const known = outlooks.get(model);
  if (known?.period === model.period) return known.periods;
  const periods = periodsAhead(model, Array.from({ length: model.horizon }, (_, i) => i + 1));
  outlooks.set(model, { period: model.period, periods });
  return periods;
}

/** Periods so far ahead of what is known: 1 is the next. */
export const periodsAhead = (model: DemandForecaster, leads: readonly number[]): Period[] => leads.map((lead) => periodAt(model, lead));

/** One SKU's forecast of the next `horizon` periods, or of these. Never changes the model. */
export function predict(model: DemandForecaster, sku: number, out: SkuForecast, periods: readonly Period[] = periodsToCome(model)): void {
  predictSku(model, model.bank, sku, periods, out, model.byFractions[sku] === 0);
}
