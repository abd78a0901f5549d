import { closeSync, existsSync, fdatasync, fsyncSync, ftruncateSync, mkdirSync, openSync, readdirSync, readSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from '../../pipeline/core/errors.js';
import { firstFrom } from '../../pipeline/core/first-from.js';
import { syncDirectory } from './durable-file.js';
import { writtenAtOf } from './frame.js';
import { damaged, latestBeyond, Segment, segmentPath, scanFrames, type SegmentHeader } from './segment.js';

/** The calls of node:fs that a disk may fail; tests put a failing one in their place. */
export interface Disk {
  writeSync(fd: number, bytes: Uint8Array, offset: number, length: number, position: number): number;
  fdatasync(fd: number, done: (error: Error | null) => void): void;
  ftruncateSync(fd: number, length: number): void;
}

export const realDisk: Disk = { writeSync, fdatasync, ftruncateSync };

/** What one write carries was collected while the one before was on its way to the disk. */
const LONGEST_WRITE_MS = 10_000;

/** The segments of a log, oldest first; the last one is written. */
export class SegmentFiles {
  #fd: number;
  /** The file may hold bytes that were never acknowledged: cut them off before anything is written. */
  #mustRepair = false;

  private constructor(
    readonly directory: string,
    readonly segments: Segment[],
    readonly disk: Disk,
  ) {
    this.#fd = openSync(this.active.path, 'r+');
  }

  static numbersIn(directory: string): number[] {
    if (!existsSync(directory)) return [];
    return readdirSync(directory).flatMap((name) => (/^\d{10}\.segment$/.test(name) ? [Number.parseInt(name, 10)] : [])).sort((a, b) => a - b);
  }

  /** Open what is there, or the first segment. Only headers are read, until `recover`. */
  static open(directory: string, disk: Disk, first: () => SegmentHeader): SegmentFiles {
    mkdirSync(directory, { recursive: true });
    for (const name of readdirSync(directory)) if (name.endsWith('.new')) rmSync(join(directory, name));
    const numbers = this.numbersIn(directory);
    const missing = numbers.find((number, i) => i > 0 && number !== numbers[i - 1] + 1);
    if (missing !== undefined) throw new ConfigError([`${segmentPath(directory, missing - 1)} is missing, but older and newer segments are there: restore it from a copy.`]);
    const header = first();
    const segments = numbers.map((number) => Segment.open(segmentPath(directory, number)));
    const foreign = segments.find((segment) => segment.header.log !== header.log);
    if (foreign) throw new ConfigError([`${foreign.path} belongs to another log than the log.json beside it.`]);
    return new SegmentFiles(directory, segments.length > 0 ? segments : [Segment.create(directory, header)], disk);
  }

  get active(): Segment {
    return this.segments.at(-1)!;
  }

  /**
   * Visit the frames of the last segment and cut it at the first bad one: what a crash tore had not been acknowledged.
   * What is cut off is kept in a file beside. Answers its size.
   * @throws ConfigError when whole frames stand beyond it that are too young to be of the same write: that is damage, and they had been acknowledged
   */
  recover(visit: (bytes: Buffer, at: number, next: number) => void): number {
    const { active } = this;
    const size = active.end;
    let writtenAt = active.header.createdAt;
    const end = scanFrames(active.path, active.bodyStart, size, (bytes, at, next) => {
      writtenAt = Math.max(writtenAt, writtenAtOf(bytes, at) ?? 0);
      visit(bytes, at, next);
    });
    if (end < size && latestBeyond(active.path, end, size, writtenAt) > writtenAt + LONGEST_WRITE_MS) throw damaged(active.path, end);
    active.end = end;
    if (end === size) return 0;
    keepCut(this.#fd, end, size, `${active.path}.cut-at-${end}`);
    ftruncateSync(this.#fd, end);
    fsyncSync(this.#fd);
    return size - end;
  }

  /** Write frames after the last durable one and call back when they are on the disk. A failure leaves none of them. */
  write(bytes: Uint8Array, done: (error: Error | null) => void): void {
    const { active } = this;
    try {
      this.#repair();
      for (let at = 0; at < bytes.length; ) {
        const written = this.disk.writeSync(this.#fd, bytes, at, bytes.length - at, active.end + at);
        if (written === 0) throw new Error(`Nothing could be written to ${active.path}.`);
        at += written;
      }
    } catch (error) {
      this.#mustRepair = true;
      this.#tryRepair();
      done(asError(error));
      return;
    }
    this.disk.fdatasync(this.#fd, (error) => {
      if (error) {
        // What reached the disk is unknown and the kernel will not try again: a fresh descriptor, and nothing of it.
        this.#mustRepair = true;
        this.#tryRepair();
      } else {
        active.end += bytes.length;
      }
      done(error);
    });
  }

  /** Start the next segment. The last frame of the active one must be durable. */
  roll(next: SegmentHeader): void {
    this.#repair();
    this.active.writeIndex();
    const segment = Segment.create(this.directory, next);
    const fd = openSync(segment.path, 'r+');
    closeSync(this.#fd);
    this.#fd = fd;
    this.segments.push(segment);
  }

  /** Remove the oldest segment; never the active one. */
  dropOldest(): void {
    if (this.segments.length < 2) return;
    this.segments.shift()!.remove();
    syncDirectory(this.directory);
  }

  /** The segment that holds an offset of a slot which is known to exist. */
  segmentOf(slot: number, offset: number): Segment {
    return this.segments[Math.max(0, firstFrom(this.segments, ({ header }) => (header.offsets[slot] ?? 0) > offset) - 1)];
  }

  close(): void {
    closeSync(this.#fd);
  }

  #tryRepair(): void {
    try {
      this.#repair();
    } catch {
      // Tried again before the next write, which fails while this does.
    }
  }

  #repair(): void {
    if (!this.#mustRepair) return;
    const fd = openSync(this.active.path, 'r+');
    try {
      this.disk.ftruncateSync(fd, this.active.end);
      fsyncSync(fd);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    closeSync(this.#fd);
    this.#fd = fd;
    this.#mustRepair = false;
  }
}

export const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

function keepCut(fd: number, from: number, to: number, path: string): void {
  const bytes = Buffer.alloc(to - from);
  readSync(fd, bytes, 0, bytes.length, from);
  // A file system that had only noted the new length leaves zeros: nothing worth keeping.
  if (bytes.some((byte) => byte !== 0)) writeFileSync(path, bytes);
}
