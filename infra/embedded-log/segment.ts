import { closeSync, openSync, readFileSync, readSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from '../../pipeline/core/errors.js';
import { firstFrom } from '../../pipeline/core/first-from.js';
import { writeFileDurably } from './durable-file.js';
import { claimedLength, FrameBuffer, frameLength, groupsOf, MAX_FRAME_BYTES, noteOf, writtenAtOf } from './frame.js';

const CHUNK_BYTES = 1 << 22;
/** A read starts at most this many bytes before the frame it wants. */
const CHECKPOINT_BYTES = 1 << 18;

/** First frame of a segment: with it, no earlier segment is needed to read this one. */
export interface SegmentHeader {
  readonly format: 1;
  /** Id of the log. */
  readonly log: string;
  readonly segment: number;
  readonly createdAt: number;
  /** Next offset of every slot when the segment starts. */
  readonly offsets: readonly number[];
  /** Group offsets when the segment starts: earlier segments may be gone. */
  readonly groups: readonly GroupNote[];
}

/** Group, slot, offset, metadata. */
export type GroupNote = readonly [group: string, slot: number, offset: number, metadata: string];

/** Next offset of every slot at the frame that starts at `position`. */
export interface Checkpoint {
  readonly position: number;
  readonly offsets: readonly number[];
}

export const segmentPath = (directory: string, number: number): string => join(directory, `${String(number).padStart(10, '0')}.segment`);
const indexPath = (path: string): string => path.replace(/segment$/, 'index');

/** A file of frames. */
export class Segment {
  #checkpoints: Checkpoint[] | undefined;

  private constructor(
    readonly path: string,
    readonly header: SegmentHeader,
    readonly bodyStart: number,
    /** Frames before this position may be read. */
    public end: number,
  ) {}

  static create(directory: string, content: SegmentHeader): Segment {
    const frame = new FrameBuffer();
    frame.addNote(content);
    const path = segmentPath(directory, content.segment);
    writeFileDurably(path, frame.contents());
    const segment = new Segment(path, content, frame.length, frame.length);
    segment.#checkpoints = [{ position: frame.length, offsets: [...content.offsets] }];
    return segment;
  }

  /** @throws ConfigError when the file is not a segment: it appears with its header in place, so this is damage. */
  static open(path: string): Segment {
    const size = statSync(path).size;
    const fd = openSync(path, 'r');
    try {
      const start = Buffer.alloc(Math.min(size, CHUNK_BYTES));
      readSync(fd, start, 0, start.length, 0);
      const length = frameLength(start, 0);
      if (length === undefined) throw new ConfigError([`${path} is damaged at its start: restore it from a copy.`]);
      return new Segment(path, noteOf(start, 0) as SegmentHeader, length, size);
    } finally {
      closeSync(fd);
    }
  }

  /** Last checkpoint at or before an offset of a slot. */
  locate(slot: number, offset: number): Checkpoint {
    const checkpoints = (this.#checkpoints ??= this.#readIndex() ?? this.#rebuildIndex());
    return checkpoints[Math.max(0, firstFrom(checkpoints, ({ offsets }) => (offsets[slot] ?? 0) > offset) - 1)];
  }

  /** Note where frames start, as they come. */
  checkpoint(position: number, offsets: () => number[]): void {
    const checkpoints = (this.#checkpoints ??= [{ position: this.bodyStart, offsets: [...this.header.offsets] }]);
    if (position - checkpoints.at(-1)!.position >= CHECKPOINT_BYTES) checkpoints.push({ position, offsets: offsets() });
  }

  /** Keep the checkpoints in a small file beside, so that the next start need not scan this segment. */
  writeIndex(): void {
    writeFileDurably(indexPath(this.path), Buffer.from(JSON.stringify(this.#checkpoints)));
  }

  remove(): void {
    rmSync(indexPath(this.path), { force: true });
    rmSync(this.path);
  }

  #readIndex(): Checkpoint[] | undefined {
    try {
      const read = JSON.parse(readFileSync(indexPath(this.path), 'utf8')) as Checkpoint[];
      return Array.isArray(read) && read.length > 0 ? read : undefined;
    } catch {
      // Lost or torn by a crash of the machine: it only says what a scan says too.
      return undefined;
    }
  }

  #rebuildIndex(): Checkpoint[] {
    this.#checkpoints = undefined;
    const offsets = [...this.header.offsets];
    this.checkpoint(this.bodyStart, () => [...offsets]);
    const end = scanFrames(this.path, this.bodyStart, this.end, (bytes, at, next) => {
      for (const { slot, count } of groupsOf(bytes, at)) offsets[slot] = (offsets[slot] ?? 0) + count;
      this.checkpoint(next, () => [...offsets]);
    });
    if (end < this.end) throw damaged(this.path, end);
    return this.#checkpoints!;
  }
}

export const damaged = (path: string, position: number): ConfigError =>
  new ConfigError([`${path} is damaged at byte ${position}, before the end of the log: restore it from a copy (docs/runbook.md#a-damaged-log).`]);

/**
 * Visit every good frame from `from` on: the bytes, where the frame starts in them, and the file position after it.
 * Answers the position of the first frame that is cut off or damaged, or `to`.
 */
export function scanFrames(path: string, from: number, to: number, visit: (bytes: Buffer, at: number, next: number) => void): number {
  const fd = openSync(path, 'r');
  try {
    let position = from;
    let wanted = CHUNK_BYTES;
    while (position < to) {
      const chunk = Buffer.allocUnsafe(Math.min(wanted, to - position));
      const bytes = chunk.subarray(0, readSync(fd, chunk, 0, chunk.length, position));
      if (bytes.length === 0) return position;
      let at = 0;
      for (let length = frameLength(bytes, at); length !== undefined; length = frameLength(bytes, at)) {
        visit(bytes, at, position + at + length);
        at += length;
      }
      position += at;
      wanted = at > 0 ? CHUNK_BYTES : claimedLength(bytes, 0);
      if (at === 0 && (wanted <= bytes.length || wanted > Math.min(to - position, MAX_FRAME_BYTES + 8))) return position;
    }
    return position;
  } finally {
    closeSync(fd);
  }
}

/** When the youngest whole frame between two positions was written (ms since 1970), wherever it begins; -Infinity without one that is younger than `since`. */
export function latestBeyond(path: string, from: number, to: number, since: number): number {
  const bytes = Buffer.alloc(to - from);
  const fd = openSync(path, 'r');
  try {
    readSync(fd, bytes, 0, bytes.length, from);
  } finally {
    closeSync(fd);
  }
  let latest = -Infinity;
  for (let at = 0; at < bytes.length;) {
    // Only what may be a younger frame costs a checksum.
    const writtenAt = writtenAtOf(bytes, at) ?? -Infinity;
    const length = writtenAt > since ? frameLength(bytes, at) : undefined;
    if (length !== undefined) latest = Math.max(latest, writtenAt);
    at += length ?? 1;
  }
  return latest;
}
