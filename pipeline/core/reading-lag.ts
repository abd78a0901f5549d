import type { LogRecord } from './log.js';
import type { Metrics } from './metrics.js';

const TELL_EVERY_MS = 1_000;

/** How far behind a reader outside the tasks is (a learner's, the scorer's tables'), told as tasks tell it, at each reading and by the second. */
export class ReadingLag {
  readonly #metrics: Metrics;
  readonly #labels: { readonly consumer: string; readonly partition: string };
  readonly #isTicked: boolean;
  readonly #telling: NodeJS.Timeout;
  /** Nobody knows before the first reading, and 0 would say that nothing is left. */
  #records: number | undefined;
  #ageMs = 0;
  #heardAt = performance.now();

  /**
   * `isTicked`: something is to be read every second or so, as on the wall's clock. Then silence is a lag of its own: a reader that is
   * cut off from the log, or hangs, knows of no record that it lacks.
   */
  constructor(metrics: Metrics, consumer: string, isTicked: boolean, partition = 'all') {
    this.#metrics = metrics;
    this.#labels = { consumer, partition };
    this.#isTicked = isTicked;
    this.#telling = setInterval(() => this.#tell(), TELL_EVERY_MS);
    this.#telling.unref();
  }

  /** What was read and worked off, and how many records are left. Ticks, which cross threads without their time, have no value. */
  read(records: readonly LogRecord[], left: number): void {
    const { consumer } = this.#labels;
    const told = records.filter(({ value }) => value !== null);
    this.#records = left;
    this.#ageMs = told.length > 0 ? Math.max(0, Date.now() - told.reduce((oldest, { writtenAt }) => Math.min(oldest, writtenAt), Infinity)) : 0;
    if (records.length > 0) {
      this.#heardAt = performance.now();
      this.#metrics.count('millrace_commits_total', { consumer });
    }
    if (told.length > 0) this.#metrics.count('millrace_records_total', { consumer }, told.length);
    this.#tell();
  }

  /** Somebody else reads from now on, or nobody: what was told last must not stand. */
  stop(): void {
    clearInterval(this.#telling);
    this.#show(0, 0);
  }

  #tell(): void {
    this.#show(this.#records, Math.max(this.#ageMs, this.#isTicked ? performance.now() - this.#heardAt : 0));
  }

  #show(records: number | undefined, ms: number): void {
    if (records !== undefined) this.#metrics.gauge('millrace_consumer_lag_records', records, this.#labels);
    this.#metrics.gauge('millrace_consumer_lag_seconds', ms / 1000, this.#labels);
  }
}
