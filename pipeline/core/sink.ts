import { Unavailable } from './errors.js';
import type { Lease, Log, LogRecord } from './log.js';
import type { Journal, Metrics } from './metrics.js';
import { BlockBuilder } from './row-block.js';
import type { Block } from './row-block.js';
import { DEDUPLICATION_MS, sinkLimits } from './row-sink.js';
import type { RowSink, SinkLimits, SinkPorts, SinkSpec } from './row-sink.js';
import { SinkLag } from './sink-lag.js';
import { sleep, untilStopped } from './sleep.js';
import { untilAvailable } from './until-available.js';

const RUNBOOK = 'docs/clickhouse.md#a-sink-has-stopped';
const COPIED = 'docs/runbook.md#back-up';
const POLL = 1_000;
const IDLE_MS = 60_000;
const LOST_RANGE_MS = 30_000;
const LAST = Number.MAX_SAFE_INTEGER;

/** The sink must not go on by itself: rows are missing or would be doubled. */
class SinkStopped extends Error {}

/** Metadata of a stored offset: which table it speaks of, the offset of its last row that was acknowledged, and the block that may or may not be in it. */
type Mark = { readonly tableId: string; readonly lastRow: number | undefined; readonly pending: { readonly last: number; readonly since: number } | undefined };

const markOf = (metadata: string): Mark | undefined => {
  const [, last, since, tableId, lastRow] = /^(?:done|pending:(\d+):(\d+)):([^:]+)(?::(\d+))?$/.exec(metadata) ?? [];
  if (tableId === undefined) return undefined;
  return { tableId, lastRow: lastRow === undefined ? undefined : Number(lastRow), pending: last === undefined ? undefined : { last: Number(last), since: Number(since) } };
};

/**
 * Carry one partition of a topic into its table, each record once, until the lease is revoked. What cannot be repaired by
 * waiting stops this sink alone: it alerts, and the other sinks and the tasks go on.
 */
export async function runSink(lease: Lease, spec: SinkSpec, sink: RowSink, ports: SinkPorts, limits = sinkLimits): Promise<void> {
  const labels = { table: spec.table, partition: String(lease.partition) };
  ports.metrics.gauge('millrace_sink_stopped', 0, labels);
  const lag = new SinkLag(ports.metrics, labels, () => lease.lag()[spec.topic] ?? 0, ports.now, ports.clock);
  try {
    await new PartitionSink(lease, spec, sink, ports, limits, lag).run();
  } catch (error) {
    if (lease.revoked.aborted) return;
    ports.metrics.gauge('millrace_sink_stopped', 1, labels);
    ports.journal.error({ err: error, topic: spec.topic, ...labels, runbook: RUNBOOK }, `The sink of ${spec.table} has stopped; see ${RUNBOOK}.`);
    // Keep the lease: another member would meet the same error, and a rejected owner would end the whole process.
    await untilStopped(lease.revoked);
  } finally {
    lag.stop();
  }
}

class PartitionSink {
  #tableId = '';
  #lastRow: number | undefined;
  #unread: readonly LogRecord[] = [];
  #next = 0;
  #storedAt: number;
  #insertedAt = 0;

  constructor(
    readonly lease: Lease,
    readonly spec: SinkSpec,
    readonly sink: RowSink,
    readonly ports: SinkPorts,
    readonly limits: SinkLimits,
    readonly lag: SinkLag,
  ) {
    this.#storedAt = ports.now();
  }

