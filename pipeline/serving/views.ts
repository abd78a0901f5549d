import { ConfigError } from '../core/errors.js';
import type { Log, Position, Reader } from '../core/log.js';
import type { Journal } from '../core/metrics.js';
import { partitionOf } from '../core/partition.js';
import type { ReadingLag } from '../core/reading-lag.js';
import { inSlices, partsOf } from '../core/slices.js';
import { untilAvailable } from '../core/until-available.js';
import { redirectRows, restOf, rowKey, rowRange, type RowKind } from '../core/rows.js';
import type { OpenStore, RowChange, TableStore } from '../core/store.js';
import { progressOf } from '../core/progress.js';
import type { After } from '../../infra/http/doors.js';
import { products, type Topic } from '../../schemas/topics.js';

/** A learner publishes a thousand vectors at once, each of which takes some 4 µs. */
const ROWS_A_PIECE = 64;

/** Rows beside its main one that are walked over before the next key is looked for, which takes as long as some of them. */
const OTHERS_WALKED = 16;

type Watcher = (changes: readonly RowChange[]) => void;

/** Stores that tell what is applied to them: what the request path holds in memory follows from it. */
export function observedStores(open: OpenStore): { open: OpenStore; watch(table: string, watcher: Watcher): () => void } {
  const watchers = new Map<string, Set<Watcher>>();
  const opened = new Map<string, TableStore>();
  return {
    open(table, partition) {
      const id = `${table}/${partition}`;
      const known = opened.get(id);
      if (known) return known;
      const store = open(table, partition);
      const observed: TableStore = {
        get position() { return store.position; },
        get: (key) => store.get(key),
        range: (start, end) => store.range(start, end),
        timersUntil: (until, after) => store.timersUntil(until, after),
        wipe: () => store.wipe(),
        apply(changes, position) {
          store.apply(changes, position);
          for (const watcher of watchers.get(table) ?? []) watcher(changes);
        },
      };
      opened.set(id, observed);
      return observed;
    },
    watch(table, watcher) {
      const ofTable = watchers.get(table) ?? new Set();
      watchers.set(table, ofTable.add(watcher));
      return () => ofTable.delete(watcher);
    },
  };
}

export type ObservedStores = ReturnType<typeof observedStores>;

/** Committed rows of tables, as the request path reads them. */
export class Views {
  readonly #stores: ObservedStores;
  readonly partitions: number;

  constructor(stores: ObservedStores, partitions: number) {
    this.#stores = stores;
    this.partitions = partitions;
  }

  row<T>(table: Topic, kind: RowKind<T>, key: string): T | undefined {
    const stored = this.#store(table, partitionOf(key, this.partitions)).get(rowKey(key, restOf(kind.name)));
    return stored && kind.codec.decode(stored);
  }

  /** A row of no key, of one partition. */
  rowOfPartition<T>(table: Topic, partition: number, kind: RowKind<T>): T | undefined {
    const stored = this.#store(table, partition).get(rowKey('', restOf(kind.name)));
    return stored && kind.codec.decode(stored);
  }

  /** Main rows of a table, of all partitions. Of an item that thousands wait for, their rows are not walked through. */
  *mainRows<T>(table: Topic, kind: RowKind<T>): Iterable<{ key: string; value: T }> {
    for (let partition = 0; partition < this.partitions; partition++) {
      for (let from: string | undefined = ''; from !== undefined;) {
        let others = 0;
        let next: string | undefined;
        for (const { key, value } of this.#store(table, partition).range(from, '\uffff')) {
          const end = key.indexOf('\u001f');
          if (end < 0) {
            others = 0;
            yield { key, value: kind.codec.decode(value) };
          } else if (++others > OTHERS_WALKED) {
            next = `${key.slice(0, end)}\u0020`;
            break;
          }
        }
        from = next;
      }
    }
  }

  /** Subs of the rows of a kind and key in one partition behind `after`, in their order, `limit` at most: many are walked in pieces, between which others have their turn. */
  subs<T>(table: Topic, partition: number, kind: RowKind<T>, key: string, after: string, limit: number): string[] {
    const { start, end } = rowRange(key, kind.name);
    const found: string[] = [];
    for (const row of this.#store(table, partition).range(after === '' ? start : `${start}${after}\u0000`, end)) {
      if (found.push(row.key.slice(start.length)) === limit) break;
    }
    return found;
  }

  /** Time of a log that does not follow the wall clock: where the tasks of the catalogue stand. */
  logTime(): number {
    return Math.max(...Array.from({ length: this.partitions }, (_, partition) => this.taskTime(products, partition)));
  }

