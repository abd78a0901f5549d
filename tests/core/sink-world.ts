import { ConfigError, Unavailable } from '../../pipeline/core/errors.js';
import type { Lease, LogRecord } from '../../pipeline/core/log.js';
import { noMetrics, silentJournal, type Journal, type Metrics } from '../../pipeline/core/metrics.js';
import type { RowSink, SinkPorts, SinkSpec } from '../../pipeline/core/row-sink.js';
import { UndecodableError } from '../../schemas/codec.js';

/** The process died: whatever it was about to do is not done. */
export class Crash extends Error {}

export const numbers: SinkSpec = {
  name: 'clickhouse-numbers',
  topic: 'numbers',
  table: 'numbers',
  encode: ({ value, offset }) => {
    if (value?.toString() === 'poison') throw new UndecodableError('undecodable', 'Not a number.');
    if (value?.toString() === 'newer') throw new UndecodableError('unknown_schema', 'Schema 99 is not known.');
    return { offset, value: value?.toString() };
  },
};

type Kind = 'data' | 'tick' | 'tombstone' | 'poison' | 'newer';

/**
 * What outlives a process: one partition of a log with its stored offset, and a table with one view, both deduplicating by
 * token. Every step of the world may be the last of a process, before or after it took effect.
 */
export class World {
  readonly records: LogRecord[] = [];
  start = 0;
  stored: { offset: number; metadata: string } | undefined;
  tableId = 'table-1';
  table: number[] = [];
  view: number[] = [];
  readonly tableTokens = new Set<string>();
  readonly viewTokens = new Set<string>();
  time = 1_000_000;
  readonly blocks: { token: string; rows: number; at: number }[] = [];
  readonly gauges = new Map<string, number>();
  readonly errors: string[] = [];
  readonly warnings: string[] = [];
  steps = 0;
  /** Polls that get nothing though there is something: the log does not answer. */
  away = 0;
  /** So many polls find nothing before the lease is revoked. */
  patience = 1;
  /** Called at each step; may throw. */
  onStep: (step: number, name: string) => void = () => {};

  add(kind: Kind, gap = 0): void {
    const offset = (this.records.at(-1)?.offset ?? -1) + 1 + gap;
    this.records.push({
      topic: 'numbers', partition: 0, offset, key: kind === 'tick' ? null : 'k',
      value: kind === 'tick' || kind === 'tombstone' ? null : Buffer.from(kind === 'data' ? String(offset) : kind),
      tick: kind === 'tick' ? { writer: 'source', time: this.time } : null, writtenAt: 0,
    });
  }

  get expected(): number[] {
    return this.records.filter(({ value }) => value !== null && value.toString() !== 'poison').map(({ offset }) => offset);
  }

  #step(name: string): void {
    this.onStep(this.steps++, name);
  }

  /** A lease that is revoked once everything was read and the sink has waited for more; `chunk` is what one poll gives. */
  lease(chunk = Infinity): { lease: Lease; revoke: () => void } {
    const controller = new AbortController();
    let at = 0;
    let idle = 0;
    const unexpected = async (): Promise<never> => {
      throw new Error('A sink does not ask for this.');
    };
    const lease: Lease = {
      partition: 0,
      revoked: controller.signal,
      seek: async (offsets) => {
        this.#step('seek');
        const to = offsets['numbers'] ?? this.start;
        const end = (this.records.at(-1)?.offset ?? -1) + 1;
        if (to < this.start || to > end) throw new ConfigError([`Offset ${to} lies outside the log.`]);
        at = this.records.findIndex(({ offset }) => offset >= to);
        if (at < 0) at = this.records.length;
      },
      poll: async (max, waitMs) => {
        this.#step('poll');
        if (this.away > 0) {
          this.away--;
          this.time += waitMs;
          return [];
        }
        const taken = this.records.slice(at, at + Math.min(max, chunk));
        at += taken.length;
        if (taken.length === 0) {
          this.time += waitMs;
          if (waitMs >= 1_000 && ++idle > this.patience) controller.abort();
        }
        return taken;
      },
      lineages: () => ({}),
      lag: () => ({ numbers: this.records.length - at }),
      storedOffset: async () => {
        this.#step('storedOffset');
        return this.stored;
      },
      storeOffset: async (_topic, offset, metadata) => {
        this.#step('before storeOffset');
        this.stored = { offset, metadata };
        this.#step('after storeOffset');
      },
      fence: unexpected, tableRange: unexpected, readTable: unexpected, commit: unexpected, confirmed: unexpected,
    };
    return { lease, revoke: () => controller.abort() };
  }

  get sink(): RowSink {
    const within = (from: number, to: number) => this.table.filter((offset) => offset >= from && offset <= to);
    return {
      engine: 'clickhouse',
      ensure: async () => this.#step('ensure'),
      tableId: async () => {
        this.#step('tableId');
        return this.tableId;
      },
      insert: async (_table, columns, lines, token) => {
        const offsets = Buffer.concat(lines).toString().trim().split('\n').map((line) => Number(JSON.parse(line)[columns.indexOf('offset')]));
        this.blocks.push({ token, rows: offsets.length, at: this.time });
        this.#step('before insert');
        if (!this.tableTokens.has(token)) this.table.push(...offsets);
        this.tableTokens.add(token);
        this.#step('table written, view not');
        if (!this.viewTokens.has(token)) this.view.push(...offsets);
        this.viewTokens.add(token);
        this.#step('after insert');
      },
      countRows: async (_table, _topic, _partition, from, to) => within(from, to).length,
      lastOffset: async () => (this.table.length === 0 ? undefined : Math.max(...this.table)),
      erase: async () => {},
      query: async () => [],
      look: async () => [],
      close: async () => {},
    };
  }

  get ports(): SinkPorts {
    const metrics: Metrics = { ...noMetrics, gauge: (name, value, labels) => void this.gauges.set(`${name}{${labels?.['table']}}`, value) };
    const journal: Journal = { ...silentJournal, warn: (_fields, sentence) => void this.warnings.push(sentence), error: (_fields, sentence) => void this.errors.push(sentence) };
    return { metrics, journal, clock: 'wall', now: () => this.time, sleep: async (ms) => void (this.time += ms) };
  }

  get stopped(): boolean {
    return this.gauges.get('millrace_sink_stopped{numbers}') === 1;
  }
}

/** Throw at these steps, counted from now, whatever the step is. */
export function crashAt(world: World, steps: readonly number[]): void {
  const first = world.steps;
  world.onStep = (step, name) => {
    if (steps.includes(step - first)) throw new Crash(name);
  };
}

/** Answer `Unavailable` at these steps, counted from now. */
export function unavailableAt(world: World, steps: readonly number[]): void {
  const first = world.steps;
  world.onStep = (step, name) => {
    if (steps.includes(step - first)) throw new Unavailable(name);
  };
}
