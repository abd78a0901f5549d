/** What comes back of the lines of an order: never more units than were sold and have not come back yet. */
import type { LedgerLine } from '../../schemas/types.js';
import type { Goods } from './telling.js';
import { leftOf, worthOf } from './worth.js';

export interface Returns {
  /** All lines of the order as they are afterwards. */
  readonly lines: readonly LedgerLine[];
  /** What comes back, with the number of its line. Units and amounts are negative. */
  readonly back: readonly { readonly index: number; readonly goods: Goods }[];
}

/** All that is left of an order comes back. */
export function allBack(lines: readonly LedgerLine[]): Returns {
  const returns = lines.map((line) => unitsBack(line, line.quantity));
  return { lines: returns.map(({ line }) => line), back: returns.flatMap(({ goods }, index) => (goods ? [{ index, goods }] : [])) };
}

/** Units of some SKUs come back, whatever their sign; of several lines of a SKU those of the first line first. */
export function unitsOfSkusBack(lines: readonly LedgerLine[], skus: readonly { readonly sku: string; readonly quantity: number }[]): Returns {
  const after = [...lines];
  const back: { index: number; goods: Goods }[] = [];
  for (const { sku, quantity } of skus) {
    let units = Math.abs(quantity);
    for (const [index, before] of after.entries()) {
      if (before.sku !== sku) continue;
      const { line, goods } = unitsBack(before, units);
      if (!goods) continue;
      after[index] = line;
      back.push({ index, goods });
      units += goods.quantity;
    }
  }
  return { lines: after, back };
}

function unitsBack(line: LedgerLine, units: number): { readonly line: LedgerLine; readonly goods?: Goods } {
  const quantity = Math.min(units, leftOf(line));
  if (quantity <= 0) return { line };
  const claimed = Math.min(quantity, line.claimed);
  const returned = line.returned + quantity;
  return {
    line: { ...line, returned, claimed: line.claimed - claimed },
    goods: { sku: line.sku, quantity: -quantity, price: line.price, amount: worthOf(line, line.returned) - worthOf(line, returned), claimed: 0 - claimed },
  };
}
