import { firstFrom } from '../../pipeline/core/first-from.js';
import { dueOf, TIMER } from '../../pipeline/core/rows.js';
import { isEarlier, type DueTimer, type RowChange } from '../../pipeline/core/store.js';

/** Changes that were applied and are not in LMDB yet. They hide what is below under their keys; null hides a row. */
export class WaitingRows {
  readonly #rows = new Map<string, Buffer | null>();
  /** Timers among them; undefined for one that was deleted. */
  readonly #dues = new Map<string, number | undefined>();
  #sortedKeys: string[] | undefined;
  #sortedTimers: readonly DueTimer[] | undefined;

  /** `isWhole`: the store was wiped before these changes, so nothing below counts. */
  constructor(readonly isWhole = false) {}

  changes(): Iterable<[string, Buffer | null]> {
    return this.#rows;
  }

  /** undefined: nothing waits under this key. */
  get(key: string): Buffer | null | undefined {
    return this.#rows.get(key);
  }

  put({ key, value }: RowChange): void {
    if (this.#sortedKeys && !this.#rows.has(key)) this.#sortedKeys.splice(firstFrom(this.#sortedKeys, (other) => other > key), 0, key);
    this.#rows.set(key, value);
    // Only a row that may be a timer costs a look at its value.
    if (!key.includes(TIMER)) return;
    const due = value ? dueOf(key, value) : undefined;
    if (due === undefined && value) return;
    this.#dues.set(key, due);
    this.#sortedTimers = undefined;
  }

  /** Lay these changes over the rows below in the same range, both in key order. */
  *over(below: Iterable<{ key: string; value: Buffer }>, start: string, end: string): Iterable<{ key: string; value: Buffer }> {
    const rows = this.#rows;
    this.#sortedKeys ??= [...rows.keys()].sort();
    // A copy, since rows may change while the range is read.
    const keys = this.#sortedKeys.slice(firstFrom(this.#sortedKeys, (key) => key >= start), firstFrom(this.#sortedKeys, (key) => key >= end));
    let at = 0;
    for (const row of below) {
      for (; at < keys.length && keys[at] < row.key; at++) {
        const value = rows.get(keys[at]);
        if (value) yield { key: keys[at], value };
      }
      if (keys[at] !== row.key) {
        yield row;
        continue;
      }
      const value = rows.get(keys[at++]);
      if (value) yield { key: row.key, value };
    }
    for (; at < keys.length; at++) {
      const value = rows.get(keys[at]);
      if (value) yield { key: keys[at], value };
    }
  }

  /** Lay these timers due at or before `until` over those below, both by (due, key). */
  *timersOver(below: Iterable<DueTimer>, until: number, after: DueTimer | undefined): Iterable<DueTimer> {
    const dues = this.#dues;
    const timers = (this.#sortedTimers ??= [...dues].flatMap(([key, due]) => (due === undefined ? [] : [{ due, key }])).sort((a, b) => (isEarlier(a, b) ? -1 : 1)));
    let at = after ? firstFrom(timers, (timer) => isEarlier(after, timer)) : 0;
    for (const timer of below) {
      // Where a row waits, its timer below is out of date.
      if (dues.has(timer.key)) continue;
      for (; at < timers.length && isEarlier(timers[at], timer); at++) yield timers[at];
      yield timer;
    }
    for (; at < timers.length && timers[at].due <= until; at++) yield timers[at];
  }
}
