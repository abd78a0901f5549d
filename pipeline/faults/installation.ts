import { setTimeout as delay } from 'node:timers/promises';
import type { Role } from '../main.js';
import { startChild, type Child, type Entry } from './child.js';

const STOP_WITHIN_MS = 30_000;
const AFTER_OWN_EXIT_MS = 500;
const MOST_OWN_EXITS = 10;

export interface ProcessSpec {
  readonly name: string;
  readonly role: Role;
  readonly environment: NodeJS.ProcessEnv;
}

/** A process that ended though nobody killed it. */
export interface OwnExit {
  readonly name: string;
  readonly end: number | string;
  readonly tail: string;
}

interface Hosted {
  readonly spec: ProcessSpec;
  child: Child;
  /** Port while it listens. */
  port: number | undefined;
}

/** The processes of one installation, watched over as an orchestrator would: one that ends is started again. */
export class Installation {
  readonly ownExits: OwnExit[] = [];
  readonly #entry: Entry;
  readonly #hosted: Hosted[];
  readonly #killed = new WeakSet<Child>();
  #closing = false;

  constructor(entry: Entry, specs: readonly ProcessSpec[]) {
    this.#entry = entry;
    this.#hosted = specs.map((spec) => this.#watched({ spec, child: this.#spawn(spec), port: undefined }));
  }

  get size(): number {
    return this.#hosted.length;
  }

  /** Base URL of a process that answers for a role; undefined while none listens. */
  urlOf(role: Role): string | undefined {
    const port = this.#hosted.find(({ spec, port }) => port !== undefined && (spec.role === role || spec.role === 'all'))?.port;
    return port === undefined ? undefined : `http://127.0.0.1:${port}`;
  }

  /** Resolves when every process listens. @throws when that takes too long */
  async listening(withinMs: number): Promise<void> {
    const until = Date.now() + withinMs;
    while (this.#hosted.some(({ port }) => port === undefined)) {
      if (this.ownExits.length > MOST_OWN_EXITS) throw new Error(`Processes end by themselves: ${this.ownExits.at(-1)!.tail}`);
      if (Date.now() > until) throw new Error(`Not every process came up within ${withinMs / 1000} s. ${this.#complaints()}`);
      await delay(50);
    }
  }

  /** Resolves when one process listens, or after a while: a kill may also hit a process that is coming up. */
  async listeningAt(index: number, withinMs: number): Promise<void> {
    const until = Date.now() + withinMs;
    while (this.#hosted[index].port === undefined && Date.now() < until) await delay(50);
  }

  /** kill -9 a process; it is started again at once. */
  async kill(index: number): Promise<void> {
    const hosted = this.#hosted[index];
    const { child } = hosted;
    hosted.port = undefined;
    this.#killed.add(child);
    await child.kill();
    hosted.child = this.#spawn(hosted.spec);
    this.#watched(hosted);
  }

  /** Ask all to end, as an operator would. */
  async stop(): Promise<void> {
    this.#closing = true;
    for (const { spec, child } of this.#hosted) {
      const end = await child.stop(STOP_WITHIN_MS);
      if (end !== 0) this.ownExits.push({ name: spec.name, end, tail: `It did not stop in order.\n${child.tail()}` });
    }
  }

  /** End all at once. */
  async abandon(): Promise<void> {
    this.#closing = true;
    await Promise.all(this.#hosted.map(({ child }) => child.kill()));
  }

  #spawn({ role, environment }: ProcessSpec): Child {
    return startChild({ entry: this.#entry, role, environment });
  }

  #watched(hosted: Hosted): Hosted {
    const { child, spec } = hosted;
    void child.listening.then((port) => { if (hosted.child === child) hosted.port = port; });
    void child.gone.then(async (end) => {
      if (this.#closing || this.#killed.has(child)) return;
      hosted.port = undefined;
      this.ownExits.push({ name: spec.name, end, tail: child.tail() });
      await delay(AFTER_OWN_EXIT_MS);
      if (this.#closing || this.#killed.has(child)) return;
      hosted.child = this.#spawn(spec);
      this.#watched(hosted);
    });
    return hosted;
  }

  #complaints(): string {
    return this.#hosted.filter(({ port }) => port === undefined).map(({ spec, child }) => `${spec.name}: ${child.tail()}`).join('\n');
  }
}
