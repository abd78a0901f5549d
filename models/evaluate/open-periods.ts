/**
 * Periods on which a shop was open, by its sales alone: what a forecaster takes for closed must not choose the periods by which it is judged.
 *
 *   closed   nothing was sold, of a shop with λ ≥ 7 sales in a period that has any       e^−λ < 0.001: no chance of a quiet period
 *
 * A sale is a SKU and period with units. Of a shop with fewer sales every period counts: nobody can tell a quiet one from a closed one.
 */
import type { SalesTable } from './forecasts.js';

const ENOUGH_SALES = 7;

/** Sales by period. */
export function salesByPeriod({ periods, period, units }: SalesTable): Int32Array {
  const sales = new Int32Array(periods);
  period.forEach((t, cell) => { if ((units[cell] ?? 0) > 0) sales[t]++; });
  return sales;
}

/** Whether each of the `horizon` periods after a cut-off was open; how much the shop sells in one is told by those up to it. */
export function openAfter(sales: Int32Array, cutoff: number, horizon: number): boolean[] {
  const known = sales.subarray(0, cutoff + 1).filter((count) => count > 0);
  const isTold = known.reduce((sum, count) => sum + count, 0) >= ENOUGH_SALES * Math.max(1, known.length);
  return Array.from({ length: horizon }, (_, h) => !isTold || (sales[cutoff + 1 + h] ?? 0) > 0);
}
