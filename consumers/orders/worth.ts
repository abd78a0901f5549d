import { amountOf } from '../../schemas/money.js';
import type { LedgerLine, OrderEvent } from '../../schemas/types.js';

/** What a total may differ by for each line and still be the same: shops round each. A hundredth of the currency's unit. */
const ROUNDING = 100n;

/** Units of a line that have not come back. */
export const leftOf = ({ quantity, returned }: LedgerLine): number => quantity - returned;

/** What is left of a line is worth, less its part of the order's discount. */
export const worthLeft = (line: LedgerLine): bigint => worthOf(line, line.quantity) - worthOf(line, line.returned);

/** What is left of lines is worth. */
export const worthOfAll = (lines: readonly LedgerLine[]): bigint => lines.reduce((sum, line) => sum + worthLeft(line), 0n);

/** The first `units` of a line: what comes back one by one adds up to the line's own worth, to the last digit. */
export function worthOf({ price, discount, quantity }: LedgerLine, units: number): bigint {
  const all = tenThousandths(quantity);
  return amountOf(price, units) - (all === 0n ? 0n : (discount * tenThousandths(units)) / all);
}

/** Lines of a report as the ledger keeps them, each with its part of what the order as a whole was cheaper. */
export function linesOf(event: OrderEvent): LedgerLine[] {
  const goods = event.lines.map(({ price, quantity }) => amountOf(price, quantity));
  const worth = sumOf(goods);
  const isPriced = event.lines.some(({ price }) => price !== 0n);
  const discount = isPriced ? worth - goodsBy(event, worth) : -totalOfGoods(event);
  const parts = spread(discount, isPriced ? goods : event.lines.map(({ quantity }) => tenThousandths(quantity)));
  return event.lines.map(({ sku, quantity, price }, index) => ({ sku, quantity, price, discount: parts[index]!, returned: 0, claimed: event.confirmed ? 0 : quantity }));
}

/**
 * What the goods of an order came to. Some shops tell prices before the order's discount and some after it, and totals with or without
 * shipping and tax; so a discount counts where the total cannot be read without it.
 */
function goodsBy({ total, discount, shipping, tax, lines }: OrderEvent, worth: bigint): bigint {
  if (total === null || discount === null || worth <= 0n) return worth;
  const [s, t] = [shipping ?? 0n, tax ?? 0n];
  const off = discount < 0n ? -discount : discount;
  const isNear = (sum: bigint): boolean => { const by = total - sum; return (by < 0n ? -by : by) <= ROUNDING * BigInt(lines.length); };
  const readings = [s + t, s, t, 0n, s - t, -t];
  if (readings.some((more) => isNear(worth + more))) return worth;
  const more = readings.find((more) => isNear(worth - off + more));
  return more === undefined ? worth : atLeastNothing(total - more);
}

/** Of an order whose lines tell no price: its total, less what is not goods. */
function totalOfGoods({ total, shipping, tax }: OrderEvent): bigint {
  return atLeastNothing((total ?? 0n) - (shipping ?? 0n) - (tax ?? 0n));
}

/** An amount by weights; parts add up to it. All 0 where weights come to nothing. */
function spread(amount: bigint, weights: readonly bigint[]): bigint[] {
  const all = sumOf(weights);
  if (all <= 0n) return weights.map(() => 0n);
  let until = 0n;
  let given = 0n;
  return weights.map((weight) => {
    until += weight;
    const part = (amount * until) / all - given;
    given += part;
    return part;
  });
}

const atLeastNothing = (amount: bigint): bigint => (amount > 0n ? amount : 0n);

const tenThousandths = (quantity: number): bigint => amountOf(10_000n, quantity);

const sumOf = (amounts: readonly bigint[]): bigint => amounts.reduce((sum, amount) => sum + amount, 0n);
