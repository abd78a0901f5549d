/** A file of sales lived through period by period, as a forecaster hears of it. */
import type { SalesTable } from './forecasts.js';

export interface LivedPeriod {
  readonly period: number;
  /** Units by SKU, NaN before its first sale; the same array each time. */
  readonly demand: Float64Array;
  /** SKUs that have sold, in order of their first sale; grows. */
  readonly known: readonly number[];
  /** Units sold, what came back left out. */
  readonly sold: number;
}

/** Periods from the first to the last one of the file. Days without sales are zero from a SKU's first sale on. */
export function* lived(table: SalesTable): Generator<LivedPeriod, undefined, undefined> {
  const { order, starts } = byPeriod(table);
  const demand = new Float64Array(table.skus).fill(NaN);
  const known: number[] = [];
  for (let period = 0; period < table.periods; period++) {
    for (const sku of known) demand[sku] = 0;
    let sold = 0;
    const cells = order.subarray(starts[period], starts[period + 1]);
    // First who begins, then what it comes to: what came back of a first day may stand before its sale.
    for (const cell of cells) {
      const sku = table.sku[cell];
      if (!(table.units[cell] > 0)) continue;
      sold += table.units[cell];
      if (!Number.isNaN(demand[sku])) continue;
      known.push(sku);
      demand[sku] = 0;
    }
    for (const cell of cells) demand[table.sku[cell]] += table.units[cell];
    yield { period, demand, known, sold };
  }
  return undefined;
}

/** Cells in order of period, and where each period starts. */
function byPeriod(table: SalesTable): { order: Int32Array; starts: Int32Array } {
  const starts = new Int32Array(table.periods + 1);
  for (const t of table.period) starts[t + 1]++;
  for (let t = 0; t < table.periods; t++) starts[t + 1] += starts[t];
  const next = starts.slice();
  const order = new Int32Array(table.period.length);
  table.period.forEach((t, cell) => { order[next[t]++] = cell; });
  return { order, starts };
}
