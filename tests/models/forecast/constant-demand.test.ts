import { expect, test } from 'vitest';
import { blankForecast, init, learn, predict } from '../../../models/forecast/demand-forecaster.js';

const RATES = [1, 2, 5, 50] as const;

/** Four weeks' forecast over what is sold, least and greatest of the first SKUs, after so many days of a shop that sells the same every day. */
function overSold(skus: number, days: number): { least: number; greatest: number } {
  const overs = (skus === 1 ? RATES.map((_, i) => i) : [0]).flatMap((from) => {
    const rates = Float64Array.from({ length: skus }, (_, sku) => RATES[(from + sku) % RATES.length]!);
    const model = init({ skus, seasonPeriods: 7, horizon: 28, probabilities: [0.1, 0.5, 0.9], firstDay: 20_000 });
    for (let day = 0; day < days; day++) learn(model, rates);
    const forecast = blankForecast(model);
    return Array.from(rates.subarray(0, RATES.length), (rate, sku) => {
      predict(model, sku, forecast);
      return forecast.means.reduce((sum, mean) => sum + mean, 0) / 28 / rate;
    });
  });
  return { least: Math.min(...overs), greatest: Math.max(...overs) };
}

const SHOPS = [1, 3, 10, 200] as const;

test.each(SHOPS.flatMap((skus) => [[skus, 40], [skus, 200]] as const))('a shop of %s SKUs that sell the same every day is forecast as that after %s days', (skus, days) => {
  const { least, greatest } = overSold(skus, days);
  expect(least).toBeGreaterThan(0.97);
  expect(greatest).toBeLessThan(1.03);
});

// Nobody has taught yet that new SKUs of this shop sell every day.
test.each(SHOPS)('after two weeks a shop of %s such SKUs is forecast a tenth below, never above', (skus) => {
  const { least, greatest } = overSold(skus, 14);
  expect(least).toBeGreaterThan(0.88);
  expect(greatest).toBeLessThanOrEqual(1);
});
