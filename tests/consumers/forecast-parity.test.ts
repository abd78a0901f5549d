import { expect, test } from 'vitest';
import { demandForecasts } from '../../consumers/demand-forecasts.js';
import { live } from '../../consumers/demand/publication.js';
import { LEVELS } from '../../consumers/demand/rows.js';
import * as metrics from '../../models/evaluate/forecast-metrics.js';
import * as forecaster from '../../models/forecast/demand-forecaster.js';
import type { Plan } from '../../models/forecast/planned-days.js';
import { randomness, uniform } from '../../models/kernels/numbers.js';
import { shopDays } from '../../pipeline/core/shop-day.js';
import { forecasts, sales } from '../../schemas/topics.js';
import { Driver } from '../support/driver.js';
import { DAY, HOUR, MINUTE, NINE } from '../support/events.js';

const SKUS = 80;
const DAYS = 140;
const AHEAD = 28;
const PER_WEEKDAY = [1.3, 0.8, 0.9, 1, 1.2, 1.6, 0];

/** Every fourth week a day on which three times as much is sold, of which both may be told. */
const SALES = Array.from({ length: (DAYS + AHEAD) / 28 }, (_, month) => 10 + 28 * month);
const toldOf = (first: number): Plan => new Map(SALES.map((day) => [first + day, { kind: 'promotion', name: 'Sale' }]));

/** Units by SKU and day: a few sell each day, most now and then, some come late; nothing sells on the last day of a week. */
function invented(withSales: boolean): Float64Array[] {
  const random = randomness(5);
  return Array.from({ length: SKUS }, (_, sku) => {
    const often = 0.04 + 0.8 * ((sku % 20) / 20) ** 2;
    const size = 1 + (sku % 7);
    const born = sku % 5 === 0 ? 30 : 0;
    return Float64Array.from({ length: DAYS + AHEAD }, (_, day) => {
      const chance = often * PER_WEEKDAY[day % 7]!;
      const times = withSales && SALES.includes(day) ? 3 : 1;
      return day < born || uniform(random) >= chance ? 0 : times * (1 + Math.floor(-size * Math.log(1 - uniform(random))));
    });
  });
}

/** Each open day one that is new, and sells again with a chance. */
function newOnes(chance: number): Float64Array[] {
  const random = randomness(8);
  const born = Array.from({ length: DAYS }, (_, day) => day).filter((day) => day % 7 !== 6);
  return born.map((first) => Float64Array.from({ length: DAYS + AHEAD }, (_, day) => (day === first ? 50 : day > first && day % 7 !== 6 && uniform(random) < chance ? 50 : 0)));
}

interface Both {
  readonly told: metrics.ForecastScores;
  readonly lived: metrics.ForecastScores;
  /** Units of four weeks, by SKU. */
  readonly measured: readonly number[];
  readonly served: readonly number[];
}

