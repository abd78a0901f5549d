/** Money is a bigint count of ten-thousandths of the currency's unit: Avro decimal(18, 4). */
export const MONEY_SCALE = 10_000n;

/** price × quantity in ten-thousandths; the quantity counts to four decimals; halves round away from zero. */
export function amountOf(price: bigint, quantity: number): bigint {
  if (Number.isInteger(quantity)) return price * BigInt(quantity);
  const product = price * BigInt(Math.round(quantity * 10_000));
  const half = product < 0n ? -MONEY_SCALE / 2n : MONEY_SCALE / 2n;
  return (product + half) / MONEY_SCALE;
}
