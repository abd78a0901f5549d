import type { LogRecord } from '../../pipeline/core/log.js';
import type { Unlanded } from './frame.js';

/** One partition of a topic: its offsets, its newest records in memory, and who waits for more. */
export class Partition {
  start = 0;
  #tail: LogRecord[] = [];
  /** Records of `#tail` before this one were forgotten. */
  #head = 0;
  #tailStart = 0;
  #end = 0;
  readonly #waiting = new Set<() => void>();

  constructor(
    readonly topic: string,
    readonly partition: number,
    readonly slot: number,
  ) {}

  /** Next offset to be written. */
  get end(): number {
    return this.#end;
  }

  /** Records from here on are in memory. */
  get tailStart(): number {
    return this.#tailStart;
  }

  /** Take over what a scan found in the files. */
  skipTo(end: number): void {
    this.#end = end;
    this.#tailStart = end;
  }

  push(record: Unlanded): void {
    record.offset = this.#end++;
    this.#tail.push(record);
  }

  /** Forget the oldest record in memory. */
  shift(): void {
    this.#head += 1;
    this.#tailStart += 1;
    if (this.#head < 1_024 || 2 * this.#head < this.#tail.length) return;
    this.#tail = this.#tail.slice(this.#head);
    this.#head = 0;
  }

  /** Add at most `max` records from `offset` on, which must not be before the tail. */
  copy(offset: number, max: number, into: LogRecord[]): number {
    const first = this.#head + offset - this.#tailStart;
    const last = Math.min(this.#tail.length, first + max);
    for (let i = first; i < last; i++) into.push(this.#tail[i]);
    return last - first;
  }

  wake(): void {
    for (const wake of this.#waiting) wake();
  }

  wait(wake: () => void): void {
    this.#waiting.add(wake);
  }

  stopWaiting(wake: () => void): void {
    this.#waiting.delete(wake);
  }
}

/** A record's share of memory beside its key and value. */
const RECORD_BYTES = 150;
const sizeOf = ({ key, value }: LogRecord): number => RECORD_BYTES + (key?.length ?? 0) + (value?.length ?? 0);

/** Bounds the records that all partitions hold in memory: the oldest are forgotten first, wherever they are. */
export class TailMemory {
  #queue: { partition: Partition; bytes: number }[] = [];
  #head = 0;
  #bytes = 0;

  constructor(readonly maxBytes: number) {}

  push(partition: Partition, record: Unlanded): void {
    const bytes = sizeOf(record);
    partition.push(record);
    this.#queue.push({ partition, bytes });
    this.#bytes += bytes;
    while (this.#bytes > this.maxBytes) this.#forgetOldest();
  }

  #forgetOldest(): void {
    const { partition, bytes } = this.#queue[this.#head];
    partition.shift();
    this.#bytes -= bytes;
    this.#head += 1;
    if (this.#head < 4_096 || 2 * this.#head < this.#queue.length) return;
    this.#queue = this.#queue.slice(this.#head);
    this.#head = 0;
  }
}
