import { expect, test } from 'vitest';
import { tickMs } from '../../pipeline/core/clock.js';

test('time is written each second, with many partitions less often, and never so seldom that it would pass for standing still', () => {
  expect([1, 4, 12, 100, 1_000].map(tickMs)).toEqual([1_000, 1_000, 3_000, 10_000, 10_000]);
});
