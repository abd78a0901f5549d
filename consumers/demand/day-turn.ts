import * as bank from '../../models/forecast/expert-bank.js';
import { ALL, ask, EXPERTS } from '../../models/forecast/expert-quantiles.js';
import { learnRound, type Sample } from '../../models/forecast/judging.js';
import { imaginedPeriods } from '../../models/forecast/newcomers.js';
import type { Plan } from '../../models/forecast/planned-days.js';
import { openDays } from '../../models/forecast/shop-demand.js';
import { classOfGroup, groupOf, GROWN_UP, meanShares, mixedMean } from '../../models/forecast/sku-forecast.js';
import { isCut, isShort, partOnSale } from '../../models/forecast/shortages.js';
import { SEASON_DAYS, unfold, unitsOn, type SkuSeries } from '../../models/forecast/sku-series.js';
import type { Context } from '../../pipeline/core/consumer.js';
import { murmur2 } from '../../pipeline/core/partition.js';
import type { DemandPanel, DemandScore } from '../../schemas/types.js';
import { daysAhead, takeAhead, tell } from './shop-days.js';
import { periodsAfter, worthTo } from './forecast.js';
import { isGone, isMember } from './members.js';
import {
  bytesOf, demandRows, floatsOf, LEVELS, memberKey, memberRows, mixtureRow, mixtureRows, panelKey, panelRows, PARTS, seasonRow, seasonRows, seriesOf, SHOP, shopOf,
  taughtOf, windowRows, type Shop, type Taught,
} from './rows.js';

const PANEL_EVERY_DAYS = 7;
const LEADS = [1, 6, 11, 17, 22, 28] as const;
const LAST_LEAD = 28;
/** SKUs that leave a forecast at each origin, about; one SKU waits for one forecast at a time. */
const PANEL_SKUS = 256;
const MOST_PARTS = PARTS / (LAST_LEAD / PANEL_EVERY_DAYS);
const MOST_TURNS = 60;
const FORGETTING = 0.97;
/** Deviations of its SKU that a day counts in the scores at most: an order of a million else drowns what all others say, for months. */
const MOST_DEVIATIONS = 30;

/** Whose turn it is in its part, where a part has more SKUs than leave a forecast: by other bits than the part. */
const turnOf = (sku: string, turns: number): number => (murmur2(Buffer.from(sku)) & 0xffff) % turns;

/**
 * A sale of a new day says that the days before it are over: what was forecast of them is judged and teaches the classes, and on
 * every seventh day some SKUs leave forecasts to be judged later. Then the shop's days are opened up to it.
 */
export function turnDays(day: number, plan: Plan, ctx: Context): void {
  if (day <= (ctx.get(windowRows, SHOP)?.lastDay ?? -Infinity)) return;
  tell(ctx);
  for (const heard of daysAhead(ctx)) if (heard < day) turnTo(heard, plan, ctx);
  turnTo(day, plan, ctx);
}

function turnTo(day: number, plan: Plan, ctx: Context): void {
  const before = shopOf((kind) => ctx.get(kind, SHOP), plan);
  const { lastDay } = before.window;
  const gap = lastDay === null ? 0 : day - lastDay;
  const over = gap <= MOST_TURNS ? Array.from({ length: gap }, (_, i) => day - gap + i) : [];
  for (const d of over) judge(d, before, ctx);
  // After so long a silence nobody knows on which days the shop was open.
  if (gap > MOST_TURNS) for (let lead = 0; lead < LAST_LEAD; lead++) forget(day - gap - lead, ctx);
  const { shop, days } = openDays(before.season, before.window, day, plan);
  const known = ctx.get(seasonRows, SHOP);
  if (shop !== before.season || !known) ctx.put(seasonRows, SHOP, seasonRow(shop, known?.members ?? 0));
  ctx.put(windowRows, SHOP, days);
  takeAhead(day, ctx);
  const after = shopOf((kind) => ctx.get(kind, SHOP), plan);
  for (const d of over) if (d % PANEL_EVERY_DAYS === 0) leavePanel(d, after, ctx);
}

function forget(origin: number, ctx: Context): void {
  for (const { sub } of ctx.scan(panelRows, panelKey(origin))) ctx.delete(panelRows, panelKey(origin), sub);
}

/** Judge what was forecast of a day that is over. */
function judge(day: number, shop: Shop, ctx: Context): void {
  const waiting = LEADS.map((lead, at) => ({ at, lead, panels: ctx.scan(panelRows, panelKey(day - lead)) })).filter(({ panels }) => panels.length > 0);
  if (waiting.length > 0 && shop.outlook(day + 1).exposureOf(day) >= 0) {
    const samples = waiting.flatMap(({ at, panels }) => panels.flatMap(({ sub: sku, value }) => sampleOf(sku, value, at, day, ctx)));
    if (samples.length > 0) learn(samples, ctx);
  }
  if (waiting.some(({ lead }) => lead === LAST_LEAD)) forget(day - LAST_LEAD, ctx);
}