/** What `evaluate forecasts` measures, and what the topology forecasts, of the same sales. */
function bothOf(units: readonly Float64Array[], withSales = false, lived = DAYS): Both {
  const firstDay = Math.floor(NINE / DAY);
  const model = forecaster.init({ skus: units.length, seasonPeriods: 7, horizon: AHEAD, probabilities: LEVELS, firstDay, plan: withSales ? toldOf(0) : new Map() });
  const days = shopDays('UTC');
  const plan = withSales ? toldOf(firstDay) : new Map();
  const driver = new Driver([demandForecasts({ days, publication: live(days, MINUTE), plan })]);
  const first = units.map((sold) => sold.findIndex((sale) => sale > 0));
  for (let day = 0; day < lived; day++) {
    forecaster.learn(model, Float64Array.from(units, (sold, sku) => (day < first[sku]! ? NaN : sold[day]!)));
    units.forEach((sold, sku) => {
      const time = NINE + day * DAY + sku * MINUTE;
      if (sold[day]! > 0) driver.write(sales.name, `S${sku}`, sales.codec.encode({
        sku: `S${sku}`, orderId: 'O', line: sku, kind: 'sale', time, reportedAt: time, receivedAt: time, quantity: sold[day]!, price: 10_000n, amount: 0n, currency: 'EUR', shopper: null, country: null, source: null, claimed: 0,
      }));
    });
    driver.run();
  }
  driver.tick(NINE + (lived - 1) * DAY + 14 * HOUR);
  const served = new Map(driver.read(forecasts).map((forecast) => [forecast.sku, forecast]));
  const [measured, topology] = [metrics.init(), metrics.init()];
  const sums: { measured: number[]; served: number[] } = { measured: [], served: [] };
  const made = forecaster.blankForecast(model);
  units.forEach((sold, sku) => {
    const actual = sold.slice(lived);
    const scale = metrics.seasonalScale(sold.slice(first[sku], lived), 7);
    const open = Array.from(actual, (_, ahead) => (lived + ahead) % 7 !== 6);
    forecaster.predict(model, sku, made);
    metrics.add(measured, { ...made, actual, scale, open }, LEVELS);
    const { mean, quantiles, low, high } = served.get(`S${sku}`)!;
    metrics.add(topology, { means: mean, quantiles: quantiles.flat(), low, high, actual, scale, open }, LEVELS);
    sums.measured.push(sum(made.means));
    sums.served.push(sum(mean));
  });
  return { told: metrics.scores(measured), lived: metrics.scores(topology), ...sums };
}

const sum = (values: Iterable<number>): number => [...values].reduce((total, value) => total + value, 0);

test.each([['', false], [' and the same calendar', true]])('what the topology forecasts is as good as what `evaluate forecasts` measures, from the same sales%s', (_, withSales) => {
  const { told, lived } = bothOf(invented(withSales), withSales);
  expect(lived.series).toBe(SKUS);
  for (const score of ['sql', 'wql', 'rmsse'] as const) expect(Math.abs(lived[score] / told[score] - 1)).toBeLessThan(0.03);
  for (const score of ['bias', 'coverage_80'] as const) expect(Math.abs(lived[score] - told[score])).toBeLessThan(0.04);
});

/** A year and as long into the next one as its wave takes to where it rises fastest. */
const RISING = 365 + 205;

/** All share a wave of the year; what each sells of it is off by a fifth at most. */
function wavy(): Float64Array[] {
  const random = randomness(11);
  const wave = (day: number): number => Math.exp(0.5 * Math.sin((2 * Math.PI * (day - 220)) / 365));
  return Array.from({ length: 12 }, (_, sku) => Float64Array.from({ length: RISING + AHEAD }, (_, day) => Math.round((10 + sku) * PER_WEEKDAY[day % 7]! * wave(day) * (0.8 + 0.4 * uniform(random)))));
}

test('the course of the year is known to both alike: what rose a year ago is expected to rise again', () => {
  const { told, lived } = bothOf(wavy(), false, RISING);
  for (const score of ['sql', 'wql', 'rmsse'] as const) expect(Math.abs(lived[score] / told[score] - 1)).toBeLessThan(0.03);
  for (const { bias } of [told, lived]) expect(bias).toBeGreaterThan(-0.1);
});

test('what has sold once goes on as new SKUs of the shop do, in both alike: where those hardly ever sell again it is no regular seller', () => {
  const newest = (chance: number): { told: number; lived: number } => {
    const { measured, served } = bothOf([...invented(false), ...newOnes(chance)]);
    const ofThree = (forecast: readonly number[]): number => sum(forecast.slice(-3)) / 3;
    return { told: ofThree(measured), lived: ofThree(served) };
  };
  const [leftovers, regular] = [newest(0.02), newest(0.8)];
  for (const { told, lived } of [leftovers, regular]) expect(Math.abs(lived / told - 1)).toBeLessThan(0.1);
  for (const by of ['told', 'lived'] as const) {
    // Of 50 units; they sell 24 and 960 in four weeks.
    expect(leftovers[by]).toBeLessThan(150);
    expect(regular[by]).toBeGreaterThan(500);
  }
});
