import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { LogRecord } from '../../pipeline/core/log.js';
import { noMetrics } from '../../pipeline/core/metrics.js';
import { ReadingLag } from '../../pipeline/core/reading-lag.js';

const shown = new Map<string, number>();
const metrics = { ...noMetrics, gauge: (name: string, value: number) => void shown.set(name, value) };
const lag = (isTicked: boolean): ReadingLag => new ReadingLag(metrics, 'co-visitation', isTicked);
const seconds = (): number | undefined => shown.get('millrace_consumer_lag_seconds');
const record = (value: Buffer | null): LogRecord => ({ topic: 'interactions', partition: 0, offset: 0, key: null, value, tick: null, writtenAt: Date.now() - 5_000 });

beforeEach(() => {
  shown.clear();
  vi.useFakeTimers();
});
afterEach(() => vi.useRealTimers());

test('who hears nothing of the log is behind by its silence, from the beginning and though it knows of no record', () => {
  const its = lag(true);
  vi.advanceTimersByTime(70_000);
  expect(seconds()).toBeCloseTo(70, 0);
  // 0 would say that it has caught up.
  expect(shown.has('millrace_consumer_lag_records')).toBe(false);
  its.read([record(null)], 0);
  expect(seconds()).toBe(0);
  vi.advanceTimersByTime(130_000);
  expect([seconds(), shown.get('millrace_consumer_lag_records')]).toEqual([130, 0]);
  // Polls that bring nothing are no sign of life.
  its.read([], 0);
  expect(seconds()).toBe(130);
});

test('where nothing is written by the second, on the clock of a file, silence is no lag', () => {
  const its = lag(false);
  its.read([record(Buffer.of(1))], 3);
  expect([seconds(), shown.get('millrace_consumer_lag_records')]).toEqual([5, 3]);
  its.read([], 0);
  vi.advanceTimersByTime(130_000);
  expect(seconds()).toBe(0);
});

test('what was told last does not stand when it has ended', () => {
  const its = lag(true);
  its.read([record(Buffer.of(1))], 3);
  its.stop();
  vi.advanceTimersByTime(130_000);
  expect([seconds(), shown.get('millrace_consumer_lag_records')]).toEqual([0, 0]);
});
