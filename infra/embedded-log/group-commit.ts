import { Unavailable } from '../../pipeline/core/errors.js';
import { asError, type SegmentFiles } from './files.js';
import { FrameBuffer } from './frame.js';

/** What waits for a frame to be durable. */
export interface Waiter {
  /** Position in the buffer after the frame. */
  end: number;
  /** The frame is durable: make it visible and answer. Must not throw. */
  readonly landed: (end: number) => void;
  readonly failed: (error: Unavailable) => void;
}

/** Collects frames while one write is on its way to the disk; then one write and one fdatasync for all of them. */
export class GroupCommit {
  readonly #files: SegmentFiles;
  /** Called when nothing is on its way, before a write: the moment to start a new segment. */
  readonly #beforeWrite: () => void;
  #collecting = { frames: new FrameBuffer(), waiters: [] as Waiter[] };
  #spare = { frames: new FrameBuffer(), waiters: [] as Waiter[] };
  #busy = false;
  /** What the latest write failed of, in a sentence for strangers; undefined when it did not. */
  failure: string | undefined;

  constructor(files: SegmentFiles, beforeWrite: () => void) {
    this.#files = files;
    this.#beforeWrite = beforeWrite;
  }

  /** Add a frame; `put` adds exactly one to the buffer. Frames land in the order of these calls. */
  add(put: (frames: FrameBuffer) => void, waiter: Omit<Waiter, 'end'>): void {
    const { frames, waiters } = this.#collecting;
    put(frames);
    waiters.push({ ...waiter, end: frames.length });
    if (this.#busy) return;
    this.#busy = true;
    // Whatever else this turn of the event loop brings goes into the same write.
    setImmediate(() => this.#write());
  }

  /** Resolves when every frame added so far has landed or failed. */
  settled(): Promise<void> {
    const { waiters, frames } = this.#collecting;
    if (!this.#busy) return Promise.resolve();
    return new Promise((resolve) => waiters.push({ end: frames.length, landed: () => resolve(), failed: () => resolve() }));
  }

  #write(): void {
    const group = this.#collecting;
    this.#collecting = this.#spare;
    this.#spare = group;
    const done = (error: Error | null): void => this.#done(group, error);
    try {
      this.#beforeWrite();
    } catch (error) {
      done(asError(error));
      return;
    }
    if (group.frames.length === 0) done(null);
    else this.#files.write(group.frames.contents(), done);
  }

  #done({ frames, waiters }: { frames: FrameBuffer; waiters: Waiter[] }, error: Error | null): void {
    // Of the reason only what comes before a path.
    this.failure = error ? `The log cannot be written (${error.message.split(',', 1)[0]})` : undefined;
    const start = this.#files.active.end - (error ? 0 : frames.length);
    for (const { end, landed, failed } of waiters) {
      if (error) failed(new Unavailable(`The log in ${this.#files.directory} cannot be written: ${error.message}.`, { cause: error, told: this.failure! }));
      else landed(start + end);
    }
    frames.clear();
    waiters.length = 0;
    if (this.#collecting.waiters.length > 0) this.#write();
    else this.#busy = false;
  }
}
