import { UndecodableError } from '../../schemas/codec.js';
import type { Topic } from '../../schemas/topics.js';
import type { Progress } from '../../schemas/types.js';
import { TaskClock, type TickedInput } from './clock.js';
import type { Consumer, Context, Input } from './consumer.js';
import { deadLetterOf, type Refused } from './dead-letter.js';
import { BadEvent, ConfigError } from './errors.js';
import type { LogRecord, NewRecord } from './log.js';
import { Following } from './merging.js';
import type { Metrics } from './metrics.js';
import { Overlay } from './overlay.js';
import { partitionOf } from './partition.js';
import { progressOf, progressRows } from './progress.js';
import { PROGRESS_KEY, splitRowKey, splitTimerSub, timerRows, timerSub } from './rows.js';
import { MAX_VALUE_BYTES, requireFit, RowTooLarge } from './sizes.js';
import { encoded, Staging } from './staging.js';
import type { RowChange, TableStore } from './store.js';

const CRASHES_BEFORE_DEAD_LETTER = 3;
/** The latest time that the codec carries. Handlers add to times that events name: a timer beyond this could not be written, and would stop the task. */
const LAST_DUE = 2 ** 52 - 1;

export interface TaskOptions {
  readonly consumer: Consumer;
  readonly partition: number;
  readonly partitions: number;
  readonly store: TableStore;
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
 * never awaits and reads no clock, so the same records give the same staged changes whatever the batches were.
 */
export class Task {
  readonly #options: TaskOptions;
  readonly #inputs: ReadonlyMap<string, Input>;
  readonly #overlay: Overlay;
  readonly #clock: TaskClock;
  readonly #following: Following | undefined;
  /** Records of inputs that have run ahead of the task's time, by topic. */
  readonly #waiting = new Map<string, LogRecord[]>();
  readonly #context: Context;
  readonly #staging = new Staging();
  #progress: { offsets: Record<string, number>; applied: Record<string, number>; crashes: Record<string, number> };
  #now: number;
  #records = 0;
  #oldest = Infinity;
  #crash: Error | undefined;

