import { expect, test } from 'vitest';
import { mixtureRows, SHOP, windowRows } from '../../consumers/demand/rows.js';
import { partitionOf } from '../../pipeline/core/partition.js';
import { restOf, rowKey, type RowKind } from '../../pipeline/core/rows.js';
import { demandDays, sales } from '../../schemas/topics.js';
import { randomness, uniform } from '../../models/kernels/numbers.js';
import { latest, shop, total } from '../support/demand.js';
import type { Driver, DriverOptions } from '../support/driver.js';
import { DAY, HOUR, MINUTE, NINE } from '../support/events.js';
import { sale } from '../support/sales.js';

const PARTITIONS = 4;
const FIRST = Math.floor(NINE / DAY);

/** A row that each partition has for itself. */
const own = <T>(driver: Driver, kind: RowKind<T>, partition: number): T | undefined => {
  const value = driver.openStore('demand-forecasts', partition).get(rowKey(SHOP, restOf(kind.name, '')));
  return value && kind.codec.decode(value);
};
const samples = (driver: Driver, partition: number): number => (own(driver, mixtureRows, partition)?.scores ?? []).reduce((sum, score) => sum + score.samples, 0);

const write = (driver: Driver, sku: string, quantity: number, time: number): void => driver.put(sales, sku, sale(sku, quantity, time));

/** SKUs of one partition. */
const skusOf = (partition: number, count: number): string[] =>
  Array.from({ length: 400 }, (_, i) => `P${i}`).filter((sku) => partitionOf(sku, PARTITIONS) === partition).slice(0, count);

function crashing(): DriverOptions {
  const random = randomness(7);
  return {
    batch: () => 1 + Math.floor(20 * uniform(random)),
    crash: () => {
      const draw = uniform(random);
      return draw < 0.1 ? 'lost' : draw < 0.2 ? 'kept' : undefined;
    },
  };
}

/** 24 SKUs that sell two a day, on the seventh day of a week hardly anything; some lines come days late, some are taken back. */
function live(partitions: number, days: number, crashing: DriverOptions = {}): Driver {
  const driver = shop('UTC', { partitions, ...crashing });
  const random = randomness(3);
  for (let day = 0; day < days; day++) {
    const morning = NINE + day * DAY;
    for (let i = 0; i < 24; i++) {
      const draw = uniform(random);
      const units = Math.floor((day % 7 === 6 ? 0.9 : 5) * draw);
      if (units > 0) write(driver, `P${i}`, units, morning + i * MINUTE);
      if (draw > 0.97 && day > 9) write(driver, `P${i}`, -1, morning - 3 * DAY);
      if (draw < 0.03 && day > 9) write(driver, `P${i}`, 2, morning - 9 * DAY);
    }
    driver.run();
    if (day > days - 9) driver.tick(morning + 14 * HOUR);
  }
  driver.tick(NINE + days * DAY - 10 * HOUR);
  return driver;
}

test.each<[string, DriverOptions]>([['', {}], [', whatever the batches are and whichever commits are lost', crashing()]])('each partition knows the days of the whole shop, late lines and refunds too%s', (_, options) => {
  const [whole, parted] = [live(1, 40), live(PARTITIONS, 40, options)];
  const expected = own(whole, windowRows, 0)!;
  expect(expected.hits.reduce((sum, hits) => sum + hits, 0)).toBeGreaterThan(300);
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const { lastDay, ...sums } = own(parted, windowRows, partition)!;
    expect(lastDay).toBe(expected.lastDay);
    for (const [name, values] of Object.entries(sums)) values.forEach((value, i) => expect(value, `${name} ${i}`).toBeCloseTo(expected[name as keyof typeof sums][i]!, 6));
  }
});

test('weekdays of a small shop are forecast on several partitions as on one', () => {
  const [whole, parted] = [live(1, 70), live(PARTITIONS, 70)];
  const worthOfLast = (driver: Driver): number => {
    const [quiet, all] = Array.from({ length: 24 }, (_, i) => latest(driver, `P${i}`)).reduce(([last, sum], forecast) => {
      const atEnd = forecast.mean.filter((_, ahead) => (forecast.firstDay + ahead - FIRST) % 7 === 6);
      return [last + atEnd.reduce((units, mean) => units + mean, 0) / atEnd.length, sum + total(forecast) / forecast.mean.length];
    }, [0, 0]);
    return quiet / all;
  };
  expect(worthOfLast(parted) / worthOfLast(whole)).toBeGreaterThan(0.97);
  expect(worthOfLast(parted) / worthOfLast(whole)).toBeLessThan(1.03);
});

test('a day that began elsewhere begins ten minutes later where nothing was sold, and is told at most once a minute', () => {
  const driver = shop('UTC', { partitions: PARTITIONS });
  const [busy, idle] = [skusOf(0, 1)[0]!, 1];
  driver.tick(NINE);
  for (let i = 0; i < 5; i++) driver.send(sales, busy, sale(busy, 1, NINE));
  expect(own(driver, windowRows, idle)).toBeUndefined();
  driver.tick(NINE + MINUTE);
  expect(driver.read(demandDays)).toHaveLength(PARTITIONS - 1);
  driver.tick(NINE + 9 * MINUTE);
  expect(own(driver, windowRows, idle)).toBeUndefined();
  driver.tick(NINE + 11 * MINUTE);
  expect(own(driver, windowRows, idle)).toMatchObject({ lastDay: FIRST, young: [1] });
});

test('a partition that reads history later than the others judges its days by its own sales', () => {
  const [early, late] = [skusOf(0, 8), skusOf(1, 8)];
  const history = (driver: Driver, skus: readonly string[], from: number, to: number): void => {
    for (let day = from; day < to; day++) for (const sku of skus) write(driver, sku, 3 + (day % 2), NINE + day * DAY);
    driver.run();
  };
  const inStep = shop('UTC', { partitions: PARTITIONS });
  for (let day = 0; day < 60; day++) history(inStep, [...early, ...late], day, day + 1);
  const apart = shop('UTC', { partitions: PARTITIONS });
  for (let day = 0; day < 60; day += 10) {
    history(apart, early, day, day + 10);
    history(apart, late, day, day + 10);
  }
  for (const partition of [0, 1]) {
    expect(samples(apart, partition)).toBeGreaterThan(20);
    expect(samples(apart, partition)).toBeCloseTo(samples(inStep, partition), 6);
    const [a, b] = [apart, inStep].map((driver) => own(driver, mixtureRows, partition)!.scores.reduce((sum, { actual }) => sum + actual, 0));
    expect(a! / b!).toBeGreaterThan(0.98);
    expect(a! / b!).toBeLessThan(1.02);
  }
  // What was told late has put the days right.
  apart.tick(NINE + 60 * DAY);
  apart.tick(NINE + 61 * DAY);
  inStep.tick(NINE + 60 * DAY);
  inStep.tick(NINE + 61 * DAY);
  for (const partition of [0, 1]) own(inStep, windowRows, partition)!.hits.forEach((hits, i) => expect(own(apart, windowRows, partition)!.hits[i], `day ${i}`).toBeCloseTo(hits, 6));
});
