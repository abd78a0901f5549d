import { expect, test } from 'vitest';
import { demandForecasts } from '../../consumers/demand-forecasts.js';
import { replayed } from '../../consumers/demand/publication.js';
import { sharedErrorRows } from '../../consumers/demand/stock-cycle.js';
import { correlationOf } from '../../models/inventory/shared-error.js';
import * as itemIndex from '../../models/item-index.js';
import { randomness, uniform } from '../../models/kernels/numbers.js';
import { memoryStore } from '../../pipeline/core/memory-store.js';
import { shopDays } from '../../pipeline/core/shop-day.js';
import { ForecastDoor } from '../../pipeline/serving/forecast-door.js';
import { Items } from '../../pipeline/serving/items.js';
import { observedStores, Views } from '../../pipeline/serving/views.js';
import { demandForecasts as table, reorderSuggestions, sales, supplies } from '../../schemas/topics.js';
import { Driver } from '../support/driver.js';
import { DAY, NINE } from '../support/events.js';
import { sale, supply } from '../support/sales.js';

const SKUS = 16;
const RATE = 4;
const DAYS = 140;
const days = shopDays('UTC');
const reorder = { policy: 'periodic', leadTimeDays: 7, leadTimeDeviationDays: 0, reviewDays: 7, coverDays: 14, packSize: 1, minimumUnits: 0, serviceLevel: 0.95 } as const;

test('of a shop that sells steadily, cycles teach that days are independent: levels come down to what is needed, and the door says the same', () => {
  const random = randomness(9);
  const driver = new Driver([demandForecasts({ days, publication: replayed(days), reorder })]);
  const skus = [...Array.from({ length: SKUS }, (_, i) => `P${i}`), 'LATE'];
  driver.tick(NINE);
  for (const sku of skus) driver.send(supplies, sku, supply(sku, 1, NINE));
  for (let day = 0; day < DAYS; day++) {
    driver.tick(NINE + day * DAY);
    for (const sku of skus) {
      let [units, product] = [0, uniform(random)];
      while (product > Math.exp(-RATE)) [units, product] = [units + 1, product * uniform(random)];
      if (units > 0 && (sku !== 'LATE' || day >= DAYS - 35)) driver.send(sales, sku, sale(sku, units, NINE + day * DAY));
    }
  }
  driver.tick(NINE + DAYS * DAY);
  const suggestions = driver.read(reorderSuggestions);
  const today = Math.floor(NINE / DAY);
  const ofSku = (sku: string, until: number) => suggestions.findLast((one) => one.sku === sku && one.day < today + until)!;
  const level = (until: number): number => skus.slice(0, SKUS).reduce((sum, sku) => sum + ofSku(sku, until).upTo, 0) / SKUS;
  // 56 in the mean; the 95 % quantile of Poisson's is 69.
  expect(level(70)).toBeGreaterThan(74);
  expect(level(DAYS)).toBeLessThan(level(70) - 2);
  expect(level(DAYS)).toBeGreaterThan(67);
  expect(correlationOf(driver.row('demand-forecasts', sharedErrorRows, '')!, RATE)).toBeLessThan(0.06);
  // Five weeks are too few to know its level: what others have taught is not for it.
  expect(ofSku('LATE', DAYS).upTo).toBeGreaterThan(level(DAYS) + 2);

  const views = new Views(observedStores((name, partition) => (name === table.name ? driver.openStore(name, partition) : memoryStore())), 1);
  for (const sku of ['P0', 'P1', 'LATE']) {
    const { madeAt, upTo } = ofSku(sku, DAYS);
    const door = new ForecastDoor({ views, items: new Items(views, itemIndex.init(), 'EUR'), days, plan: new Map(), reorder, hours: 0, now: madeAt, freshness: () => ({ readUntil: madeAt, caughtUp: true }) });
    expect((door.one(sku) as { reorder: object }).reorder).toMatchObject({ upTo });
  }
});
