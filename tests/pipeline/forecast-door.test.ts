import { describe, expect, test } from 'vitest';
import { demandForecasts } from '../../consumers/demand-forecasts.js';
import { live } from '../../consumers/demand/publication.js';
import { itemWatch } from '../../consumers/item-watch.js';
import type { Plan } from '../../models/forecast/planned-days.js';
import * as itemIndex from '../../models/item-index.js';
import { shopDays } from '../../pipeline/core/shop-day.js';
import type { Refusal } from '../../infra/http/problem.js';
import { noMetrics } from '../../pipeline/core/metrics.js';
import { partitionOf } from '../../pipeline/core/partition.js';
import { ForecastDoor, type Freshness } from '../../pipeline/serving/forecast-door.js';
import { observeForecasts } from '../../pipeline/serving/forecast-gauges.js';
import { Items } from '../../pipeline/serving/items.js';
import { observedStores, Views } from '../../pipeline/serving/views.js';
import { memoryStore } from '../../pipeline/core/memory-store.js';
import { catalog, inventory, products, demandForecasts as forecastTable, sales } from '../../schemas/topics.js';
import type { CatalogChange, Sale } from '../../schemas/types.js';
import { Driver } from '../support/driver.js';
import { DAY, MINUTE, NINE, stock } from '../support/events.js';
import { differences } from '../support/openapi.js';

const days = shopDays('UTC');
const reorder = { policy: 'periodic', leadTimeDays: 7, leadTimeDeviationDays: 0, reviewDays: 7, coverDays: 14, packSize: 1, minimumUnits: 0, serviceLevel: 0.95 } as const;
const today = Math.floor(NINE / DAY) + 34;
const plan: Plan = new Map([[today + 3, { kind: 'closed', name: 'closed' }], [today + 5, { kind: 'promotion', name: 'Sale' }], [today + 6, { kind: 'holiday', name: 'Fair' }]]);

const sale = (sku: string, quantity: number, time: number): Sale => ({
  sku, orderId: 'O', line: 0, kind: 'sale', time, reportedAt: time, receivedAt: time, quantity, price: 10_000n, amount: 0n, currency: 'EUR', shopper: null, country: null, source: null, claimed: 0,
});
const product = (sku: string, attributes: Record<string, string> = {}): CatalogChange => ({
  sku, op: 'upsert', name: sku, category: 'kitchen', furtherCategories: [], brand: null, price: 10_000n, currency: 'EUR', url: null, imageUrl: null, hidden: false, quantity: 20, availability: null, attributes, time: NINE, receivedAt: NINE,
});

interface Answer {
  readonly days: readonly { date: string; mean: number; quantiles: readonly number[]; interval80: readonly [number, number] }[];
  readonly [field: string]: unknown;
}

/** Five weeks of a shop with a daily and a rare seller. */
function viewsAfterFiveWeeks(hours: number): Views {
  const driver = new Driver([itemWatch(), demandForecasts({ days, publication: live(days, MINUTE), plan, reorder, hours })]);
  driver.tick(NINE - MINUTE);
  driver.send(catalog, 'TEA', product('TEA', { replaces: 'COFFEE', lead_time_days: '3', review_days: '4', pack_size: '6' }));
  driver.send(catalog, 'CUP', product('CUP', { replaces: 'MUG', sale_price: '0.80 EUR', sale_price_effective_date: '2026-04-09T09:00+0000/2026-04-11' }));
  driver.send(catalog, 'NEW', product('NEW'));
  for (let day = 0; day < 35; day++) {
    driver.tick(NINE + day * DAY);
    driver.send(sales, 'TEA', sale('TEA', 4 + (day % 3), NINE + day * DAY));
    driver.send(sales, 'POT', sale('POT', 2, NINE + day * DAY));
    if (day % 9 === 0) driver.send(sales, 'CUP', sale('CUP', 1, NINE + day * DAY));
  }
  driver.send(catalog, 'POT-2', { ...product('POT-2', { replaces: 'POT' }), category: 'garden' });
  driver.tick(NINE + 34 * DAY + MINUTE);
  driver.send(inventory, 'TEA', stock('TEA', 7, NINE + 34 * DAY));
  const mine = new Set([products.name, forecastTable.name]);
  return new Views(observedStores((table, partition) => (mine.has(table) ? driver.openStore(table, partition) : memoryStore())), 1);
}

