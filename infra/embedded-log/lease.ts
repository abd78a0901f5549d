import { ConfigError } from '../../pipeline/core/errors.js';
import type { GroupSpec, Lease, LogRecord, Membership, NewRecord, OffsetRange } from '../../pipeline/core/log.js';
import type { Engine } from './engine.js';
import { Inbox } from './inbox.js';
import type { Partition } from './partition.js';

/** A table store takes rows at half the cost in slices of this size, since each commit rewrites the pages it touches. */
const SLICE_RECORDS = 20_000;
const SLICE_BYTES = 1 << 23;

/** Who fenced a partition of a group last. One process has one owner of each, but a forgotten one must not write on. */
export type Fences = Map<string, EmbeddedLease>;

/** A partition number of a group, given at once: there is no other process. */
export class EmbeddedLease implements Lease {
  readonly revoked: AbortSignal;
  readonly #engine: Engine;
  readonly #fences: Fences;
  readonly #group: GroupSpec;
  readonly #inbox: Inbox;

  constructor(engine: Engine, fences: Fences, group: GroupSpec, readonly partition: number, revoked: AbortSignal) {
    this.#engine = engine;
    this.#fences = fences;
    this.#group = group;
    this.revoked = revoked;
    this.#inbox = new Inbox(group.inputs.map((topic) => this.#cursorAt(topic)));
    engine.inboxes.add(this.#inbox);
    revoked.addEventListener('abort', () => this.#inbox.close(), { once: true });
  }

  async fence(): Promise<void> {
    this.#assertHeld();
    this.#fences.set(this.#fenceKey, this);
    // What the earlier owner had already handed over still counts: the table ends after it.
    await this.#engine.settled();
  }

  async tableRange(): Promise<OffsetRange> {
    const { start, end } = this.#table;
    return { start, end };
  }

  async readTable(from: number, to: number, apply: (rows: readonly LogRecord[], next: number) => void): Promise<void> {
    const { topic, partition, start } = this.#table;
    if (from >= to) return;
    if (from < start) {
      throw new ConfigError([
        `Rows of table "${topic}" before offset ${start} are no longer in the log, and the table's local store lacks them from ${from}: restore the store's directory from a copy.`,
      ]);
    }
    const cursor = this.#engine.cursor({ topic, partition, offset: from });
    cursor.check();
    while (cursor.next < to) {
      const rows: LogRecord[] = [];
      for (let bytes = 0; bytes < SLICE_BYTES && rows.length < SLICE_RECORDS && cursor.next < to; ) {
        if (cursor.isBehind) await cursor.load();
        const taken = cursor.take(Math.min(SLICE_RECORDS - rows.length, to - cursor.next), rows);
        if (taken === 0) throw new ConfigError([`Table "${topic}" ends at offset ${cursor.next}, before ${to}.`]);
        for (const { value } of rows.slice(-taken)) bytes += value?.length ?? 0;
      }
      apply(rows, cursor.next);
    }
  }

  async seek(offsets: Readonly<Record<string, number>>): Promise<void> {
    const cursors = this.#group.inputs.map((topic) => this.#cursorAt(topic, offsets[topic]));
    for (const cursor of cursors) cursor.check();
    this.#inbox.cursors = cursors;
  }

  /** There is one log, and its topics stay. */
  lineages(): Readonly<Record<string, string>> {
    return {};
  }

  poll(max: number, waitMs: number, except: ReadonlySet<string>): Promise<readonly LogRecord[]> {
    return this.#inbox.poll(max, waitMs, except);
  }

  lag(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#inbox.cursors.map(({ partition, lag }) => [partition.topic, lag]));
  }

  async commit(outputs: readonly NewRecord[], rows: readonly NewRecord[]): Promise<number> {
    const table = this.#table;
    this.#assertHeld();
    if (this.#fences.get(this.#fenceKey) !== this) {
      throw new Error(`Partition ${this.partition} of ${this.#group.name} was fenced by another owner.`);
    }
    const records = await this.#engine.write([...outputs, ...rows]);
    return rows.length === 0 ? table.end : records.at(-1)!.offset + 1;
  }

  async confirmed(): Promise<void> {}

  async storedOffset(topic: string): Promise<{ offset: number; metadata: string } | undefined> {
    return this.#engine.storedOffset(this.#group.name, this.#engine.catalogue.partition(topic, this.partition));
  }

  async storeOffset(topic: string, offset: number, metadata: string): Promise<void> {
    this.#assertHeld();
    await this.#engine.storeOffset(this.#group.name, this.#engine.catalogue.partition(topic, this.partition), offset, metadata);
  }

  /** The owner has ended: its place in the inputs holds back nothing any more. */
  end(): void {
    this.#inbox.close();
    this.#engine.inboxes.delete(this.#inbox);
    if (this.#fences.get(this.#fenceKey) === this) this.#fences.delete(this.#fenceKey);
  }

  get #table(): Partition {
    const { name, table } = this.#group;
    if (table === undefined) throw new Error(`Group ${name} has no table.`);
    return this.#engine.catalogue.partition(table, this.partition);
  }

  get #fenceKey(): string {
    return `${this.partition} ${this.#group.name}`;
  }

  #cursorAt(topic: string, offset?: number): ReturnType<Engine['cursor']> {
    const { start } = this.#engine.catalogue.partition(topic, this.partition);
    return this.#engine.cursor({ topic, partition: this.partition, offset: offset ?? start });
  }

  #assertHeld(): void {
    if (this.revoked.aborted) throw new Error(`The lease of partition ${this.partition} of ${this.#group.name} was revoked.`);
  }
}

/** Give every partition to an owner in this process. */
export function join(engine: Engine, fences: Fences, group: GroupSpec, owner: (lease: Lease) => Promise<void>): Membership {
  const end = new AbortController();
  let fail: (error: unknown) => void = () => {};
  const failed = new Promise<never>((_, reject) => (fail = reject));
  // Whoever waits for the membership sees the failure; nobody waiting yet is no crash.
  failed.catch(() => {});
  const own = async (partition: number): Promise<void> => {
    // Owners start after `own` has returned, as they do where leases come from a broker.
    await Promise.resolve();
    if (end.signal.aborted) return;
    try {
      const lease = new EmbeddedLease(engine, fences, group, partition, end.signal);
      await owner(lease).finally(() => lease.end());
    } catch (error) {
      end.abort();
      fail(error);
    }
  };
  const owners = Promise.all(Array.from({ length: engine.catalogue.partitions }, (_, partition) => own(partition)));
  return {
    joined: Promise.resolve(),
    failed,
    async stop() {
      end.abort();
      await owners;
    },
  };
}
