import { MAX_MONEY } from '../schemas/money.js';

/**
 * Money as a bigint count of ten-thousandths of the currency's unit (Avro decimal(18, 4)): 12.99 is 129_900n.
 * Sums of floats are wrong by a cent sooner or later, and nobody finds out which line it was.
 */

const SCALE = 10_000;
const DECIMAL = /^([+-]?)(\d{1,14})(?:\.(\d{1,20}))?$/;

/**
 * Read a plain decimal: `"1299.00"`, `"-3"`, `" 0.5 "`. Digits after the fourth are rounded, half away from zero.
 * Thousands separators, currency signs and exponents are refused rather than guessed: `"1,299"` is 1299 in one
 * country and 1.299 in the next.
 */
export function parseMoney(text: string): bigint | undefined {
  const match = DECIMAL.exec(text.trim());
  if (!match) return undefined;
  const [, sign, whole = '', fraction = ''] = match;
  let amount = BigInt(whole) * 10_000n + BigInt(fraction.slice(0, 4).padEnd(4, '0'));
  if (fraction.length > 4 && fraction.charCodeAt(4) >= 53) amount += 1n;
  if (amount > MAX_MONEY) return undefined;
  return sign === '-' ? -amount : amount;
}

/** The decimal that a JSON number was written as, to four places. */
export function moneyOf(value: number): bigint | undefined {
  if (Number.isInteger(value)) return Math.abs(value) < 1e14 ? BigInt(value) * 10_000n : undefined;
  // Below 2^53 ten-thousandths the product is off by less than a half, so that rounding gives the decimal exactly.
  const scaled = Math.round(value * SCALE);
  if (Number.isSafeInteger(scaled)) return BigInt(scaled);
  return Number.isFinite(value) && Math.abs(value) < 1e14 ? parseMoney(value.toFixed(4)) : undefined;
}

const currencies = new Set(Intl.supportedValuesOf('currency'));

/** ISO 4217 code in capitals, or undefined when there is no such currency. */
export function parseCurrency(text: string): string | undefined {
  if (currencies.has(text)) return text;
  const code = text.trim().toUpperCase();
  return currencies.has(code) ? code : undefined;
}
