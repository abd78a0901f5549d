import type { Topic } from '../../schemas/topics.js';

/** A record that carries time: its writer says that it has written to this partition all that it knows of up to `time` (ms). */
export interface Tick {
  /** `source` or `<consumer>/<partition>`. */
  readonly writer: string;
  readonly time: number;
}

/** A committed record. A tick has neither key nor value. */
export interface LogRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly key: string | null;
  readonly value: Buffer | null;
  readonly tick: Tick | null;
  /** When the record was written, in ms: not when its event happened. */
  readonly writtenAt: number;
}

/** A record to be written. */
export interface NewRecord {
  readonly topic: string;
  readonly partition: number;
  readonly key: string | null;
  readonly value: Buffer | null;
  readonly tick?: Tick | undefined;
}

export interface Position {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** Offsets that exist: [start, end). `end` is the next offset to be written (on Kafka the high watermark). */
export interface OffsetRange {
  readonly start: number;
  readonly end: number;
}

/**
 * The log: the only channel between parts. Two engines implement it (one file; Kafka) and one contract suite holds both.
 * Topic names are those of schemas/topics.ts; an engine adds the prefix itself. Only committed records are ever read.
 */
export interface Log {
  readonly engine: 'embedded' | 'kafka';
  /** `wall`: ticks by the wall clock. `file`: the replay of a file writes the ticks, and "now" is log time everywhere. */
  readonly clock: 'wall' | 'file';
  /**
   * Create what is missing and check the rest.
   * @throws ConfigError listing every topic whose partition count differs from the others.
   */
  ensureTopics(topics: readonly Topic[]): Promise<void>;
  /** Partitions of a topic. All topics of an installation have the same number. */
  readonly partitions: number;
  /**
   * Write records that belong to no task; resolves when they are durable, with the position of each.
   * @throws Unavailable when it is not known whether they were written.
   */
  append(records: readonly NewRecord[]): Promise<readonly Position[]>;
  /** Offsets of each partition of a topic, by partition number. */
  ranges(topic: string): Promise<readonly OffsetRange[]>;
  /** Offset of the first record of each partition of a topic that was written after `time` (ms); where none was, the end. */
  writtenAfter(topic: string, time: number): Promise<readonly number[]>;
  /**
   * Read partitions outside any group, in offset order within each. An offset outside the log throws ConfigError.
   * `patienceMs`: as of a group.
   */
  reader(from: readonly Position[], patienceMs?: number): Reader;
  /**
   * Take part in a group: partition p of *every* input goes to one member, for which `owner` runs until `lease.revoked`.
   * A rejected `owner` ends the membership: `Membership.failed` rejects with it.
   */
  own(group: GroupSpec, owner: (lease: Lease) => Promise<void>): Membership;
  close(): Promise<void>;
}

export interface GroupSpec {
  /** Name of the consumer; transactional ids are `<name>-<partition>`. */
  readonly name: string;
  readonly inputs: readonly string[];
  /** Topic of the task's rows; absent for sinks and learners, which neither fence nor commit transactions. */
  readonly table?: string | undefined;
  /** How long (ms) a record may wait for others to come with it, since each fetch and each commit has its price. 0 when absent. */
  readonly patienceMs?: number | undefined;
}

export interface Membership {
  /** Resolves once it is known for the first time which partitions are ours, and their owners have begun. */
  readonly joined: Promise<void>;
  /** Rejects when an owner failed for good; never resolves. */
  readonly failed: Promise<never>;
  /** Revoke all leases, wait for their owners to end, leave the group. */
  stop(): Promise<void>;
}

export interface Reader {
  /** What has arrived, at most `max`; waits up to `waitMs` for the first record, then answers []. */
  poll(max: number, waitMs: number): Promise<readonly LogRecord[]>;
  /** Records known to exist and not yet returned; 0 when caught up. */
  lag(): number;
  close(): Promise<void>;
}

/** What a group has stored of a partition. */
export interface StoredOffset {
  readonly offset: number;
  readonly metadata: string;
  /** Absent where the log needs none, or an operator has set the offset. */
  readonly lineage?: string | undefined;
}

/** Sole ownership of one partition number of a group's inputs (and table), as far as the log can know. */
export interface Lease {
  readonly partition: number;
  /** Aborted when the partition is taken away or the membership ends. */
  readonly revoked: AbortSignal;
  /** From now on no earlier owner can commit. Only for groups with a table. */
  fence(): Promise<void>;
  /** Range of this partition of the table, read after the fence. */
  tableRange(): Promise<OffsetRange>;
  /** Read table rows [from, to); `apply` gets each slice and the offset after it. Transaction markers take offsets too. */
  readTable(from: number, to: number, apply: (rows: readonly LogRecord[], next: number) => void): Promise<void>;
  /**
   * Next offsets to be read, by input; an input that is missing is read from its start. `lineages`: what was kept with them.
   * @throws LostRecords when an offset lies outside the log, or what stands before it is not what was read.
   */
  seek(offsets: Readonly<Record<string, number>>, lineages?: Readonly<Record<string, string>>): Promise<void>;
  /** By input, what tells the log that it is read from of another one with the same offsets (its topic was made again, its end was lost): to be kept with a position. */
  lineages(): Readonly<Record<string, string>>;
  /** What has arrived from inputs that are not in `except`, at most `max`; waits up to `waitMs`, then answers []. */
  poll(max: number, waitMs: number, except: ReadonlySet<string>): Promise<readonly LogRecord[]>;
  /** Records known to exist and not yet polled, by input. */
  lag(): Readonly<Record<string, number>>;
  /**
   * One transaction: outputs and table rows, all or nothing. Answers the table offset after the rows.
   * @throws any error: the outcome is unknown, the task must be dropped, ownership confirmed, fenced and restored.
   */
  commit(outputs: readonly NewRecord[], rows: readonly NewRecord[]): Promise<number>;
  /** Resolves when the group has confirmed this lease after the call, or the lease is revoked. */
  confirmed(): Promise<void>;
  /** Offset and metadata last stored by `storeOffset` for this partition of an input, with the lineage of then. */
  storedOffset(topic: string): Promise<StoredOffset | undefined>;
  /** Store an offset with metadata for the group, durably. */
  storeOffset(topic: string, offset: number, metadata: string): Promise<void>;
}
