import type { LogRecord, NewRecord, Position } from '../../pipeline/core/log.js';
import type { Catalogue } from './catalogue.js';
import { Cursor } from './cursor.js';
import type { SegmentFiles } from './files.js';
import { groupsOf, noteOf, type Unlanded } from './frame.js';
import { GroupCommit } from './group-commit.js';
import type { Inbox } from './inbox.js';
import { TailMemory, type Partition } from './partition.js';
import type { GroupNote, SegmentHeader } from './segment.js';

export interface EngineOptions {
  readonly segmentBytes: number;
  readonly tailBytes: number;
  readonly now: () => number;
  /** Called after a segment was sealed. */
  readonly onSealed: () => void;
}

/** The log's state and its two movements: a frame lands, a cursor reads. */
export class Engine {
  readonly inboxes = new Set<Inbox>();
  readonly #commit: GroupCommit;
  readonly #memory: TailMemory;
  readonly #groups = new Map<string, GroupNote>();
  #closed = false;

  constructor(
    readonly catalogue: Catalogue,
    readonly files: SegmentFiles,
    readonly options: EngineOptions,
  ) {
    this.#memory = new TailMemory(options.tailBytes);
    this.#commit = new GroupCommit(files, () => this.#rollWhenFull());
  }

  /** Find the state in the files. Answers the bytes that were cut off a torn end. */
  recover(): number {
    const { catalogue, files } = this;
    const first = files.segments[0].header;
    const last = files.active.header;
    const ends = catalogue.slots.map(({ slot }) => last.offsets[slot] ?? 0);
    for (const note of last.groups) this.#remember(note);
    const cut = files.recover((bytes, at, next) => {
      for (const { slot, count } of groupsOf(bytes, at)) ends[slot] += count;
      const note = noteOf(bytes, at) as GroupNote | undefined;
      if (note) this.#remember(note);
      files.active.checkpoint(next, () => [...ends]);
    });
    for (const partition of catalogue.slots) {
      partition.start = first.offsets[partition.slot] ?? 0;
      partition.skipTo(ends[partition.slot]);
    }
    return cut;
  }

  /** One frame with all records; resolves when it is durable and visible. */
  write(records: readonly NewRecord[]): Promise<readonly LogRecord[]> {
    return new Promise((resolve, reject) => {
      this.#assertOpen();
      const writtenAt = this.options.now();
      const slots = records.map(({ topic, partition }) => this.catalogue.partition(topic, partition).slot);
      const unlanded = records.map((record) => unlandedOf(record, writtenAt));
      if (unlanded.length === 0) return resolve([]);
      this.#commit.add((frames) => frames.addRecords(unlanded, slots, writtenAt), {
        failed: reject,
        landed: (end) => {
          this.#land(unlanded, slots, end);
          resolve(unlanded);
        },
      });
    });
  }

  /** Store a group's offset, durably. */
  storeOffset(group: string, { slot }: Partition, offset: number, metadata: string): Promise<void> {
    const note: GroupNote = [group, slot, offset, metadata];
    return new Promise((resolve, reject) => {
      this.#assertOpen();
      this.#commit.add((frames) => frames.addNote(note), {
        failed: reject,
        landed: (end) => {
          this.#remember(note);
          this.files.active.checkpoint(end, () => this.catalogue.ends());
          resolve();
        },
      });
    });
  }

  storedOffset(group: string, { slot }: Partition): { offset: number; metadata: string } | undefined {
    const note = this.#groups.get(`${slot} ${group}`);
    return note && { offset: note[2], metadata: note[3] };
  }

  groupOffsets(): readonly GroupNote[] {
    return [...this.#groups.values()];
  }

  /** What the latest write failed of; undefined when it did not. */
  get failure(): string | undefined {
    return this.#commit.failure;
  }

  /** Resolves when everything written so far has landed or failed. */
  settled(): Promise<void> {
    return this.#commit.settled();
  }

  cursor({ topic, partition, offset }: Position): Cursor {
    return new Cursor(this.catalogue.partition(topic, partition), this.files, offset);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#commit.settled();
    for (const inbox of this.inboxes) inbox.close();
    this.files.close();
  }

  #assertOpen(): void {
    if (this.#closed) throw new Error('The log is closed.');
  }

  #land(records: readonly Unlanded[], slots: readonly number[], end: number): void {
    const touched = new Set<Partition>();
    records.forEach((record, i) => {
      const partition = this.catalogue.slots[slots[i]];
      this.#memory.push(partition, record);
      touched.add(partition);
    });
    this.files.active.checkpoint(end, () => this.catalogue.ends());
    for (const partition of touched) partition.wake();
  }

  #remember(note: GroupNote): void {
    this.#groups.set(`${note[1]} ${note[0]}`, note);
  }

  #rollWhenFull(): void {
    const { files, catalogue, options } = this;
    if (files.active.end < options.segmentBytes) return;
    files.roll(firstHeader(catalogue, options.now(), files.active.header.segment + 1, this.groupOffsets()));
    options.onSealed();
  }
}

export const firstHeader = (catalogue: Catalogue, createdAt: number, segment = 0, groups: readonly GroupNote[] = []): SegmentHeader => ({
  format: 1, log: catalogue.id, segment, createdAt, offsets: catalogue.ends(), groups,
});

function unlandedOf({ topic, partition, key, value, tick }: NewRecord, writtenAt: number): Unlanded {
  if (tick) return { topic, partition, offset: -1, key: null, value: null, tick, writtenAt };
  return { topic, partition, offset: -1, key: key === null ? null : wellFormed(key), value, tick: null, writtenAt };
}

const ANY_SURROGATE = /[\ud800-\udfff]/;

/** What the key will be when it is read from the file: half a surrogate pair has no UTF-8. */
const wellFormed = (key: string): string => (ANY_SURROGATE.test(key) ? Buffer.from(key).toString() : key);