function fiveWeeks(hours: number): ForecastDoor {
  const views = viewsAfterFiveWeeks(hours);
  return new ForecastDoor({ views, items: new Items(views, itemIndex.init(), 'EUR'), days, plan, reorder, hours, now: NINE + 34 * DAY + 10 * MINUTE, freshness: (partition) => ({ readUntil: views.taskTime(forecastTable, partition), caughtUp: true }) });
}

const door = fiveWeeks(0);

test('every answer says up to when sales have been read, and whether that lacks more than the last seconds', async () => {
  const freshness = { readUntil: '2026-04-05T09:01:00.000Z', caughtUp: true };
  expect(door.one('TEA')).toMatchObject({ asOf: '2026-04-05T09:10:00.000Z', freshness });
  for (const answer of [door.several(['TEA', 'unsold']), await door.ofCategory('kitchen'), await door.ofShop(), door.one('POT')]) expect(answer).toMatchObject({ freshness });
});

test('several SKUs are as fresh as the partition that knows least, be it of one that seems never to have sold', () => {
  const views = new Views(observedStores(() => memoryStore()), 2);
  const freshness = (partition: number): Freshness => [{ readUntil: NINE, caughtUp: true }, { readUntil: NINE - MINUTE, caughtUp: false }][partition]!;
  const asked = new ForecastDoor({ views, items: new Items(views, itemIndex.init(), 'EUR'), days, plan, reorder, hours: 0, now: NINE, freshness });
  const refusalOf = (sku: string): unknown => { try { return asked.one(sku); } catch (error) { return (error as Refusal).problem; } };
  const [first, second] = [0, 1].map((home) => ['A', 'B', 'C', 'D', 'E', 'F'].find((sku) => partitionOf(sku, 2) === home)!);
  expect(asked.several([first!])).toMatchObject({ unknown: [first], freshness: { readUntil: '2026-03-02T09:00:00.000Z', caughtUp: true } });
  expect(asked.several([first!, second!])).toMatchObject({ freshness: { readUntil: '2026-03-02T08:59:00.000Z', caughtUp: false } });
  // That it never sold is said only by a partition that would know.
  expect(refusalOf(first)).toBeUndefined();
  expect(refusalOf(second)).toEqual({ status: 404, detail: `There is no forecast of "${second}" yet: what was sold lately is still being read.`, retryAfterSeconds: 1 });
});

describe('what openapi.yaml says of answers', () => {
  const hourly = fiveWeeks(12);

  test.each([
    ['ForecastWithReasons', async () => [door, hourly].flatMap((one) => ['TEA', 'CUP', 'POT', 'POT-2'].map((sku) => one.one(sku)))],
    ['Forecasts', async () => [door.several(['TEA', 'nothing', 'CUP']), hourly.several(['TEA'])]],
    ['TotalForecast', async () => [await door.ofCategory('kitchen'), await hourly.ofCategory('garden'), await door.ofShop()]],
  ])('%s is what the door answers, field by field', async (name, answers) => {
    for (const answer of await answers()) expect(differences(JSON.parse(JSON.stringify(answer)), { $ref: `#/components/schemas/${name}` })).toEqual([]);
  });
});

