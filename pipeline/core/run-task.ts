import { knowsSchema, schemaIdOf } from '../../schemas/codec.js';
import type { Progress } from '../../schemas/types.js';
import { tickMs, type TickedInput } from './clock.js';
import type { Consumer } from './consumer.js';
import { ConfigError, LostRecords } from './errors.js';
import type { Lease, Log, LogRecord } from './log.js';
import type { Journal, Metrics } from './metrics.js';
import { progressOf } from './progress.js';
import { RowTooLarge } from './sizes.js';
import { sleep } from './sleep.js';
import { inSlices, untilEnded } from './slices.js';
import type { OpenStore, TableStore } from './store.js';
import { steadyClock } from './steady-clock.js';
import { Task, type Staged } from './task.js';
import { toldOnce } from './told-once.js';

/**
 * Records and timers that one commit takes at most. On the embedded engine a commit's changes are encoded, and shown to whoever reads the table, in one
 * piece by the thread that also answers requests (some 5 µs a product): many would keep a request waiting. On Kafka a transaction costs more
 * than what is in it: few would waste it.
 */
const STEPS_A_COMMIT = { embedded: 1_000, kafka: 5_000 };
/** A commit that a slow broker did not take in time would fail the same way again: so each that follows a failure is half as large, and each that follows a success twice. */
const LEAST_STEPS_A_COMMIT = 50;
const BACKLOG_COMMIT_MS = 200;
/** An input may be ahead by two ticks and some delay. */
const SLACK_TICKS = 2.5;
const POLL_MS = 250;
/** Between two looks at the time. Most steps take some 10 µs, a forecast that a timer publishes 150. */
const STEPS_A_PIECE = 4;
const LAG_EVERY_MS = 1_000;
const FIRST_BACKOFF_MS = 100;
const LONGEST_BACKOFF_MS = 10_000;

/** What a part needs of its surroundings. */
export interface Surroundings {
  readonly log: Log;
  readonly openStore: OpenStore;
  readonly metrics: Metrics;
  readonly journal: Journal;
  /** Fetch schemas of foreign writers before their records are decoded. */
  readonly learnSchemas: (ids: readonly number[]) => Promise<void>;
  /** Whether tasks go on behind records that the log has lost before they were read; else they end. */
  readonly skipsLost?: boolean;
}

/** Bring the store up to the end of its table in the log. A store that stands beyond that end, or before what the log still holds, is wiped first. */
async function restore(lease: Lease, store: TableStore, table: string, engine: Log['engine'], journal: Journal): Promise<void> {
  const { start, end } = await lease.tableRange();
  const { position } = store;
  if (position > end) {
    // A store holds only what the log has acknowledged: so it is the log that has lost something.
    journal.warn({ table, partition: lease.partition, position, end }, `The store of table ${table} knows rows up to ${position}, the log only up to ${end}: the log has lost its end, or is an older copy or a new topic. The store is built again.`);
    store.wipe();
  }
  if (store.position < start) {
    // The embedded log drops rows once they stand in the store. Without that store they are lost, which must not pass for an empty table.
    if (engine === 'embedded') throw new ConfigError([`The store of table ${table} is lost or older than the log, which begins at ${start}; restore it from a backup.`]);
    store.wipe();
    store.apply([], start);
  }
  await lease.readTable(store.position, end, (rows, next) => {
    store.apply(rows.map(({ key, value }) => ({ key: key ?? '', value })), next);
  });
}

/** Fetch the schemas of records that a foreign writer has encoded. */
export async function learnForeignSchemas(records: readonly LogRecord[], learn: Surroundings['learnSchemas']): Promise<void> {
  const unknown = new Set<number>();
  for (const { value } of records) {
    const id = value ? schemaIdOf(value) : undefined;
    if (id !== undefined && !knowsSchema(id)) unknown.add(id);
  }
  if (unknown.size > 0) await learn([...unknown]);
}

