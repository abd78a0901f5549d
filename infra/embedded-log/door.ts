import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, realpathSync, renameSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { ConfigError, Unavailable } from '../../pipeline/core/errors.js';

/** What is asked of the running process: a kind that it answers, and fields of that kind's own. */
export interface DoorRequest {
  readonly kind: string;
  readonly [field: string]: unknown;
}

export type DoorHandlers = Readonly<Record<string, (request: DoorRequest) => unknown>>;

/** The lock of a data directory, at which other processes can ask. */
export interface Door {
  /** Answer a kind of request from now on. */
  answer(kind: string, handler: (request: DoorRequest) => unknown): void;
  close(): Promise<void>;
}

type Reply = { readonly result: unknown } | { readonly error: string };

/** The kernel cuts longer socket paths short (104 bytes on macOS, 108 on Linux). */
const LONGEST_PATH = 100;

/** Every process finds the same path, whatever its working directory. */
function doorPath(directory: string): string {
  const real = realpathSync(directory);
  const path = join(real, 'door.sock');
  if (Buffer.byteLength(path) <= LONGEST_PATH) return path;
  return join(tmpdir(), `millrace-${createHash('sha256').update(real).digest('hex').slice(0, 24)}.sock`);
}

/**
 * Take a data directory for this process. A socket that nobody answers was left by a crash and is taken over.
 * @throws ConfigError when another process has the directory.
 */
export async function openDoor(directory: string, handlers: DoorHandlers = {}): Promise<Door> {
  mkdirSync(directory, { recursive: true });
  const path = doorPath(directory);
  const answers = new Map(Object.entries(handlers));
  const connections = new Set<Socket>();
  const server = createServer((socket) => {
    connections.add(socket);
    socket.on('close', () => connections.delete(socket));
    serve(socket, answers);
  });
  for (let attempt = 0; !(await listens(server, path)); attempt++) {
    if (attempt === 5 || (await isAnswered(path))) throw inUse(directory);
    if (await removeStale(path)) throw inUse(directory);
  }
  chmodSync(path, 0o600);
  // The lock alone does not keep a process alive.
  server.unref();
  return {
    answer: (kind, handler) => void answers.set(kind, handler),
    close: () =>
      new Promise((done) => {
        for (const socket of connections) socket.destroy();
        server.close(() => done());
      }),
  };
}

/**
 * Ask the process that runs in a data directory.
 * @throws Unavailable when none does.
 */
export async function callDoor(directory: string, request: DoorRequest): Promise<unknown> {
  const reply = await new Promise<Reply>((done, fail) => {
    const closed = (cause?: Error): void => fail(new Unavailable(`No process answers in ${resolve(directory)}.`, { cause }));
    let socket: Socket;
    try {
      socket = createConnection(doorPath(directory));
    } catch (error) {
      return closed(error instanceof Error ? error : undefined);
    }
    socket.on('error', closed).on('close', () => closed());
    createInterface({ input: socket }).on('line', (line) => {
      done(JSON.parse(line) as Reply);
      socket.destroy();
    });
    socket.write(`${JSON.stringify(request)}\n`);
  });
  if ('error' in reply) throw new Error(reply.error);
  return reply.result;
}

const inUse = (directory: string): ConfigError =>
  new ConfigError([`Data directory ${resolve(directory)} is in use by another process: stop it, or set DATA_DIR to another directory.`]);

/** Answers each line in turn, so that a caller may send the next batch before the last is done. */
function serve(socket: Socket, answers: ReadonlyMap<string, (request: DoorRequest) => unknown>): void {
  socket.on('error', () => socket.destroy());
  let last = Promise.resolve();
  createInterface({ input: socket }).on('line', (line) => {
    last = last.then(async () => {
      const reply = await answer(line, answers);
      if (!socket.destroyed) socket.write(`${JSON.stringify(reply)}\n`);
    });
  });
}

async function answer(line: string, answers: ReadonlyMap<string, (request: DoorRequest) => unknown>): Promise<Reply> {
  try {
    const request = JSON.parse(line) as DoorRequest;
    const handler = answers.get(request.kind);
    if (!handler) return { error: `The running process does not answer "${request.kind}".` };
    return { result: (await handler(request)) ?? null };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

/** Whether the server could take the path; false when something is there. */
function listens(server: Server, path: string): Promise<boolean> {
  return new Promise((done, fail) => {
    const taken = (error: NodeJS.ErrnoException): void => {
      if (error.code === 'EADDRINUSE') done(false);
      else fail(new ConfigError([`The lock ${path} cannot be made: ${error.message}.`], { cause: error }));
    };
    server.once('error', taken);
    server.listen(path, () => {
      server.off('error', taken);
      done(true);
    });
  });
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((done) => {
    const socket = createConnection(path);
    socket.on('connect', () => {
      socket.destroy();
      done(true);
    });
    socket.on('error', () => done(false));
  });
}

/**
 * Move a stale socket away and look again: between our look and our move another process may have put its own there.
 * Answers true, with the socket back in place, when it is answered after all.
 */
async function removeStale(path: string): Promise<boolean> {
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch {
    return false;
  }
  if (await isAnswered(aside)) {
    renameSync(aside, path);
    return true;
  }
  rmSync(aside, { force: true });
  return false;
}
