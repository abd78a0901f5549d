import { sell, type ExposureOf, type SkuSeries, windowStart } from '../../models/forecast/sku-series.js';
import type { Context } from '../../pipeline/core/consumer.js';
import { BadEvent } from '../../pipeline/core/errors.js';
import { rows } from '../../pipeline/core/rows.js';
import { LONGEST_LINE } from '../../schemas/ordering.js';
import { demandHandovers } from '../../schemas/topics.js';
import type { DemandHandover, Sale, SkuDemand, SkuSuccessor, Supply } from '../../schemas/types.js';
import { giveBackHours, hourRows, keepOwnHours, takeOverHours } from './hours.js';
import { demandRow, demandRows, neverPublished, seriesOf, supplyRows, unsold, unsoldRows } from './rows.js';

const NO_RING = -1;

const empty = { series: null, hours: null, asked: 0, time: null, units: 0, claimed: 0 } as const;

/** Units sold or taken back, some of them claimed by a page only. */
export type Line = Pick<Sale, 'time' | 'quantity' | 'claimed'>;

/** Who takes the place of a SKU. */
export const successorRows = rows<SkuSuccessor>('successor', 'SkuSuccessor');
/** Whose series a SKU has taken over. */
export const predecessorRows = rows<SkuSuccessor>('predecessor', 'SkuSuccessor');
/** What a SKU has sold itself, while it goes on from another one's series: all that it keeps if that is taken back. */
export const ownRows = rows<SkuDemand>('own', 'SkuDemand');

/**
 * A change of what a SKU says of whose place it takes is told to the SKUs concerned, which may belong to other partitions. Answers whether it
 * has given back all there was of it: a SKU that never sold itself is not forecast, as before it was named.
 */
export function tellReplaced(sku: string, before: Supply | undefined, now: Supply, ctx: Context): boolean {
  const [was, is] = [before?.replaces ?? null, now.replaces];
  if (was === is) return false;
  let isLeft = true;
  if (was !== null) {
    ctx.emit(demandHandovers, was, { ...empty, kind: 'release', from: was, to: sku });
    isLeft = giveBack(sku, ctx);
  }
  askForSeries(sku, ctx);
  return !isLeft;
}

/** Or the demand of the old one, which has its own again, would stand twice. Answers whether something is left. */
function giveBack(sku: string, ctx: Context): boolean {
  const own = ctx.get(ownRows, sku);
  if (!own) return true;
  ctx.put(demandRows, sku, demandRow(seriesOf(own), ctx.get(demandRows, sku) ?? neverPublished));
  giveBackHours(sku, ctx);
  ctx.delete(ownRows, sku);
  ctx.delete(predecessorRows, sku);
  const next = ctx.get(successorRows, sku);
  if (next) handSeries(sku, next.sku, ctx);
  return own.firstDay !== null || own.claims.length > 0 || own.units.some((units) => units !== 0);
}

/** What changes the series of a SKU changes what it would be without the one whose place it takes. */
export function changeOwn(sku: string, change: (own: SkuSeries) => SkuSeries | undefined, ctx: Context): SkuSeries | undefined {
  const own = ctx.get(ownRows, sku);
  const changed = own && change(seriesOf(own));
  if (changed) ctx.put(ownRows, sku, demandRow(changed, neverPublished));
  return changed;
}

/** Before its first sale, and again at it: the old SKU's history may have been loaded in between. */
export function askForSeries(sku: string, ctx: Context): void {
  const replaces = ctx.get(supplyRows, sku)?.replaces ?? null;
  if (replaces !== null) ctx.emit(demandHandovers, replaces, { ...empty, kind: 'request', from: replaces, to: sku });
}

/**
 * Answers the SKU whose forecast is another one now; `key` is the SKU that is told.
 *
 * @throws BadEvent where the request would close a ring: none of its SKUs would be forecast
 */
export function handOver(key: string, handover: DemandHandover, exposureOf: ExposureOf, ctx: Context): string | undefined {
  const { kind, from, to, series, hours } = handover;
  switch (kind) {
    case 'request': return heard(key, handover, ctx);
    case 'release': return stay(from, to, ctx);
    case 'series': {
      const sku = series === null ? undefined : takeOver(from, to, seriesOf(demandRows.codec.decode(series)), exposureOf, ctx);
      if (sku === undefined) return undefined;
      if (hours !== null) takeOverHours(sku, hourRows.codec.decode(hours), ctx);
      const next = ctx.get(successorRows, sku);
      if (next) handSeries(sku, next.sku, ctx);
      return sku;
    }
  }
}

