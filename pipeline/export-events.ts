import { open, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { exportedLine, exportedTopics } from '../producers/formats/exported.js';
import { UndecodableError } from '../schemas/codec.js';
import { clickstream, erasures, orders, type Topic } from '../schemas/topics.js';
import type { OrderEvent, ShopEvent } from '../schemas/types.js';
import type { Log, LogRecord, Reader } from './core/log.js';
import { learnForeignSchemas } from './core/run-task.js';
import type { Engine } from './engine.js';
import { clocksApartMs } from './erased-places.js';

const AT_ONCE = 500;
const POLL_MS = 200;

/** What was exported. */
export interface Exported {
  readonly events: number;
  /** Records that no consumer can read either: they are dead letters. */
  readonly unreadable: number;
  /** Clicks of shoppers who were erased since; their orders have nobody's name. */
  readonly erased: number;
  /** When the first was written: what is older, the log has dropped. */
  readonly since: string | null;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * Write what the log has been told from outside until now into a new file, gzipped when its name ends with .gz. The log may go on meanwhile.
 * @throws Error when the file exists or cannot be written; nothing is left of it then
 */
export async function exportEvents(engine: Pick<Engine, 'log' | 'snapshotPlace' | 'learnSchemas'>, path: string): Promise<Exported> {
  const told: Mutable<Exported> = { events: 0, unreadable: 0, erased: 0, since: null };
  // Only its owner may read it: it holds what shoppers did. Opened before anything else can fail: what was there before is not ours to remove.
  const file = (await open(path, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'EEXIST' ? new Error(`${path} exists: name another file.`, { cause: error }) : error;
  })).createWriteStream();
  const lines = Readable.from(linesOf(engine, told));
  try {
    await (path.endsWith('.gz') ? pipeline(lines, createGzip(), file) : pipeline(lines, file));
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
  return told;
}

async function* linesOf({ log, snapshotPlace, learnSchemas }: Pick<Engine, 'log' | 'snapshotPlace' | 'learnSchemas'>, told: Mutable<Exported>): AsyncGenerator<string> {
  const erased = await Erased.of(log);
  for await (const records of inOrder(log, exportedTopics)) {
    await learnForeignSchemas(records, learnSchemas);
    let lines = '';
    for (const record of records) {
      const topic: Topic = exportedTopics.find(({ name }) => name === record.topic)!;
      const decoded = decodedOf(topic, record);
      if (decoded === undefined) told.unreadable++;
      else {
        const place = { name: `log ${snapshotPlace.log}/${record.partition}`, ordinal: record.offset };
        const left = topic === clickstream ? erased.click(record, placed(decoded as ShopEvent, place)) : topic === orders ? erased.order(record, placed(decoded as OrderEvent, place)) : decoded;
        if (left === undefined) told.erased++;
        else {
          told.events++;
          told.since ??= new Date(record.writtenAt).toISOString();
          lines += exportedLine(topic, left);
        }
      }
    }
    yield lines;
  }
}

function decodedOf(topic: Topic, { value }: LogRecord): unknown {
  try {
    return topic.codec.decode(value);
  } catch (error) {
    if (error instanceof UndecodableError) return undefined;
    throw error;
  }
}

/** With the place by which it is known when it is read again; what was restored keeps its first. */
const placed = <T extends ShopEvent | OrderEvent>(value: T, place: ShopEvent['restored']): T => ({ ...value, restored: value.restored ?? place });

/** Who was erased, and when that was written. Of what was told before, a click is left out, and an order is nobody's. */
class Erased {
  readonly #until = new Map<string, number>();
  readonly #clocksApartMs: number;

  constructor(clocksApartMs: number) {
    this.#clocksApartMs = clocksApartMs;
  }

  static async of(log: Log): Promise<Erased> {
    const found = new Erased(clocksApartMs(log));
    for await (const records of inOrder(log, [erasures])) {
      for (const { value, writtenAt } of records) {
        const { ids, orderId } = erasures.codec.decode(value);
        if (orderId === null) for (const id of ids) found.#until.set(id, writtenAt);
      }
    }
    return found;
  }

  /** The erasure itself stays: an earlier export of the log may have told more. */
  click({ writtenAt }: LogRecord, value: ShopEvent): ShopEvent | undefined {
    const { userId, anonymousId, previousId, event } = value;
    if (event === 'User Erased') return value;
    if (this.#has(userId ?? anonymousId, writtenAt)) return undefined;
    if (!this.#has(anonymousId, writtenAt) && !this.#has(previousId, writtenAt)) return value;
    const device = this.#nameless(anonymousId, writtenAt);
    // Without the device nobody logs in on it: the event goes by its user.
    return { ...value, anonymousId: device, previousId: this.#nameless(previousId, writtenAt), login: device === null ? null : value.login };
  }

  order({ writtenAt }: LogRecord, value: OrderEvent): OrderEvent {
    const at = writtenAt - this.#clocksApartMs;
    return { ...value, userId: this.#nameless(value.userId, at), anonymousId: this.#nameless(value.anonymousId, at) };
  }

  #has(id: string | null, writtenAt: number): boolean {
    return id !== null && writtenAt <= (this.#until.get(id) ?? -Infinity);
  }

  #nameless(id: string | null, writtenAt: number): string | null {
    return this.#has(id, writtenAt) ? null : id;
  }
}

/** Records of topics that stand in the log now, without ticks: each partition in its own order, and among them by when they were written. */
async function* inOrder(log: Log, topics: readonly Topic[]): AsyncGenerator<readonly LogRecord[]> {
  const lanes: Lane[] = [];
  for (const { name } of topics) {
    for (const [partition, { start, end }] of (await log.ranges(name)).entries()) if (end > start) lanes.push(new Lane(log.reader([{ topic: name, partition, offset: start }]), end));
  }
  try {
    let batch: LogRecord[] = [];
    for (;;) {
      for (const lane of lanes) await lane.fill();
      const waiting = lanes.filter(({ head }) => head !== undefined);
      if (waiting.length === 0) break;
      // Until one has to be filled again, nothing earlier can come.
      while (waiting.every(({ head }) => head !== undefined)) {
        batch.push(waiting.reduce((first, lane) => (lane.head!.writtenAt < first.head!.writtenAt ? lane : first)).take());
        if (batch.length === AT_ONCE) {
          yield batch;
          batch = [];
        }
      }
    }
    yield batch;
  } finally {
    await Promise.all(lanes.map((lane) => lane.close()));
  }
}

/**
 * One partition that is not empty, up to where it ended when the export began. Each has a reader of its own: one for all would bring what arrives first,
 * and hold a whole partition in memory until the others' turn comes.
 */
class Lane {
  readonly #reader: Reader;
  readonly #end: number;
  #records: LogRecord[] = [];
  #at = 0;
  #isOver = false;

  constructor(reader: Reader, end: number) {
    this.#reader = reader;
    this.#end = end;
  }

  get head(): LogRecord | undefined {
    return this.#records[this.#at];
  }

  take(): LogRecord {
    return this.#records[this.#at++];
  }

  async fill(): Promise<void> {
    while (this.head === undefined && !this.#isOver) {
      const records = await this.#reader.poll(AT_ONCE, POLL_MS);
      this.#records = records.filter(({ tick, offset }) => tick === null && offset < this.#end);
      this.#at = 0;
      // Behind the last record there may be markers of transactions, which nobody reads. An answer that is late is no end.
      this.#isOver = (records.at(-1)?.offset ?? -1) >= this.#end - 1 || (records.length === 0 && this.#reader.lag() === 0);
      // It would go on to fetch what comes now, for as long as the others take.
      if (this.#isOver) await this.close();
    }
  }

  close(): Promise<void> {
    return this.#reader.close();
  }
}
