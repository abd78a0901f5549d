import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { orderLedger } from '../../consumers/order-ledger.js';
import { openEmbeddedLog, type EmbeddedLog } from '../../infra/embedded-log/log.js';
import { Unavailable } from '../../pipeline/core/errors.js';
import type { NewRecord } from '../../pipeline/core/log.js';
import { memoryStore } from '../../pipeline/core/memory-store.js';
import { noMetrics, silentJournal } from '../../pipeline/core/metrics.js';
import { partitionOf } from '../../pipeline/core/partition.js';
import { runConsumer } from '../../pipeline/core/runner.js';
import { inStep, WITHIN_MS } from '../../pipeline/in-step.js';
import { replay, type GaveUp } from '../../pipeline/replay.js';
import { uploader } from '../../pipeline/replay-upload.js';
import type { FileRecord } from '../../producers/formats/format.js';
import { allTopics, interactions, orders, sales } from '../../schemas/topics.js';
import { DAY, NINE, orderEvent, orderLine } from '../support/events.js';
import { folderForTest } from '../support/folder.js';

const PARTITIONS = 3;
let log: EmbeddedLog;
beforeEach(async () => {
  log = await openEmbeddedLog({ directory: folderForTest(), clock: 'wall', partitions: PARTITIONS });
  await log.ensureTopics(allTopics);
});
afterEach(() => log.close());

const ordered = (at: number): NewRecord => {
  const value = orderEvent('completed', `O${at}`, { lines: [orderLine('P1', 1, 10_000n)], time: at });
  return { topic: orders.name, partition: partitionOf(value.orderId, PARTITIONS), key: value.orderId, value: orders.codec.encode(value) };
};
const ledger = () => {
  const consumer = orderLedger();
  return runConsumer(consumer, { consumers: [consumer], learners: [], sinks: [], views: [] }, { log, openStore: () => memoryStore(), metrics: noMetrics, journal: silentJournal, learnSchemas: async () => {} });
};

test('history of a file waits every ten days until the orders before are read; what is no order, or comes within them, waits for nothing', async () => {
  const waits = inStep(log, 500);
  const taken = (at: number): Promise<void> => expect.poll(() => waits('file', [ordered(at)]).then(() => 'taken', () => 'held back')).toBe('taken');
  const running = ledger();
  await taken(NINE);
  await running.stop();
  await log.append([ordered(NINE), ordered(NINE + 9 * DAY)]);
  await waits('file', [ordered(NINE + 9 * DAY), { topic: interactions.name, partition: 0, key: 'a', value: Buffer.of() }]);
  await expect(waits('file', [ordered(NINE + 11 * DAY)])).rejects.toThrow(Unavailable);
  const again = ledger();
  await taken(NINE + 11 * DAY);
  const written = (await log.ranges(sales.name)).reduce((sum, { end }) => sum + end, 0);
  expect(written).toBeGreaterThanOrEqual(2);
  await again.stop();
});

test('a file is cut where ten days of its orders are over, so that each part can wait', async () => {
  const days = [0, 3, 9.9, 10, 12, 19, 20.5, 45];
  const records = days.map((day): FileRecord => { const value = orderEvent('completed', `O${day}`, { lines: [orderLine('P1', 1, 10_000n)], time: NINE + day * DAY }); return { topic: 'orders', key: value.orderId, value, time: value.time }; });
  const sent: number[] = [];
  const reading = { records: (async function* () { yield records; })(), summary: { read: days.length, refused: 0, examples: [], odd: {} } };
  await replay({ reading, partitions: PARTITIONS, clock: 'wall', speed: Infinity, onProgress: () => {}, onRetry: () => {}, patienceMs: 0, send: async (batch) => void sent.push(batch.length) });
  expect(sent).toEqual([3, 3, 1, 1]);
});

test('a file passes at the speed asked for, and a line of a wrong century holds up the others for no more than a month of it', async () => {
  const times = [0, NINE, NINE + DAY, 5, NINE + 2 * DAY];
  const records = times.map((time, n): FileRecord => { const value = orderEvent('completed', `O${n}`, { lines: [orderLine('P1', 1, 10_000n)], time }); return { topic: 'orders', key: value.orderId, value, time }; });
  const reading = { records: (async function* () { yield records; })(), summary: { read: times.length, refused: 0, examples: [], odd: {} } };
  const began = performance.now();
  const at: number[] = [];
  await replay({ reading, partitions: PARTITIONS, clock: 'wall', speed: DAY / 50, onProgress: () => {}, onRetry: () => {}, patienceMs: 0, send: async (batch) => void at.push(...batch.map(() => performance.now() - began)) });
  // A day takes 50 ms; until the second order a month has passed, and two days more until the last. Two clocks measure it.
  expect(at[0]).toBeLessThan(at[1]!);
  expect(at[1]).toBeGreaterThanOrEqual(1_450);
  expect(at.at(-1)).toBeGreaterThanOrEqual(1_550);
});

test('patience begins where a batch is first refused: what is held back for longer than that is sent again all the same', async () => {
  const ask = async (held: number, patienceMs: number): Promise<{ sent: number; told: number; afterMs?: number }> => {
    let [sent, told] = [0, 0];
    const value = orderEvent('completed', 'O1', { lines: [orderLine('P1', 1, 10_000n)], time: NINE });
    const reading = { records: (async function* () { yield [{ topic: 'orders' as const, key: value.orderId, value, time: value.time }]; })(), summary: { read: 1, refused: 0, examples: [], odd: {} } };
    const send = async (): Promise<void> => {
      if (++sent > held) return;
      await new Promise((resolve) => setTimeout(resolve, 200));
      throw new Unavailable('History is held back.');
    };
    return replay({ reading, partitions: PARTITIONS, clock: 'wall', speed: Infinity, onProgress: () => {}, onRetry: () => void told++, patienceMs, send })
      .then(() => ({ sent, told }), (error: GaveUp) => ({ sent, told, afterMs: Math.round(error.afterMs) }));
  };
  expect(await ask(1, 100)).toEqual({ sent: 2, told: 1 });
  const { afterMs, ...twice } = await ask(9, 100);
  expect([twice, afterMs! >= 290]).toEqual([{ sent: 2, told: 1 }, true]);
  expect(await ask(9, 0)).toMatchObject({ sent: 1, told: 0 });
});

test('who sends a file over HTTP waits for longer than the server holds it back, so as to hear why', async () => {
  const timeout = vi.spyOn(AbortSignal, 'timeout');
  vi.stubGlobal('fetch', async () => new Response('{}'));
  try {
    await uploader('http://127.0.0.1:1', 'file', 'token').send([ordered(NINE)]);
    expect(timeout.mock.calls[0]![0]).toBeGreaterThan(WITHIN_MS);
  } finally {
    vi.unstubAllGlobals();
    timeout.mockRestore();
  }
});
