import { spawn, type ChildProcess } from 'node:child_process';

/** Requests one after the other on some connections. */
export interface Load {
  readonly kind: 'closed';
  readonly port: number;
  readonly path: string;
  readonly authorization: string;
  readonly bodies: readonly string[];
  readonly connections: number;
  readonly seconds: number;
}

export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  /** ms of each request. */
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

/** The load generator in its own process. */
export interface Generator {
  run(load: Load): Promise<LoadResult>;
  run(load: ClickLoad): Promise<ClickResult>;
  stop(): void;
}

export function startGenerator(entry: readonly string[]): Generator {
  const child: ChildProcess = spawn(process.execPath, [...entry], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], serialization: 'advanced' });
  const ask = (load: Load | ClickLoad): Promise<never> => new Promise((resolve, reject) => {
    const answered = (result: unknown): void => {
      child.off('exit', ended);
      if (typeof result === 'object' && result !== null && 'error' in result) reject(new Error(`The load generator failed: ${String(result.error)}`));
      else resolve(result as never);
    };
    const ended = (): void => reject(new Error('The load generator ended.'));
    child.once('message', answered).once('exit', ended);
    child.send(load);
  });
  return { run: ask, stop: () => void child.kill() };
}
