import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { LogRecord } from '../../pipeline/core/log.js';
import { noMetrics } from '../../pipeline/core/metrics.js';
import { SinkLag } from '../../pipeline/core/sink-lag.js';

const shown = new Map<string, number>();
const metrics = { ...noMetrics, gauge: (name: string, value: number) => void shown.set(name, value) };
let unread = 0;
const lag = (clock: 'wall' | 'file' = 'wall'): SinkLag => new SinkLag(metrics, { table: 'sales', partition: '0' }, () => unread, Date.now, clock);
const told = (): unknown => [shown.get('millrace_sink_lag_records'), shown.get('millrace_sink_lag_seconds')];
const record = (ageMs: number, isTick = false): LogRecord => ({
  topic: 'sales', partition: 0, offset: 0, key: null, value: isTick ? null : Buffer.of(1), tick: isTick ? { writer: 'order-ledger/0', time: 0 } : null, writtenAt: Date.now() - ageMs,
});

beforeEach(() => {
  shown.clear();
  unread = 0;
  vi.useFakeTimers({ now: 1_800_000_000_000 });
});
afterEach(() => vi.useRealTimers());

test('it is told from the start, so that no series is new when rows come', () => {
  const its = lag();
  expect(told()).toEqual([0, 0]);
  its.stop();
});

test('what is held grows older until it is written, counted with what was not taken yet', () => {
  const its = lag();
  unread = 40;
  its.took([record(9_000, true), record(5_000), record(4_000)], 2);
  vi.advanceTimersByTime(60_000);
  expect(told()).toEqual([42, 65]);
  its.wrote();
  unread = 0;
  vi.advanceTimersByTime(1_000);
  expect(told()).toEqual([0, 61]);
  its.took([record(0, true)], 0);
  vi.advanceTimersByTime(1_000);
  expect(told()).toEqual([0, 1]);
});

test('between two blocks of a backlog it is as old as the one that was written, not new', () => {
  const its = lag('file');
  unread = 10_000;
  its.took([record(3_600_000)], 1);
  its.wrote();
  vi.advanceTimersByTime(1_000);
  expect(told()).toEqual([10_000, 3_600]);
});

test('where ticks came silence counts, but on the clock of a file, and of a topic that has none, it is no lag', () => {
  const [cutOff] = [lag()];
  cutOff.took([record(0, true)], 0);
  vi.advanceTimersByTime(300_000);
  expect(told()).toEqual([0, 300]);
  cutOff.stop();
  const [ofFile, unticked] = [lag('file'), lag()];
  ofFile.took([record(0, true)], 0);
  unticked.took([record(0)], 1);
  unticked.wrote();
  vi.advanceTimersByTime(300_000);
  expect(told()).toEqual([0, 0]);
  ofFile.stop();
  unticked.stop();
});

test('who lost the partition leaves no lag behind', () => {
  const its = lag();
  unread = 3;
  its.took([record(5_000)], 1);
  its.stop();
  vi.advanceTimersByTime(10_000);
  expect(told()).toEqual([0, 0]);
});
