import { execFile, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** A child that cannot outlive this process, whatever ends it. */
export interface OwnedProcess {
  pid: number;
  /** The reason, once it has ended. */
  ended(): string | undefined;
  /** SIGKILL, and wait until the kernel has let go of its ports and files. */
  kill(): Promise<void>;
}

/**
 * Starts `command` with an open pipe on stdin and its output appended to `directory/log`.
 * A shell holding another pipe from us kills the child and removes `directory` when that pipe breaks,
 * so that even `kill -9` of a test worker leaves no broker behind.
 */
export function startOwned(command: string, args: string[], directory: string, env: NodeJS.ProcessEnv = {}): OwnedProcess {
  const log = openSync(path.join(directory, 'log'), 'a');
  // Detached: Ctrl-C in a terminal must not take the broker away from a suite that is still cleaning up.
  const child = spawn(command, args, { cwd: directory, detached: true, env: { ...process.env, ...env }, stdio: ['pipe', log, log] });
  closeSync(log);
  let end: string | undefined;
  let watchdog: ReturnType<typeof spawn> | undefined;
  const exited = new Promise<void>((resolve) => {
    const ended = (reason: string) => {
      end = reason;
      watchdog?.kill('SIGKILL');
      resolve();
    };
    child.once('error', (error) => ended(error.message));
    child.once('exit', (code, signal) => ended(`${path.basename(command)} ended with ${signal ?? `code ${code}`}`));
  });
  child.stdin?.on('error', () => undefined);
  if (child.pid !== undefined) {
    const script = 'read -r _; kill -9 "$1" 2>/dev/null; rm -rf "$2"';
    watchdog = spawn('sh', ['-c', script, 'watchdog', String(child.pid), directory], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
    watchdog.once('error', () => undefined);
    watchdog.stdin?.on('error', () => undefined);
  }
  return {
    pid: child.pid ?? -1,
    ended: () => end,
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** Polls until `ready` stops throwing; fails at once when `owned` ends, with the last lines of its log. */
export async function untilReady(owned: OwnedProcess, directory: string, timeoutMs: number, ready: () => Promise<unknown>): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    if (owned.ended() !== undefined) throw new Error(`${owned.ended()}; its log ends with:\n${lastLines(directory)}`);
    try {
      await ready();
      return;
    } catch (error) {
      if (Date.now() > deadline) {
        throw new Error(`No answer within ${timeoutMs} ms (${String(error)}); the log ends with:\n${lastLines(directory)}`, { cause: error });
      }
    }
    await sleep(25);
  }
}

/** A process that answers, and may be killed and started again at its place. */
export interface Restartable {
  kill(): Promise<void>;
  restart(): Promise<void>;
  /** Ends it for good and removes its directory. */
  stop(): Promise<void>;
}

/** Starts a process in `directory` and waits until it is ready; `remove` is called when it never was. @throws Error with the last lines of its log */
export async function restartable({ directory, remove }: TemporaryDirectory, start: () => OwnedProcess, timeoutMs: number, ready: () => Promise<unknown>): Promise<Restartable> {
  const begin = async () => {
    const owned = start();
    try {
      await untilReady(owned, directory, timeoutMs, ready);
      return owned;
    } catch (error) {
      await owned.kill();
      throw error;
    }
  };
  let owned = await begin().catch((error: unknown) => {
    remove();
    throw error;
  });
  return {
    kill: () => owned.kill(),
    restart: async () => {
      await owned.kill();
      owned = await begin();
    },
    stop: async () => {
      await owned.kill();
      remove();
    },
  };
}

function lastLines(directory: string): string {
  try {
    return readFileSync(path.join(directory, 'log'), 'utf8').trimEnd().split('\n').slice(-8).join('\n');
  } catch {
    return '(no log)';
  }
}

export interface TemporaryDirectory {
  readonly directory: string;
  remove(): void;
}

/** A new directory under the system's temporary one, and its removal. */
export function temporaryDirectory(name: string): TemporaryDirectory {
  const directory = mkdtempSync(path.join(tmpdir(), `millrace-${name}-`));
  return { directory, remove: () => rmSync(directory, { recursive: true, force: true }) };
}

/** Ports of 127.0.0.1 that were free a moment ago, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(0, '127.0.0.1', resolve);
      });
      return server;
    }),
  );
  const ports = servers.map((server) => {
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('A TCP server has a port.');
    return address.port;
  });
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Runs a command to its end; a failure carries what it printed. */
export async function run(command: string, args: string[], cwd?: string): Promise<string> {
  try {
    const { stdout } = await execute(command, args, { ...(cwd === undefined ? {} : { cwd }), maxBuffer: 16 << 20 });
    return stdout;
  } catch (error) {
    const printed = error instanceof Error && 'stderr' in error && 'stdout' in error ? `${String(error.stderr)}${String(error.stdout)}` : String(error);
    throw new Error(`${command} ${args[0] ?? ''} failed: ${printed.trim().split('\n').slice(-5).join('\n')}`, { cause: error });
  }
}
