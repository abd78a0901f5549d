import { UndecodableError } from '../../schemas/codec.js';
import type { Progress } from '../../schemas/types.js';
import { Arrivals } from './arrivals.js';
import { TaskClock, type TickedInput } from './clock.js';
import type { Consumer, Context, Input } from './consumer.js';
import { contextOf } from './context.js';
import { deadLetterOf, type Refused } from './dead-letter.js';
import { BadEvent, ConfigError, type DeadLetterCode } from './errors.js';
import type { LogRecord, NewRecord } from './log.js';
import { Following } from './merging.js';
import type { Metrics } from './metrics.js';
import { Overlay } from './overlay.js';
import { partitionOf } from './partition.js';
import { progressOf, progressRows } from './progress.js';
import { PROGRESS_KEY, splitRowKey, splitTimerSub, timerRows } from './rows.js';
import { MAX_VALUE_BYTES, requireFit, RowTooLarge } from './sizes.js';
import { Staging } from './staging.js';
import type { DueTimer, RowChange, TableStore } from './store.js';

const CRASHES_BEFORE_DEAD_LETTER = 3;

export interface TaskOptions {
  readonly consumer: Consumer;
  readonly partition: number;
  readonly partitions: number;
  readonly store: TableStore;
  /** Where inputs are read on whose next records the log has lost. */
  readonly skippedTo?: Readonly<Record<string, number>>;
  /** Inputs that hold time, with their writers: from the topology. */
  readonly tickedInputs: readonly TickedInput[];
  readonly clock: 'wall' | 'file';
  /** How far an input may run ahead of task time before it waits. */
  readonly slackMs: number;
  readonly metrics: Metrics;
  /** Whether rows are measured after each record, so that the record that makes a row too large becomes a dead letter. Worth its cost only after a RowTooLarge. */
  readonly checksRows?: boolean;
}

/** What a commit writes. */
export interface Staged {
  readonly outputs: readonly NewRecord[];
  readonly rows: readonly RowChange[];
}

/**
 * One consumer on one partition number: takes records in arrival order and stages outputs, row changes and timers. It
 * never awaits and reads no clock, so the same records give the same staged changes whatever the batches were. A tick may make any number of
 * timers due: they fire one a step, and may be committed in pieces, while all records behind the tick wait.
 */
export class Task {
  readonly #options: TaskOptions;
  readonly #inputs: ReadonlyMap<string, Input>;
  readonly #overlay: Overlay;
  readonly #clock: TaskClock;
  readonly #following: Following | undefined;
  readonly #arrivals: Arrivals;
  readonly #context: Context;
  readonly #staging = new Staging();
  #progress: { offsets: Record<string, number>; applied: Record<string, number>; crashes: Record<string, number> };
  #now: number;
  /** The tick whose timers are firing, in this run of the task. It counts as taken once all of them have; a task that is dropped before finds in its progress that time is passing. */
  #tick: LogRecord | undefined;
  #steps = 0;
  #records = 0;
  #oldest = Infinity;
  #crash: Error | undefined;

