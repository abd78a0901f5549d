/** Lets one or more pollers wait until something happens or their time is over. */
export class Arrival {
  #waiting = new Set<() => void>();

  announce(): void {
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const wake of waiting) wake();
  }

  wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.#waiting.add(wake);
    });
  }

  /** Ask `attempt` until it answers with records, at most for `waitMs`; the last answer may be empty. */
  async poll<T>(waitMs: number, attempt: () => readonly T[] | undefined): Promise<readonly T[]> {
    const deadline = performance.now() + waitMs;
    for (;;) {
      const found = attempt();
      if (found === undefined || found.length > 0) return found ?? [];
      const left = deadline - performance.now();
      if (left <= 0) return [];
      await this.wait(Math.ceil(left));
    }
  }
}
