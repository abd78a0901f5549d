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
import { EXPERTS, isLevel, predict as askExperts } from './expert-quantiles.js';
import * as calendar from './calendar-index.js';
import * as conformal from './conformal.js';
import * as mixing from './mixing.js';

export const CLASS_NAMES = ['rare', 'slow', 'frequent', 'daily'] as const;
const FREQUENCY_EDGES = [0.1, 0.3, 0.7] as const;
const MOMENTUM_EDGE = 0.3;
const MOMENTA = 3;
const PANEL_SKUS = 400;
/** Panels under way at the same time. */
const PANELS = 4;
const PANEL_LEADS = [0.05, 0.2, 0.4, 0.6, 0.8, 1] as const;
/** Weights of the experts before anything is known; the fast and the trending ones have to earn theirs. */
const PRIOR = [2, 5, 1, 0.5, 0.3, 0.1, 0.1, 0.3, 0.2, 0.1, 0.1] as const;
/**
 * The mean is mixed from the levels, by these shares and by what the quantiles have taught about them: squared losses of bulk
 * orders would teach weights nothing but noise.
 */
const MEAN_PRIOR = [0, 0, 0, 0, 0, 0, 0, 0.25, 0.25, 0, 0] as const;
const GROUPS = (FREQUENCY_EDGES.length + 1) * MOMENTA;
/** A SKU younger than this many periods says nothing about the shop, and is in no panel. */
const GROWN_UP = 14;
const COVERAGE = 0.8;
const FEW = 10;

export interface DemandForecaster {
  readonly probabilities: Float64Array;
  readonly horizon: number;
  readonly bank: bank.Bank;
  readonly index: calendar.CalendarIndex;
  readonly mixer: mixing.Mixer;
  readonly tails: conformal.Tails;
  readonly panels: Panel[];
  skus: number;
  period: number;
}

interface Panel {
  readonly origin: number;
  readonly skus: Int32Array;
  readonly groups: Int32Array;
  readonly leads: readonly number[];
  /** SKU × lead × expert × probability. */
  readonly quantiles: Float64Array;
}

export function init(options: {
  skus: number;
  seasonPeriods: number;
  horizon: number;
  probabilities: readonly number[];
}): DemandForecaster {
  return {
    probabilities: Float64Array.from(options.probabilities),
    horizon: options.horizon,
    bank: bank.init(options.skus, options.seasonPeriods),
    index: calendar.init(options.seasonPeriods),
    mixer: mixing.init(GROUPS, options.probabilities.length, PRIOR),
    tails: conformal.init(GROUPS, COVERAGE),
    panels: [],
    skus: options.skus,
    period: 0,
  };
}

/** Demand class by how often the SKU sells: an index into `CLASS_NAMES`. */
export function frequencyClass(model: DemandForecaster, sku: number): number {
  const share = bank.frequency(model.bank, sku, 1);
  let c = 0;
  while (c < FREQUENCY_EDGES.length && share >= (FREQUENCY_EDGES[c] ?? 1)) c++;
  return c;
}

function group(model: DemandForecaster, sku: number): number {
  const now = bank.level(model.bank, sku, 1);
  const usual = bank.level(model.bank, sku, 3);
  const often = Math.log((bank.frequency(model.bank, sku, 1) + 0.01) / (bank.frequency(model.bank, sku, 3) + 0.01));
  const much = usual > 0 ? Math.log((now + 0.1 * usual) / (1.1 * usual)) : 0;
  const momentum = (often + much) / 2;
  const direction = momentum < -MOMENTUM_EDGE ? 0 : momentum > MOMENTUM_EDGE ? 2 : 1;
  return frequencyClass(model, sku) * MOMENTA + direction;
}

/** How much of a typical sale was made and was expected, summed over the shop. */
function shopActivity(model: DemandForecaster, phase: number, demand: Float64Array): { made: number; expected: number } {
  const exposure = calendar.exposure(model.index, phase);
  let made = 0;
  let expected = 0;
  for (let sku = 0; sku < model.skus; sku++) {
    const units = demand[sku] ?? NaN;
    if (Number.isNaN(units) || bank.periods(model.bank, sku) < GROWN_UP) continue;
    const level = bank.level(model.bank, sku, 2);
    const typical = level / bank.frequency(model.bank, sku, 2);
    if (!(typical > 0)) continue;
    made += Math.min(Math.max(0, units) / typical, 3);
    expected += (level * exposure) / typical;
  }
  // A phase taken for closed has no expectation left: what the open ones sell is what reopening would mean.
  return { made, expected };
}