  /** Up to which time the task that writes a partition of a table has read; 0 before its first tick. */
  taskTime(table: Topic, partition: number): number {
    return progressOf(this.#store(table, partition)).time;
  }

  watch(table: Topic, watcher: Watcher): () => void {
    return this.#stores.watch(table.name, watcher);
  }

  /** The id under which a key's rows stand: where a merge leads. */
  canonical(table: Topic, key: string): string {
    let at = key;
    for (let hops = 0; hops < 8; hops++) {
      const redirect = this.row(table, redirectRows, at);
      if (!redirect || redirect.to === key || redirect.to === at) return at;
      at = redirect.to;
    }
    return at;
  }

  /** Whether a table's tasks have read so far. */
  hasRead(table: Topic, positions: readonly Position[]): boolean {
    // A token may be made up: looking at a partition that is none would open a store for it.
    return positions.every(({ topic, partition, offset }) => partition < this.partitions && (progressOf(this.#store(table, partition)).offsets[topic] ?? 0) > offset);
  }

  /**
   * Whether what is answered for `key` reflects all that stands before `after`: what was sent on to another id's task included. Where a token's
   * merges lead is decided with the records that it names; whether an id leads anywhere at all is nobody's to ask, since a token may be made up.
   */
  reflects(table: Topic, key: string, { positions, merges }: After): boolean {
    return this.hasRead(table, positions) && this.#hasArrived(table, key)
      && merges.every((from) => this.#hasArrived(table, from));
  }

  /** Whether all that was sent on from a key that was merged away is applied where it was sent to. */
  #hasArrived(table: Topic, key: string): boolean {
    for (let at = key, hops = 0; hops < 8; hops++) {
      const redirect = this.row(table, redirectRows, at);
      if (!redirect || redirect.to === at) return true;
      const from = partitionOf(at, this.partitions);
      const { applied } = progressOf(this.#store(table, partitionOf(redirect.to, this.partitions)));
      if (Object.entries(redirect.sent).some(([topic, next]) => (applied[`${topic}/${from}`] ?? 0) < next)) return false;
      at = redirect.to;
    }
    return true;
  }

  /** Wait until `met` holds, looking again after each change of the table; false at the deadline. */
  async until(table: Topic, met: () => boolean, deadlineMs: number): Promise<boolean> {
    if (met()) return true;
    return new Promise((resolve) => {
      const finish = (answer: boolean): void => {
        clearTimeout(timer);
        stop();
        resolve(answer);
      };
      const stop = this.watch(table, () => { if (met()) finish(true); });
      const timer = setTimeout(() => finish(met()), deadlineMs);
    });
  }

  #store(table: Topic, partition: number): TableStore {
    return this.#stores.open(table.name, partition);
  }
}

/** Keep stores in step with tables that this process does not own, by reading their topics outside any group. */
export function followTables(log: Log, tables: readonly Topic[], open: OpenStore, stop: AbortSignal, journal: Journal, lag: ReadingLag, patienceMs = 0): { caughtUp: Promise<void>; done: Promise<void> } {
  let announce = (): void => {};
  const caughtUp = new Promise<void>((resolve) => { announce = resolve; });
  const done = untilAvailable(async (works) => follow(log.reader(await positionsOf(log, tables, open), patienceMs), open, stop, lag, announce, works), stop, journal, 'A view');
  return { caughtUp, done: done.finally(() => lag.stop()).finally(announce) };
}

/** Where each store stands; a store from beyond the log's end or from before its start is wiped. */
async function positionsOf(log: Log, tables: readonly Topic[], open: OpenStore): Promise<Position[]> {
  const from: Position[] = [];
  for (const { name } of tables) {
    for (const [partition, { start, end }] of (await log.ranges(name)).entries()) {
      const store = open(name, partition);
      if (store.position > end || (store.position > 0 && store.position < start)) store.wipe();
      from.push({ topic: name, partition, offset: Math.max(store.position, start) });
    }
  }
  return from;
}

async function follow(reader: Reader, open: OpenStore, stop: AbortSignal, lag: ReadingLag, announce: () => void, works: () => void): Promise<void> {
  try {
    while (!stop.aborted) {
      const records = await reader.poll(5_000, 250);
      works();
      for (const group of groupRecords(records).values()) {
        await inSlices(partsOf(group, ROWS_A_PIECE), (rows) => {
          const last = rows.at(-1)!;
          open(last.topic, last.partition).apply(rows.map(({ key, value }) => ({ key: key ?? '', value })), last.offset + 1);
        });
      }
      lag.read(records, reader.lag());
      if (reader.lag() === 0) announce();
    }
  } catch (error) {
    if (error instanceof ConfigError || !stop.aborted) throw error;
  } finally {
    await reader.close();
  }
}

const idOf = ({ topic, partition }: { topic: string; partition: number }): string => `${topic}/${partition}`;

function groupRecords<R extends { topic: string; partition: number }>(records: readonly R[]): Map<string, R[]> {
  const groups = new Map<string, R[]>();
  for (const record of records) {
    const group = groups.get(idOf(record)) ?? [];
    group.push(record);
    groups.set(idOf(record), group);
  }
  return groups;
}