  async run(): Promise<void> {
    await this.#patiently(() => this.sink.ensure());
    this.#tableId = await this.#patiently(() => this.sink.tableId(this.spec.table));
    await this.#start();
    while (!this.lease.revoked.aborted) {
      const block = await this.#nextBlock();
      // A revoked partition may already belong to another process: what was gathered is its to deliver.
      if (this.lease.revoked.aborted) return;
      if (block) await this.#deliver(block);
      // Ticks alone move no rows, but a position left behind them would fall out of the log's retention in a quiet shop.
      else if (this.#next > 0 && this.ports.now() - this.#storedAt > IDLE_MS) await this.#store(this.#next, this.#done());
    }
  }

  /** Find the position that belongs to the table as it is, and settle what an earlier owner left open. */
  async #start(): Promise<void> {
    const { topic } = this.spec;
    const stored = await this.#patiently(() => this.lease.storedOffset(topic));
    const mark = stored && markOf(stored.metadata);
    if (stored && mark?.tableId === this.#tableId) {
      this.#lastRow = mark.lastRow;
      await this.#lookForLastRow();
      await this.#lookForRowsFrom(mark.pending ? mark.pending.last + 1 : stored.offset);
      await this.#seek(stored.offset, stored.lineage);
      if (mark.pending) await this.#settle(stored.offset, mark.pending.last, mark.pending.since);
      return;
    }
    if (stored && stored.metadata === '') {
      // An offset without a mark was set by an operator: obey, unless rows from there on would be doubled.
      const there = await this.#count(stored.offset, LAST);
      if (there > 0) throw new SinkStopped(`The offset was set to ${stored.offset}, but ${this.spec.table} holds ${there} rows from there on.`);
      await this.#seek(stored.offset);
      return;
    }
    // An offset that speaks of another table (dropped, restored from a backup, another server): the table itself knows.
    const last = await this.#patiently(() => this.sink.lastOffset(this.spec.table, topic, this.lease.partition));
    // Kafka drops offsets with their topic: of one that was made again under that name these rows say nothing.
    if (!stored && last !== undefined) throw new SinkStopped(`No offset of ${topic}/${this.lease.partition} is known, and ${this.spec.table} holds rows up to ${last}: the topic was deleted, or the sink was away for longer than offsets are kept.`);
    this.#lastRow = last;
    await this.#seek(last === undefined ? undefined : last + 1, stored?.lineage);
  }

  /** What was acknowledged is on the disk: where it is missing, folders or servers were put together from different moments. */
  async #lookForLastRow(): Promise<void> {
    if (this.#lastRow === undefined || (await this.#count(this.#lastRow, this.#lastRow)) > 0) return;
    const { table } = this.spec;
    const sentence = `Row ${this.#lastRow} of ${table} is missing, which ClickHouse had acknowledged: it is from an earlier moment than the log, as in a copy that was made while it ran, or rows were deleted. See ${COPIED}.`;
    this.ports.journal.warn({ table, partition: this.lease.partition, offset: this.#lastRow, runbook: COPIED }, sentence);
  }

  /** No block is inserted before its range is stored: rows beyond are of a log that has lost its end, whose numbers new records get again. */
  async #lookForRowsFrom(offset: number): Promise<void> {
    const { table, topic } = this.spec;
    const there = await this.#count(offset, LAST);
    if (there === 0) return;
    throw new SinkStopped(`${there} rows of ${table} are of records from ${offset} on of ${topic}/${this.lease.partition}, up to where the log knows of none: it has lost its end, or is an older copy than ClickHouse.`);
  }

  /** Bring a block that an earlier owner may have inserted to a known end. */
  async #settle(first: number, last: number, since: number): Promise<void> {
    const block = await this.#reread(first, last);
    if (!block || this.lease.revoked.aborted) return;
    if (this.ports.now() - since < DEDUPLICATION_MS) return this.#insert(block);
    // The windows may have forgotten the token: repeating the block could double it, so its rows decide.
    const there = await this.#count(first, last);
    if (there === 0) return this.#insert(block);
    if (there === block.rows) {
      this.#lastRow = last;
      return this.#store(last + 1, this.#done());
    }
    throw new SinkStopped(`${there} of the ${block.rows} rows ${first} to ${last} of ${this.spec.topic}/${this.lease.partition} are in ${this.spec.table}.`);
  }