/**
 * Learns one period. `demand[sku]` is NaN where the SKU is not yet sold, or where its demand could not show.
 */
export function learn(model: DemandForecaster, demand: Float64Array): void {
  const phase = model.period % model.bank.seasonPeriods;
  const { made, expected } = shopActivity(model, phase, demand);
  const outcome = calendar.learn(model.index, phase, made, expected);
  if (!outcome.closed) {
    learnMixture(model, demand);
    for (let sku = 0; sku < model.skus; sku++) {
      const units = demand[sku] ?? NaN;
      if (!Number.isNaN(units)) bank.learn(model.bank, sku, units, outcome.exposure, phase);
    }
  }
  model.period++;
  while (model.panels.length > 0 && (model.panels[0]?.origin ?? 0) + model.horizon <= model.period) model.panels.shift();
  if (model.period % Math.max(1, Math.round(model.horizon / PANELS)) === 0) leavePanel(model);
}

function periodAt(model: DemandForecaster, ahead: number): { exposure: number; phase: number; ahead: number } {
  const phase = (model.period + ahead - 1) % model.bank.seasonPeriods;
  return { exposure: calendar.exposure(model.index, phase, ahead), phase, ahead };
}

function leavePanel(model: DemandForecaster): void {
  const eligible: number[] = [];
  for (let sku = 0; sku < model.skus; sku++) {
    if (bank.periods(model.bank, sku) >= GROWN_UP && bank.deviation(model.bank, sku) > 0) eligible.push(sku);
  }
  const step = Math.max(1, eligible.length / PANEL_SKUS);
  // Panels start at different SKUs, so that all are heard in turn.
  const start = (model.period * 0.618034) % 1;
  const chosen: number[] = [];
  for (let i = start * step; i < eligible.length; i += step) chosen.push(eligible[Math.floor(i)] ?? 0);
  if (chosen.length === 0) return;
  const leads = [...new Set(PANEL_LEADS.map((share) => Math.max(1, Math.round(share * model.horizon))))];
  const periods = leads.map((lead) => periodAt(model, lead));
  const row = leads.length * EXPERTS.length * model.probabilities.length;
  const quantiles = new Float64Array(chosen.length * row);
  const scratch = new Float64Array(row);
  const means = new Float64Array(leads.length * EXPERTS.length);
  chosen.forEach((sku, i) => {
    askExperts(model.bank, sku, periods, model.probabilities, scratch, means);
    quantiles.set(scratch, i * row);
  });
  const groups = Int32Array.from(chosen, (sku) => group(model, sku));
  model.panels.push({ origin: model.period, skus: Int32Array.from(chosen), groups, leads, quantiles });
}

function learnMixture(model: DemandForecaster, demand: Float64Array): void {
  const { mixer, probabilities, tails } = model;
  const n = probabilities.length;
  const experts = EXPERTS.length;
  const now = model.period + 1;
  const sums = new Float64Array(GROUPS * n * experts);
  const counts = new Float64Array(GROUPS);
  const misses = new Float64Array(GROUPS);
  const mixture = new Float64Array(n);
  for (const panel of model.panels) {
    const lead = panel.leads.indexOf(now - panel.origin);
    if (lead < 0) continue;
    const row = panel.leads.length * experts * n;
    for (let i = 0; i < panel.skus.length; i++) {
      const sku = panel.skus[i] ?? 0;
      const y = demand[sku] ?? NaN;
      const scale = bank.deviation(model.bank, sku);
      if (Number.isNaN(y) || !(scale > 0)) continue;
      const g = panel.groups[i] ?? 0;
      const at = i * row + lead * experts * n;
      counts[g] = (counts[g] ?? 0) + 1;
      mixing.mix(mixer, g, panel.quantiles, at, mixture, 0);
      const { low, high } = conformal.predict(tails, g, probabilities, mixture, 0);
      if (y < low || y > high) misses[g] = (misses[g] ?? 0) + 1;
      for (let p = 0; p < n; p++) {
        const q = mixture[p] ?? 0;
        const slope = ((y <= q ? 1 : 0) - (probabilities[p] ?? 0)) / scale;
        const sumsAt = (g * n + p) * experts;
        for (let k = 0; k < experts; k++) {
          sums[sumsAt + k] = (sums[sumsAt + k] ?? 0) + slope * ((panel.quantiles[at + k * n + p] ?? 0) - q);
        }
      }
    }
  }
  conformal.learnOverall(tails, sum(misses), sum(counts));
  const gradients = new Float64Array(experts);
  for (let g = 0; g < GROUPS; g++) {
    const count = counts[g] ?? 0;
    if (count === 0) continue;
    // A handful of SKUs must not swing what a class shares.
    const weight = count / (count + FEW);
    conformal.learn(tails, g, (misses[g] ?? 0) / count, weight);
    for (let p = 0; p < n; p++) {
      for (let k = 0; k < experts; k++) gradients[k] = (weight * (sums[(g * n + p) * experts + k] ?? 0)) / count;
      mixing.learn(mixer, g, p, gradients);
    }
  }
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}

