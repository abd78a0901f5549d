import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { moneyOf, parseCurrency, parseMoney } from '../../producers/money.js';
import { formatMoney } from '../../schemas/money.js';

describe('money', () => {
  test('decimal strings are read exactly', () => {
    expect(parseMoney('1299.00')).toBe(12_990_000n);
    expect(parseMoney('0.001')).toBe(10n);
    expect(parseMoney('-11062.06')).toBe(-110_620_600n);
    expect(parseMoney(' 3 ')).toBe(30_000n);
    expect(parseMoney('12.990000')).toBe(129_900n);
    expect(parseMoney('0.00005')).toBe(1n);
    expect(parseMoney('0.00004')).toBe(0n);
  });

  test.each(['1,299.00', '1.299,00', '1e3', 'NaN', '', '£5', '0x10', '1 299', 'Infinity', '.', '5.', '--1', '999999999999999'])('%j is refused, never guessed', (text) => {
    expect(parseMoney(text)).toBeUndefined();
  });

  test('numbers become the decimal they were written as', () => {
    expect(moneyOf(0.1 + 0.2)).toBe(3000n);
    expect(moneyOf(1.005)).toBe(10_050n);
    expect(moneyOf(4.35)).toBe(43_500n);
    for (const value of [Number.NaN, Infinity, -Infinity, 1e300, 1e14]) expect(moneyOf(value)).toBeUndefined();
  });

  test('a number and its decimal text are the same amount', () => {
    fc.assert(fc.property(fc.bigInt(-(10n ** 13n), 10n ** 13n), (amount) => {
      const written = formatMoney(amount);
      expect(parseMoney(written)).toBe(amount);
      expect(moneyOf(Number(written))).toBe(amount);
    }));
  });

  test('any amount of the scale is written and read back', () => {
    fc.assert(fc.property(fc.bigInt(-(10n ** 18n) + 1n, 10n ** 18n - 1n), (amount) => {
      expect(parseMoney(formatMoney(amount))).toBe(amount);
    }));
  });

  test('amounts are written with two to four places', () => {
    expect([0n, 1n, 10n, 129_900n, -5n].map(formatMoney)).toEqual(['0.00', '0.0001', '0.001', '12.99', '-0.0005']);
  });

  test('currencies are those of ISO 4217', () => {
    expect(parseCurrency('GBP')).toBe('GBP');
    expect(parseCurrency(' eur ')).toBe('EUR');
    expect(parseCurrency('EURO')).toBeUndefined();
    expect(parseCurrency('ZZZ')).toBeUndefined();
  });
});
