import { open } from 'node:fs/promises';
import { LostRecords } from '../../pipeline/core/errors.js';
import type { LogRecord } from '../../pipeline/core/log.js';
import type { SegmentFiles } from './files.js';
import { claimedLength, FRAME_HEADER_BYTES, frameLength, groupsOf, MAX_FRAME_BYTES, readGroup } from './frame.js';
import type { Partition } from './partition.js';
import { damaged, type Segment } from './segment.js';

/** Bytes of the file read at once by a reader that is behind the memory. */
const CHUNK_BYTES = 1 << 19;

/** Where in the files a read ended, so that the next one goes on there. */
interface Place {
  readonly segment: Segment;
  readonly position: number;
  /** Next offset of the slot there. */
  readonly offset: number;
}

/** Reads one partition in order: from the files while it is behind, from memory at the tail. */
export class Cursor {
  #ahead: readonly LogRecord[] = [];
  #aheadAt = 0;
  #place: Place | undefined;
  #next: number;

  constructor(
    readonly partition: Partition,
    readonly files: SegmentFiles,
    offset: number,
  ) {
    this.#next = offset;
  }

  get next(): number {
    return this.#next;
  }

  get lag(): number {
    return this.partition.end - this.#next;
  }

  /** @throws ConfigError when there is no such offset. */
  check(): void {
    const { topic, partition, start, end } = this.partition;
    if (this.#next >= start && this.#next <= end) return;
    const problem = `Offset ${this.#next} of topic "${topic}", partition ${partition}, lies outside the log, which holds ${start} to ${end}.`;
    throw new LostRecords([{ topic, partition, offset: this.#next, next: Math.min(Math.max(this.#next, start), end), problem }]);
  }

  /** Whether `load` must run before `take` has anything to give. */
  get isBehind(): boolean {
    return this.#aheadAt === this.#ahead.length && this.#next < this.partition.tailStart;
  }

  /** Add at most `max` records that are at hand; answers how many. */
  take(max: number, into: LogRecord[]): number {
    let taken = 0;
    while (taken < max && this.#aheadAt < this.#ahead.length) {
      into.push(this.#ahead[this.#aheadAt++]);
      taken += 1;
    }
    this.#next += taken;
    if (taken < max && this.#next >= this.partition.tailStart) {
      const copied = this.partition.copy(this.#next, max - taken, into);
      this.#next += copied;
      taken += copied;
    }
    return taken;
  }

  /** Read a part of the files: at least the next record. */
  async load(): Promise<void> {
    const { slot } = this.partition;
    const { segment, position, offset } = this.#locate();
    const records: LogRecord[] = [];
    let at = position;
    let count = offset;
    let wanted = CHUNK_BYTES;
    const file = await open(segment.path, 'r');
    try {
      while (records.length === 0) {
        // Frames beyond the segment's end are not durable yet, or never will be.
        const chunk = Buffer.allocUnsafe(Math.min(wanted, segment.end - at));
        const { bytesRead } = await file.read(chunk, 0, chunk.length, at);
        const bytes = chunk.subarray(0, bytesRead);
        const { starts, end: read } = wholeFrames(bytes, segment.path, at);
        for (const frame of starts) {
          for (const group of groupsOf(bytes, frame)) {
            if (group.slot !== slot) continue;
            readGroup(bytes, group, count, this.#next, this.partition, records);
            count += group.count;
          }
        }
        if (read === 0 && wanted >= segment.end - at) throw damaged(segment.path, at);
        wanted = read === 0 ? claimedLength(bytes, 0) : CHUNK_BYTES;
        if (wanted > MAX_FRAME_BYTES + FRAME_HEADER_BYTES) throw damaged(segment.path, at);
        at += read;
      }
    } finally {
      await file.close();
    }
    this.#ahead = records;
    this.#aheadAt = 0;
    this.#place = { segment, position: at, offset: count };
  }

  #locate(): Place {
    const { slot } = this.partition;
    const segment = this.files.segmentOf(slot, this.#next);
    const { position, offsets } = segment.locate(slot, this.#next);
    const place = this.#place;
    if (place?.segment === segment && place.offset <= this.#next && place.position >= position) return place;
    return { segment, position, offset: offsets[slot] ?? 0 };
  }
}

/** Starts of the whole frames in a chunk, and where the last of them ends. */
function wholeFrames(bytes: Buffer, path: string, position: number): { starts: number[]; end: number } {
  const starts: number[] = [];
  let at = 0;
  while (at + FRAME_HEADER_BYTES <= bytes.length && at + claimedLength(bytes, at) <= bytes.length) {
    const length = frameLength(bytes, at);
    if (length === undefined) throw damaged(path, position + at);
    starts.push(at);
    at += length;
  }
  return { starts, end: at };
}
