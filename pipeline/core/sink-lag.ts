import type { Log, LogRecord } from './log.js';
import type { Metrics } from './metrics.js';

const TELL_EVERY_MS = 1_000;

/**
 * How far one partition of a sink is behind, told by the second: in records that stand in the log and not in the table, as far as is known, and in
 * the age of the oldest of them. Where ticks come by the wall's clock a topic that had some is never silent: if it is, the silence counts.
 */
export class SinkLag {
  readonly #telling: NodeJS.Timeout;
  #rows = 0;
  #oldestAt: number | undefined;
  #lastAgeMs = 0;
  #tickedAt: number | undefined;

  /** `unread`: records that are known of and were not taken; `now` in ms. */
  constructor(
    readonly metrics: Metrics,
    readonly labels: { readonly table: string; readonly partition: string },
    readonly unread: () => number,
    readonly now: () => number,
    readonly clock: Log['clock'],
  ) {
    this.#telling = setInterval(() => this.tell(), TELL_EVERY_MS).unref();
    this.tell();
  }

  /** Records were taken; `rows` is how many rows wait to be written now. */
  took(records: readonly LogRecord[], rows: number): void {
    if (this.clock === 'wall' && records.some(({ tick }) => tick !== null)) this.#tickedAt = this.now();
    this.#rows = rows;
    if (rows > 0) this.#oldestAt ??= records.find(({ tick, value }) => tick === null && value !== null)?.writtenAt;
  }

  /** All that was taken is in the table. */
  wrote(): void {
    this.#lastAgeMs = this.#oldestAt === undefined ? 0 : this.now() - this.#oldestAt;
    [this.#rows, this.#oldestAt] = [0, undefined];
  }

  tell(): void {
    const records = this.unread() + this.#rows;
    const silentMs = this.#tickedAt === undefined ? 0 : this.now() - this.#tickedAt;
    // Between two blocks of a backlog nothing is held; what comes next is as old as what was written last.
    const ageMs = this.#oldestAt === undefined ? (records > 0 ? this.#lastAgeMs : 0) : this.now() - this.#oldestAt;
    this.#show(records, Math.max(0, ageMs, silentMs));
  }

  /** Another process has the partition from now on: what this one told last must not stand. */
  stop(): void {
    clearInterval(this.#telling);
    this.#show(0, 0);
  }

  #show(records: number, ms: number): void {
    this.metrics.gauge('millrace_sink_lag_records', records, this.labels);
    this.metrics.gauge('millrace_sink_lag_seconds', ms / 1_000, this.labels);
  }
}
