import fc from 'fast-check';
import { expect, test } from 'vitest';
import { orderLedger } from '../../consumers/order-ledger.js';
import { partitionOf } from '../../pipeline/core/partition.js';
import { orders, sales } from '../../schemas/topics.js';
import type { OrderEvent } from '../../schemas/types.js';
import { Driver } from '../support/driver.js';
import { orderEvent, orderLine } from '../support/events.js';

const LINES = 24;
const orderOf = (ordinal: number): string => `O-${ordinal % 7}`;

const file = Array.from({ length: LINES }, (_, ordinal) => orderEvent('line', orderOf(ordinal), { source: { name: 'uci', ordinal }, lines: [orderLine('P1', 1, 25_500n)] }));

/** The first `count` lines of the file as they come out of a log of so many partitions, where they were written in one go. */
const carriedOver = (partitions: number, count: number): OrderEvent[] => Array.from({ length: partitions }, (_, partition) => {
  const own = file.slice(0, count).filter(({ orderId }) => partitionOf(orderId, partitions) === partition);
  return own.map((line, offset) => ({ ...line, restored: { name: `log 1/${partition}`, ordinal: offset } }));
}).flat();

test('lines of a file that are carried over into a log of other partitions count once each, with the file itself before or behind them', () => {
  const partitions = fc.integer({ min: 1, max: 5 });
  const part = fc.integer({ min: 0, max: LINES });
  fc.assert(fc.property(partitions, partitions, part, part, part, (from, to, before, first, second) => {
    const driver = new Driver([orderLedger()], { partitions: to });
    const send = (lines: readonly OrderEvent[]): void => { for (const line of lines) driver.send(orders, line.orderId, line); };
    const counted = (): number => driver.read(sales).length;
    send(file.slice(0, before));
    send(carriedOver(from, first));
    expect(counted()).toBe(Math.max(before, first));
    // A second export holds what the first one did, and more.
    send(carriedOver(from, Math.max(first, second)));
    expect(counted()).toBe(Math.max(before, first, second));
    send(file);
    send(file);
    expect(counted()).toBe(LINES);
  }), { numRuns: 60 });
});
