import { profiles } from '../../consumers/shoppers.js';
import type { ShopperRef } from '../../infra/http/doors.js';
import { userProfiles } from '../../schemas/topics.js';
import type { UserProfile } from '../../schemas/types.js';
import { partitionOf } from '../core/partition.js';
import type { Items } from './items.js';
import type { Ranking } from './rank.js';
import type { Touched } from './showing.js';
import type { Views } from './views.js';

/** Latest items that are looked at: of a visit, and where nobody takes an item twice of the whole history that is kept. */
const CONTEXT = 10;
const HISTORY = 50;

/** What is known of shoppers, and of how well it is known. */
export interface ShopperParts {
  readonly views: Views;
  readonly items: Items;
  readonly ranking: Ranking;
  /** Whether the learned state has caught up with the log. */
  readonly isReady: () => boolean;
  /** Whether what shoppers of a partition did lately is not in their profiles yet. */
  readonly isBehind: (partition: number) => boolean;
  /** Whether shoppers buy an item again: what was bought comes, where a question does not say. */
  readonly repurchases: boolean;
}

/** Who an answer is for. */
export interface Shopper extends Touched {
  readonly key: string;
  readonly partition: number;
  readonly profile: UserProfile | undefined;
  /** SKUs that must not come: bought, unless they may be bought again, and dismissed. */
  readonly refused: readonly (readonly string[])[];
  /** Whether all that happened until now is reflected, but for the last seconds; and whether that, and what was to be waited for, is not. */
  readonly isCurrent: boolean;
  readonly isStale: boolean;
  /** Whether what was to be waited for is reflected; undefined: nothing was. */
  readonly sawAfter: boolean | undefined;
}

/** Asked and used without waiting in between: numbers of items may change hands as soon as something else is learned. */
export function shopperOf(parts: ShopperParts, ref: ShopperRef, sawAfter?: boolean, excludePurchased: boolean | null = null): Shopper {
  const { views, items, isReady, isBehind, repurchases } = parts;
  const asked = ref.userId ?? ref.anonymousId ?? '';
  // An id that leads to another one has no row: it moved with the merge, in the same commit.
  const own = views.row(userProfiles, profiles, asked);
  const key = own ? asked : views.canonical(userProfiles, asked);
  const kept = own ?? (key === asked ? undefined : views.row(userProfiles, profiles, key));
  // A write key is public and an id can be claimed: a known user's history is for those who prove to be that user.
  const profile = kept?.known && !ref.trusted ? undefined : kept;
  const partition = partitionOf(key, views.partitions);
  const isCurrent = isReady() && !isBehind(partition);
  const refused = profile ? [excludePurchased ?? !repurchases ? profile.bought : [], profile.dismissed] : [];
  return { key, partition, profile, refused, recent: recentOf(parts, profile), eventOf: (item) => profile?.recent.find(({ sku }) => items.number(sku) === item)?.event, isCurrent, isStale: sawAfter === false || !isCurrent, sawAfter };
}

/** With the product of the page as the latest click. One that nobody has touched says nothing as a click. */
export function onPage({ items, ranking }: ShopperParts, shopper: Shopper, context: string | null): Shopper {
  const page = context === null ? -1 : items.number(context);
  if (page < 0 || ranking.isNew(page) || shopper.recent[0] === page) return shopper;
  return { ...shopper, eventOf: (item) => (item === page ? undefined : shopper.eventOf(item)), recent: Int32Array.of(page, ...shopper.recent.subarray(0, ranking.repeats ? CONTEXT - 1 : HISTORY)) };
}

/** Items of the current session where it has any, else the latest ones; where nobody takes an item twice all that are kept, each once. */
function recentOf({ items, ranking }: ShopperParts, profile: UserProfile | undefined): Int32Array {
  if (!profile) return new Int32Array(0);
  if (!ranking.repeats) return Int32Array.from(new Set(numbersSince(items, profile.recent, -Infinity, HISTORY)));
  const ofSession = numbersSince(items, profile.recent, profile.sessionStart);
  return ofSession.length > 0 ? ofSession : numbersSince(items, profile.recent, -Infinity);
}

function numbersSince(items: Items, recent: UserProfile['recent'], start: number, most = CONTEXT): Int32Array {
  const numbers = new Int32Array(most);
  let known = 0;
  for (const { sku, time } of recent) {
    const number = time >= start && known < most ? items.number(sku) : -1;
    if (number >= 0) numbers[known++] = number;
  }
  return numbers.subarray(0, known);
}
