import { describe, expect, test } from 'vitest';
import { partOf } from '../../consumers/demand/members.js';
import { live } from '../../consumers/demand/publication.js';
import { demandRows, seriesOf, memberKey, memberRows, SHOP, unlistedRows } from '../../consumers/demand/rows.js';
import { demandForecasts } from '../../consumers/demand-forecasts.js';
import { itemWatch } from '../../consumers/item-watch.js';
import { orderLedger } from '../../consumers/order-ledger.js';
import { shopDays } from '../../pipeline/core/shop-day.js';
import { forecasts, inventory, orders, sales, supplies } from '../../schemas/topics.js';
import type { OrderEvent, SkuDemand } from '../../schemas/types.js';
import { Driver, type DriverOptions } from '../support/driver.js';
import { DAY, HOUR, MINUTE, NINE, orderEvent, orderLine, stock } from '../support/events.js';
import { sale, supply } from '../support/sales.js';

const days = shopDays('UTC');
const SKUS = ['S0', 'S1', 'S2', 'S3', 'S4', 'S5', 'S6', 'S7'];
const DAYS = 20;
const NOW = NINE + DAYS * DAY;

type Lines = readonly (readonly [sku: string, units: number])[];

function report(driver: Driver, orderId: string, confirmed: boolean, lines: Lines, more: Partial<OrderEvent> = {}): void {
  const event = orderEvent(more.kind ?? 'completed', orderId, { anonymousId: 'a', time: NOW, confirmed, lines: lines.map(([sku, units]) => orderLine(sku, units, 10_000n)), ...more });
  driver.send(orders, orderId, event);
}

const empty = (mostUnlisted = 3, options: DriverOptions = {}): Driver => {
  const driver = new Driver([orderLedger(), itemWatch(), demandForecasts({ days, publication: live(days, MINUTE), mostUnlisted })], options);
  driver.tick(NINE - HOUR);
  return driver;
};

/** A shop of eight SKUs, of each of which it has sold one to nine a day for twenty days. */
function shop({ confirmed = true, catalogue = true, options = {} }: { confirmed?: boolean; catalogue?: boolean; options?: DriverOptions } = {}): Driver {
  const driver = empty(20, options);
  if (catalogue) for (const sku of SKUS) driver.send(inventory, sku, stock(sku, 500, NINE - HOUR));
  for (let day = 0; day < DAYS; day++) {
    driver.tick(NINE + day * DAY);
    report(driver, `day-${day}`, confirmed, SKUS.map((sku, i) => [sku, 1 + ((day * 7 + i * 3) % 9)] as const), { time: NINE + day * DAY });
  }
  driver.tick(NOW);
  return driver;
}

/** Units of the next four weeks, once all that was said is told. */
function told(driver: Driver, sku = 'S7'): number | undefined {
  driver.tick(NOW + HOUR);
  driver.tick(NOW + 20 * HOUR);
  return driver.read(forecasts).findLast((forecast) => forecast.sku === sku)?.mean.reduce((sum, units) => sum + units, 0);
}

/** What a row knows of sales. */
const known = (of: SkuDemand) => ({ units: of.units, claims: of.claims, folded: seriesOf(of).folded, sizeUnits: of.sizeUnits, sizeHits: of.sizeHits });
const row = (driver: Driver, sku: string) => driver.row('demand-forecasts', demandRows, sku);
const unlisted = (driver: Driver): number => driver.row('demand-forecasts', unlistedRows, SHOP)?.skus ?? 0;

describe('units that only a page has reported', () => {
  test('count up to five times a usual day, in one order or in many; the books have them all', () => {
    const usual = told(shop())!;
    const orderings = [[9_999], [9_999, ...Array.from({ length: 60 }, () => 10)]].map((units) => {
      const driver = shop();
      units.forEach((of, i) => report(driver, `claim-${i}`, false, [['S7', of]]));
      expect(driver.read(sales).filter(({ orderId }) => orderId.startsWith('claim')).reduce((sum, { quantity }) => sum + quantity, 0)).toBe(units.reduce((sum, of) => sum + of));
      return told(driver)!;
    });
    expect(new Set(orderings).size).toBe(1);
    expect(orderings[0]! / usual).toBeGreaterThan(1);
    expect(orderings[0]! / usual).toBeLessThan(2);
  });

  test('that are usual count like those of the shop: one that hears of orders by pages alone is forecast as if its server said them', () => {
    const [said, claimed] = [true, false].map((confirmed) => shop({ confirmed }));
    expect(told(claimed!)).toBe(told(said!));
    expect(told(said!)!).toBeGreaterThan(28 * 3);
    expect(row(claimed!, 'S7')!.units).toEqual(row(said!, 'S7')!.units);
  });

  test.each(['completed', 'updated'] as const)('count in full once the shop has confirmed them (%s)', (kind) => {
    const [said, confirmed] = [shop(), shop()];
    report(said, 'big', true, [['S7', 300]]);
    report(confirmed, 'big', false, [['S7', 300]]);
    expect(row(confirmed, 'S7')!.units.at(-1)).toBeLessThan(50);
    report(confirmed, 'big', true, [['S7', 300]], { kind, time: NOW + HOUR });
    expect(known(row(confirmed, 'S7')!)).toEqual(known(row(said, 'S7')!));
    expect(row(confirmed, 'S7')!.units.at(-1)).toBe(300);
    expect(told(confirmed)).toBe(told(said));
  });

  test('leave nothing behind once the shop says that they were others, or takes them back', () => {
    const takenBack: ((driver: Driver) => void)[] = [
      (driver) => report(driver, 'big', true, [['S6', 1]]),
      (driver) => report(driver, 'big', true, [], { kind: 'cancelled' }),
      (driver) => { report(driver, 'big', true, [['S7', 200]], { kind: 'refunded' }); report(driver, 'big', true, [['S7', 100]], { kind: 'refunded' }); },
      (driver) => { report(driver, 'big', true, [['S7', 100]], { kind: 'refunded' }); report(driver, 'big', true, [['S7', 300]]); report(driver, 'big', true, [], { kind: 'cancelled' }); },
    ];
    for (const takeBack of takenBack) {
      const driver = empty();
      driver.send(inventory, 'S7', stock('S7', 500, NINE - HOUR));
      driver.tick(NOW);
      report(driver, 'small', true, [['S7', 2]]);
      report(driver, 'big', false, [['S7', 300]]);
      takeBack(driver);
      expect(row(driver, 'S7')!.units.at(-1)).toBe(2);
      expect(row(driver, 'S7')!.claims).toEqual([]);
    }
  });
});