describe('the forecast of one SKU', () => {
  const tea = door.one('TEA') as Answer;

  test('has 28 days from tomorrow on, each with a mean, quantiles and an interval; a closed one is nothing', () => {
    expect(tea.days).toHaveLength(28);
    expect(tea.days[0]!.date).toBe('2026-04-06');
    expect(tea.days[2]).toMatchObject({ date: '2026-04-08', mean: 0, interval80: [0, 0] });
    expect(tea.days[0]!.mean).toBeGreaterThan(3);
    expect(tea.days[0]!.mean).toBeLessThan(7);
  });

  test('says which experts spoke, what drives it and what is planned', () => {
    const mix = tea['mix'] as { weight: number }[];
    expect(mix.reduce((sum, { weight }) => sum + weight, 0)).toBeGreaterThan(0.9);
    expect(tea['drivers']).toMatchObject({
      stillSold: 1,
      demandClass: 'daily', dayOfWeek: { monday: expect.any(Number) as number, sunday: expect.any(Number) as number }, trend: { shopPercentAWeek: expect.any(Number) as number },
      planned: [{ date: '2026-04-08', kind: 'closed', factor: 0 }, { date: '2026-04-10', kind: 'promotion', name: 'Sale', factor: 1 }, { date: '2026-04-11', kind: 'holiday', name: 'Fair', factor: 1 }],
    });
  });

  test('says how its own last days were forecast the evening before', () => {
    const { sku } = tea['accuracy'] as { sku: { forecasts: number; coverage80: number; pinball: number; bias: number } };
    expect(sku.forecasts).toBe(27);
    expect(sku.coverage80).toBeGreaterThan(0.5);
    expect(sku.pinball).toBeLessThan(0.5);
    expect(Math.abs(sku.bias)).toBeLessThan(0.3);
  });

  test('says what to order by the terms of the catalogue, where the stock is known', () => {
    expect(tea['stock']).toEqual({ known: true, units: 7, daysShortOfLast28: 0 });
    const { units, reasons } = tea['reorder'] as { units: number; reasons: { text: string }[] };
    expect(units % 6).toBe(0);
    expect(units).toBeGreaterThan(20);
    expect(reasons[0]!.text).toContain('Covers 7 days at 95 %');
  });

  test('names the days of its promotion, and what one is worth to the shop', () => {
    const { promotion } = (door.one('CUP') as Answer)['drivers'] as { promotion: object };
    expect(promotion).toEqual({ factor: 1, dates: ['2026-04-09', '2026-04-10', '2026-04-11'] });
    expect(tea['drivers']).not.toHaveProperty('promotion');
  });

  test('is nothing for one whose place another takes, which has its level before it ever sold', () => {
    const [old, successor] = [door.one('POT') as Answer, door.one('POT-2') as Answer];
    expect(old).toMatchObject({ replacedBy: 'POT-2', lastSaleDay: '2026-04-05' });
    expect(old.days.every(({ mean }) => mean === 0)).toBe(true);
    expect(successor.days[0]!.mean).toBeGreaterThan(1.5);
    expect(successor.days[0]!.mean).toBeLessThan(2.5);
    expect(successor['replaces']).toEqual({ sku: 'POT', history: 'taken_over' });
    expect((door.one('CUP') as Answer)['replaces']).toEqual({ sku: 'MUG', history: 'none' });
    expect(tea['replaces']).toEqual({ sku: 'COFFEE', history: 'own' });
    expect(old).not.toHaveProperty('replaces');
    expect((door.several(['POT']) as { forecasts: Answer[] }).forecasts[0]!.days).toEqual(old.days);
  });

  test('names the last day of which not all came back, if there is one', () => {
    const driver = new Driver([demandForecasts({ days, publication: live(days, MINUTE) })]);
    for (const [sku, quantity, day] of [['P', 2, 0], ['P', 3, 5], ['P', -3, 5], ['Q', 2, 5], ['Q', -2, 5]] as const) driver.send(sales, sku, sale(sku, quantity, NINE + day * DAY));
    const views = new Views(observedStores((table, partition) => (table === forecastTable.name ? driver.openStore(table, partition) : memoryStore())), 1);
    const asked = new ForecastDoor({ views, items: new Items(views, itemIndex.init(), 'EUR'), days, plan, reorder, hours: 0, now: NINE + 6 * DAY, freshness: () => ({ readUntil: NINE, caughtUp: true }) });
    expect(['P', 'Q'].map((sku) => (asked.one(sku) as Answer)['lastSaleDay'])).toEqual(['2026-03-02', null]);
  });

  test('is not there for what never sold', () => {
    expect(door.one('NEW')).toBeUndefined();
  });
});

