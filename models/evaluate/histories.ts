import type { SalesTable } from './forecasts.js';

/** Dense history of one SKU at a time, from one period up to another; `first` is that of its first sale, `beyond` periods after the last where it has none. */
export function historiesOf(table: SalesTable, beyond: number): { first: Int32Array; read: (sku: number, from: number, to: number) => Float64Array } {
  const starts = new Int32Array(table.skus + 1);
  const first = new Int32Array(table.skus).fill(table.periods + beyond);
  table.sku.forEach((sku, cell) => {
    starts[sku + 1]++;
    if (table.units[cell] > 0) first[sku] = Math.min(first[sku], table.period[cell]);
  });
  for (let sku = 0; sku < table.skus; sku++) starts[sku + 1] += starts[sku];
  const next = starts.slice();
  /** Cells of the table, SKU by SKU. */
  const order = new Int32Array(table.sku.length);
  table.sku.forEach((sku, cell) => { order[next[sku]++] = cell; });
  const read = (sku: number, from: number, to: number): Float64Array => {
    const dense = new Float64Array(Math.max(0, to - from));
    for (const cell of order.subarray(starts[sku], starts[sku + 1])) {
      const t = table.period[cell] - from;
      if (t >= 0 && t < dense.length) dense[t] += table.units[cell];
    }
    // Returns on a day without sales are no negative demand.
    return dense.map((units) => Math.max(0, units));
  };
  return { first, read };
}