/** Own a partition of a consumer until the lease is revoked: fence, restore, seek, then take records and commit. `restored` is called each time before it takes records. */
export async function runTask(lease: Lease, consumer: Consumer, tickedInputs: readonly TickedInput[], around: Surroundings, restored = (): void => {}): Promise<void> {
  const { metrics } = around;
  const store = around.openStore(consumer.table.name, lease.partition);
  const watching = setInterval(() => watchLag(lease, metrics, consumer.name), LAG_EVERY_MS);
  try {
    await keepOwning(lease, consumer, tickedInputs, around, store, restored);
  } finally {
    clearInterval(watching);
    // Another process may own the partition now: the last figures of this one must not stand, as if the partition were behind.
    for (const name of ['millrace_consumer_lag_records', 'millrace_consumer_lag_seconds', 'millrace_task_time_lag_seconds']) metrics.gauge(name, 0, { consumer: consumer.name, partition: String(lease.partition) });
  }
}

/** Restores the task and lets it work, again and again, until the lease is revoked. */
async function keepOwning(lease: Lease, consumer: Consumer, tickedInputs: readonly TickedInput[], around: Surroundings, store: TableStore, restored: () => void): Promise<void> {
  const { log, metrics, journal } = around;
  const labels = { consumer: consumer.name };
  const told = toldOnce(journal, { consumer: consumer.name, partition: lease.partition }, 'Task dropped; confirming ownership before it is restored.', 'The task commits again.');
  metrics.announce('millrace_click_to_change_seconds', labels);
  // A dropped task is restored at once; one that is dropped again before it could commit waits, each time longer.
  let backoffMs = 0;
  const pace = { steps: STEPS_A_COMMIT[log.engine] };
  let checksRows = false;
  const committed = (): void => {
    backoffMs = 0;
    pace.steps = Math.min(2 * pace.steps, STEPS_A_COMMIT[log.engine]);
    told.worked();
  };
  while (!lease.revoked.aborted) {
    try {
      const began = performance.now();
      await lease.fence();
      await restore(lease, store, consumer.table.name, log.engine, journal);
      metrics.observe('millrace_restore_seconds', (performance.now() - began) / 1000, labels);
      const skippedTo = await seek(lease, progressOf(store), consumer.name, around);
      const task = new Task({
        skippedTo, consumer, partition: lease.partition, partitions: log.partitions, store, tickedInputs, clock: log.clock,
        slackMs: log.clock === 'wall' ? SLACK_TICKS * tickMs(log.partitions) : 0, metrics, checksRows,
      });
      restored();
      await work(lease, task, store, around, consumer.name, pace, committed);
    } catch (error) {
      if (lease.revoked.aborted) return;
      // What the log has lost is for the next seek to skip or to refuse.
      if (error instanceof ConfigError && !(error instanceof LostRecords)) throw error;
      // It stays switched on: where one shopper's row was filled up, more records for that row will come.
      checksRows ||= error instanceof RowTooLarge;
      const { message, cause } = error as Error;
      told.failed(message, { cause: String(cause ?? '') });
      pace.steps = Math.max(LEAST_STEPS_A_COMMIT, Math.floor(pace.steps / 2));
      await sleep(backoffMs, lease.revoked);
      backoffMs = Math.min(Math.max(FIRST_BACKOFF_MS, 2 * backoffMs), LONGEST_BACKOFF_MS);
      // A zombie that reconnects at once would fence the rightful owner: ask the group first.
      await lease.confirmed();
    }
  }
}

/**
 * Read on where the task stood; an input that it has never read from its start, which retention moves. Answers where inputs are read on whose
 * next records the log has lost.
 * @throws ConfigError where the log has lost what comes next, which may be skipped
 */
async function seek(lease: Lease, { offsets, lineages }: Progress, consumer: string, { journal, skipsLost }: Surroundings): Promise<Record<string, number>> {
  try {
    await lease.seek(offsets, lineages);
    return {};
  } catch (error) {
    if (!(error instanceof LostRecords)) throw error;
    if (skipsLost !== true) throw new ConfigError([...error.problems, 'What the log has lost nobody can read any more; docs/runbook.md#records-that-the-log-has-lost says how to go on without it.'], { cause: error });
    const kept = { ...lineages };
    const skippedTo: Record<string, number> = {};
    for (const { topic, partition, offset, next: to, problem } of error.lost) {
      skippedTo[topic] = to;
      delete kept[topic];
      journal.warn({ consumer, topic, partition, offset, next: to, problem }, 'The log has lost records before they were read; they are skipped.');
    }
    await lease.seek({ ...offsets, ...skippedTo }, kept);
    return skippedTo;
  }
}