describe('the hours of a forecast', () => {
  const hourly = fiveWeeks(36);
  const tea = hourly.one('TEA') as Answer & { hours: readonly { start: string; mean: number; quantiles: readonly number[] }[] };

  test('are there where they are asked for, beside all that there is without them', () => {
    const { hours, ...rest } = tea;
    expect(hours.map(({ start }) => start).slice(0, 2)).toEqual(['2026-04-05T10:00+00:00', '2026-04-05T11:00+00:00']);
    expect(hours).toHaveLength(36);
    const without = door.one('TEA') as Answer;
    expect(Object.keys(rest)).toEqual(Object.keys(without));
    // The running day counts by them, which moves the days a little.
    rest.days.forEach(({ mean }, i) => expect(Math.abs(mean - without.days[i]!.mean)).toBeLessThan(0.25));
    expect((hourly.several(['TEA']) as { forecasts: Answer[] }).forecasts[0]!['hours']).toEqual(hours);
  });

  test('of a day add up to it, most of it at the hour at which all was sold', () => {
    const tomorrow = tea.hours.slice(14);
    expect(tomorrow.reduce((sum, { mean }) => sum + mean, 0)).toBeCloseTo(tea.days[0]!.mean, 0);
    expect(Math.max(...tea.hours.map(({ mean }) => mean))).toBe(tea.hours[23]!.mean);
    for (const { quantiles } of tea.hours) expect([...quantiles].sort((a, b) => a - b)).toEqual(quantiles);
  });

  test('of a category are the sums of its SKUs\', and add up to its days', async () => {
    type Hours = readonly { start: string; mean: number; quantiles: readonly number[] }[];
    const kitchen = await hourly.ofCategory('kitchen') as Answer & { hours: Hours };
    const { forecasts } = hourly.several(['TEA', 'CUP']) as { forecasts: { hours: Hours }[] };
    expect(kitchen.hours.map(({ start }) => start)).toEqual(forecasts[0]!.hours.map(({ start }) => start));
    kitchen.hours.forEach(({ mean, quantiles }, i) => {
      expect(mean).toBeCloseTo(forecasts[0]!.hours[i]!.mean + forecasts[1]!.hours[i]!.mean, 5);
      expect(quantiles).toHaveLength(9);
      expect([...quantiles].sort((a, b) => a - b)).toEqual(quantiles);
    });
    const tomorrow = fiveWeeks(48).ofCategory('kitchen') as Promise<Answer & { hours: Hours }>;
    const ofDay = (await tomorrow).hours.filter(({ start }) => start.startsWith('2026-04-06'));
    expect(ofDay).toHaveLength(24);
    expect(ofDay.reduce((sum, { mean }) => sum + mean, 0)).toBeCloseTo(kitchen.days[0]!.mean, 3);
    // Of one SKU alone a category says what the SKU does.
    const garden = await hourly.ofCategory('garden') as { hours: Hours };
    const successor = (hourly.several(['POT-2']) as { forecasts: { hours: Hours }[] }).forecasts[0]!;
    expect(garden.hours.map(({ quantiles }) => quantiles)).toEqual(successor.hours.map(({ quantiles }) => quantiles));
    expect(await door.ofCategory('kitchen')).not.toHaveProperty('hours');
  });

  test('of what is not sold any more are nothing', () => {
    const { hours } = hourly.one('POT') as { hours: { mean: number; quantiles: number[] }[] };
    expect(hours).toHaveLength(36);
    expect(hours.every(({ mean, quantiles }) => mean === 0 && quantiles.every((q) => q === 0))).toBe(true);
  });
});

