import type { Lease, LogRecord, OffsetRange } from '../../pipeline/core/log.js';

/** Stored with the offset: what lies between it and `next` has been settled, but for the pending ones. */
const markOf = (metadata: string): { next: number; pending: number[] } | undefined => {
  const [, next, pending = ''] = /^next:(\d+) pending:([\d,]*)$/.exec(metadata) ?? [];
  return next === undefined ? undefined : { next: Number(next), pending: pending.split(',').filter((one) => one !== '').map(Number) };
};

/** Where one partition stands. Records are settled in any order, so that one that waits does not have those behind it sent again after a restart. */
export class Standing {
  #next = 0;
  /** Offsets before `next` that are not settled, in their order, and when each was written: those of an earlier run as well, until they are read again. */
  readonly #pending = new Map<number, number>();
  #isUnstored = false;
  #isStoring = false;
  /** The write that is under way, or the last one. */
  stored = Promise.resolve();

  /** `write` stores an offset with its metadata, and waits out what passes; `failed` hears what does not. */
  constructor(readonly write: (offset: number, metadata: string) => Promise<void>, readonly failed: (error: Error) => void) {}

  /** Go on where an earlier run stood, or at the end of the log; answers from where to read. */
  begin(stored: Awaited<ReturnType<Lease['storedOffset']>>, { start, end }: OffsetRange, now: number): number {
    const from = stored && stored.offset <= end ? Math.max(start, stored.offset) : end;
    const earlier = stored && from < end ? markOf(stored.metadata) : undefined;
    this.#next = Math.max(from, earlier?.next ?? 0);
    for (const offset of earlier?.pending ?? []) if (offset >= start) this.#pending.set(offset, now);
    this.store();
    return from;
  }

  /** Note a record that was read: until it is settled it is pending. Answers whether it was settled before. */
  read({ offset, writtenAt }: LogRecord): boolean {
    if (offset < this.#next && !this.#pending.has(offset)) return true;
    this.#next = Math.max(this.#next, offset + 1);
    this.#pending.set(offset, writtenAt);
    return false;
  }

  settle({ offset }: LogRecord): void {
    this.#pending.delete(offset);
    this.store();
  }

  get pending(): number {
    return this.#pending.size;
  }

  /** When the oldest pending record was written. */
  get oldest(): number | undefined {
    const [oldest] = this.#pending.values();
    return oldest;
  }

  /** One write at a time: what settles meanwhile comes with the next. */
  store(): void {
    this.#isUnstored = true;
    if (!this.#isStoring) this.stored = this.#storeAll();
  }

  async #storeAll(): Promise<void> {
    this.#isStoring = true;
    try {
      // What is settled by the same turn comes with the first.
      await Promise.resolve();
      while (this.#isUnstored) {
        this.#isUnstored = false;
        const pending = [...this.#pending.keys()];
        await this.write(pending[0] ?? this.#next, `next:${this.#next} pending:${pending.join(',')}`);
      }
    } catch (error) {
      this.failed(error as Error);
    } finally {
      this.#isStoring = false;
    }
  }
}
