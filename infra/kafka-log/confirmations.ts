/** When the group last said that this process is a member. */
export class Confirmations {
  #newest = 0;
  #waiting = new Set<() => void>();

  /** The group has answered a request sent at `sentAt`. */
  confirm(sentAt: number): void {
    this.#newest = Math.max(this.#newest, sentAt);
    for (const check of this.#waiting) check();
  }

  /** Resolves once an answer to a request sent after `since` is there, or when `given` is aborted. */
  after(since: number, given: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (this.#newest <= since && !given.aborted) return;
        this.#waiting.delete(check);
        given.removeEventListener('abort', check);
        resolve();
      };
      this.#waiting.add(check);
      given.addEventListener('abort', check);
      check();
    });
  }
}