  constructor(options: TaskOptions) {
    const { consumer, store, tickedInputs } = options;
    const saved = progressOf(store);
    this.#options = options;
    this.#overlay = new Overlay(store);
    this.#clock = new TaskClock(tickedInputs, saved);
    this.#arrivals = new Arrivals(this.#clock, options.slackMs);
    this.#progress = { offsets: { ...saved.offsets, ...options.skippedTo }, applied: { ...saved.applied }, crashes: { ...saved.crashes } };
    this.#now = this.#clock.passed;
    this.#context = contextOf(options, {
      overlay: this.#overlay, staging: this.#staging, clock: this.#clock,
      now: () => this.#now, following: () => this.#following, setAside: (code, error, record, place) => this.#setAside(code, error, record, place),
    });
    this.#inputs = new Map(consumer.inputs.map((input) => [input.topic.name, input]));
    this.#following = consumer.merging && new Following({
      merging: consumer.merging, inputs: this.#inputs, overlay: this.#overlay, context: this.#context,
      partition: options.partition, progress: this.#progress, handle: (input, record) => input.handle(record, this.#context),
    });
  }

  /** Next offset to be taken of each input. */
  get offsets(): Readonly<Record<string, number>> {
    return this.#progress.offsets;
  }

  /** Time that has passed, ms: up to it all timers have fired. */
  get time(): number {
    return this.#clock.passed;
  }

  /** Topic of the task's rows. */
  get table(): string {
    return this.#options.consumer.table.name;
  }

  /** Records, ticks and timers taken since the last commit. */
  get steps(): number {
    return this.#steps;
  }

  /** Data records (not ticks) taken since the last commit. */
  get records(): number {
    return this.#records;
  }

  /** Write time of the oldest record taken since the last commit; Infinity when there is none. */
  get oldestWrittenAt(): number {
    return this.#oldest;
  }

  /** Inputs that have run ahead and must not be polled. */
  get waiting(): ReadonlySet<string> {
    return this.#arrivals.waiting;
  }

  /** What a handler threw that stopped this task. What is staged notes the crash: commit it, then drop the task. */
  get crash(): Error | undefined {
    return this.#crash;
  }

  /** Records have come. They wait for `proceed`. */
  receive(records: readonly LogRecord[]): void {
    this.#arrivals.add(records);
  }

  /** Takes up to `most` timers that are due and records that have come. Answers whether there may be more to do at once; what was done may be committed in between. */
  proceed(most: number): boolean {
    for (let left = most; left > 0; left--) if (this.#crash || !this.#step()) return false;
    return true;
  }

  /**
   * Changes since the last commit, progress included. `lineages`: of the logs that the inputs are read from.
   * @throws RowTooLarge when they cannot be committed: a task that `checksRows` must then take the same records again
   */
  stage(lineages: Readonly<Record<string, string>> = {}): Staged {
    const progress: Progress = { ...this.#progress, lineages, ticks: this.#clock.ticks(), time: this.#clock.passed };
    const rows = [...this.#overlay.changes(), { key: PROGRESS_KEY, value: progressRows.codec.encode(progress) }];
    const large = rows.find(({ value }) => value !== null && value.length > MAX_VALUE_BYTES);
    if (large) throw new RowTooLarge(`A row ("${splitRowKey(large.key).kind}") has ${large.value?.length} bytes, and the log takes ${MAX_VALUE_BYTES}.`);
    return { outputs: this.#staging.outputs, rows };
  }

  /** What was staged is committed and applied to the store. */
  committed(): void {
    this.#overlay.clear();
    this.#staging.committed(this.#options.metrics);
    this.#steps = 0;
    this.#records = 0;
    this.#oldest = Infinity;
  }

  #step(): boolean {
    const isPassing = this.#clock.isPassing;
    const timer = isPassing ? this.#overlay.nextTimer(this.#clock.time) : undefined;
    const record = isPassing ? undefined : this.#arrivals.next();
    if (timer) this.#fire(timer);
    else if (isPassing) this.#endPassing();
    else if (record) this.#take(record);
    else return false;
    this.#steps++;
    return true;
  }

  #take(record: LogRecord): void {
    if (record.offset < (this.#progress.offsets[record.topic] ?? 0)) return;
    if (record.tick && this.#clock.read(record.topic, record.tick)) {
      this.#tick = record;
      return;
    }
    if (!record.tick) this.#guarded(`${record.topic}/${record.offset}`, () => this.#handle(record), record);
    if (!this.#crash) this.#tookAll(record);
  }

  #tookAll({ topic, offset }: LogRecord): void {
    this.#progress.offsets[topic] = offset + 1;
  }

  /** All timers up to the task's time have fired. */
  #endPassing(): void {
    this.#now = this.#clock.pass();
    this.#passTicksOn(this.#now);
    if (this.#tick) this.#tookAll(this.#tick);
    this.#tick = undefined;
  }

  #fire({ key: rowKey, due }: DueTimer): void {
    const { partitionKey: key, sub: nameAndSub } = splitRowKey(rowKey);
    const { name, sub } = splitTimerSub(nameAndSub);
    const payload = this.#overlay.get(timerRows, key, nameAndSub)?.payload ?? '';
    this.#now = due;
    this.#guarded(`_timer/${rowKey}`, () => {
      this.#overlay.put(timerRows, key, nameAndSub, undefined);
      if (!this.#following?.fire(name, key, due)) this.#options.consumer.timers[name]?.({ key, sub, due, payload }, this.#context);
    }, { topic: '_timer', partition: this.#options.partition, offset: -1, key: rowKey, value: null });
    // A refused timer must not fire again.
    if (!this.#crash) this.#overlay.put(timerRows, key, nameAndSub, this.#stillDue(key, nameAndSub, due));
  }

  /** The timer row after its handler ran: only a newly set one stays. */
  #stillDue(key: string, nameAndSub: string, firedDue: number): { due: number; payload: string } | undefined {
    const row = this.#overlay.get(timerRows, key, nameAndSub);
    return row && row.due > firedDue ? row : undefined;
  }

  #passTicksOn(time: number): void {
    const { consumer, partition, partitions } = this.#options;
    const tick = { writer: `${consumer.name}/${partition}`, time };
    for (const { topic, samePartition } of consumer.outputs) {
      if (topic.kind !== 'stream') continue;
      for (let to = samePartition ? partition : 0; to < (samePartition ? partition + 1 : partitions); to++) {
        this.#staging.write({ topic: topic.name, partition: to, key: null, value: null, tick });
      }
    }
  }

  #handle(record: LogRecord): void {
    const { partition, partitions, consumer } = this.#options;
    this.#records++;
    this.#oldest = Math.min(this.#oldest, record.writtenAt);
    if (this.#following?.take(record)) return;
    const input = this.#inputs.get(record.topic);
    if (!input) return;
    const value = input.topic.codec.decode(record.value);
    const key = input.keyOf?.(value) ?? record.key ?? '';
    const home = partitionOf(key, partitions);
    if (home !== partition && input.topic.kind === 'source') {
      requireFit(`Sent on to its partition, a record of ${record.topic}`, Buffer.byteLength(key) + (record.value?.length ?? 0));
      this.#staging.count('millrace_records_forwarded_total', { consumer: consumer.name });
      this.#staging.write({ topic: record.topic, partition: home, key, value: record.value });
      return;
    }
    if (input.isRepeat?.(value, this.#context)) return this.#staging.count('millrace_duplicates_total', { consumer: consumer.name });
    const incoming = { key, value, writtenAt: record.writtenAt };
    if (this.#following?.forward(record, input, incoming)) return;
    input.handle(incoming, this.#context);
  }

  /**
   * Runs a handler. When it throws, all that it did is undone. A record that it refused becomes a dead letter. Any other error is a bug: it stops
   * the task, which then takes the same record again. The third time that record becomes a dead letter, too.
   */
  #guarded(position: string, run: () => void, record: Refused): void {
    this.#overlay.mark();
    this.#staging.mark();
    try {
      run();
      if (this.#options.checksRows) this.#overlay.requireFit();
    } catch (error) {
      if (error instanceof ConfigError) throw error;
      this.#overlay.undo();
      this.#staging.undo();
      this.#refuse(position, error as Error, record);
      if (!this.#crash) this.#following?.refused();
    }
    if (this.#crash) return;
    this.#following?.done();
    delete this.#progress.crashes[position];
  }

  #refuse(position: string, error: Error, record: Refused): void {
    const { consumer, metrics } = this.#options;
    const understood = error instanceof BadEvent || error instanceof UndecodableError;
    if (!understood) {
      metrics.count('millrace_handler_crashes_total', { consumer: consumer.name });
      const crashes = (this.#progress.crashes[position] ?? 0) + 1;
      this.#progress.crashes[position] = crashes;
      if (crashes < CRASHES_BEFORE_DEAD_LETTER) {
        this.#crash = error;
        return;
      }
    }
    this.#setAside(understood ? error.code : 'crashed', error, record);
  }

  #setAside(code: DeadLetterCode, error: Error, record: Refused, place?: string): void {
    const { consumer: { name: consumer }, partitions } = this.#options;
    this.#staging.count('millrace_dead_letters_total', { code });
    // Nothing in a tombstone (a record without a value) could be repaired: it is counted, and no more.
    if (code !== 'tombstone') this.#staging.write(deadLetterOf({ consumer, code, error, record, place, at: this.#now, partitions }));
  }
}
