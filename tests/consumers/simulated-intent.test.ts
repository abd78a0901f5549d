import { expect, test } from 'vitest';
import { marketingTriggers } from '../../consumers/marketing-triggers.js';
import { orderLedger } from '../../consumers/order-ledger.js';
import { shoppers } from '../../consumers/shoppers.js';
import { collect } from '../../producers/collect.js';
import { simulatedShop } from '../../producers/simulate.js';
import { clickstream, marketingTriggers as triggers, orders } from '../../schemas/topics.js';
import { Driver } from '../support/driver.js';
import { HOUR, MINUTE, NINE } from '../support/events.js';

/** Its table in docs/decisions/2026-11-30-rules-beyond-carts.md is by 60,000. */
const EVENTS = 18_000;
const EVENT_MS = 500;
const SHOPPERS = 3_000;
const BAR = 40;

interface Visit {
  readonly from: number;
  to: number;
  isOrdered: boolean;
  isTold: boolean;
}

/** Visits that were over half an hour before the end, of the second half of the time: the first has learned. */
function visitsOfSimulatedShop(): Visit[] {
  const driver = new Driver([shoppers(), orderLedger(), marketingTriggers({ abandonedAfterMs: HOUR, highIntentPercent: BAR, cap: { count: 0, windowMs: HOUR }, consentByDefault: true, currency: 'EUR' })]);
  const shop = simulatedShop({ seed: 7, shoppers: SHOPPERS, items: 200 });
  const visits = Array.from({ length: SHOPPERS }, (): Visit[] => []);
  const end = NINE + EVENTS * EVENT_MS;
  driver.tick(NINE);
  for (let time = NINE, ticked = NINE; time < end; time += EVENT_MS) {
    const { key, call, odd } = shop.next(time);
    const outcome = collect(call, { receivedAt: time, shop: { currency: 'EUR', timezone: 'UTC' }, scope: key, newId: () => 'none' });
    for (const record of 'ok' in outcome ? outcome.ok.records : []) {
      if (record.topic === 'orders') driver.put(orders, record.key, record.value, time);
      if (record.topic !== 'clickstream') continue;
      driver.put(clickstream, record.key, record.value, time);
      const isOrdered = record.value.event === 'Order Completed';
      if (odd !== undefined || !(isOrdered || /^(Product (Viewed|Added|Removed)|Checkout|Payment)/.test(record.value.event))) continue;
      const ofShopper = visits[shop.truth.shopperOf(record.value.userId ?? record.value.anonymousId ?? '')!]!;
      const last = ofShopper.at(-1);
      if (last && time - last.to <= 30 * MINUTE) Object.assign(last, { to: time, isOrdered: last.isOrdered || isOrdered });
      else ofShopper.push({ from: time, to: time, isOrdered, isTold: false });
    }
    if (time - ticked < 5_000) continue;
    driver.run();
    driver.tick(time);
    ticked = time;
  }
  driver.run();
  for (const { rule, status, shopper, causedAt } of driver.read(triggers)) {
    const told = rule === 'high_intent' && status === 'fired' ? visits[shop.truth.shopperOf(shopper)!]!.find(({ from, to }) => causedAt >= from && causedAt <= to) : undefined;
    if (told) told.isTold = true;
  }
  return visits.flat().filter(({ from, to }) => from >= (NINE + end) / 2 && to <= end - 30 * MINUTE);
}

test('of those who are told of at 40 % in a simulated shop as many order and more, of the others few', () => {
  const visits = visitsOfSimulatedShop();
  const told = visits.filter(({ isTold }) => isTold);
  const others = visits.filter(({ isTold }) => !isTold);
  const ordered = (some: readonly Visit[]): number => some.filter(({ isOrdered }) => isOrdered).length / some.length;
  expect(told.length).toBeGreaterThan(80);
  expect(others.length).toBeGreaterThan(80);
  expect(ordered(told)).toBeGreaterThan(BAR / 100);
  expect(ordered(others)).toBeLessThan(ordered(visits) / 2);
}, 120_000);