  /** Exactly the records of [first, last], whatever the limits are today: a token stands for one range. */
  async #reread(first: number, last: number): Promise<Block | undefined> {
    const build = new BlockBuilder(this.spec, this.ports);
    let seen = first - 1;
    // What was waited for records at the end of the log. A clock leaps where a machine has slept; a log that has more, and gives nothing, is away.
    let silentMs = 0;
    while (seen < last && !this.lease.revoked.aborted) {
      const records = await this.#take(POLL, POLL);
      silentMs = records.length > 0 || this.#isBehind() ? 0 : silentMs + POLL;
      if (silentMs > LOST_RANGE_MS) {
        throw new SinkStopped(`Records ${first} to ${last} of ${this.spec.topic}/${this.lease.partition} should be read again but end at ${seen}.`);
      }
      const beyond = records.findIndex(({ offset }) => offset > last);
      const mine = beyond < 0 ? records : records.slice(0, beyond);
      if (beyond >= 0) this.#unread = records.slice(beyond);
      await build.add(mine);
      this.lag.took(mine, build.rows);
      seen = beyond < 0 ? (records.at(-1)?.offset ?? seen) : last;
    }
    this.#next = last + 1;
    return build.block();
  }

  /** Up to a block of what has arrived: at once when caught up, fuller under backlog. */
  async #nextBlock(): Promise<Block | undefined> {
    const build = new BlockBuilder(this.spec, this.ports);
    const { maxRows, maxBytes, fillMs, pauseMs } = this.limits;
    let firstAt: number | undefined;
    while (build.rows < maxRows && build.bytes < maxBytes && !this.lease.revoked.aborted) {
      const now = this.ports.now();
      // Of a clock that was set back, what it said before is in the future: nothing waits for that.
      this.#insertedAt = Math.min(this.#insertedAt, now);
      this.#storedAt = Math.min(this.#storedAt, now);
      firstAt &&= Math.min(firstAt, now);
      const behind = this.#unread.length > 0 || this.#isBehind();
      const due = firstAt === undefined ? now + POLL : Math.max(firstAt + (behind ? fillMs : 0), this.#insertedAt + pauseMs);
      if (due <= now) break;
      const records = await this.#take(Math.min(POLL, maxRows - build.rows), due - now);
      await build.add(records);
      this.lag.took(records, build.rows);
      this.#next = (records.at(-1)?.offset ?? this.#next - 1) + 1;
      if (build.rows === 0) return undefined;
      firstAt ??= now;
    }
    return build.block();
  }

  async #deliver(block: Block): Promise<void> {
    await this.#store(block.first, `pending:${block.last}:${this.ports.now()}:${this.#table()}`);
    await this.#insert(block);
  }

  async #insert(block: Block): Promise<void> {
    const { topic, table } = this.spec;
    const token = `${this.#tableId}/${topic}/${this.lease.partition}/${block.first}-${block.last}`;
    await this.#patiently(() => this.sink.insert(table, block.columns, block.lines, token));
    this.#insertedAt = this.ports.now();
    this.ports.metrics.count('millrace_sink_rows_total', { table }, block.rows);
    // The block stays pending: a late offset of ours could set the next owner back. It repeats the block by the same token.
    if (this.lease.revoked.aborted) return;
    this.#lastRow = block.last;
    await this.#store(Math.max(this.#next, block.last + 1), this.#done());
  }

  async #store(offset: number, metadata: string): Promise<void> {
    await this.#patiently(() => this.lease.storeOffset(this.spec.topic, offset, metadata));
    this.#storedAt = this.ports.now();
    if (metadata === this.#done()) this.lag.wrote();
  }

  #seek(offset: number | undefined, lineage?: string): Promise<void> {
    const { topic } = this.spec;
    return this.#patiently(() => this.lease.seek(offset === undefined ? {} : { [topic]: offset }, lineage === undefined ? {} : { [topic]: lineage }));
  }

  #done(): string {
    return `done:${this.#table()}`;
  }

  #table(): string {
    return this.#lastRow === undefined ? this.#tableId : `${this.#tableId}:${this.#lastRow}`;
  }

  #count(from: number, to: number): Promise<number> {
    return this.#patiently(() => this.sink.countRows(this.spec.table, this.spec.topic, this.lease.partition, from, to));
  }

  #isBehind(): boolean {
    return (this.lease.lag()[this.spec.topic] ?? 0) > 0;
  }

  async #take(max: number, waitMs: number): Promise<readonly LogRecord[]> {
    if (this.#unread.length === 0) return this.#patiently(() => this.lease.poll(max, waitMs, new Set()));
    const taken = this.#unread.slice(0, max);
    this.#unread = this.#unread.slice(max);
    return taken;
  }

  /** The same again for as long as the world does not answer: no other block may pass this one. */
  #patiently<T>(attempt: () => Promise<T>): Promise<T> {
    const { lease, spec: { table }, ports: { metrics, journal, sleep } } = this;
    return untilAvailable(() => attempt().catch((error: unknown) => {
      if (error instanceof Unavailable && !lease.revoked.aborted) metrics.count('millrace_sink_retries_total', { table });
      throw error;
    }), lease.revoked, journal, `The sink of ${table}, partition ${lease.partition},`, sleep);
  }
}

/** The ports of a real process. */
export const sinkPorts = (metrics: Metrics, journal: Journal, clock: Log['clock'] = 'wall'): SinkPorts => ({ metrics, journal, clock, now: Date.now, sleep });
