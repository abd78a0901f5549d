import type { Topic } from '../../schemas/topics.js';
import type { Move, UserMerge } from '../../schemas/types.js';
import type { BadEvent } from './errors.js';
import type { RowKind } from './rows.js';

/** A decoded record as a handler gets it. */
export interface Incoming<T> {
  /** Canonical partition key. */
  readonly key: string;
  readonly value: T;
  /** Write time of the record in ms. */
  readonly writtenAt: number;
  /** The key under which it was written, where it was sent on from there. */
  readonly from?: string | undefined;
}

/** A timer that is due. */
export interface Due {
  readonly key: string;
  readonly sub: string;
  readonly due: number;
  readonly payload: string;
}

/**
 * What a handler may do. Everything it changes belongs to the record: when it throws BadEvent, all of it is undone.
 * Rows are immutable: put a new object, never change one that `get` answered.
 */
export interface Context {
  /** Task time in ms: the least of the last ticks upstream; 0 before the first. For a timer, its due time. */
  readonly now: number;
  /** Task time, also while a timer fires that was due earlier. */
  readonly time: number;
  readonly clock: 'wall' | 'file';
  /** How many partitions share the consumer's work. */
  readonly partitions: number;
  get<T>(kind: RowKind<T>, key: string, sub?: string): T | undefined;
  put<T>(kind: RowKind<T>, key: string, value: T, sub?: string): void;
  delete<T>(kind: RowKind<T>, key: string, sub?: string): void;
  /** Forget every row and timer of a key; what was on its way to it from ids that are merged into it belongs to nobody or to those. */
  erase(key: string, time: number): void;
  /** Whether a key was erased since `time` (ms), as far as that is known, for a day: what was on its way then would bring it back. */
  wasErased(key: string, time: number): boolean;
  /** The rows of a kind under a key, in order of `sub`: all of them, or the first `most`. */
  scan<T>(kind: RowKind<T>, key: string, most?: number): { sub: string; value: T }[];
  emit<T>(topic: Topic<T>, key: string, value: T): void;
  /** A record of `topic` that was kept and turns out to be no good becomes a dead letter, told from others of its key by `id`; the handler goes on. */
  refuse<T>(topic: Topic<T>, key: string, value: T, id: string, problem: BadEvent): void;
  /** To every partition but the task's own. */
  emitToOthers<T>(topic: Topic<T>, value: T): void;
  /** Set or replace the timer (name, key, sub). */
  schedule(name: string, key: string, due: number, sub?: string, payload?: string): void;
  cancel(name: string, key: string, sub?: string): void;
  count(metric: string, labels?: Readonly<Record<string, string>>): void;
}

export interface Input<T = unknown> {
  readonly topic: Topic<T>;
  handle(record: Incoming<T>, ctx: Context): void;
  /** The key that a value says itself, whatever key its writer gave it: a foreign one may have given none. */
  readonly keyOf?: ((value: T) => string) | undefined;
  /** Whether a record has been taken before. It is asked once, where the record first comes: one that is sent on after a merge is out of its order. */
  readonly isRepeat?: ((value: T, ctx: Context) => boolean) | undefined;
  /** The merge that a record of this key says or carries with it: it goes before the record, and is told to all. */
  readonly merge?: ((record: Incoming<T>, ctx: Context) => UserMerge | undefined) | undefined;
  /** The record without the merge that it says or carries, which was refused: it goes on to the id that it names. */
  readonly alone?: ((value: T) => T) | undefined;
  /** Whether a record says that its key is a user's id, from which only a proven merge leads away. */
  readonly namesUser?: ((record: Incoming<T>, ctx: Context) => boolean) | undefined;
  /** false: the task's time does not wait for this input, nor is it held back by others. */
  readonly holdsTime: boolean;
}

/** Handle records of a topic. */
export function on<T>(topic: Topic<T>, handle: (record: Incoming<T>, ctx: Context) => void, more: Pick<Input<T>, 'keyOf' | 'isRepeat' | 'merge' | 'alone' | 'namesUser'> = {}): Input {
  return { topic, handle, ...more, holdsTime: topic.kind !== 'feedback' } as Input<T> as Input;
}