function sampleOf(sku: string, panel: DemandPanel, lead: number, day: number, ctx: Context): Sample[] {
  const row = ctx.get(demandRows, sku);
  // Who left the catalogue meanwhile sells nothing, which is no demand.
  if (!row || !isMember(sku, ctx)) return [];
  const series: SkuSeries = { ...row, folded: NO_BANK };
  const actual = day > row.lastDay ? 0 : unitsOn(series, day);
  if (Number.isNaN(actual) || isShort(series, day)) return [];
  const quantiles = floatsOf(panel.quantiles);
  return [{ group: panel.group, scale: panel.scale, actual, onSale: isCut(series, day) ? partOnSale(series, day) : 1, quantiles, at: lead * EXPERTS.length * LEVELS.length, mean: panel.means[lead] ?? 0, far: LEADS[lead]! / LAST_LEAD }];
}

const NO_BANK = new Float32Array(0);

function learn(samples: readonly Sample[], ctx: Context): void {
  const taught: Taught = taughtOf(ctx.get(mixtureRows, SHOP));
  const scores: DemandScore[] = taught.scores.map(({ samples: n, covered, pinball, forecast, actual }) => ({
    samples: FORGETTING * n, covered: FORGETTING * covered, pinball: FORGETTING * pinball, forecast: FORGETTING * forecast, actual: FORGETTING * actual,
  }));
  learnRound(taught, samples, ({ covered, pinball }, i) => {
    const { group, mean, actual, scale } = samples[i]!;
    const at = classOfGroup(group);
    const score = scores[at]!;
    const inDeviations = (units: number): number => Math.min(units / scale, MOST_DEVIATIONS);
    scores[at] = {
      samples: score.samples + 1, covered: score.covered + (covered ? 1 : 0), pinball: score.pinball + inDeviations(pinball),
      forecast: score.forecast + inDeviations(mean), actual: score.actual + inDeviations(actual),
    };
  });
  ctx.put(mixtureRows, SHOP, mixtureRow({ ...taught, scores }));
}

const asked = bank.init(1, SEASON_DAYS);

/** Some SKUs, others each week, leave what every expert says of six days to come. */
function leavePanel(origin: number, shop: Shop, ctx: Context): void {
  const members = ctx.get(seasonRows, SHOP)?.members ?? 0;
  const parts = Math.min(MOST_PARTS, Math.max(1, Math.ceil((PANEL_SKUS * PARTS) / Math.max(1, members))));
  const from = (origin / PANEL_EVERY_DAYS) * parts;
  // A part of many more is looked through whole, which is cheap, and its SKUs take turns: the first sale of a day must not wait for thousands of forecasts.
  const turns = Math.max(1, Math.round(members / (PANEL_SKUS * PARTS)));
  const turn = Math.floor(from / PARTS) % turns;
  const usually = periodsAfter(origin, LEADS, shop.outlook(origin + 1).exposureOf);
  bank.imagine(asked, imaginedPeriods(shop.season));
  for (let i = 0; i < parts; i++) {
    for (const { sub: sku } of ctx.scan(memberRows, memberKey((from + i) % PARTS))) {
      if (turns > 1 && turnOf(sku, turns) !== turn) continue;
      // It leaves when that is published, within a minute.
      if (isGone(sku, ctx)) continue;
      const demand = ctx.get(demandRows, sku);
      if (!demand) continue;
      const series = seriesOf(demand);
      const exposureOf = worthTo(series, shop, origin + 1);
      const periods = series.promotions.length === 0 ? usually : periodsAfter(origin, LEADS, exposureOf);
      unfold(series, origin, exposureOf, asked);
      const scale = bank.deviation(asked, 0);
      if (bank.periods(asked, 0) < GROWN_UP || !(scale > 0)) continue;
      const { quantiles, means } = ask(asked, 0, { periods, probabilities: shop.taught.probabilities, asked: ALL });
      const group = groupOf(asked, 0);
      const shares = meanShares(shop.taught, group);
      ctx.put(panelRows, panelKey(origin), {
        group, scale, quantiles: bytesOf(Float32Array.from(quantiles.subarray(0, LEADS.length * EXPERTS.length * LEVELS.length))),
        means: LEADS.map((_, lead) => mixedMean(shares, means, lead * EXPERTS.length)),
      }, sku);
    }
  }
}
