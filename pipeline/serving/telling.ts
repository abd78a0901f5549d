import * as fairShare from '../../models/fair-share.js';
import * as features from '../../models/features.js';
import { recommendations } from '../../schemas/topics.js';
import type { Recommendation } from '../../schemas/types.js';
import type { NewRecord } from '../core/log.js';
import type { ShownItem } from './showing.js';

/** As many as a learner remembers for the better part of an hour, until somebody chooses from them (models/shown-lists.ts). */
const A_SECOND = 10;
const ALL = 'all';

/**
 * Which answers the log is told with what the ranker saw, a byte a feature of each item: all of them up to ten a second of a process, beyond that as many,
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

/** What is shown, and what the ranker saw of it where that is to be told to the log. */
export interface Answer {
  readonly items: readonly ShownItem[];
  readonly features: Buffer | undefined;
}

const NOTHING = Buffer.alloc(0);

/** An answer as the log keeps it. Written out field by field: copying objects into each other takes as long as all the rest. */
export function recordOf(
  { recommendationId, placement, model, time }: Pick<Recommendation, 'recommendationId' | 'placement' | 'model' | 'time'>,
  { key, partition, isStale }: { readonly key: string; readonly partition: number; readonly isStale: boolean },
  { items, features: seen }: Answer,
): NewRecord {
  const value = recommendations.codec.encode({
    recommendationId, placement, model, time, shopper: key, stale: isStale,
    items: items.map(({ sku, score, reasons, propensity }) => ({ sku, score, reason: reasons[0].code, propensity: propensity ?? 1 })),
    featureSet: seen ? features.SET : '', features: seen ?? NOTHING,
  });
  return { topic: recommendations.name, partition, key, value };
}
