import type { Tick } from './log.js';

/**
 * How often (ms) a tick is written: each second; with many partitions less often, since a task writes its ticks into every partition of
 * the topics that it writes.
 */
export const tickMs = (partitions: number): number => Math.min(10_000, Math.max(1_000, 250 * partitions));

/** An input, and those who write ticks into it. */
export interface TickedInput {
  readonly topic: string;
  readonly writers: readonly string[];
}

/**
 * Time of a task: the least of the last ticks of all writers upstream. It never goes back, stands still while a writer
 * is silent, and is 0 until every writer has ticked once.
 */
export class TaskClock {
  readonly #ticks: Map<string, number>;
  readonly #inputs: readonly TickedInput[];
  #time: number;

  constructor(inputs: readonly TickedInput[], saved: { ticks: Readonly<Record<string, number>>; time: number }) {
    this.#inputs = inputs;
    this.#ticks = new Map(Object.entries(saved.ticks));
    this.#time = saved.time;
  }

  get time(): number {
    return this.#time;
  }

  ticks(): Record<string, number> {
    return Object.fromEntries(this.#ticks);
  }

  /** Take a tick of an input. Answers whether the task's time advanced. */
  read(topic: string, { writer, time }: Tick): boolean {
    const id = `${topic} ${writer}`;
    if (time <= (this.#ticks.get(id) ?? 0)) return false;
    this.#ticks.set(id, time);
    const least = Math.min(...this.#inputs.map((input) => this.inputTime(input.topic)));
    if (!Number.isFinite(least) || least <= this.#time) return false;
    this.#time = least;
    return true;
  }

  /** Least of the last ticks in one input; Infinity for an input that holds no time. */
  inputTime(topic: string): number {
    const input = this.#inputs.find((candidate) => candidate.topic === topic);
    if (!input) return Infinity;
    return Math.min(...input.writers.map((writer) => this.#ticks.get(`${topic} ${writer}`) ?? 0));
  }

  /** Whether an input has run ahead of the others by more than `slackMs` and must wait. */
  isAhead(topic: string, slackMs: number): boolean {
    const time = this.inputTime(topic);
    return Number.isFinite(time) && time > this.#time + slackMs;
  }
}
