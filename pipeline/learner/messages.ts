import { ConfigError, Unavailable } from '../core/errors.js';
import type { OffsetRange, Position } from '../core/log.js';
import type { Metrics } from '../core/metrics.js';
import type { Config } from '../config.js';
import type { Parcel } from './parcel.js';

/** What a learner's thread is given when it starts. */
export interface Assignment {
  /** Name of its fold in the topology. */
  readonly fold: string;
  readonly config: Config;
  readonly clock: 'wall' | 'file';
  readonly partitions: number;
  readonly snapshots: { readonly directory: string; readonly log: string; readonly everyMs: number };
}

/** What it asks of the log, which stays where it is. */
export type Call =
  | { readonly ask: 'ranges'; readonly topic: string }
  | { readonly ask: 'append'; readonly records: Parcel }
  | { readonly ask: 'open'; readonly from: readonly Position[]; readonly patienceMs: number }
  | { readonly ask: 'poll'; readonly max: number; readonly waitMs: number }
  | { readonly ask: 'close' };

export interface Answers {
  readonly ranges: readonly OffsetRange[];
  readonly append: readonly Position[];
  readonly open: { readonly lag: number };
  readonly poll: { readonly records: Parcel; readonly lag: number };
  readonly close: null;
}

export type FromLearner =
  | { readonly kind: 'call'; readonly id: number; readonly call: Call }
  | { readonly kind: 'metric'; readonly how: keyof Metrics; readonly name: string; readonly value: number; readonly labels: Readonly<Record<string, string>> | undefined }
  | { readonly kind: 'journal'; readonly level: 'debug' | 'info' | 'warn' | 'error'; readonly fields: object; readonly sentence: string }
  | { readonly kind: 'failed'; readonly error: SentError };

export type ToLearner =
  | { readonly kind: 'answer'; readonly id: number; readonly answer: Answers[keyof Answers] }
  | { readonly kind: 'refusal'; readonly id: number; readonly error: SentError }
  | { readonly kind: 'stop' };

/** An error on its way: between threads a class loses its name, and who must act with it. */
export interface SentError {
  readonly name: string;
  readonly message: string;
  readonly problems: readonly string[];
  readonly stack: string | undefined;
}

export function sent(error: unknown): SentError {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  return { name, message, problems: error instanceof ConfigError ? error.problems : [], stack };
}

export function received({ name, message, problems, stack }: SentError): Error {
  if (name === 'ConfigError') return new ConfigError(problems);
  if (name === 'Unavailable') return new Unavailable(message);
  return Object.assign(new Error(message), { name, stack });
}
