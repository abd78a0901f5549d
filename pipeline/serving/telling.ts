import * as fairShare from '../../models/fair-share.js';

/** As many as a learner remembers for the better part of an hour, until somebody chooses from them (models/shown-lists.ts). */
const A_SECOND = 10;
const ALL = 'all';

/**
 * Which answers the log is told with what the ranker saw, 48 bytes an item: all of them up to ten a second of a process, beyond that as many,
 * spread over the second. Of one shopper eight at once and six a minute, so that who asks all day does not take the others' turns.
 */
export class Telling {
  readonly #all = fairShare.init(fairShare.byTime(A_SECOND, 1_000 / A_SECOND));
  readonly #shoppers = fairShare.init(fairShare.byTime(8, 10_000));

  /** Whether this answer is one of them; it counts as one then. */
  isInFull(shopper: string, time: number): boolean {
    return fairShare.predict(this.#all, ALL, time) >= 1 && fairShare.learn(this.#shoppers, shopper, time) && fairShare.learn(this.#all, ALL, time);
  }
}
