import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Role } from '../main.js';

const TAIL_LINES = 30;

/** How a Millrace process is started: arguments for node, before those of the command. */
export type Entry = readonly string[];

export interface ChildOptions {
  readonly entry: Entry;
  readonly role: Role;
  /** The whole environment of the process. */
  readonly environment: NodeJS.ProcessEnv;
}

/** A Millrace process under test. */
export interface Child {
  readonly pid: number | undefined;
  /** Resolves with the port once the process listens; never when it ends before. */
  readonly listening: Promise<number>;
  /** Resolves when the process is gone, with its exit code or the signal that ended it. */
  readonly gone: Promise<number | NodeJS.Signals>;
  /** What it said last on stderr. */
  tail(): string;
  /** SIGKILL: nothing is flushed, nobody is told. */
  kill(): Promise<void>;
  /** SIGTERM, and SIGKILL when that takes too long. */
  stop(withinMs: number): Promise<number | NodeJS.Signals>;
}

const alive = new Set<ChildProcess>();
// Whatever ends this process, its children must not outlive it.
process.once('exit', () => { for (const child of alive) child.kill('SIGKILL'); });

/** Start `millrace start` for a role; it takes a free port and tells it on stderr. */
export function startChild({ entry, role, environment }: ChildOptions): Child {
  const child = spawn(process.execPath, [...entry, 'start', '--role', role], { stdio: ['ignore', 'ignore', 'pipe'], env: environment });
  alive.add(child);
  const tail: string[] = [];
  const gone = new Promise<number | NodeJS.Signals>((resolve) => {
    child.once('exit', (code, signal) => {
      alive.delete(child);
      resolve(signal ?? code ?? 0);
    });
  });
  const listening = new Promise<number>((resolve) => {
    createInterface({ input: child.stderr }).on('line', (line) => {
      tail.push(line);
      if (tail.length > TAIL_LINES) tail.shift();
      const port = /listens on http:\/\/\S+:(\d+)\//.exec(line)?.[1];
      if (port !== undefined) resolve(Number(port));
    });
  });
  return {
    pid: child.pid,
    listening,
    gone,
    tail: () => tail.join('\n'),
    async kill() {
      child.kill('SIGKILL');
      await gone;
    },
    async stop(withinMs) {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), withinMs);
      const end = await gone;
      clearTimeout(timer);
      return end;
    },
  };
}
