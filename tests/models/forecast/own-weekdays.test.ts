import { expect, test } from 'vitest';
import { blankForecast, init, learn, predict } from '../../../models/forecast/demand-forecaster.js';
import { demandOver, demandQuantile } from '../../../models/inventory/demand-over-time.js';
import { randomness, uniform } from '../../../models/kernels/numbers.js';

const PROBABILITIES = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];
/** By weekday; all sell 14 a week. */
const WEEKS = { even: [2, 2, 2, 2, 2, 2, 2], saturday: [1, 1, 1, 1, 2, 6, 2], weekend: [0, 0, 0, 0, 0, 7, 7] } as const;
type Kind = keyof typeof WEEKS;
const KINDS: readonly Kind[] = ['even', 'saturday', 'weekend'];

/** What is forecast of two weeks, and the stock that covers them at 95 %, by kind and the weekday of the evening it was made on. */
function twoWeeks(counts: Readonly<Record<Kind, number>>): { kind: Kind; mean: number; level: number }[] {
  const random = randomness(6);
  const skus = KINDS.flatMap((kind) => Array.from({ length: counts[kind] }, () => kind));
  const model = init({ skus: skus.length, seasonPeriods: 7, horizon: 28, probabilities: PROBABILITIES });
  const sums = KINDS.flatMap((kind) => Array.from({ length: 7 }, (_, weekday) => ({ kind, weekday, mean: 0, level: 0, count: 0 })));
  for (let day = 0; day < 280; day++) {
    learn(model, Float64Array.from(skus, (kind) => {
      let [units, product] = [0, uniform(random)];
      while (product > Math.exp(-WEEKS[kind][day % 7]!)) [units, product] = [units + 1, product * uniform(random)];
      return units;
    }));
    if (day < 210) continue;
    for (const [sku, kind] of skus.entries()) {
      const forecast = blankForecast(model);
      predict(model, sku, forecast);
      const days = Array.from({ length: 14 }, (_, i) => ({ mean: forecast.means[i]!, quantiles: [...forecast.quantiles.subarray(i * 9, i * 9 + 9)] }));
      const demand = demandOver({ probabilities: PROBABILITIES, days }, 14);
      const sum = sums.find((one) => one.kind === kind && one.weekday === day % 7)!;
      sum.mean += demand.mean;
      sum.level += demandQuantile(demand, 0.95);
      sum.count++;
    }
  }
  return sums.map(({ kind, mean, level, count }) => ({ kind, mean: mean / count, level: level / count }));
}

test.each([
  ['few of a shop', { even: 60, saturday: 10, weekend: 10 }],
  ['two thirds of it', { even: 20, saturday: 20, weekend: 20 }],
])('what has weekdays of its own, %s, needs no more stock than what sells alike every day, whatever the day on which it is asked', (_, counts) => {
  for (const { kind, mean, level } of twoWeeks(counts)) {
    // 28 of two weeks; 37 is the 95 % quantile of Poisson's, 42 with days that may err together.
    expect([kind, mean > 28 * 0.9, mean < 28 * 1.12, level > 38, level < 47]).toEqual([kind, true, true, true, true]);
  }
});
