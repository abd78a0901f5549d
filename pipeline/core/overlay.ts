import type { Codec } from '../../schemas/codec.js';
import { firstFrom } from './first-from.js';
import { decodeRow, dueOf, restOf, restPrefix, rowKey, rowRange, splitRowKey, TIMER, timerRows, type RowKind } from './rows.js';
import { requireFit } from './sizes.js';
import { isEarlier, type DueTimer, type RowChange, type TableStore } from './store.js';

interface Entry {
  readonly codec: Codec<unknown>;
  /** undefined: no such row. */
  readonly value: unknown;
  readonly dirty: boolean;
}

/** The owner's uncommitted changes laid over its store, with undo back to the last `mark`. */
export class Overlay {
  readonly #store: TableStore;
  readonly #rows = new Map<string, Map<string, Entry>>();
  readonly #undo: { key: string; rest: string; before: Entry | undefined }[] = [];
  /** Timers put since the last commit, by (due, key); entries may be outdated and are checked against their row. */
  #timers: DueTimer[] = [];
  /** Stored timers up to this one have fired or were changed since the last commit. */
  #fired: DueTimer | undefined;

  constructor(store: TableStore) {
    this.#store = store;
  }

  get<T>(kind: RowKind<T>, key: string, sub = ''): T | undefined {
    return this.#entry(kind.codec as Codec<unknown>, key, restOf(kind.name, sub)).value as T | undefined;
  }

  put<T>(kind: RowKind<T>, key: string, sub: string, value: T | undefined): void {
    const rest = restOf(kind.name, sub);
    this.#set(key, rest, { codec: kind.codec as Codec<unknown>, value, dirty: true });
    if (kind.name === TIMER && value !== undefined) this.#addTimer({ due: (value as { due: number }).due, key: rowKey(key, rest) });
  }

  /** The rows of a kind under a key in order of `sub`, the first `most` of them. Of the store's no more are read, but for what was deleted since the last commit. */
  scan<T>(kind: RowKind<T>, key: string, most = Infinity): { sub: string; value: T }[] {
    const subs = new Set<string>();
    const prefix = restPrefix(kind.name);
    const changed = this.#rows.get(key);
    for (const rest of changed?.keys() ?? []) if (rest.startsWith(prefix)) subs.add(rest.slice(prefix.length));
    const { start, end } = rowRange(key, kind.name);
    let left = most;
    for (const row of this.#store.range(start, end)) {
      if (left-- <= 0) break;
      const sub = row.key.slice(start.length);
      const known = changed?.get(prefix + sub);
      if (known && known.value === undefined) left++;
      subs.add(sub);
    }
    const found: { sub: string; value: T }[] = [];
    for (const sub of [...subs].sort()) {
      if (found.length >= most) break;
      const value = this.get(kind, key, sub);
      if (value !== undefined) found.push({ sub, value });
    }
    return found;
  }

  /** Every row of a key but timers' bookkeeping: (kind, sub, framed value), for moving them elsewhere. */
  allRowsOf(key: string): { kind: string; sub: string; value: Buffer }[] {
    const rests = new Set<string>([restOf('')]);
    const { start, end } = rowRange(key);
    for (const row of this.#store.range(start, end)) rests.add(splitRowKey(row.key).rest);
    for (const rest of this.#rows.get(key)?.keys() ?? []) rests.add(rest);
    return [...rests].sort().flatMap((rest) => {
      const value = this.#encoded(key, rest);
      const { kind, sub } = splitRowKey(rowKey(key, rest));
      return value ? [{ kind, sub, value }] : [];
    });
  }

  /** Forget a row whatever its kind. */
  remove(key: string, kind: string, sub: string): void {
    this.#set(key, restOf(kind, sub), { codec: timerRows.codec as Codec<unknown>, value: undefined, dirty: true });
  }

  /** The first pending timer due at or before `until`. */
  nextTimer(until: number): DueTimer | undefined {
    while (this.#timers.length > 0 && !this.#isPending(this.#timers[0])) this.#timers.shift();
    const added = this.#timers[0];
    for (const stored of this.#store.timersUntil(until, this.#fired)) {
      if (added && isEarlier(added, stored)) break;
      if (this.#isPending(stored)) return stored;
      this.#fired = stored;
    }
    return added && added.due <= until ? added : undefined;
  }

  /** Changes since this call can be undone. */
  mark(): void {
    this.#undo.length = 0;
  }

  /** @throws BadEvent when a row that was changed since `mark` is too large to be written */
  requireFit(): void {
    for (const { key, rest } of this.#undo) {
      const entry = this.#rows.get(key)?.get(rest);
      if (entry?.dirty && entry.value !== undefined) requireFit(`A row ("${splitRowKey(rowKey(key, rest)).kind}")`, entry.codec.encode(entry.value).length);
    }
  }

  undo(): void {
    this.#fired = undefined;
    for (const { key, rest, before: entry } of this.#undo.reverse()) {
      if (entry) this.#rows.get(key)?.set(rest, entry);
      else this.#rows.get(key)?.delete(rest);
      // A timer that was pending before the record is pending again: bring its entry back.
      if (entry?.dirty && entry.value !== undefined && splitRowKey(rowKey(key, rest)).kind === TIMER) {
        this.#addTimer({ due: (entry.value as { due: number }).due, key: rowKey(key, rest) });
      }
    }
    this.#undo.length = 0;
  }

  /** Encoded changes, to be committed. */
  changes(): RowChange[] {
    const changes: RowChange[] = [];
    for (const [key, rests] of this.#rows) {
      for (const [rest, { codec, value, dirty }] of rests) {
        if (dirty) changes.push({ key: rowKey(key, rest), value: value === undefined ? null : codec.encode(value) });
      }
    }
    return changes;
  }

  clear(): void {
    this.#rows.clear();
    this.#undo.length = 0;
    this.#timers = [];
    this.#fired = undefined;
  }

  #entry(codec: Codec<unknown>, key: string, rest: string): Entry {
    const known = this.#rows.get(key)?.get(rest);
    if (known) return known;
    const stored = this.#store.get(rowKey(key, rest));
    const entry = { codec, value: stored && decodeRow(codec, stored), dirty: false };
    this.#rowsOf(key).set(rest, entry);
    return entry;
  }

  #encoded(key: string, rest: string): Buffer | undefined {
    const known = this.#rows.get(key)?.get(rest);
    if (!known) return this.#store.get(rowKey(key, rest));
    return known.value === undefined ? undefined : known.codec.encode(known.value);
  }

  #set(key: string, rest: string, entry: Entry): void {
    const ofKey = this.#rowsOf(key);
    this.#undo.push({ key, rest, before: ofKey.get(rest) });
    ofKey.set(rest, entry);
  }

  #rowsOf(key: string): Map<string, Entry> {
    let ofKey = this.#rows.get(key);
    if (!ofKey) this.#rows.set(key, (ofKey = new Map()));
    return ofKey;
  }

  #isPending(timer: DueTimer): boolean {
    const { partitionKey, rest } = splitRowKey(timer.key);
    const known = this.#rows.get(partitionKey)?.get(rest);
    if (known) return (known.value as { due: number } | undefined)?.due === timer.due;
    const stored = this.#store.get(timer.key);
    return stored !== undefined && dueOf(timer.key, stored) === timer.due;
  }

  #addTimer(timer: DueTimer): void {
    this.#timers.splice(firstFrom(this.#timers, (other) => !isEarlier(other, timer)), 0, timer);
  }
}
