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
  readonly #inputs: ReadonlyMap<string, TickedInput>;
  /** Time of each input that holds time: asked for with each record, changed by ticks alone. */
  readonly #inputTimes = new Map<string, number>();
  #time: number;
  #passed: number;

  /** `saved.time` is what had passed: where the ticks are beyond it, time goes on passing. */
  constructor(inputs: readonly TickedInput[], saved: { ticks: Readonly<Record<string, number>>; time: number }) {
    this.#inputs = new Map(inputs.map((input) => [input.topic, input]));
    this.#ticks = new Map(Object.entries(saved.ticks));
    for (const input of inputs) this.#inputTimes.set(input.topic, this.#timeOf(input));
    this.#passed = saved.time;
    this.#time = Math.max(saved.time, this.#least());
  }

  get time(): number {
    return this.#time;
  }

  /** Time up to which all timers have fired. */
  get passed(): number {
    return this.#passed;
  }

  /** Whether timers up to `time` are still to fire. */
  get isPassing(): boolean {
    return this.#passed < this.#time;
  }

  /** All timers up to `time`, which is answered, have fired. */
  pass(): number {
    this.#passed = this.#time;
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
    const input = this.#inputs.get(topic);
    if (input) this.#inputTimes.set(topic, this.#timeOf(input));
    const least = this.#least();
    if (least <= this.#time) return false;
    this.#time = least;
    return true;
  }

  /** Least of the last ticks in one input; Infinity for an input that holds no time. */
  inputTime(topic: string): number {
    return this.#inputTimes.get(topic) ?? Infinity;
  }

  #timeOf({ topic, writers }: TickedInput): number {
    return Math.min(...writers.map((writer) => this.#ticks.get(`${topic} ${writer}`) ?? 0));
  }

  /** Least of the last ticks of all inputs; 0 where none holds time. */
  #least(): number {
    const least = Math.min(...this.#inputTimes.values());
    return Number.isFinite(least) ? least : 0;
  }

  /** Whether an input has run ahead of the others by more than `slackMs` and must wait. */
  isAhead(topic: string, slackMs: number): boolean {
    const time = this.inputTime(topic);
    return Number.isFinite(time) && time > this.#time + slackMs;
  }
}
