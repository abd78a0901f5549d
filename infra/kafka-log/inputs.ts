import { setImmediate } from 'node:timers/promises';
import { LostRecords } from '../../pipeline/core/errors.js';
import type { LogRecord } from '../../pipeline/core/log.js';
import { Arrival } from './arrival.js';
import { Backlog } from './backlog.js';
import type { Connection } from './connection.js';
import type { Cursor, Fetcher } from './fetcher.js';
import { compared, lineageText, parseLineage } from './lineage.js';
import type { Lineage } from './lineage.js';
import { behind } from './reader.js';

interface Input {
  readonly cursor: Cursor;
  readonly backlog: Backlog;
}

/**
 * What one lease reads: its partition of every input. Each input has a backlog of its own: with a shared one, an input
 * that the task holds back would fill it, and the input that the task waits for could never arrive.
 */
export class Inputs {
  readonly #inputs = new Map<string, Input>();
  readonly #arrival = new Arrival();
  #failure: Error | undefined;
  #closed = false;
  #seeks = 0;
  #first = 0;

  constructor(
    private readonly topics: readonly string[],
    private readonly partition: number,
    private readonly fetcher: Fetcher,
    private readonly connection: Pick<Connection, 'describe' | 'ranges' | 'epochEnds'>,
    private readonly measured: (buffered: number) => void,
  ) {}

  async seek(offsets: Readonly<Record<string, number>>, lineages: Readonly<Record<string, string>> = {}): Promise<void> {
    const turn = ++this.#seeks;
    this.#stop();
    const { partition } = this;
    // Without an offset an input is read from its start, wherever and of whichever topic that is.
    const standings = this.topics.map((topic) => ({ topic, partition, offset: offsets[topic] ?? NaN, was: topic in offsets ? parseLineage(lineages[topic]) : undefined }));
    const { lost, ranges, topicIds } = await compared(this.connection, standings);
    if (lost.length > 0) throw new LostRecords(lost);
    if (this.#closed || turn !== this.#seeks) return;
    for (const [i, { topic, was }] of standings.entries()) {
      const { start, end } = ranges[i];
      this.#follow(topic, offsets[topic] ?? start, end, { topicId: topicIds[i], epoch: was?.epoch ?? -1 });
    }
  }

  lineages(): Record<string, string> {
    return Object.fromEntries(Array.from(this.#inputs, ([topic, { cursor: { lineage } }]) => [topic, lineage ? lineageText(lineage) : '']));
  }

  async poll(max: number, waitMs: number, except: ReadonlySet<string>): Promise<readonly LogRecord[]> {
    // An owner that has not looked at `revoked` yet must not spin on answers that take no time.
    if (this.#closed) await setImmediate();
    return this.#arrival.poll(waitMs, () => this.#take(max, except));
  }

  lag(): Record<string, number> {
    return Object.fromEntries(this.topics.map((topic) => {
      const input = this.#inputs.get(topic);
      return [topic, input ? input.backlog.size + behind(input.cursor) : 1];
    }));
  }

  close(): void {
    this.#closed = true;
    this.#stop();
    this.#arrival.announce();
  }

  #stop(): void {
    for (const { cursor } of this.#inputs.values()) this.fetcher.drop(cursor);
    this.#inputs.clear();
    this.#failure = undefined;
  }

  #follow(topic: string, position: number, end: number, lineage: Lineage): void {
    const backlog = new Backlog();
    const cursor: Cursor = {
      topic, partition: this.partition, position, end, lineage, paused: false,
      arrived: (records) => {
        backlog.add(records);
        this.measured(backlog.size);
        if (backlog.full) cursor.paused = true;
        this.#arrival.announce();
      },
      failed: (error) => {
        this.#failure ??= error;
        this.#arrival.announce();
      },
    };
    this.#inputs.set(topic, { cursor, backlog });
    this.fetcher.follow(cursor);
  }

  #take(max: number, except: ReadonlySet<string>): LogRecord[] | undefined {
    if (this.#closed) return undefined;
    if (this.#failure) throw this.#failure;
    const records: LogRecord[] = [];
    // In turns: the first input of a busy task must not keep the others from being read.
    const first = this.#first++ % this.topics.length;
    for (const topic of [...this.topics.slice(first), ...this.topics.slice(0, first)]) {
      const input = this.#inputs.get(topic);
      if (!input || except.has(topic)) continue;
      input.backlog.take(records, max - records.length);
      if (input.cursor.paused && !input.backlog.full) {
        input.cursor.paused = false;
        this.fetcher.wake();
      }
    }
    return records;
  }
}
