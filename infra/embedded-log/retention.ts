import type { Position } from '../../pipeline/core/log.js';
import type { Topic } from '../../schemas/topics.js';
import type { Engine } from './engine.js';

/** Positions that are still needed: nothing at or after them may be dropped. */
export type Floor = () => readonly Position[] | Promise<readonly Position[]>;

/** Groups of webhooks, which send nothing that is older than a day: one whose endpoint is no longer named would hold back the log for ever. */
const NEEDS_NOTHING_OLD = /^webhook-/;

/**
 * Drops old segments, whole: when all that they hold is older than the longest retention, every group, open reader and
 * lease has passed them, and every floor says so too. Rows of a table are dropped only if a floor speaks for the table:
 * its local store is then the only place where they are.
 */
export class Retention {
  readonly #engine: Engine;
  readonly #floors: Floor[] = [];
  readonly #topics = new Map<string, Topic>();
  #sweeping = false;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  know(topics: readonly Topic[]): void {
    for (const topic of topics) this.#topics.set(topic.name, topic);
  }

  add(floor: Floor): void {
    this.#floors.push(floor);
  }

  /** Answers how many segments were dropped. */
  async sweep(): Promise<number> {
    const { files, options } = this.#engine;
    const horizon = options.now() - this.#longest();
    if (this.#sweeping || !this.#isOld(horizon)) return 0;
    this.#sweeping = true;
    try {
      const positions = (await Promise.all(this.#floors.map((floor) => floor()))).flat();
      let dropped = 0;
      for (; this.#isOld(horizon) && this.#isPassed(positions); dropped++) {
        files.dropOldest();
        const { offsets } = files.segments[0].header;
        for (const partition of this.#engine.catalogue.slots) partition.start = offsets[partition.slot] ?? 0;
      }
      return dropped;
    } finally {
      this.#sweeping = false;
    }
  }

  #longest(): number {
    // Before the topics are known nothing is old.
    return this.#topics.size === 0 ? Infinity : Math.max(...[...this.#topics.values()].map(({ retentionMs }) => retentionMs));
  }

  /** The oldest segment was sealed when the second one was created. */
  #isOld(horizon: number): boolean {
    const second = this.#engine.files.segments[1];
    return second !== undefined && second.header.createdAt <= horizon;
  }

  #isPassed(floors: readonly Position[]): boolean {
    const { catalogue, files } = this.#engine;
    const [first, second] = files.segments;
    const needed = new Map<number, number>();
    const need = (slot: number, offset: number): void => void needed.set(slot, Math.min(offset, needed.get(slot) ?? Infinity));
    for (const { topic, partition, offset } of floors) need(catalogue.partition(topic, partition).slot, offset);
    const spokenFor = new Set(needed.keys());
    for (const [group, slot, offset] of this.#engine.groupOffsets()) if (!NEEDS_NOTHING_OLD.test(group)) need(slot, offset);
    for (const { cursors } of this.#engine.inboxes) for (const { partition, next } of cursors) need(partition.slot, next);
    return catalogue.slots.every(({ slot, topic }) => {
      const end = second.header.offsets[slot] ?? 0;
      if (end === (first.header.offsets[slot] ?? 0)) return true;
      if (this.#topics.get(topic)?.kind === 'table' && !spokenFor.has(slot)) return false;
      return (needed.get(slot) ?? Infinity) >= end;
    });
  }
}
