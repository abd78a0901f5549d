import type { Topic } from '../../schemas/topics.js';
import type { Move, UserMerge } from '../../schemas/types.js';
import type { BadEvent } from './errors.js';
import type { RowKind } from './rows.js';

/** A decoded record, as a handler gets it. */
export interface Incoming<T> {
  /** The key, after merges: of ids that are one shopper, the one that all of them lead to. */
  readonly key: string;
  readonly value: T;
  /** Write time of the record in ms. */
  readonly writtenAt: number;
  /** The key under which it was written, where a merge has sent it on to `key`. */
  readonly from?: string | undefined;
}

/** A timer that is due, as `Context.schedule` set it. `due` is in ms. */
export interface Due {
  readonly key: string;
  readonly sub: string;
  readonly due: number;
  readonly payload: string;
}

/**
 * What a handler may do. Everything it changes belongs to the record that it handles: when it throws, all of it is undone.
 * Rows are immutable: put a new object, never change one that `get` answered.
 */
export interface Context {
  /** When the handler runs, in ms: for a record the task's `time`, for a timer the time at which it was due. */
  readonly now: number;
  /** The task's time in ms: the least of the last ticks of all writers upstream; 0 before the first. A timer may have been due earlier. */
  readonly time: number;
  /** What ticks follow: the wall's clock, or the times of a file that is replayed. */
  readonly clock: 'wall' | 'file';
  /** How many partitions share the consumer's work. */
  readonly partitions: number;
  /** A row, with what this handler and those before it have changed; undefined where there is none. `sub` tells apart several rows of a kind and key. */
  get<T>(kind: RowKind<T>, key: string, sub?: string): T | undefined;
  put<T>(kind: RowKind<T>, key: string, value: T, sub?: string): void;
  delete<T>(kind: RowKind<T>, key: string, sub?: string): void;
  /**
   * Deletes every row and timer of a key whose shopper was erased at `time` (ms). What is still on its way here from ids that were merged
   * into the key does not bring the shopper back: rows are dropped, and records go back to the ids that they came from.
   */
  erase(key: string, time: number): void;
  /** Whether a key was erased at `time` (ms) or later; known for a day after the erasure. A record that is older than it must change nothing. */
  wasErased(key: string, time: number): boolean;
  /** The rows of a kind under a key, in order of `sub`: all of them, or the first `most`. */
  scan<T>(kind: RowKind<T>, key: string, most?: number): { sub: string; value: T }[];
  /** Writes a record to the partition of its key. */
  emit<T>(topic: Topic<T>, key: string, value: T): void;
  /** Makes a dead letter of a record of `topic` that was kept in a row and turns out to be unusable. `id` tells it from others of its key. The handler goes on. */
  refuse<T>(topic: Topic<T>, key: string, value: T, id: string, problem: BadEvent): void;
  /** Writes a record to every partition but the task's own. */
  emitToOthers<T>(topic: Topic<T>, value: T): void;
  /** Sets the timer (name, key, sub) to `due` (ms), in place of an earlier one. Its handler gets `payload`. */
  schedule(name: string, key: string, due: number, sub?: string, payload?: string): void;
  cancel(name: string, key: string, sub?: string): void;
  count(metric: string, labels?: Readonly<Record<string, string>>): void;
}

export interface Input<T = unknown> {
  readonly topic: Topic<T>;
  handle(record: Incoming<T>, ctx: Context): void;
  /** Reads the key from the value: a writer that is not ours may have given its record another key, or none. */
  readonly keyOf?: ((value: T) => string) | undefined;
  /** Whether a record has been taken before. Asked only where the record first arrives: one that a merge has sent on comes out of order. */
  readonly isRepeat?: ((value: T, ctx: Context) => boolean) | undefined;
  /** The merge of two ids that a record says, or carries with it. It takes effect before the record, and all consumers are told of it. */
  readonly merge?: ((record: Incoming<T>, ctx: Context) => UserMerge | undefined) | undefined;
  /** The record without its merge. Where the merge is refused, this much is handled, under the id that the merge led to. */
  readonly alone?: ((value: T) => T) | undefined;
  /** Whether a record says that its key is a user's id. Only a proven merge leads away from such an id. */
  readonly namesUser?: ((record: Incoming<T>, ctx: Context) => boolean) | undefined;
  /** false: the task's time does not wait for this input, and this input does not wait for the others. */
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

/** How a row that a merge has moved joins the row that stands under the canonical id. The outcome must not depend on which of two rows came first. */
export interface RowMerge<T = unknown> {
  readonly kind: RowKind<T>;
  join(moved: MovedRow<T>, ctx: Context): void;
  /** Called in place of `join` where the canonical id was erased while the row was on its way: other parts whose rows name the shopper must be told. Absent where there are none. */
  readonly drop?: ((moved: MovedRow<T>, ctx: Context) => void) | undefined;
}

/** A row on its way from the id `from` to the id `key`, which it was merged into. */
export interface MovedRow<T> {
  readonly key: string;
  readonly sub: string;
  readonly from: string;
  readonly value: T;
  /** Time of the merge, in ms. */
  readonly mergedAt: number;
  /** Whether it is proven that the merge was said by the user whose id `key` is. */
  readonly toProven: boolean;
}

/** Let rows of a kind follow merges. */
export function joining<T>(kind: RowKind<T>, join: RowMerge<T>['join'], drop?: RowMerge<T>['drop']): RowMerge {
  return { kind, join, drop } as RowMerge<T> as RowMerge;
}

/** Makes a shopper-keyed consumer follow merges: rows, timers and late records move to the canonical id. */
export interface Merging {
  readonly merges: Topic<UserMerge>;
  /** The consumer's own feedback topic. */
  readonly moves: Topic<Move>;
  readonly rows: readonly RowMerge[];
  /** Called where `from` was merged into `key` without proof, and has turned out to be another user's id. Absent where no row names `from`. */
  readonly part?: ((key: string, from: string, ctx: Context) => void) | undefined;
  /** Where ids lead is forgotten, and told to others, when nothing has come under an id for so long (ms), unless it is a user's. Absent or 0: never here. */
  readonly forgetAfterMs?: number | undefined;
  /** Nobody was seen under `key` since `time` (ms), and nothing is to be kept of them. Absent: nothing is kept for longer. */
  readonly forget?: ((key: string, time: number, ctx: Context) => void) | undefined;
}

export interface Output {
  readonly topic: Topic;
  /** Whether a task writes to its own partition number alone. Then its ticks go there alone, too. */
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
  /** How long (ms) records may wait, so that one commit takes more of them. */
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
  /** 0 when absent, as suits a consumer whose results shoppers wait for. */
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
