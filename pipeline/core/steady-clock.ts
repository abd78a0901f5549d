/** Less is a correction of the clock, or a machine that was busy. */
const LEAP_MS = 30_000;
/** So long a leap has to last before it is believed. */
const DOUBTED_MS = 60_000;

/**
 * The wall clock, but for leaps ahead that do not last. Time that was written to the log never goes back: a minute of a wrong date
 * would fire every timer until then, and hold all later ones until the date has come. A leap is believed once it has lasted a
 * minute (a machine that slept); until then time goes on at its own pace. Leaps back are followed at once, since tasks ignore them.
 */
export class SteadyClock {
  readonly #wall: () => number;
  readonly #elapsed: () => number;
  /** Wall time at elapsed 0, as it is believed, and as the clock says since it has leapt. */
  #origin: number;
  #leapt: { readonly origin: number; readonly since: number } | undefined;

  /** Both in ms; `elapsed` never goes back. Answers are whole. */
  constructor(wall: () => number = Date.now, elapsed: () => number = () => performance.now()) {
    this.#wall = wall;
    this.#elapsed = elapsed;
    this.#origin = wall() - elapsed();
  }

  readonly now = (): number => {
    const elapsed = this.#elapsed();
    const origin = this.#wall() - elapsed;
    if (origin - this.#origin <= LEAP_MS) this.#believe(origin);
    else if (!this.#leapt || Math.abs(origin - this.#leapt.origin) > LEAP_MS) this.#leapt = { origin, since: elapsed };
    else if (elapsed - this.#leapt.since >= DOUBTED_MS) this.#believe(origin);
    return Math.round(this.#origin + elapsed);
  };

  /** How far the wall clock is ahead of what is taken for the time, ms. */
  get doubtedMs(): number {
    return this.#leapt ? this.#leapt.origin - this.#origin : 0;
  }

  #believe(origin: number): void {
    this.#origin = origin;
    this.#leapt = undefined;
  }
}

/** What this process takes for the time. */
export const steadyClock = new SteadyClock();