test('several SKUs come as they do alone, and unknown ones are named', () => {
  const { forecasts, unknown } = door.several(['TEA', 'nothing', 'CUP']) as { forecasts: Answer[]; unknown: string[] };
  expect(forecasts.map(({ sku }) => sku)).toEqual(['TEA', 'CUP']);
  expect(forecasts[0]!.days).toEqual((door.one('TEA') as Answer).days);
  expect(unknown).toEqual(['nothing']);
});

test('a category is the sum of its SKUs, with quantiles that do not cross', async () => {
  const kitchen = await door.ofCategory('kitchen') as Answer;
  const { forecasts } = door.several(['TEA', 'CUP']) as { forecasts: Answer[] };
  expect(kitchen).toMatchObject({ category: 'kitchen', products: 3, forecast: 2 });
  kitchen.days.forEach((day, i) => {
    expect([day.mean, ...day.quantiles].filter((units) => Number(units.toFixed(4)) !== units)).toEqual([]);
    expect(day.mean).toBeCloseTo(forecasts[0]!.days[i]!.mean + forecasts[1]!.days[i]!.mean, 9);
    expect([...day.quantiles].sort((a, b) => a - b)).toEqual(day.quantiles);
  });
  expect(await door.ofCategory('cellar')).toBeUndefined();
});

test('of a category of thousands a few rows are read in one turn', async () => {
  const driver = new Driver([itemWatch()]);
  for (let i = 0; i < 2_000; i++) driver.put(catalog, `P${i}`, product(`P${i}`));
  driver.run();
  let [read, most] = [0, 0];
  const store = memoryStore();
  const counted = { ...store, position: 0, get: (key: string) => (read++, store.get(key)) };
  const views = new Views(observedStores((table) => (table === products.name ? driver.openStore(table, 0) : counted)), 1);
  const asked = new ForecastDoor({ views, items: new Items(views, itemIndex.init(), 'EUR'), days, plan, reorder, hours: 0, now: NINE, freshness: () => ({ readUntil: NINE, caughtUp: true }) });
  const answer = asked.ofCategory('kitchen');
  most = read;
  for (let turn = 0; turn < 2_000 / 50 * 3; turn++) {
    read = 0;
    await new Promise((resolve) => { setImmediate(resolve); });
    most = Math.max(most, read);
  }
  expect(await answer).toMatchObject({ products: 2_000, forecast: 0 });
  expect(most).toBeLessThan(500);
});

test('a product counts in its first category and in what lies above it, so that each level of a tree adds up', async () => {
  const driver = new Driver([itemWatch(), demandForecasts({ days, publication: live(days, MINUTE), plan: new Map(), reorder, hours: 0 })]);
  driver.tick(NINE - MINUTE);
  driver.send(catalog, 'CUP', { ...product('CUP'), category: 'Home > Kitchen', furtherCategories: ['Gifts'] });
  driver.send(catalog, 'RUG', { ...product('RUG'), category: 'Home > Floor', furtherCategories: ['Home > Kitchen'] });
  for (const sku of ['CUP', 'RUG']) driver.send(sales, sku, sale(sku, 3, NINE));
  driver.tick(NINE + DAY);
  const mine = new Set([products.name, forecastTable.name]);
  const views = new Views(observedStores((table, partition) => (mine.has(table) ? driver.openStore(table, partition) : memoryStore())), 1);
  const asked = new ForecastDoor({ views, items: new Items(views, itemIndex.init(), 'EUR'), days, plan: new Map(), reorder, hours: 0, now: NINE + DAY, freshness: () => ({ readUntil: NINE, caughtUp: true }) });
  const [kitchen, floor, home] = await Promise.all(['Home > Kitchen', 'Home > Floor', 'Home'].map((category) => asked.ofCategory(category))) as [Answer, Answer, Answer];
  expect([kitchen, floor, home].map(({ products: count }) => count)).toEqual([1, 1, 2]);
  expect(kitchen.days[0]!.mean).toBeGreaterThan(0);
  expect(home.days[0]!.mean).toBeCloseTo(kitchen.days[0]!.mean + floor.days[0]!.mean, 3);
  expect(await asked.ofCategory('Gifts')).toBeUndefined();
});

