/**
 * Values by id, each of an owner and of a size in bytes. The oldest go while all together are larger than `bytes`, and an owner's own oldest
 * while the owner has more than `each`: whoever brings very many takes no room from others but that of so many.
 */
interface Entry<T> {
  readonly value: T;
  readonly bytes: number;
  /** Counts up, so that what was given stands where its age puts it. */
  readonly turn: number;
  owner: string;
}

/** How many had to go, and why. */
export interface Dropped {
  bytes: number;
  owner: number;
}

export class Shelf<T> {
  readonly #entries = new Map<string, Entry<T>>();
  /** By owner: ids, oldest first. */
  readonly #ids = new Map<string, string[]>();
  readonly #sizeOf: (id: string, value: T) => number;
  /** Where the oldest is looked for. A new walk each time would step over all that was deleted since the map was last rebuilt. */
  #walk = this.#entries.keys();
  #oldest: string | undefined;
  #bytes = 0;
  #turn = 0;
  readonly dropped: Dropped = { bytes: 0, owner: 0 };

  constructor(readonly most: { readonly bytes: number; readonly each: number }, sizeOf: (id: string, value: T) => number) {
    this.#sizeOf = sizeOf;
  }

  get size(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(id: string): T | undefined {
    return this.#entries.get(id)?.value;
  }

  has(id: string): boolean {
    return this.#entries.has(id);
  }

  /** A known id stays as it is. */
  add(id: string, owner: string, value: T): void {
    if (this.#entries.has(id)) return;
    const bytes = this.#sizeOf(id, value);
    this.#entries.set(id, { value, owner, bytes, turn: this.#turn++ });
    this.#bytes += bytes;
    this.#give(owner, [...this.idsOf(owner), id]);
    for (; this.#bytes > this.most.bytes && this.size > 1; this.dropped.bytes++) this.delete(this.#first() ?? '');
  }

  /** Another value of a known id, which keeps its age and its owner. */
  replace(id: string, value: T): void {
    const entry = this.#entries.get(id);
    if (!entry) return;
    const bytes = this.#sizeOf(id, value);
    this.#entries.set(id, { ...entry, value, bytes });
    this.#bytes += bytes - entry.bytes;
  }

  /** Gives all that one owner has to another. */
  move(from: string, to: string): void {
    const ids = this.#ids.get(from);
    if (!ids || from === to) return;
    this.#ids.delete(from);
    for (const id of ids) this.#entries.get(id)!.owner = to;
    this.#give(to, [...this.idsOf(to), ...ids].sort((a, b) => this.#entries.get(a)!.turn - this.#entries.get(b)!.turn));
  }

  /** Ids of an owner, oldest first. */
  idsOf(owner: string): readonly string[] {
    return this.#ids.get(owner) ?? [];
  }

  delete(id: string): void {
    const entry = this.#entries.get(id);
    if (!entry) return;
    this.#entries.delete(id);
    // Added again it would be the newest.
    if (id === this.#oldest) this.#oldest = undefined;
    this.#bytes -= entry.bytes;
    const left = this.idsOf(entry.owner).filter((other) => other !== id);
    if (left.length > 0) this.#ids.set(entry.owner, left);
    else this.#ids.delete(entry.owner);
  }

  /** The one that was added first. */
  oldest(): T | undefined {
    const id = this.#first();
    return id === undefined ? undefined : this.get(id);
  }

  deleteOldest(): void {
    const id = this.#first();
    if (id !== undefined) this.delete(id);
  }

  /** Id, owner and value, oldest first. */
  *[Symbol.iterator](): IterableIterator<[string, string, T]> {
    for (const [id, { owner, value }] of this.#entries) yield [id, owner, value];
  }

  #give(owner: string, ids: readonly string[]): void {
    this.#ids.set(owner, [...ids]);
    for (let over = ids.length - this.most.each; over > 0; over--, this.dropped.owner++) this.delete(this.idsOf(owner)[0]);
  }

  #first(): string | undefined {
    while (this.#oldest === undefined || !this.#entries.has(this.#oldest)) {
      const next = this.#walk.next();
      if (!next.done) this.#oldest = next.value;
      else if (this.size === 0) return undefined;
      // A walk that came to its end stays there, whatever is added.
      else this.#walk = this.#entries.keys();
    }
    return this.#oldest;
  }
}
