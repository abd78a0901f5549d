import type { Topic } from '../../schemas/topics.js';
import type { NewRecord } from './log.js';
import type { Metrics } from './metrics.js';
import { requireFit } from './sizes.js';

type Labels = Readonly<Record<string, string>>;

/**
 * What the records since the last commit have written and counted, with undo back to the last `mark`. Counts are told once a commit is done: a
 * task that is dropped before it takes the same records again.
 */
export class Staging {
  #outputs: NewRecord[] = [];
  readonly #counts: { readonly name: string; readonly labels: Labels }[] = [];
  #marked = { outputs: 0, counts: 0 };

  get outputs(): readonly NewRecord[] {
    return this.#outputs;
  }

  write(record: NewRecord): void {
    this.#outputs.push(record);
  }

  count(name: string, labels: Labels): void {
    this.#counts.push({ name, labels });
  }

  mark(): void {
    this.#marked = { outputs: this.#outputs.length, counts: this.#counts.length };
  }

  undo(): void {
    this.#outputs.length = this.#marked.outputs;
    this.#counts.length = this.#marked.counts;
  }

  committed(metrics: Metrics): void {
    for (const { name, labels } of this.#counts) metrics.count(name, labels);
    this.#counts.length = 0;
    this.#outputs = [];
  }
}

/** @throws BadEvent for a record that is too large for the log */
export function encoded<T>(topic: Topic<T>, value: T): Buffer {
  const bytes = topic.codec.encode(value);
  requireFit(`A record of ${topic.name}`, bytes.length);
  return bytes;
}