/** Handle records of a topic that must neither delay nor be delayed by the consumer's other inputs. */
export function onLoosely<T>(topic: Topic<T>, handle: (record: Incoming<T>, ctx: Context) => void, more: Pick<Input<T>, 'namesUser'> = {}): Input {
  return { topic, handle, ...more, holdsTime: false } as Input<T> as Input;
}

/** How a row that followed a merged shopper joins what stands at the canonical id. Must not depend on arrival order. */
export interface RowMerge<T = unknown> {
  readonly kind: RowKind<T>;
  join(moved: MovedRow<T>, ctx: Context): void;
  /** The canonical id was erased while the row was on its way: tell whose rows name the shopper. Absent: nobody's do. */
  readonly drop?: ((moved: MovedRow<T>, ctx: Context) => void) | undefined;
}

export interface MovedRow<T> {
  readonly key: string;
  readonly sub: string;
  readonly from: string;
  readonly value: T;
  /** When the merge was said that brings it, in ms. */
  readonly mergedAt: number;
  /** The merge is proven to be said by who the key is. */
  readonly toProven: boolean;
}

export function joining<T>(kind: RowKind<T>, join: RowMerge<T>['join'], drop?: RowMerge<T>['drop']): RowMerge {
  return { kind, join, drop } as RowMerge<T> as RowMerge;
}

/** Makes a shopper-keyed consumer follow merges: rows, timers and late records move to the canonical id. */
export interface Merging {
  readonly merges: Topic<UserMerge>;
  /** The consumer's own feedback topic. */
  readonly moves: Topic<Move>;
  readonly rows: readonly RowMerge[];
  /** `from` was merged into `key` without proof, and has turned out to be another user's id. Absent: nothing names it. */
  readonly part?: ((key: string, from: string, ctx: Context) => void) | undefined;
  /** Where ids lead is forgotten, and told to others, when nothing has come under an id for so long (ms), unless it is a user's. Absent or 0: never here. */
  readonly forgetAfterMs?: number | undefined;
  /** Nobody was seen under `key` since `time` (ms), and nothing is to be kept of them. Absent: nothing is kept for longer. */
  readonly forget?: ((key: string, time: number, ctx: Context) => void) | undefined;
}

export interface Output {
  readonly topic: Topic;
  /** Keys have the partition of the task that emits them, so that its ticks go to that partition alone. */
  readonly samePartition: boolean;
}

/** A keyed, exactly-once task a partition: a pure function of (record, state, time) to (outputs, rows, timers). */
export interface Consumer {
  readonly name: string;
  readonly table: Topic;
  readonly inputs: readonly Input[];
  readonly outputs: readonly Output[];
  readonly timers: Readonly<Record<string, (due: Due, ctx: Context) => void>>;
  readonly merging?: Merging | undefined;
  /** How long its records may lie, so that one commit takes more of them. */
  readonly patienceMs: number;
}

export interface ConsumerOptions {
  readonly name: string;
  readonly table: Topic;
  readonly inputs: readonly Input[];
  readonly outputs?: readonly Topic[];
  readonly samePartitionOutputs?: readonly Topic[];
  readonly timers?: Consumer['timers'];
  readonly merging?: Merging;
  /** 0 when absent: a shopper waits for what it does. */
  readonly patienceMs?: number;
}

/** Declare a consumer. */
export function consumer(options: ConsumerOptions): Consumer {
  const { name, table, inputs, timers = {}, merging, patienceMs = 0 } = options;
  return {
    name, table, inputs, timers, merging, patienceMs,
    outputs: [
      ...(options.outputs ?? []).map((topic) => ({ topic: topic as Topic, samePartition: false })),
      ...(options.samePartitionOutputs ?? []).map((topic) => ({ topic: topic as Topic, samePartition: true })),
    ],
  };
}

/** Topics a consumer reads, those of its merges included. */
export function inputTopics({ inputs, merging }: Consumer): Topic[] {
  return [...inputs.map(({ topic }) => topic), ...(merging ? [merging.merges as Topic, merging.moves as Topic] : [])];
}
