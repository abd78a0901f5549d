import { inputTopics, type Consumer } from '../../pipeline/core/consumer.js';
import type { LogRecord, NewRecord, Tick } from '../../pipeline/core/log.js';
import { memoryStore } from '../../pipeline/core/memory-store.js';
import { noMetrics, type Metrics } from '../../pipeline/core/metrics.js';
import { partitionOf } from '../../pipeline/core/partition.js';
import { rowKey, rowRange, restOf, type RowKind } from '../../pipeline/core/rows.js';
import { RowTooLarge } from '../../pipeline/core/sizes.js';
import type { OpenStore, TableStore } from '../../pipeline/core/store.js';
import { Task, type Staged } from '../../pipeline/core/task.js';
import { sourcesOf, tickedInputs, type Topology } from '../../pipeline/core/topology.js';
import type { Topic } from '../../schemas/topics.js';

export interface DriverOptions {
  readonly partitions?: number;
  readonly clock?: 'wall' | 'file';
  /** Records taken into one commit. */
  readonly batch?: () => number;
  /** Called before each commit: 'lost' drops the task with the commit undone, 'kept' after the log has it but the store does not. */
  readonly crash?: () => 'lost' | 'kept' | undefined;
}

interface Hosted {
  readonly consumer: Consumer;
  readonly partition: number;
  readonly store: TableStore;
  task: Task;
}

/** Drives the real tasks of a topology over an in-memory log, with a clock of its own. */
export class Driver {
  readonly counts = new Map<string, number>();
  readonly #log = new Map<string, LogRecord[]>();
  readonly #hosted: Hosted[] = [];
  readonly #topology: Topology;
  readonly #options: DriverOptions;
  /** When records are written: at the last tick, or later. */
  #wall = 0;

  constructor(consumers: readonly Consumer[], options: DriverOptions = {}) {
    this.#options = options;
    this.#topology = { consumers, learners: [], sinks: [], views: [] };
    for (const consumer of consumers) {
      for (let partition = 0; partition < this.partitions; partition++) {
        const store = memoryStore();
        this.#hosted.push({ consumer, partition, store, task: this.#start(consumer, partition, store) });
      }
    }
  }

  get partitions(): number {
    return this.#options.partitions ?? 1;
  }

  /** Write a record and run until nothing is left to do; written when it happened, unless it is told when. */
  send<T>(topic: Topic<T>, key: string, value: T, writtenAt = timeOf(value)): void {
    this.put(topic, key, value, writtenAt);
    this.run();
  }

  /** The same without running. */
  put<T>(topic: Topic<T>, key: string, value: T, writtenAt = timeOf(value)): void {
    this.#wall = Math.max(this.#wall, writtenAt);
    this.write(topic.name, key, topic.codec.encode(value));
  }

  /** Write a record as of the last tick without running: one that says it happened later is taken for a clock that is ahead. */
  write(topic: string, key: string | null, value: Buffer | null, partition = partitionOf(key ?? '', this.partitions)): void {
    this.#append({ topic, partition, key, value });
  }

