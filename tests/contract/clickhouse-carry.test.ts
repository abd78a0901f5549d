import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { orderLedger } from '../../consumers/order-ledger.js';
import { openChdb } from '../../infra/clickhouse/chdb.js';
import { noMetrics, silentJournal } from '../../pipeline/core/metrics.js';
import { collect } from '../../producers/collect.js';
import { packageRoot } from '../../schemas/files.js';
import { orders, sales } from '../../schemas/topics.js';
import type { OrderEvent } from '../../schemas/types.js';
import { Driver } from '../support/driver.js';
import { DAY, MINUTE, NINE, orderEvent, orderLine } from '../support/events.js';
import { folderForTest } from '../support/folder.js';
import { blockOf, recordOf } from './clickhouse-records.js';

/** Units and amount of each order, in its currency, on its day. */
function booksOf(driver: Driver): Record<string, string> {
  const sums = new Map<string, { units: number; amount: bigint }>();
  for (const { orderId, currency, time, quantity, amount } of driver.read(sales)) {
    const of = `${orderId} ${currency} ${new Date(time).toISOString().slice(0, 10)}`;
    const { units, amount: before } = sums.get(of) ?? { units: 0, amount: 0n };
    sums.set(of, { units: units + quantity, amount: before + amount });
  }
  return Object.fromEntries([...sums].filter(([, { units }]) => units !== 0).map(([of, { units, amount }]) => [of, `${units} for ${(Number(amount) / 10_000).toFixed(2)}`]));
}

test('the page\'s question for older orders carries them over at what they came to: after discounts, refunds, updates and claims that the shop overruled', async () => {
  const old = new Driver([orderLedger()]);
  const say = (id: string, kind: OrderEvent['kind'], more: Partial<OrderEvent> = {}): void =>
    old.send(orders, id, orderEvent(kind, id, { userId: 'u1', lines: [orderLine('TEA', 3, 100_000n), orderLine('CUP', 1, 50_000n)], ...more }));
  const money = (total: bigint): Partial<OrderEvent> => ({ total, lines: [], time: NINE + DAY });
  say('plain', 'completed');
  say('cheaper', 'completed', { discount: 70_000n, total: 280_000n });
  say('goodwill', 'completed');
  say('goodwill', 'refunded', money(100_000n));
  say('more than its first line', 'completed', { lines: [orderLine('CUP', 1, 50_000n), orderLine('TEA', 3, 100_000n)] });
  say('more than its first line', 'refunded', money(120_000n));
  say('back', 'completed');
  say('back', 'cancelled', { lines: [], time: NINE + DAY });
  say('changed', 'completed', { currency: 'USD' });
  say('changed', 'updated', { lines: [orderLine('TEA', 1, 90_000n)], time: NINE + DAY });
  say('unpriced', 'completed', { total: 200_000n, lines: [orderLine('TEA', 3, 0n), orderLine('CUP', 1, 0n)] });
  say('moved', 'completed', { confirmed: false });
  say('moved', 'completed', { time: NINE + 2 * DAY, lines: [orderLine('TEA', 2, 100_000n)] });

  const sink = (await openChdb({ directory: folderForTest(), shopTimeZone: 'UTC' }, { metrics: noMetrics, journal: silentJournal }))!;
  onTestFinished(() => sink.close());
  await sink.ensure();
  const { columns, lines } = blockOf(old.read(sales).map((sale, offset) => recordOf(sales, offset, sale)));
  await sink.insert('sales', columns, lines, 'one');
  const page = readFileSync(join(packageRoot, 'docs', 'runbook.md'), 'utf8');
  const calls = await sink.query(/sql "(SELECT 'track' AS type[^"]+)"/.exec(page)![1]!);

  const carried = new Driver([orderLedger()]);
  for (const call of calls) {
    const outcome = collect(call, { receivedAt: NINE + 3 * DAY, shop: { currency: 'EUR', timezone: 'UTC' }, scope: 'server', newId: () => 'none' });
    if (!('ok' in outcome)) throw new Error(JSON.stringify(outcome.errors));
    for (const record of outcome.ok.records) if (record.topic === 'orders') carried.send(orders, record.key, record.value, NINE + 3 * DAY + MINUTE);
  }
  expect(booksOf(carried)).toEqual(booksOf(old));
  expect(Object.keys(booksOf(old))).toHaveLength(7);
});
