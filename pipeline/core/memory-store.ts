import { dueOf } from './rows.js';
import type { DueTimer, RowChange, TableStore } from './store.js';

/** A table store in memory, for drivers and benchmarks: nothing survives the process. */
export function memoryStore(): TableStore {
  const rows = new Map<string, Buffer>();
  let keys: string[] | undefined = [];
  let timers: DueTimer[] | undefined = [];
  let position = 0;
  const sortedKeys = (): string[] => (keys ??= [...rows.keys()].sort());
  const sortedTimers = (): DueTimer[] => (timers ??= [...rows]
    .flatMap(([key, value]) => {
      const due = dueOf(key, value);
      return due === undefined ? [] : [{ due, key }];
    })
    .sort((a, b) => a.due - b.due || (a.key < b.key ? -1 : 1)));
  return {
    get position() { return position; },
    get: (key) => rows.get(key),
    *range(start, end) {
      const sorted = sortedKeys();
      for (let i = firstAtLeast(sorted, start); i < sorted.length && sorted[i]! < end; i++) yield { key: sorted[i]!, value: rows.get(sorted[i]!)! };
    },
    *timersUntil(until, after) {
      for (const timer of sortedTimers()) {
        if (timer.due > until) return;
        if (!after || timer.due > after.due || (timer.due === after.due && timer.key > after.key)) yield timer;
      }
    },
    apply(changes: readonly RowChange[], to: number) {
      for (const { key, value } of changes) {
        if (value === null ? rows.has(key) : !rows.has(key)) keys = undefined;
        if (dueOfChange(key, value) || dueOfChange(key, rows.get(key) ?? null)) timers = undefined;
        if (value === null) rows.delete(key);
        else rows.set(key, value);
      }
      position = to;
    },
    wipe() {
      rows.clear();
      keys = timers = undefined;
      position = 0;
    },
    size: () => rows.size,
  };
}

const dueOfChange = (key: string, value: Buffer | null): boolean => value !== null && dueOf(key, value) !== undefined;

function firstAtLeast(sorted: readonly string[], start: string): number {
  let low = 0;
  for (let high = sorted.length; low < high;) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < start) low = middle + 1;
    else high = middle;
  }
  return low;
}
