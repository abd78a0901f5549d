/** By an item's last bits alone: the nearest memory holds so many. */
const HINTS = 1_024;
/** The largest number that a column holds. */
const MOST_REQUESTS = 2 ** 31 - 1;

/** Items that a request refuses. It is asked of hundreds of candidates, so each refusal is the request's number in a column. */
export class Refusals {
  readonly #most: number;
  readonly #hints = new Int32Array(HINTS);
  #by = new Int32Array(0);
  #request = 0;

  /** After `most` requests numbers begin anew. */
  constructor(most = MOST_REQUESTS) {
    this.#most = most;
  }

  /** A new request, among so many items: nothing is refused. */
  begin(items: number): void {
    if (this.#by.length < items) this.#by = new Int32Array(Math.ceil(items * 1.5));
    else if (this.#request === this.#most) this.#by.fill(0);
    else {
      this.#request++;
      return;
    }
    this.#request = 1;
  }

  refuse(item: number): void {
    this.#by[item] = this.#hints[item & (HINTS - 1)] = this.#request;
  }

  has(item: number): boolean {
    return this.#hints[item & (HINTS - 1)] === this.#request && this.#by[item] === this.#request;
  }
}
