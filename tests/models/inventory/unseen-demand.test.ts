import { expect, test } from 'vitest';
import { meanOver } from '../../../models/inventory/base-stock-learning.js';
import { unlearned } from '../../../models/inventory/shared-error.js';
import { likelyDemands } from '../../../models/inventory/unseen-demand.js';
import { randomness, uniform } from '../../../models/kernels/numbers.js';

const steady = (days: number, rate: number) => ({ days, mean: days * rate, squares: days * rate, products: 0 });

test('a stretch that was seen whole came to what was sold', () => {
  expect(likelyDemands(12, 0, steady(7, 2), unlearned)).toEqual([12]);
});

test('what was sold is certain, what could not be sold is likely to be what was forecast of that time', () => {
  const demands = likelyDemands(12, 0.5, steady(14, 2), unlearned);
  expect(Math.min(...demands)).toBeGreaterThanOrEqual(12);
  expect(Math.abs(meanOver(demands, (demand) => demand) - 26)).toBeLessThan(0.3);
  const spread = meanOver(demands, (demand) => (demand - 26) ** 2);
  expect(Math.abs(spread - 14)).toBeLessThan(3);
});

test.each([0.9, 0.98, 0.99])('also levels of a service of %d may be too low for what nobody saw, by as much as they are', (service) => {
  const rate = 25.2;
  const chances = Array.from({ length: 80 }).reduce<number[]>((all, _, i) => [...all, i === 0 ? Math.exp(-rate) : all[i - 1]! * (rate / i)], []);
  const of = (count: (units: number) => number): number => chances.reduce((sum, chance, units) => sum + chance * count(units), 0);
  const level = chances.findIndex((_, at) => of((units) => Number(units <= at)) >= service);
  const likely = likelyDemands(0, 0.9, steady(14, 2), unlearned);
  expect(Math.abs(meanOver(likely, (demand) => Number(demand <= level)) - of((units) => Number(units <= level)))).toBeLessThan(0.004);
  expect(Math.abs(meanOver(likely, (demand) => Math.max(0, demand - level)) / of((units) => Math.max(0, units - level)) - 1)).toBeLessThan(0.15);
});

test.each([[60, 56, -0.01], [50, 56, 0.1], [70, 62, -0.01]])('levels are covered as often as by the demand that nobody saw, whatever stock cut it off: stock of %s, level of %s', (stock, level, hidden) => {
  const random = randomness(5);
  const [days, rate, stretches] = [7, 8, 2_000];
  let [known, told, seen] = [0, 0, 0];
  for (let i = 0; i < stretches; i++) {
    let [demand, emptyAt] = [0, days];
    for (let time = -Math.log(uniform(random)) / rate; time < days; time -= Math.log(uniform(random)) / rate) if (++demand === stock) emptyAt = time;
    const likely = likelyDemands(Math.min(demand, stock), 1 - emptyAt / days, steady(days, rate), unlearned);
    known += Number(demand <= level) / stretches;
    told += meanOver(likely, (one) => Number(one <= level)) / stretches;
    if (emptyAt === days) seen += Number(demand <= level);
  }
  expect(Math.abs(told - known)).toBeLessThan(0.02);
  // Those seen whole alone would say otherwise, where the shelf is empty in many.
  expect(known - seen / stretches).toBeGreaterThan(hidden);
});
