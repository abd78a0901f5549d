import type { Metrics } from './metrics.js';

type Labels = Readonly<Record<string, string>>;

/** What the records of a commit have counted: told once it is done, since a task that is dropped before takes the same records again. */
export class PendingCounts {
  readonly #pending: { readonly name: string; readonly labels: Labels }[] = [];

  add(name: string, labels: Labels): void {
    this.#pending.push({ name, labels });
  }

  /** How many there are: `backTo` it forgets those that follow. */
  get length(): number {
    return this.#pending.length;
  }

  backTo(length: number): void {
    this.#pending.length = length;
  }

  tell(metrics: Metrics): void {
    for (const { name, labels } of this.#pending) metrics.count(name, labels);
    this.backTo(0);
  }
}
