import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, linkSync, mkdirSync, realpathSync, renameSync, rmSync, statSync } from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { ConfigError, Unavailable } from '../../pipeline/core/errors.js';

/** What is asked of the running process: a kind that it answers, and fields of that kind's own. */
export interface DoorRequest {
  readonly kind: string;
  readonly [field: string]: unknown;
}

/** `until` aborts when whoever asked has gone. */
export type DoorHandler = (request: DoorRequest, until: AbortSignal) => unknown;

/** The lock of a data directory, at which other processes can ask. */
export interface Door {
  /** Answer a kind of request from now on. */
  answer(kind: string, handler: DoorHandler): void;
  /** Refuse all that is asked, by this sentence. */
  refuse(sentence: string): void;
  close(): Promise<void>;
}

type Reply = { readonly result: unknown } | { readonly error: string };

/** The kernel cuts longer socket paths short (104 bytes on macOS, 108 on Linux). */
const LONGEST_PATH = 96;
/** Who takes over a stale socket waits this long before it believes that nobody else did. */
const CONTEST_MS = 50;

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
export async function openDoor(directory: string): Promise<Door> {
  mkdirSync(directory, { recursive: true });
  const path = doorPath(directory);
  const answers = new Answers();
  const connections = new Set<Socket>();
  const server = createServer((socket) => {
    connections.add(socket);
    socket.on('close', () => connections.delete(socket));
    serve(socket, answers);
  });
  const own = await listenBeside(server, path);
  const inode = inodeOf(own);
  try {
    if (!(await takePlace(own, path, inode))) throw inUse(directory);
  } catch (error) {
    server.close();
    rmSync(own, { force: true });
    throw error;
  }
  // The lock alone does not keep a process alive.
  server.unref();
  return {
    answer: (kind, handler) => answers.set(kind, handler),
    refuse: (sentence) => answers.refuse(sentence),
    close: () =>
      new Promise((done) => {
        if (inodeOf(path) === inode) rmSync(path, { force: true });
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
    // The line reader repeats the socket's errors.
    createInterface({ input: socket }).on('error', closed).on('line', (line) => {
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

/**
 * What is asked while a process starts waits until it answers, all kinds from one moment on: a replay that goes on while its process is
 * started anew must not end for it.
 */
class Answers {
  readonly #handlers = new Map<string, DoorHandler>();
  readonly #given: Promise<void>;
  #give = (): void => {};
  #refusal: string | undefined;

  constructor() {
    this.#given = new Promise((resolve) => { this.#give = resolve; });
  }

  set(kind: string, handler: DoorHandler): void {
    this.#handlers.set(kind, handler);
    this.#give();
  }

  refuse(sentence: string): void {
    this.#refusal = sentence;
    this.#give();
  }

  /** @throws Error where it is not answered */
  async of(kind: string): Promise<DoorHandler> {
    await this.#given;
    const handler = this.#handlers.get(kind);
    if (!handler) throw new Error(this.#refusal ?? `The running process does not answer "${kind}".`);
    return handler;
  }
}

/** Answers each line in turn, so that a caller may send the next batch before the last is done. */
function serve(socket: Socket, answers: Answers): void {
  const gone = new AbortController();
  socket.on('error', () => socket.destroy()).on('close', () => gone.abort());
  let last = Promise.resolve();
  createInterface({ input: socket }).on('error', () => {}).on('line', (line) => {
    last = last.then(async () => {
      const reply = await answer(line, answers, gone.signal);
      if (!socket.destroyed) socket.write(`${JSON.stringify(reply)}\n`);
    });
  });
}

async function answer(line: string, answers: Answers, until: AbortSignal): Promise<Reply> {
  try {
    const request = JSON.parse(line) as DoorRequest;
    const handler = await answers.of(request.kind);
    return { result: (await handler(request, until)) ?? null };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

/** Listen under a name of our own, which is then put in the place of the lock whole. */
function listenBeside(server: Server, path: string): Promise<string> {
  const own = join(dirname(path), `door.${randomBytes(4).toString('hex')}`);
  return new Promise((done, fail) => {
    const refused = (error: Error): void => fail(new ConfigError([`The lock of ${dirname(path)} cannot be made: ${error.message}.`], { cause: error }));
    server.once('error', refused);
    server.listen(own, () => {
      server.off('error', refused);
      chmodSync(own, 0o600);
      done(own);
    });
  });
}

/** Put our socket in the place of the lock, if nobody's stands there who answers. */
async function takePlace(own: string, path: string, inode: number | undefined): Promise<boolean> {
  for (;;) {
    const found = fileAt(path);
    if (found === undefined) {
      // Fails when another process was faster.
      if (!linked(own, path)) continue;
      rmSync(own);
      return true;
    }
    if (await isAnswered(path)) return false;
    // Between our look and our move another process may have put its own there: look again, and after the move too.
    if (fileAt(path) !== found) continue;
    renameSync(own, path);
    await delay(CONTEST_MS);
    return inodeOf(path) === inode;
  }
}

function linked(own: string, path: string): boolean {
  try {
    linkSync(own, path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Tells a file from a later one that was given the same inode. */
function fileAt(path: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  return found && `${found.ino} ${found.ctimeMs}`;
}

const inodeOf = (path: string): number | undefined => statSync(path, { throwIfNoEntry: false })?.ino;

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