  /** Time passes at the sources: to `time` (ms). */
  tick(time: number): void {
    this.#wall = time;
    const sources = new Set([...this.#topology.consumers.flatMap((consumer) => sourcesOf(consumer)), ...this.#orphans()].map(({ name }) => name));
    for (const topic of sources) this.#tickTopic(topic, { writer: 'source', time });
    this.run();
  }

  /** Run tasks in turn until none has anything to read; `look` after each commit. */
  run(look: () => void = () => {}): void {
    for (let busy = true; busy;) {
      busy = false;
      for (const hosted of this.#hosted) {
        while (this.#step(hosted)) {
          busy = true;
          look();
        }
      }
    }
  }

  /** The stores of the tasks, as views read them. */
  readonly openStore: OpenStore = (table, partition) =>
    this.#hosted.find((hosted) => hosted.consumer.table.name === table && hosted.partition === partition)!.store;

  /** Decoded records of a topic, in order of partition and offset. */
  read<T>(topic: Topic<T>): T[] {
    return this.records(topic.name).filter(({ tick, value }) => !tick && value).map(({ value }) => topic.codec.decode(value));
  }

  records(topic: string): LogRecord[] {
    return Array.from({ length: this.partitions }, (_, partition) => this.#log.get(`${topic}/${partition}`) ?? []).flat();
  }

  /** A row as committed. */
  row<T>(consumer: string, kind: RowKind<T>, key: string, sub = ''): T | undefined {
    for (const hosted of this.#hosted) {
      if (hosted.consumer.name !== consumer) continue;
      const value = hosted.store.get(rowKey(key, restOf(kind.name, sub)));
      if (value) return kind.codec.decode(value);
    }
    return undefined;
  }

  /** Subs of the rows of a kind and key, as committed. */
  subs<T>(consumer: string, kind: RowKind<T>, key: string): string[] {
    const { start, end } = rowRange(key, kind.name);
    return this.#hosted.filter((hosted) => hosted.consumer.name === consumer).flatMap(({ store }) => [...store.range(start, end)].map((row) => row.key.slice(start.length)));
  }

  /** All rows of a consumer as hex, for comparing whole states. */
  dump(consumer: string): string[] {
    return this.#hosted.filter((hosted) => hosted.consumer.name === consumer)
      .flatMap(({ store, partition }) => [...store.range('', '\uffff')].map(({ key, value }) => `${partition} ${JSON.stringify(key)} ${value.toString('hex')}`));
  }

  count(metric: string): number {
    return this.counts.get(metric) ?? 0;
  }

  /** Streams that no consumer under test writes: their ticks come from the driver, in the name of their absent writer. */
  #orphans(): Topic[] {
    const written = new Set(this.#topology.consumers.flatMap(({ outputs }) => outputs.map(({ topic }) => topic.name)));
    return this.#topology.consumers.flatMap(({ inputs }) => inputs.map(({ topic }) => topic)).filter(({ name, kind }) => kind === 'stream' && !written.has(name));
  }

  #tickTopic(topic: string, tick: Tick): void {
    for (let partition = 0; partition < this.partitions; partition++) this.#append({ topic, partition, key: null, value: null, tick });
  }

  #append({ topic, partition, key, value, tick }: NewRecord): void {
    const records = this.#log.get(`${topic}/${partition}`) ?? [];
    records.push({ topic, partition, offset: records.length, key, value, tick: tick ?? null, writtenAt: this.#wall });
    this.#log.set(`${topic}/${partition}`, records);
  }

  #start(consumer: Consumer, partition: number, store: TableStore, checksRows = false): Task {
    const orphans = new Set(this.#orphans().map(({ name }) => name));
    const inputs = tickedInputs(this.#topology, consumer, partition, this.partitions)
      .map((input) => (orphans.has(input.topic) ? { ...input, writers: ['source'] } : input));
    const metrics: Metrics = { ...noMetrics, count: (name, _labels, by = 1) => { this.counts.set(name, this.count(name) + by); } };
    return new Task({ consumer, partition, partitions: this.partitions, store, tickedInputs: inputs, clock: this.#options.clock ?? 'wall', slackMs: 2_500, metrics, checksRows });
  }

  #step(hosted: Hosted): boolean {
    const { consumer, partition, store, task } = hosted;
    const limit = this.#options.batch?.() ?? 1_000;
    const records: LogRecord[] = [];
    for (const { name } of inputTopics(consumer)) {
      if (task.waiting.has(name)) continue;
      records.push(...(this.#log.get(`${name}/${partition}`) ?? []).slice(task.offsets[name] ?? 0).slice(0, limit - records.length));
    }
    if (records.length === 0) return false;
    task.process(records);
    const crash = task.crash ? undefined : this.#options.crash?.();
    if (crash === 'lost') {
      hosted.task = this.#start(consumer, partition, store);
      return true;
    }
    let staged: Staged;
    try {
      staged = task.stage();
    } catch (error) {
      if (!(error instanceof RowTooLarge)) throw error;
      hosted.task = this.#start(consumer, partition, store, true);
      return true;
    }
    const { outputs, rows } = staged;
    for (const output of outputs) this.#append(output);
    for (const row of rows) this.#append({ topic: consumer.table.name, partition, ...row });
    if (crash === 'kept') {
      const table = this.#log.get(`${consumer.table.name}/${partition}`)!;
      store.apply(table.slice(store.position).map(({ key, value }) => ({ key: key!, value })), table.length);
      hosted.task = this.#start(consumer, partition, store);
      return true;
    }
    store.apply(rows, this.#log.get(`${consumer.table.name}/${partition}`)!.length);
    task.committed();
    if (task.crash) hosted.task = this.#start(consumer, partition, store);
    return true;
  }
}

const timeOf = (value: unknown): number => (typeof value === 'object' && value !== null && 'time' in value && typeof value.time === 'number' ? value.time : 0);
