import { setTimeout as delay } from 'node:timers/promises';
import type { FileRecord, Reading, Summary } from '../producers/formats/format.js';
import { encodeRecords } from '../producers/publish.js';
import { joinedIds } from '../schemas/joined-ids.js';
import { allTopics, orders } from '../schemas/topics.js';
import { Unavailable } from './core/errors.js';
import type { NewRecord } from './core/log.js';
import { STEP_MS } from './in-step.js';
import type { KnownLines } from './known-lines.js';

const BATCH = 2_000;
/** Over HTTP a body may have 8 MB, and bytes become a third longer in it. */
const BATCH_BYTES = 4 << 20;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 5_000;
/** A gap in a file's time passes as so much at most, after which orders from before it are late anyway: one misdated line would hold up all behind it for hours. */
const LONGEST_GAP_MS = 30 * 86_400_000;

/** The destination has not taken a batch for as long as it was waited for, `afterMs` since it first refused; what was taken before stays. */
export class GaveUp extends Error {
  override readonly name = 'GaveUp';
  constructor(message: string, readonly afterMs: number, options: ErrorOptions) {
    super(message, options);
  }
}

export interface ReplayOptions {
  readonly reading: Reading;
  /** Write a batch; resolves when it is durable. @throws Unavailable when it must be sent again, unchanged */
  readonly send: (records: readonly NewRecord[]) => Promise<void>;
  readonly partitions: number;
  /** Lines that were taken before; absent where nobody can tell. */
  readonly known?: KnownLines | undefined;
  /** file: the file's own time ticks the log. */
  readonly clock: 'wall' | 'file';
  /** Resolves when consumers have made all of what was sent. On the file's clock it is asked for before a login and after it. */
  readonly settled?: (() => Promise<void>) | undefined;
  /** File seconds a second; Infinity as fast as it goes. */
  readonly speed: number;
  readonly onProgress: (events: number) => void;
  /** How long after it was first refused a batch is sent again, ever more rarely, before it is given up: a refusal itself may take two minutes (in-step.ts). */
  readonly patienceMs: number;
  /** A batch was not taken and is sent again; told once, until one is taken. */
  readonly onRetry: (error: Error) => void;
}

export interface Replayed {
  readonly summary: Summary;
  /** Records that were written. */
  readonly written: number;
  /** Lines that count for nothing, since they were taken before. */
  readonly repeated: number;
  /** The newest time in the file, in ms; -Infinity: none. */
  readonly time: number;
}

/** Carry a file's records into the log, one batch in flight. @throws GaveUp */
export async function replay(options: ReplayOptions): Promise<Replayed> {
  const { reading, partitions, clock, speed, onProgress, known = {} } = options;
  let batch: NewRecord[] = [];
  let bytes = 0;
  let written = 0;
  let repeated = 0;
  let latest: number | undefined;
  let time = -Infinity;
  const pace = new Pace(speed);
  let step: number | undefined;
  const flush = async (): Promise<void> => {
    if (batch.length > 0) await sendUntilTaken(batch, options);
    batch = [];
    bytes = 0;
    onProgress(reading.summary.read + reading.summary.refused);
  };
  // What a login carries over runs back, past everything that holds time: unless time waits, it comes where the file has gone on by days.
  const settle = async (record: FileRecord): Promise<void> => {
    if (clock === 'wall' || record.topic !== 'clickstream' || !joinedIds(record.value)) return;
    await flush();
    await options.settled?.();
  };
  for await (const records of reading.records) {
    for (const record of records) {
      // A catalogue is told as of now, whatever time the rest tells of.
      if (Number.isFinite(speed) && record.topic !== 'catalog') await pace.keep(record, flush);
      if (record.topic === orders.name && record.time >= (step ?? -Infinity) + STEP_MS) {
        await flush();
        step = record.time;
      }
      if (clock === 'file' && record.time > time && Number.isFinite(time)) batch.push(...ticks(record.time - 1, partitions));
      time = Math.max(time, record.time);
      await settle(record);
      const [encoded] = encodeRecords([record], partitions);
      batch.push(encoded);
      bytes += encoded.value?.length ?? 0;
      written++;
      const ordinal = 'source' in record.value ? record.value.source?.ordinal : undefined;
      // An order of a line is two records.
      if (ordinal !== undefined && ordinal !== latest && ordinal < (known[record.topic] ?? 0)) repeated++;
      latest = ordinal;
      if (batch.length >= BATCH || bytes >= BATCH_BYTES) await flush();
      await settle(record);
    }
  }
  if (clock === 'file' && Number.isFinite(time)) batch.push(...ticks(time, partitions));
  await flush();
  return { summary: reading.summary, written, repeated, time };
}

/** Lets a file's time pass so many times as fast as it did. */
class Pace {
  readonly #speed: number;
  readonly #began = performance.now();
  #latest: number | undefined;
  #passedMs = 0;

  constructor(speed: number) {
    this.#speed = speed;
  }

  /** Wait until a record's time has come, with nothing left unwritten. */
  async keep({ time }: FileRecord, flush: () => Promise<void>): Promise<void> {
    this.#latest ??= time;
    if (time > this.#latest) {
      this.#passedMs += Math.min(time - this.#latest, LONGEST_GAP_MS);
      this.#latest = time;
    }
    const waitMs = this.#passedMs / this.#speed - (performance.now() - this.#began);
    if (waitMs < 20) return;
    await flush();
    await delay(waitMs);
  }
}

/** The file's time in every partition of every source. */
export function ticks(time: number, partitions: number): NewRecord[] {
  return allTopics.filter(({ kind }) => kind === 'source').flatMap(({ name }) =>
    Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition, key: null, value: null, tick: { writer: 'source', time } })));
}

async function sendUntilTaken(batch: readonly NewRecord[], { send, onRetry, patienceMs }: ReplayOptions): Promise<void> {
  let refusedAt: number | undefined;
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS)) {
    try {
      return await send(batch);
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      refusedAt ??= performance.now();
      const waitedMs = performance.now() - refusedAt;
      const leftMs = patienceMs - waitedMs;
      if (leftMs <= 0) throw new GaveUp(error.message, waitedMs, { cause: error });
      if (waitMs === FIRST_WAIT_MS) onRetry(error);
      await delay(Math.min(waitMs, leftMs));
    }
  }
}
