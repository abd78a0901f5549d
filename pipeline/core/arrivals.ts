import type { TaskClock } from './clock.js';
import type { LogRecord } from './log.js';

/** Records that have come and were not taken, in the order of their arrival, but for inputs that have run ahead of the task's time: these wait until it has followed. */
export class Arrivals {
  readonly #clock: TaskClock;
  readonly #slackMs: number;
  /** Records of inputs that have run ahead, by topic. */
  readonly #waiting = new Map<string, LogRecord[]>();
  #arrived: readonly LogRecord[] = [];
  #next = 0;

  constructor(clock: TaskClock, slackMs: number) {
    this.#clock = clock;
    this.#slackMs = slackMs;
  }

  /** Inputs that have run ahead. */
  get waiting(): ReadonlySet<string> {
    return new Set(this.#waiting.keys());
  }

  add(records: readonly LogRecord[]): void {
    this.#arrived = [...this.#arrived.slice(this.#next), ...records];
    this.#next = 0;
  }

  /** The record that is to be taken next; undefined where there is none, or all that there are wait. */
  next(): LogRecord | undefined {
    for (const [topic, queue] of this.#waiting) {
      if (this.#clock.isAhead(topic, this.#slackMs)) continue;
      const record = queue.shift();
      if (queue.length === 0) this.#waiting.delete(topic);
      return record;
    }
    while (this.#next < this.#arrived.length) {
      const record = this.#arrived[this.#next++]!;
      const queue = this.#waiting.get(record.topic);
      if (queue) queue.push(record);
      else if (this.#clock.isAhead(record.topic, this.#slackMs)) this.#waiting.set(record.topic, [record]);
      else return record;
    }
    return undefined;
  }
}
