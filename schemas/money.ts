/** Money is a bigint count of ten-thousandths of the currency's unit: Avro decimal(18, 4). */
export const MONEY_SCALE = 10_000n;

/** Amounts stay below 10^14 units: more does not fit decimal(18, 4). */
export const MAX_MONEY = 10n ** 18n - 1n;

export const isMoney = (amount: bigint): boolean => amount <= MAX_MONEY && amount >= -MAX_MONEY;

/** Whether what is sold can be written down as money: each line, and all of them together. */
export function isSum(lines: readonly { readonly quantity: number; readonly price: bigint }[]): boolean {
  let total = 0n;
  for (const { price, quantity } of lines) {
    if (!Number.isFinite(quantity)) return false;
    const amount = amountOf(price, quantity);
    total += amount < 0n ? -amount : amount;
  }
  return total <= MAX_MONEY;
}

/** price × quantity in ten-thousandths; the quantity counts to four decimals; halves round away from zero. */
export function amountOf(price: bigint, quantity: number): bigint {
  if (Number.isInteger(quantity)) return price * BigInt(quantity);
  const product = price * BigInt(Math.round(quantity * 10_000));
  const half = product < 0n ? -MONEY_SCALE / 2n : MONEY_SCALE / 2n;
  return (product + half) / MONEY_SCALE;
}

/**
 * A price as a number in the shop's currency, to compare it with others; one without a currency is in it. NaN where there is none, or
 * it is in another: nothing is converted. Exact to four places below 900 thousand million.
 */
export function priceIn(shopCurrency: string, { price, currency }: { readonly price: bigint | null; readonly currency: string | null }): number {
  return price === null || !isIn(shopCurrency, currency) ? Number.NaN : Number(price) / Number(MONEY_SCALE);
}

/** Whether a price is in the shop's currency; one that names none is. */
export const isIn = (shopCurrency: string, currency: string | null): boolean => currency === null || currency === shopCurrency;

/** `129_900n` → `"12.99"`: at least two places, at most four, and producers/money.ts reads it back. */
export function formatMoney(amount: bigint): string {
  const digits = (amount < 0n ? -amount : amount).toString().padStart(5, '0');
  const fraction = digits.slice(-4);
  const places = fraction.endsWith('00') ? 2 : fraction.endsWith('0') ? 3 : 4;
  return `${amount < 0n ? '-' : ''}${digits.slice(0, -4)}.${fraction.slice(0, places)}`;
}