export interface SkuForecast {
  /** Horizon × probability. */
  quantiles: Float64Array;
  means: Float64Array;
  /** The conformal 80 % interval of each period. */
  low: Float64Array;
  high: Float64Array;
  /** Whether the shop is expected to be open. */
  open: boolean[];
}

export function blankForecast(model: DemandForecaster): SkuForecast {
  const { horizon, probabilities } = model;
  return {
    quantiles: new Float64Array(horizon * probabilities.length),
    means: new Float64Array(horizon),
    low: new Float64Array(horizon),
    high: new Float64Array(horizon),
    open: Array.from({ length: horizon }, () => true),
  };
}

/** Experts with a smaller share than this in every quantile of a group are not asked. */
const LEAST_SHARE = 0.004;

function neededExperts(model: DemandForecaster, group: number): boolean[] {
  const { experts, probabilities, weights } = model.mixer;
  return EXPERTS.map((_, k) => {
    for (let p = 0; p < probabilities; p++) {
      if ((weights[(group * probabilities + p) * experts + k] ?? 0) >= LEAST_SHARE) return true;
    }
    return false;
  });
}

function meanShares(model: DemandForecaster, group: number): number[] {
  const { experts, probabilities, weights } = model.mixer;
  const shares = MEAN_PRIOR.map((prior, k) => {
    if (!isLevel(k)) return 0;
    let learned = 0;
    for (let p = 0; p < probabilities; p++) learned += (weights[(group * probabilities + p) * experts + k] ?? 0) / probabilities;
    return prior + learned;
  });
  const total = shares.reduce((all, share) => all + share, 0);
  return shares.map((share) => share / total);
}

/** One SKU's forecast of the next `horizon` periods. Never changes the model. */
export function predict(model: DemandForecaster, sku: number, out: SkuForecast): void {
  const n = model.probabilities.length;
  const experts = EXPERTS.length;
  // Phases come back: after one season only the drift of the global level is new.
  const distinct = Math.min(model.horizon, model.bank.seasonPeriods);
  const periods = Array.from({ length: model.horizon }, (_, i) => periodAt(model, i + 1));
  const scratch = new Float64Array(distinct * experts * n);
  const means = new Float64Array(distinct * experts);
  const g = group(model, sku);
  askExperts(model.bank, sku, periods.slice(0, distinct), model.probabilities, scratch, means, neededExperts(model, g));
  const shares = meanShares(model, g);
  for (let t = 0; t < model.horizon; t++) {
    const like = t % distinct;
    const exposure = periods[t]?.exposure ?? 0;
    const drift = exposure > 0 ? exposure / (periods[like]?.exposure ?? exposure) : 0;
    if (t === like) mixing.mix(model.mixer, g, scratch, t * experts * n, out.quantiles, t * n);
    else for (let p = 0; p < n; p++) out.quantiles[t * n + p] = (out.quantiles[like * n + p] ?? 0) * drift;
    let mean = 0;
    for (let k = 0; k < experts; k++) mean += (shares[k] ?? 0) * (means[like * experts + k] ?? 0);
    out.means[t] = mean * drift;
    const { low, high } = conformal.predict(model.tails, g, model.probabilities, out.quantiles, t * n);
    out.low[t] = low;
    out.high[t] = high;
    out.open[t] = exposure > 0;
  }
}
