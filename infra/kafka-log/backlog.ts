import type { LogRecord } from '../../pipeline/core/log.js';

export const PAUSE_ABOVE = 10_000;
export const RESUME_BELOW = 3_000;

/** Records that have arrived and were not taken yet, in arrival order. Says when to stop and when to go on fetching. */
export class Backlog {
  #slices: LogRecord[][] = [];
  #taken = 0;
  #size = 0;
  #full = false;

  get size(): number {
    return this.#size;
  }

  /** From more than 10,000 records until there are less than 3,000: a partition that toggles would fetch in drops. */
  get full(): boolean {
    return this.#full;
  }

  add(records: readonly LogRecord[]): void {
    this.#slices.push([...records]);
    this.#size += records.length;
    if (this.#size > PAUSE_ABOVE) this.#full = true;
  }

  /** Move up to `max` records into `to`. */
  take(to: LogRecord[], max: number): void {
    let wanted = Math.min(max, this.#size);
    while (wanted > 0) {
      const slice = this.#slices[0];
      const end = Math.min(slice.length, this.#taken + wanted);
      for (let i = this.#taken; i < end; i++) to.push(slice[i]);
      wanted -= end - this.#taken;
      this.#size -= end - this.#taken;
      this.#taken = end;
      if (end === slice.length) {
        this.#slices.shift();
        this.#taken = 0;
      }
    }
    if (this.#size < RESUME_BELOW) this.#full = false;
  }
}
