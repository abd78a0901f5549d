import { setImmediate as nextTurn } from 'node:timers/promises';
import { UndecodableError } from '../../schemas/codec.js';
import type { LogRecord } from './log.js';
import { JsonLines } from './json-lines.js';
import type { Row, SinkPorts, SinkSpec } from './row-sink.js';

const SLICE = 32;

/** Rows of one partition in offset order, ready to be inserted as one block. */
export interface Block {
  readonly first: number;
  readonly last: number;
  readonly rows: number;
  readonly columns: readonly string[];
  readonly lines: readonly Buffer[];
}

/** Collects the rows of one block. Ticks and tombstones have offsets and no rows. */
export class BlockBuilder {
  rows = 0;
  #first = 0;
  #last = 0;
  #columns: readonly string[] = [];
  readonly #lines = new JsonLines();

  constructor(
    readonly spec: SinkSpec,
    readonly ports: SinkPorts,
  ) {}

  get bytes(): number {
    return this.#lines.length;
  }

  /** Encode in slices: on a laptop the collector and all tasks share this thread. */
  async add(records: readonly LogRecord[]): Promise<void> {
    for (let at = 0; at < records.length; at += SLICE) {
      const before = this.rows;
      for (const record of records.slice(at, at + SLICE)) if (record.tick === null && record.value !== null) this.#add(record);
      if (this.rows > before) await nextTurn();
    }
  }

  block(): Block | undefined {
    return this.rows === 0 ? undefined : { first: this.#first, last: this.#last, rows: this.rows, columns: this.#columns, lines: this.#lines.pieces() };
  }

  #add(record: LogRecord): void {
    let row: Row;
    try {
      row = this.spec.encode(record);
    } catch (error) {
      // A schema that this process does not know is not the record's fault: skipping it would lose good rows.
      if (!(error instanceof UndecodableError) || error.code === 'unknown_schema') throw error;
      this.ports.metrics.count('millrace_sink_skipped_total', { table: this.spec.table, code: error.code });
      this.ports.journal.error({ err: error, topic: record.topic, partition: record.partition, offset: record.offset }, 'A record of a clean log cannot be decoded and has no row.');
      return;
    }
    if (this.rows === 0) {
      this.#first = record.offset;
      this.#columns = Object.keys(row);
    }
    this.#last = record.offset;
    this.rows++;
    this.#lines.add(row);
  }
}
