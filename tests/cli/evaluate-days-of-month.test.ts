import { expect, test } from 'vitest';
import { evaluateReorder } from '../../models/evaluate/reorder.js';
import { evaluateStock } from '../../models/evaluate/stock.js';
import { randomness, uniform } from '../../models/kernels/numbers.js';
import { evaluateHoursCommand } from '../../pipeline/cli/evaluate-hours.js';
import { evaluateReorderCommand } from '../../pipeline/cli/evaluate-reorder.js';
import { evaluateStockCommand } from '../../pipeline/cli/evaluate-stock.js';
import { inPeriods, readSales } from '../../pipeline/cli/sales-file.js';
import { said } from '../support/command.js';

const command = said();

/** Of twenty SKUs each sells nine a day in the first ten days of a month, and three in the others. */
function monthly(days: number, time = ''): string {
  const random = randomness(3);
  const sold = (rate: number): number => {
    let [units, product] = [0, uniform(random)];
    while (product > Math.exp(-rate)) [units, product] = [units + 1, product * uniform(random)];
    return units;
  };
  const lines = Array.from({ length: 20 * days }, (_, i) => {
    const date = new Date(Date.UTC(2023, 0, 1 + Math.floor(i / 20)));
    return `S${i % 20},${date.toISOString().slice(0, 10)}${time},${sold(date.getUTCDate() <= 10 ? 9 : 3)}`;
  });
  return command.file('monthly.csv', ['sku,date,units', ...lines, ''].join('\n'));
}

const FROM = 300;
const from = '2023-10-28';

test('levels of evaluate reorder know the days of the month, as those of the topology do', async () => {
  const file = monthly(420);
  await evaluateReorderCommand().parseAsync(['--sales', file, '--service', '90', '--lead-time-days', '0', '--from', from, '--json'], { from: 'user' });
  const { cost } = JSON.parse(command.out) as { cost: { textbook: number } };
  const undated = evaluateReorder(inPeriods(await readSales(file), { name: 'day', length: 1 }).table, { cycleDays: 7, service: 0.9, scoredFrom: FROM });
  expect(cost.textbook / undated.cost.textbook).toBeLessThan(0.92);
});

test('shelves of evaluate stock, too', async () => {
  const file = monthly(420);
  await evaluateStockCommand().parseAsync(['--sales', file, '--service', '90', '--lead-time-days', '1', '--from', from, '--json'], { from: 'user' });
  const { forecast } = JSON.parse(command.out) as { forecast: { fill: number } };
  const order = { leadTime: { days: 1 } };
  const undated = evaluateStock(inPeriods(await readSales(file), { name: 'day', length: 1 }).table, { policy: { kind: 'periodic', reviewDays: 7 }, order, service: 0.9, scoredFrom: FROM });
  expect(1 - forecast.fill).toBeLessThan(0.92 * (1 - undated.forecast.fill));
});

test('days whose hours evaluate hours shares out, too: without dates the week after pay day is off by 0.53 of what it sells', async () => {
  await evaluateHoursCommand().parseAsync(['--sales', monthly(420, 'T12:00'), '--cutoffs', '2024-01-31', '--json'], { from: 'user' });
  const { profiles } = JSON.parse(command.out) as { profiles: { shop_wape: number }[] };
  expect(profiles[2]!.shop_wape).toBeLessThan(0.49);
});
