import type { LogRecord } from '../../pipeline/core/log.js';
import type { Cursor } from './cursor.js';

const NONE: ReadonlySet<string> = new Set();
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Polls several cursors. Nothing runs while it waits: the write that brings a record wakes it. */
export class Inbox {
  cursors: readonly Cursor[];
  #turn = 0;
  #closed = false;
  #wake: (() => void) | undefined;

  constructor(cursors: readonly Cursor[]) {
    this.cursors = cursors;
  }

  async poll(max: number, waitMs: number, except: ReadonlySet<string> = NONE): Promise<readonly LogRecord[]> {
    const deadline = performance.now() + waitMs;
    for (;;) {
      if (this.#closed) return [];
      const open = this.cursors.filter(({ partition }) => !except.has(partition.topic));
      for (const cursor of open) cursor.check();
      const behind = open.filter((cursor) => cursor.isBehind);
      if (behind.length > 0) await Promise.all(behind.map((cursor) => cursor.load()));
      const records = this.#take(open, max);
      if (records.length > 0) return records;
      const left = deadline - performance.now();
      if (left <= 0) return [];
      await this.#wait(open, left);
    }
  }

  close(): void {
    this.#closed = true;
    this.#wake?.();
  }

  /** From a different cursor each time, so that a backlog of one does not starve the others. */
  #take(open: readonly Cursor[], max: number): LogRecord[] {
    const records: LogRecord[] = [];
    this.#turn += 1;
    for (let i = 0; i < open.length && records.length < max; i++) {
      open[(this.#turn + i) % open.length].take(max - records.length, records);
    }
    return records;
  }

  #wait(open: readonly Cursor[], waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        for (const { partition } of open) partition.stopWaiting(wake);
        this.#wake = undefined;
        resolve();
      };
      const timer = setTimeout(wake, Math.min(Math.ceil(waitMs), LONGEST_TIMER_MS));
      for (const { partition } of open) partition.wait(wake);
      this.#wake = wake;
    });
  }
}
