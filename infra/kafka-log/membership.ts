import { setTimeout as delay } from 'node:timers/promises';
import type { Admin, Consumer, Kafka } from 'kafkajs';
import { ConfigError } from '../../pipeline/core/errors.js';
import type { GroupSpec, Lease, Membership } from '../../pipeline/core/log.js';
import type { Journal, Metrics } from '../../pipeline/core/metrics.js';
import { toldOnce } from '../../pipeline/core/told-once.js';
import { coPartitionAssigner, tooFewPartitions } from './assigner.js';
import { Confirmations } from './confirmations.js';
import { Connection } from './connection.js';
import { asFailure, backOff, failureCodes } from './failures.js';
import { Fetcher, patiently } from './fetcher.js';
import { groupOffsets } from './group-offsets.js';
import type { GroupOffsets } from './group-offsets.js';
import { openLease } from './lease.js';
import type { OwnLease } from './lease.js';
import type { MemberFile } from './predecessor.js';

export interface MembershipOptions {
  readonly kafka: Kafka;
  /** The client of raw connections. */
  readonly raw: Kafka;
  readonly admin: Admin;
  readonly connection: Connection;
  readonly prefix: string;
  /** Partitions of every topic that are shared out. */
  readonly partitions: number;
  readonly group: GroupSpec;
  readonly owner: (lease: Lease) => Promise<void>;
  readonly file: MemberFile;
  readonly sessionTimeoutMs: number;
  readonly metrics: Metrics;
  readonly journal: Journal;
}

/** How often the group is heard, and so how long a lease waits to be confirmed. */
const HEARTBEAT_MS = 500;
const STEP_MS = 100;
const FETCH = { waitMs: 100, bytes: 4 << 20, partitionBytes: 1 << 20 };
/** About 8 s: a broker that comes back finds the same members; a coordinator that moved is looked up only after it. */
const HEARTBEAT_RETRY = { initialRetryTime: 20, maxRetryTime: 500, retries: 20 };
const STOP_PATIENCE_MS = 5_000;

interface Held {
  readonly lease: OwnLease;
  readonly ended: Promise<void>;
}

/**
 * A membership in a group. kafkajs' consumer joins, heartbeats and stores offsets; it never fetches: every topic is
 * paused before its first fetch, and records come by raw fetches from positions that only the leases move. (As a
 * reader it goes on elsewhere in silence when an offset is gone, and stops for good at a batch that compaction emptied.)
 */
export class KafkaMembership implements Membership {
  readonly joined: Promise<void>;
  readonly #announce: () => void;
  readonly failed: Promise<never>;
  readonly #fail: (error: unknown) => void;
  /** A consumer lives until its first crash; `#run` then makes the next one. */
  #consumer: Consumer | undefined;
  readonly #fetcher: Fetcher;
  readonly #confirmations = new Confirmations();
  readonly #held = new Map<number, Held>();
  /** Ends of owners whose lease was revoked: the next owner of the partition in this process waits for it. */
  readonly #ending = new Map<number, Promise<void>>();
  #memberId: string | undefined;
  #stopping: Promise<void> | undefined;
  /** The current consumer's way into the group. */
  #joining: Promise<void> = Promise.resolve();

  constructor(private readonly options: MembershipOptions) {
    const { raw, prefix, group, journal } = options;
    let announce = (): void => {};
    this.joined = new Promise<void>((resolve) => { announce = resolve; });
    this.#announce = announce;
    let fail: (error: unknown) => void = () => {};
    this.failed = new Promise<never>((_, reject) => (fail = reject));
    this.failed.catch(() => {}); // who listens is the owner's choice; Node must not end the process for it
    this.#fail = fail;
    this.#fetcher = new Fetcher(new Connection(raw, prefix), patiently(FETCH, group.patienceMs), journal);
    void this.#run();
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#leave();
    return this.#stopping;
  }

