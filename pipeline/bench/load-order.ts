import { spawn, type ChildProcess } from 'node:child_process';

/** Whom to ask what, and for how long. */
interface Questions {
  readonly port: number;
  readonly path: string;
  readonly authorization: string;
  /** In turn. */
  readonly bodies: readonly string[];
  readonly seconds: number;
}

/** Requests one after the other on some connections: as many as are answered. */
export interface ClosedLoad extends Questions {
  readonly kind: 'closed';
  readonly connections: number;
}

/** Requests at a rate a second, whether or not earlier ones were answered. */
export interface OpenLoad extends Questions {
  readonly kind: 'open';
  readonly rate: number;
}

export type Load = ClosedLoad | OpenLoad;

export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  /** ms of each request: in a closed loop since it was sent, in an open one since it was due. */
  readonly latencies: readonly number[];
}

/** Clicks at a rate, each followed by a question that must know it. */
export interface ClickLoad {
  readonly kind: 'clicks';
  readonly port: number;
  readonly authorization: string;
  readonly rate: number;
  readonly seconds: number;
  readonly shoppers: number;
  readonly skus: number;
}

export interface ClickResult {
  /** ms from sending a click to its acknowledgement. */
  readonly accepted: readonly number[];
  /** ms from the acknowledgement to an answer that reflects the click. */
  readonly changed: readonly number[];
  /** Answers that gave up waiting. */
  readonly stale: number;
}

/** A bare server that answers each body with itself, in the generator's process. */
export interface EchoOrder {
  readonly kind: 'echo';
}

export type Order = Load | ClickLoad | EchoOrder;

/** The load generator in its own process. */
export interface Generator {
  run(load: Load): Promise<LoadResult>;
  run(load: ClickLoad): Promise<ClickResult>;
  run(order: EchoOrder): Promise<{ readonly port: number }>;
  stop(): void;
}

export function startGenerator(entry: readonly string[]): Generator {
  const child: ChildProcess = spawn(process.execPath, [...entry], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], serialization: 'advanced' });
  const ask = (order: Order): Promise<never> => new Promise((resolve, reject) => {
    const answered = (result: unknown): void => {
      child.off('exit', ended);
      if (typeof result === 'object' && result !== null && 'error' in result) reject(new Error(`The load generator failed: ${String(result.error)}`));
      else resolve(result as never);
    };
    const ended = (): void => reject(new Error('The load generator ended.'));
    child.once('message', answered).once('exit', ended);
    child.send(order);
  });
  return { run: ask, stop: () => void child.kill() };
}
