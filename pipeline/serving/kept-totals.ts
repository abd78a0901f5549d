/** A total costs a forecast of each SKU in it: one is answered again for so many times as long as it took to work out. */
const KEPT_TIMES = 20;
const MOST_KEPT = 256;

interface Kept {
  readonly answer: Promise<object | undefined>;
  /** By the wall clock; Infinity while it is worked out. */
  until: number;
}

/**
 * Totals that were asked for lately. Whoever asks for the same while it is worked out waits for the same, so that a category of
 * any size, asked as often as may be, takes a twentieth of a processor at most. A small one is as good as fresh.
 */
export class KeptTotals {
  readonly #kept = new Map<string, Kept>();
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  of(key: string, make: () => Promise<object | undefined>): Promise<object | undefined> {
    const began = this.#now();
    for (const [other, { until }] of this.#kept) if (until <= began || this.#kept.size > MOST_KEPT) this.#kept.delete(other);
    const known = this.#kept.get(key);
    if (known) return known.answer;
    const kept: Kept = { answer: make(), until: Infinity };
    this.#kept.set(key, kept);
    kept.answer.then(
      () => { kept.until = this.#now() + KEPT_TIMES * (this.#now() - began); },
      () => this.#kept.delete(key),
    );
    return kept.answer;
  }
}