  /** Be a member until stopped. kafkajs gives up at some failures that pass, such as a coordinator that did not answer once. */
  async #run(): Promise<void> {
    const { group, journal } = this.options;
    const told = toldOnce(journal, { consumer: group.name }, 'The membership broke; joining again.', 'The membership is whole again.');
    for (let attempt = 0; this.#stopping === undefined; attempt++) {
      const consumer = this.#newConsumer();
      this.#consumer = consumer;
      let joined = false;
      consumer.on(consumer.events.GROUP_JOIN, () => {
        joined = true;
        told.worked();
      });
      const crashed = new Promise<Error>((resolve) => consumer.on(consumer.events.CRASH, ({ payload: { error } }) => resolve(error)));
      this.#joining = this.#join(consumer);
      const failure = asFailure(`${group.name} cannot be a member of its group.`, await this.#joining.then(() => crashed, (error: unknown) => error));
      if (this.#stopping !== undefined) return;
      if (failure instanceof ConfigError) return void this.#end(failure);
      told.failed(failureCodes(failure).join(' < '));
      if (joined) attempt = 0;
      void consumer.disconnect().catch(() => {});
      await backOff(attempt);
    }
  }

  #newConsumer(): Consumer {
    const { kafka, prefix, partitions, group, sessionTimeoutMs } = this.options;
    const consumer = kafka.consumer({
      groupId: prefix + group.name,
      partitionAssigners: [coPartitionAssigner(partitions, () => [...this.#held.keys()], (error) => void this.#end(error))],
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout: sessionTimeoutMs,
      heartbeatInterval: HEARTBEAT_MS,
      maxWaitTimeInMs: STEP_MS,
      allowAutoTopicCreation: false,
      retry: { ...HEARTBEAT_RETRY, restartOnFailure: async () => false },
    });
    this.#listen(consumer);
    return consumer;
  }

  #listen(consumer: Consumer): void {
    const { admin, prefix, group, metrics, journal } = this.options;
    const { events } = consumer;
    const offsets = groupOffsets(consumer, admin, prefix, prefix + group.name);
    consumer.on(events.GROUP_JOIN, ({ payload }) => {
      if (consumer !== this.#consumer) return;
      const topic = prefix + group.inputs[0];
      this.#joined(consumer, offsets, payload.memberId, payload.memberAssignment[topic] ?? []);
      this.#confirmations.confirm(Date.now() - payload.duration);
      metrics.count('millrace_kafka_rebalances_total', { consumer: group.name });
      journal.info({ consumer: group.name, partitions: this.#held.size, ms: payload.duration }, 'Joined the group.');
    });
    let sentAt = 0;
    consumer.on(events.REQUEST, ({ payload }) => {
      if (payload.apiName === 'Heartbeat') ({ sentAt } = payload);
    });
    // The answer that counts is to a heartbeat sent later: one that lay in the socket of a frozen process says nothing.
    consumer.on(events.HEARTBEAT, () => this.#confirmations.confirm(sentAt));
  }

  async #join(consumer: Consumer): Promise<void> {
    const { group, prefix, partitions, connection, file } = this.options;
    const all = group.table === undefined ? group.inputs : [...group.inputs, group.table];
    const counts = await Promise.all(all.map(async (topic): Promise<[string, number]> => [topic, (await connection.partitions(topic)).length]));
    const tooFew = tooFewPartitions(counts, partitions);
    if (tooFew) throw tooFew;
    // The member before this one, of this process or of one that died: left behind, it would hold the group up until its session ends.
    await file.leaveForPredecessor();
    await consumer.connect();
    await consumer.subscribe({ topics: group.inputs.map((topic) => prefix + topic), fromBeginning: true });
    if (this.#stopping !== undefined) return;
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch: { topic } }) => void this.#end(new Error(`kafkajs fetched ${topic} by itself; its pause did not hold.`)),
    });
  }

  /** Runs within kafkajs' event, before anything else of the new generation. */
  #joined(consumer: Consumer, offsets: GroupOffsets, memberId: string, partitions: readonly number[]): void {
    const { group, prefix, file } = this.options;
    consumer.pause(group.inputs.map((topic) => ({ topic: prefix + topic })));
    if (this.#stopping !== undefined) return;
    const isNew = memberId !== this.#memberId;
    if (isNew) file.keep(memberId);
    this.#memberId = memberId;
    // As a new member everything is new: others may have owned, and written, in between.
    for (const partition of this.#held.keys()) if (isNew || !partitions.includes(partition)) this.#revoke(partition);
    for (const partition of partitions) if (!this.#held.has(partition)) this.#grant(partition, offsets);
    // Owners begin a moment after they were granted.
    setImmediate(this.#announce);
  }

  #grant(partition: number, offsets: GroupOffsets): void {
    const { kafka, prefix, group, connection, metrics } = this.options;
    const lease = openLease({
      kafka, prefix, group, connection, metrics, fetcher: this.#fetcher, offsets,
      confirmedAfter: (since, given) => this.#confirmations.after(since, given),
    }, partition);
    const before = this.#ending.get(partition);
    this.#held.set(partition, { lease, ended: this.#own(lease, before) });
  }

  async #own(lease: OwnLease, before: Promise<void> | undefined): Promise<void> {
    await before;
    try {
      if (!lease.revoked.aborted) await this.options.owner(lease);
    } catch (error) {
      void this.#end(error);
    } finally {
      lease.release();
    }
  }

  #revoke(partition: number): void {
    const held = this.#held.get(partition);
    if (!held) return;
    this.#held.delete(partition);
    const ended = held.ended.finally(() => {
      if (this.#ending.get(partition) === ended) this.#ending.delete(partition);
    });
    this.#ending.set(partition, ended);
    held.lease.revoke();
  }

  async #end(error: unknown): Promise<void> {
    this.#fail(error);
    await this.stop();
  }

  async #leave(): Promise<void> {
    for (const partition of this.#held.keys()) this.#revoke(partition);
    await Promise.all(this.#ending.values());
    const disconnected = this.#joining.catch(() => {}).then(() => this.#consumer?.disconnect()).then(() => this.options.file.forget());
    // A join that is under way cannot be called back; without a broker it would hold the end of the process up.
    await Promise.race([disconnected.catch(() => {}), delay(STOP_PATIENCE_MS, undefined, { ref: false })]);
    await this.#fetcher.close();
  }
}
