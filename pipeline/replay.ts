import { setTimeout as delay } from 'node:timers/promises';
import type { FileRecord, Reading, Summary } from '../producers/formats/format.js';
import { encodeRecords } from '../producers/publish.js';
import { allTopics } from '../schemas/topics.js';
import { Unavailable } from './core/errors.js';
import type { NewRecord } from './core/log.js';

const BATCH = 2_000;
const RETRY_MS = 500;

export interface ReplayOptions {
  readonly reading: Reading;
  /** Write a batch; resolves when it is durable. @throws Unavailable when it must be sent again, unchanged */
  readonly send: (records: readonly NewRecord[]) => Promise<void>;
  readonly partitions: number;
  /** file: the file's own time ticks the log. */
  readonly clock: 'wall' | 'file';
  /** File seconds a second; Infinity as fast as it goes. */
  readonly speed: number;
  readonly onProgress: (events: number) => void;
  readonly onRetry: (error: Error) => void;
}

/** Carry a file's records into the log, one batch in flight. Answers what was found and how many records were written. */
export async function replay(options: ReplayOptions): Promise<{ summary: Summary; written: number }> {
  const { reading, partitions, clock, speed, onProgress } = options;
  let batch: NewRecord[] = [];
  let written = 0;
  let time = -Infinity;
  let firstTime: number | undefined;
  const began = performance.now();
  const flush = async (): Promise<void> => {
    if (batch.length > 0) await sendUntilTaken(batch, options);
    batch = [];
    onProgress(reading.summary.read + reading.summary.refused);
  };
  for await (const records of reading.records) {
    for (const record of records) {
      firstTime ??= record.time;
      if (Number.isFinite(speed)) await keepPace(record, firstTime, speed, began, flush);
      if (clock === 'file' && record.time > time) {
        if (Number.isFinite(time)) batch.push(...ticks(record.time - 1, partitions));
        time = record.time;
      }
      batch.push(...encodeRecords([record], partitions));
      written++;
      if (batch.length >= BATCH) await flush();
    }
  }
  if (clock === 'file' && Number.isFinite(time)) batch.push(...ticks(time, partitions));
  await flush();
  return { summary: reading.summary, written };
}

async function keepPace({ time }: FileRecord, firstTime: number, speed: number, began: number, flush: () => Promise<void>): Promise<void> {
  const waitMs = (time - firstTime) / speed - (performance.now() - began);
  if (waitMs < 20) return;
  await flush();
  await delay(waitMs);
}

/** The file's time in every partition of every source. */
function ticks(time: number, partitions: number): NewRecord[] {
  return allTopics.filter(({ kind }) => kind === 'source').flatMap(({ name }) =>
    Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition, key: null, value: null, tick: { writer: 'source', time } })));
}

async function sendUntilTaken(batch: readonly NewRecord[], { send, onRetry }: ReplayOptions): Promise<void> {
  for (;;) {
    try {
      return await send(batch);
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      onRetry(error);
      await delay(RETRY_MS);
    }
  }
}