/** Takes records and commits what the task makes of them. Throws what a commit or a handler throws: the task is then dropped. */
async function work(lease: Lease, task: Task, store: TableStore, around: Surroundings, consumer: string, pace: { readonly steps: number }, committed: () => void): Promise<void> {
  const { log, metrics } = around;
  const tickCommitMs = tickMs(log.partitions);
  let lastCommit = performance.now();
  // A restored task may stand among the timers of a tick.
  let isMore = true;
  while (!lease.revoked.aborted) {
    const most = pace.steps;
    if (!isMore) {
      const records = await lease.poll(most - task.steps, task.steps > 0 ? 20 : POLL_MS, task.waiting);
      await learnForeignSchemas(records, around.learnSchemas);
      task.receive(records);
    }
    await inSlices(untilEnded(), () => {
      isMore = task.proceed(STEPS_A_PIECE);
      return isMore && task.steps < most;
    });
    const waited = performance.now() - lastCommit;
    const caughtUp = Object.entries(lease.lag()).every(([topic, lag]) => lag === 0 || task.waiting.has(topic));
    const due = task.crash !== undefined || task.steps >= most || waited >= tickCommitMs
      || (task.records > 0 && waited >= BACKLOG_COMMIT_MS)
      // On a file's clock even a tick alone is committed at once: the replay may wait with its next tick until all tasks have passed this one on.
      || (caughtUp && (task.records > 0 || log.clock === 'file'));
    if (!due || task.steps === 0) continue;
    const began = performance.now();
    const { records: count, oldestWrittenAt } = task;
    const staged = task.stage(lease.lineages());
    const rows = staged.rows.map(({ key, value }) => ({ topic: task.table, partition: lease.partition, key, value }));
    const position = await lease.commit(staged.outputs, rows);
    store.apply(staged.rows, position);
    task.committed();
    committed();
    measure(metrics, consumer, String(lease.partition), { began, count, oldestWrittenAt, staged, time: task.time, clock: log.clock });
    if (task.crash) throw task.crash;
    lastCommit = performance.now();
  }
}

function measure(metrics: Metrics, consumer: string, partition: string, commit: {
  began: number; count: number; oldestWrittenAt: number; staged: Staged; time: number; clock: 'wall' | 'file';
}): void {
  const { began, count, oldestWrittenAt, staged, time, clock } = commit;
  const labels = { consumer };
  metrics.observe('millrace_commit_seconds', (performance.now() - began) / 1000, labels);
  metrics.count('millrace_commits_total', labels);
  metrics.gauge('millrace_task_time_lag_seconds', clock === 'wall' && time > 0 ? (steadyClock.now() - time) / 1000 : 0, { consumer, partition });
  metrics.gauge('millrace_consumer_lag_seconds', count > 0 ? ageOf(oldestWrittenAt) : 0, { consumer, partition });
  if (count === 0) return;
  metrics.count('millrace_records_total', labels, count);
  metrics.observe('millrace_click_to_change_seconds', ageOf(oldestWrittenAt), labels);
  const written = new Map<string, number>();
  for (const { topic, tick } of staged.outputs) if (!tick) written.set(topic, (written.get(topic) ?? 0) + 1);
  for (const [topic, records] of written) metrics.count('millrace_topic_records_total', { topic }, records);
}

const ageOf = (writtenAt: number): number => Math.max(0, Date.now() - writtenAt) / 1000;

/** Called each second, whether there are commits or not: a task that is stuck must be seen. */
function watchLag(lease: Lease, metrics: Metrics, consumer: string): void {
  const records = Object.values(lease.lag()).reduce((sum, lag) => sum + lag, 0);
  metrics.gauge('millrace_consumer_lag_records', records, { consumer, partition: String(lease.partition) });
}