test('what is replaced, discontinued or deleted is no member of its category', async () => {
  const driver = new Driver([itemWatch(), demandForecasts({ days, publication: live(days, MINUTE) })]);
  driver.tick(NINE - MINUTE);
  const skus = ['OLD', 'NEW', 'GONE', 'DELETED', 'PLAIN'];
  for (const sku of skus) driver.send(catalog, sku, product(sku));
  for (const sku of skus) driver.send(sales, sku, sale(sku, 2, NINE));
  driver.tick(NINE + DAY);
  driver.send(catalog, 'NEW', product('NEW', { replaces: 'OLD' }));
  driver.send(catalog, 'GONE', product('GONE', { discontinued: 'true' }));
  driver.send(catalog, 'DELETED', { ...product('DELETED'), op: 'delete' });
  driver.tick(NINE + DAY + MINUTE);
  const views = new Views(observedStores((table, partition) => ([products.name, forecastTable.name].includes(table) ? driver.openStore(table, partition) : memoryStore())), 1);
  const asked = new ForecastDoor({ views, items: new Items(views, itemIndex.init(), 'EUR'), days, plan, reorder, hours: 0, now: NINE + DAY + MINUTE, freshness: () => ({ readUntil: NINE, caughtUp: true }) });
  expect(await asked.ofCategory('kitchen')).toMatchObject({ products: 2, forecast: 2 });
  expect(await asked.ofShop()).toMatchObject({ forecast: 2 });
});

test('the shop is the sum of all that has sold, whatever its category, and of one partition after another', async () => {
  const all = await door.ofShop() as Answer;
  const { forecasts } = door.several(['TEA', 'CUP', 'POT', 'POT-2']) as { forecasts: Answer[] };
  // POT is replaced: nothing is forecast of it.
  expect(all).toMatchObject({ total: 'shop', forecast: forecasts.length - 1 });
  expect(all.days).toHaveLength(28);
  all.days.forEach((day, i) => {
    expect(day.mean).toBeCloseTo(forecasts.reduce((sum, { days: own }) => sum + own[i]!.mean, 0), 3);
    expect([...day.quantiles].sort((a, b) => a - b)).toEqual(day.quantiles);
  });
});

test('metrics say what base-stock levels cost, how many cycles they covered, and how many were promised', () => {
  const gauges = new Map<string, number>();
  observeForecasts(viewsAfterFiveWeeks(0), { ...noMetrics, gauge: (name, value, labels) => gauges.set([name, ...Object.values(labels ?? {})].join(' '), value) });
  expect(gauges.get('millrace_reorder_covered_ratio promised')).toBeCloseTo(0.95, 12);
  // 4, 5 and 6 a day, in turn, are covered at 95 % by any forecast that has learned them.
  expect(gauges.get('millrace_reorder_covered_ratio covered')).toBeGreaterThan(0.5);
  expect(gauges.get('millrace_reorder_covered_ratio covered')).toBeLessThanOrEqual(1);
  expect(gauges.get('millrace_reorder_cost_ratio served')).toBe(1);
});

test('of a class in which hardly any forecast is left nothing is told: how its last days were does not stand for ever', () => {
  const coverageWith = (samples: number): number | undefined => {
    const gauges = new Map<string, number>();
    const score = { samples, covered: samples / 4, pinball: 1, forecast: 1, actual: 2 };
    const views = { partitions: 1, rowOfPartition: (_topic: unknown, _partition: number, kind: { name: string }) => (kind.name === 'mixture' ? { scores: [score] } : undefined) } as unknown as Views;
    observeForecasts(views, { ...noMetrics, gauge: (name, value, labels) => gauges.set([name, ...Object.values(labels ?? {})].join(' '), value) });
    return gauges.get('millrace_forecast_coverage_ratio rare');
  };
  expect([coverageWith(0), coverageWith(9), coverageWith(10)]).toEqual([undefined, NaN, 0.25]);
});
