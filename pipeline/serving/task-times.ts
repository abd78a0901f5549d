import type { Topic } from '../../schemas/topics.js';
import type { Views } from './views.js';

/** Progress of a task is dear to read: it is looked at so often at most. */
const LOOK_EVERY_MS = 500;

/** How far the tasks that write a table are behind the time, by partition: what they have not read cannot be in an answer. */
export class TaskTimes {
  readonly #views: Views;
  readonly #table: Topic;
  readonly #now: () => number;
  readonly #times: Float64Array;
  readonly #lookedAt: Float64Array;

  constructor(views: Views, table: Topic, now: () => number) {
    this.#views = views;
    this.#table = table;
    this.#now = now;
    this.#times = new Float64Array(views.partitions);
    this.#lookedAt = new Float64Array(views.partitions).fill(-Infinity);
  }

  /** ms; 0 of a task that has read nothing yet. */
  behind(partition: number): number {
    const time = this.readUntil(partition);
    return time > 0 ? Math.max(0, this.#now() - time) : 0;
  }

  /** Up to which time a task has read; 0 before its first tick. */
  readUntil(partition: number): number {
    const now = this.#now();
    if (now - this.#lookedAt[partition] >= LOOK_EVERY_MS) {
      this.#lookedAt[partition] = now;
      this.#times[partition] = this.#views.taskTime(this.#table, partition);
    }
    return this.#times[partition];
  }
}