test('what a page has reported of a replaced SKU counts for its successor within the same bounds', () => {
  const driver = new Driver([demandForecasts({ days, publication: live(days, MINUTE) })]);
  for (let day = 0; day < 35; day++) driver.send(sales, 'P', sale('P', 5, NINE + day * DAY));
  driver.send(supplies, 'P2', supply('P2', 50, NINE + 35 * DAY, { replaces: 'P' }));
  driver.send(sales, 'P', { ...sale('P', 300, NINE + 35 * DAY), claimed: 300 });
  expect(row(driver, 'P2')!.units.slice(-2)).toEqual([5, expect.closeTo(25, 6)]);
  driver.send(sales, 'P', { ...sale('P', 0, NINE + 35 * DAY), claimed: -300 });
  expect(row(driver, 'P2')!.units.slice(-2)).toEqual([5, 300]);
});

describe('SKUs that only pages have named', () => {
  const made = Array.from({ length: 400 }, (_, i) => [`X${i}`, 1] as const);
  const claimMade = (driver: Driver, time: number): void => {
    for (let from = 0; from < made.length; from += 50) report(driver, `x-${time}-${from}`, false, made.slice(from, from + 50), { time });
  };

  test('are not forecast in a shop that has a catalogue, and move no forecast of the others', () => {
    const [quiet, loud] = [shop(), shop()];
    for (const time of [NOW - 2 * DAY, NOW]) claimMade(loud, time);
    expect(SKUS.map((sku) => told(loud, sku))).toEqual(SKUS.map((sku) => told(quiet, sku)));
    expect(told(loud, 'X1')).toBeUndefined();
    expect(loud.count('millrace_unlisted_claims_total')).toBe(800);
  });

  test('are forecast once the shop has named them: by an order of its own, or in its catalogue', () => {
    const driver = shop();
    report(driver, 'new', false, [['N1', 2]]);
    expect(row(driver, 'N1')).toBeUndefined();
    report(driver, 'new', true, [['N1', 2]], { time: NOW + MINUTE });
    expect(row(driver, 'N1')!.units).toEqual([2]);
    driver.send(inventory, 'N2', stock('N2', 5, NOW));
    report(driver, 'other', false, [['N2', 3]]);
    expect(row(driver, 'N2')!.units).toEqual([3]);
    report(driver, 'own', true, [['N3', 4]]);
    expect(row(driver, 'N3')!.units).toEqual([4]);
    expect(unlisted(driver)).toBe(0);
  });

  test('are forecast up to a number where there is no catalogue, and make room when the shop names them or nobody does', () => {
    const driver = empty(3);
    driver.tick(NOW);
    claimMade(driver, NOW);
    expect(unlisted(driver)).toBe(3);
    expect(made.filter(([sku]) => row(driver, sku)).map(([sku]) => sku)).toEqual(['X0', 'X1', 'X2']);
    report(driver, 'own', true, [['X0', 1]]);
    expect(unlisted(driver)).toBe(2);
    report(driver, 'one-more', false, [['X9', 1]]);
    expect([row(driver, 'X9')!.units, unlisted(driver)]).toEqual([[1], 3]);
    for (let day = 1; day < 200; day++) driver.tick(NOW + day * DAY);
    expect(['X0', 'X1', 'X2', 'X9'].map((sku) => row(driver, sku) !== undefined)).toEqual([true, false, false, false]);
    expect([unlisted(driver), driver.row('demand-forecasts', memberRows, memberKey(partOf('X1')), 'X1')]).toEqual([0, undefined]);
    driver.send(inventory, 'X0', stock('X0', 5, NOW + 200 * DAY));
    report(driver, 'again', false, [['X1', 1]], { time: NOW + 200 * DAY });
    expect(row(driver, 'X1')).toBeUndefined();
  });
});

test('a restart between any two commits changes nothing of what claims have taught', () => {
  const run = (options: DriverOptions): string[] => {
    const driver = empty(2, options);
    driver.tick(NINE);
    for (let i = 0; i < 12; i++) {
      report(driver, `o-${i}`, false, [[`X${i % 4}`, 30 * i], ['X9', i]], { time: NINE + i * HOUR });
      if (i % 3 === 0) report(driver, `o-${i}`, true, [[`X${i % 4}`, 30 * i], ['X9', i]], { time: NINE + i * HOUR });
      if (i % 3 === 1) report(driver, `o-${i}`, true, [], { kind: 'cancelled', time: NINE + i * HOUR });
      driver.tick(NINE + i * HOUR);
    }
    return driver.dump('demand-forecasts').filter((line) => !line.includes('_progress'));
  };
  let commits = 0;
  const once = run({});
  expect(once.length).toBeGreaterThan(5);
  expect(run({ crash: () => ([undefined, 'lost', undefined, 'kept'] as const)[commits++ % 4] })).toEqual(once);
});