  constructor(options: TaskOptions) {
    const { consumer, store, tickedInputs } = options;
    const saved = progressOf(store);
    this.#options = options;
    this.#overlay = new Overlay(store);
    this.#clock = new TaskClock(tickedInputs, saved);
    this.#progress = { offsets: { ...saved.offsets }, applied: { ...saved.applied }, crashes: { ...saved.crashes } };
    this.#now = this.#clock.time;
    this.#context = this.#makeContext();
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

  get time(): number {
    return this.#clock.time;
  }

  /** Topic of the task's rows. */
  get table(): string {
    return this.#options.consumer.table.name;
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
    return new Set(this.#waiting.keys());
  }

  /** What a handler threw that stopped this task. What is staged notes the crash: commit it, then drop the task. */
  get crash(): Error | undefined {
    return this.#crash;
  }

  process(records: readonly LogRecord[]): void {
    for (const record of records) {
      const queue = this.#waiting.get(record.topic);
      if (queue) queue.push(record);
      else if (this.#clock.isAhead(record.topic, this.#options.slackMs)) this.#waiting.set(record.topic, [record]);
      else this.#take(record);
      if (this.#crash) return;
    }
  }

  /**
   * Changes since the last commit, progress included.
   * @throws RowTooLarge when they cannot be committed: a task that `checksRows` must then take the same records again
   */
  stage(): Staged {
    const progress: Progress = { ...this.#progress, ticks: this.#clock.ticks(), time: this.#clock.time };
    const rows = [...this.#overlay.changes(), { key: PROGRESS_KEY, value: progressRows.codec.encode(progress) }];
    const large = rows.find(({ value }) => value !== null && value.length > MAX_VALUE_BYTES);
    if (large) throw new RowTooLarge(`A row ("${splitRowKey(large.key).kind}") has ${large.value?.length} bytes, and the log takes ${MAX_VALUE_BYTES}.`);
    return { outputs: this.#staging.outputs, rows };
  }

  /** What was staged is committed and applied to the store. */
  committed(): void {
    this.#overlay.clear();
    this.#staging.committed(this.#options.metrics);
    this.#records = 0;
    this.#oldest = Infinity;
  }

  #take(record: LogRecord): void {
    if (record.offset < (this.#progress.offsets[record.topic] ?? 0)) return;
    if (record.tick) this.#passTime(record);
    else this.#guarded(`${record.topic}/${record.offset}`, () => this.#handle(record), record);
    if (this.#crash) return;
    this.#progress.offsets[record.topic] = record.offset + 1;
  }

  #passTime(record: LogRecord): void {
    if (!this.#clock.read(record.topic, record.tick!)) return;
    const time = this.#clock.time;
    for (let next = this.#overlay.nextTimer(time); next && !this.#crash; next = this.#overlay.nextTimer(time)) this.#fire(next.key, next.due);
    if (this.#crash) return;
    this.#now = time;
    this.#passTicksOn(time);
    this.#release();
  }

  #fire(rowKey: string, due: number): void {
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

  /** Time has passed: inputs that waited for it go on, each in the order in which its records came. */
  #release(): void {
    for (const [topic, queue] of Array.from(this.#waiting)) {
      while (queue.length > 0 && !this.#crash && !this.#clock.isAhead(topic, this.#options.slackMs)) this.#take(queue.shift()!);
      if (queue.length === 0) this.#waiting.delete(topic);
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
    if (!this.#crash) delete this.#progress.crashes[position];
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

  #setAside(code: string, error: Error, record: Refused, place?: string): void {
    const { consumer: { name: consumer }, partitions } = this.#options;
    this.#staging.count('millrace_dead_letters_total', { code });
    // Nothing in a tombstone (a record without a value) could be repaired: it is counted, and no more.
    if (code !== 'tombstone') this.#staging.write(deadLetterOf({ consumer, code, error, record, place, at: this.#now, partitions }));
  }

  #makeContext(): Context {
    const overlay = this.#overlay;
    const { clock, partition, partitions, consumer } = this.#options;
    const nowOf = (): number => this.#now;
    const timeOf = (): number => this.#clock.time;
    return {
      get now() { return nowOf(); },
      get time() { return timeOf(); },
      clock,
      partitions,
      get: (kind, key, sub) => overlay.get(kind, key, sub),
      put: (kind, key, value, sub = '') => overlay.put(kind, key, sub, value),
      delete: (kind, key, sub = '') => overlay.put(kind, key, sub, undefined),
      erase: (key, time) => {
        for (const { kind, sub } of overlay.allRowsOf(key)) overlay.remove(key, kind, sub);
        this.#following?.erased(key, time);
      },
      wasErased: (key, time) => time <= (this.#following?.erasedAt(key) ?? -Infinity),
      scan: (kind, key, most) => overlay.scan(kind, key, most),
      emit: (topic, key, value) => this.#staging.write({ topic: topic.name, partition: partitionOf(key, partitions), key, value: encoded(topic, value) }),
      refuse: <T>(topic: Topic<T>, key: string, value: T, id: string, error: BadEvent) => {
        this.#setAside(error.code, error, { topic: topic.name, partition, offset: -1, key, value: topic.codec.encode(value) }, `${key}/${id}`);
      },
      emitToOthers: <T>(topic: Topic<T>, value: T) => {
        const bytes = encoded(topic, value);
        for (let to = 0; to < partitions; to++) if (to !== partition) this.#staging.write({ topic: topic.name, partition: to, key: null, value: bytes });
      },
      schedule: (name, key, due, sub = '', payload = '') => overlay.put(timerRows, key, timerSub(name, sub), { due: Math.min(due, LAST_DUE), payload }),
      cancel: (name, key, sub = '') => {
        if (overlay.get(timerRows, key, timerSub(name, sub))) overlay.put(timerRows, key, timerSub(name, sub), undefined);
      },
      count: (metric, labels) => this.#staging.count(metric, { consumer: consumer.name, ...labels }),
    };
  }
}