/** Those that are replaced are asked in turn, each knowing whose place it takes itself; then who asked may have changed its mind. */
function heard(key: string, request: DemandHandover, ctx: Context): string | undefined {
  const { from, to, asked } = request;
  const replaces = ctx.get(supplyRows, key)?.replaces ?? null;
  if (asked === NO_RING) {
    if (key === from) return leave(from, to, ctx);
    if (replaces === from) ctx.emit(demandHandovers, from, request);
    return undefined;
  }
  if (replaces === to) {
    throw new BadEvent('replaces_ring', `${to} cannot take the place of ${from}, which takes that of ${to}${key === from ? '' : ` by way of ${key}`}. Change the attribute "replaces" of one of them.`);
  }
  if (replaces !== null && asked < LONGEST_LINE) ctx.emit(demandHandovers, replaces, { ...request, asked: asked + 1 });
  else if (key === from) return leave(from, to, ctx);
  else ctx.emit(demandHandovers, to, { ...request, asked: NO_RING });
  return undefined;
}

function leave(from: string, to: string, ctx: Context): string {
  ctx.put(successorRows, from, { sku: to, handed: false });
  handSeries(from, to, ctx);
  return from;
}

function handSeries(from: string, to: string, ctx: Context): void {
  const row = ctx.get(demandRows, from);
  if (!row) return;
  const hours = ctx.get(hourRows, from);
  ctx.put(successorRows, from, { sku: to, handed: true });
  ctx.emit(demandHandovers, to, { ...empty, kind: 'series', from, to, series: demandRows.codec.encode(row), hours: hours ? hourRows.codec.encode(hours) : null });
}

/**
 * A line of a SKU whose place another one has taken is that one's demand: what is left of the old one may sell for weeks, and come back.
 * Goes on as a part of the series where there was none to hand over before.
 */
export function passOn(sku: string, { time, quantity, claimed }: Line, ctx: Context): void {
  const successor = ctx.get(successorRows, sku);
  if (successor?.handed) ctx.emit(demandHandovers, successor.sku, { ...empty, kind: 'series', from: sku, to: successor.sku, time, units: quantity, claimed });
  else if (successor) handSeries(sku, successor.sku, ctx);
}

/** Whether a SKU has gone on from the series of the one whose place it takes: who kept its own has nothing of what comes for the other. */
export const goesOnFrom = (from: string, sku: string, ctx: Context): boolean =>
  ctx.get(predecessorRows, sku)?.sku === from && ctx.get(supplyRows, sku)?.replaces === from;

function stay(from: string, to: string, ctx: Context): string | undefined {
  if (ctx.get(successorRows, from)?.sku !== to) return undefined;
  ctx.delete(successorRows, from);
  return from;
}

/** The old one's series goes on with the sales of the new one: told again, as it is now. */
function takeOver(from: string, to: string, old: SkuSeries, exposureOf: ExposureOf, ctx: Context): string | undefined {
  const known = ctx.get(demandRows, to);
  const kept = ctx.get(ownRows, to);
  const row = kept ?? known;
  // Who has a month of its own knows better.
  if ((row && row.firstDay !== null) || ctx.get(supplyRows, to)?.replaces !== from) return undefined;
  ctx.put(predecessorRows, to, { sku: from, handed: true });
  const own = row ? seriesOf(row) : unsold(ctx.get(unsoldRows, to), old.lastDay);
  if (ctx.get(unsoldRows, to)) ctx.delete(unsoldRows, to);
  if (!kept) {
    ctx.put(ownRows, to, demandRow(own, neverPublished));
    keepOwnHours(to, ctx);
  }
  // What it left of the shop's days is given back to them once.
  let series: SkuSeries = { ...old, left: kept ? null : old.left, shortages: own.shortages.length > 0 ? own.shortages : old.shortages };
  own.units.forEach((units, i) => {
    const day = windowStart(own) + i;
    const claim = own.claims.find((one) => one.day === day);
    series = sell(series, day, claim ? claim.sure + claim.claimed : units, exposureOf, claim?.claimed) ?? series;
  });
  ctx.put(demandRows, to, demandRow(series, known ?? neverPublished));
  return to;
}
