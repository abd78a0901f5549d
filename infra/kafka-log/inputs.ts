import { setImmediate } from 'node:timers/promises';
import { ConfigError } from '../../pipeline/core/errors.js';
import type { LogRecord } from '../../pipeline/core/log.js';
import { Arrival } from './arrival.js';
import { Backlog } from './backlog.js';
import type { Connection } from './connection.js';
import { outsideLog } from './fetcher.js';
import type { Cursor, Fetcher } from './fetcher.js';
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
    private readonly connection: Pick<Connection, 'ranges'>,
    private readonly measured: (buffered: number) => void,
  ) {}

  async seek(offsets: Readonly<Record<string, number>>): Promise<void> {
    const turn = ++this.#seeks;
    this.#stop();
    const ranges = await this.connection.ranges(this.topics.map((topic) => ({ topic, partition: this.partition })));
    const problems: string[] = [];
    const positions = this.topics.map((topic, i) => {
      const range = ranges[i];
      const offset = offsets[topic] ?? range.start;
      const outside = outsideLog({ topic, partition: this.partition }, offset, range);
      if (outside) problems.push(...outside.problems);
      return { topic, offset, end: range.end };
    });
    if (problems.length > 0) throw new ConfigError(problems);
    if (this.#closed || turn !== this.#seeks) return;
    for (const { topic, offset, end } of positions) this.#follow(topic, offset, end);
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

  #follow(topic: string, position: number, end: number): void {
    const backlog = new Backlog();
    const cursor: Cursor = {
      topic, partition: this.partition, position, end, paused: false,
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
