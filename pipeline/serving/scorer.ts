import { randomUUID } from 'node:crypto';
import { profiles } from '../../consumers/shoppers.js';
import type { After, RecommendRequest, ScoreRequest, ShopperRef, SimilarRequest } from '../../infra/http/doors.js';
import { badRequest, refuse } from '../../infra/http/problem.js';
import { formatMoney } from '../../producers/money.js';
import { clickstream, recommendations, userProfiles } from '../../schemas/topics.js';
import type { Product, UserProfile } from '../../schemas/types.js';
import type { NewRecord } from '../core/log.js';
import type { Metrics } from '../core/metrics.js';
import { partitionOf } from '../core/partition.js';
import { readFilter, type Matches } from './filter.js';
import type { Items } from './items.js';
import type { Ranked, Ranking } from './rank.js';
import type { Views } from './views.js';

export const MODEL = 'covisitation-embedding/1';
const AFTER_DEADLINE_MS = 200;
const CONTEXT = 10;

export interface ScorerParts {
  readonly views: Views;
  readonly items: Items;
  readonly ranking: Ranking;
  readonly metrics: Metrics;
  /** Tell the log what was recommended; not waited for. */
  readonly remember: (record: NewRecord) => void;
  /** Whether the learned state has caught up with the log. */
  readonly isReady: () => boolean;
  readonly now: () => number;
}

interface Shopper {
  readonly key: string;
  readonly profile: UserProfile | undefined;
  /** Items touched last, latest first. */
  readonly recent: readonly string[];
  readonly isStale: boolean;
}

/** Answers what a shopper should see: from views in memory and LMDB, with reasons; never an item bought or dismissed. */
export class Scorer {
  readonly #parts: ScorerParts;

  constructor(parts: ScorerParts) {
    this.#parts = parts;
  }

  async recommend(request: RecommendRequest): Promise<object> {
    const { items, ranking, metrics } = this.#parts;
    const matches = matchesOf(request.filter);
    const shopper = await this.#shopper(request, request.after);
    const refused = new Set([...request.exclude, ...(shopper.profile?.bought ?? []), ...(shopper.profile?.dismissed ?? [])]);
    if (request.items === null && shopper.recent[0] !== undefined) refused.add(shopper.recent[0]);
    const may = (sku: string): boolean => !refused.has(sku) && items.mayShow(sku) && passes(items, sku, matches);
    const ranked = request.items === null
      ? ranking.rank(shopper.recent, request.limit, may)
      : ranking.score(shopper.recent, request.items.filter(may)).slice(0, request.limit);
    const recommendationId = randomUUID();
    this.#remember(recommendationId, shopper, request.placement, ranked);
    metrics.count('millrace_recommendations_total', { kind: shopper.recent.length > 0 ? 'personal' : 'trending' });
    return {
      recommendationId,
      items: ranked.map((item) => this.#shown(item, request.explain)),
      model: shopper.recent.length > 0 ? MODEL : 'trending/1',
      ...this.#freshness(shopper),
    };
  }

  async score(request: ScoreRequest): Promise<object> {
    const shopper = await this.#shopper(request, request.after);
    const { items, ranking } = this.#parts;
    const known = request.items.filter((sku) => ranking.knows(sku) || items.product(sku));
    return {
      items: ranking.score(shopper.recent, request.items).map((item) => this.#shown(item, request.explain)),
      unknown: request.items.filter((sku) => !known.includes(sku)),
      model: MODEL,
      ...this.#freshness(shopper),
    };
  }

  similar(request: SimilarRequest): object {
    const { items, ranking } = this.#parts;
    if (!ranking.knows(request.sku) && !items.product(request.sku)) throw refuse(404, `No item is known as product_id ${request.sku}.`);
    const matches = matchesOf(request.filter);
    const refused = new Set([request.sku, ...request.exclude]);
    const ranked = ranking.rank([request.sku], request.limit, (sku) => !refused.has(sku) && items.mayShow(sku) && passes(items, sku, matches));
    return { sku: request.sku, items: ranked.map((item) => ({ ...this.#shown(item, false), reasons: [{ code: 'similar_to', sku: request.sku, text: `Similar to ${items.product(request.sku)?.name ?? request.sku}` }] })), model: MODEL };
  }

  /** What a shopper would see now, without telling the log. */
  async preview(shopper: string, limit: number): Promise<readonly Ranked[]> {
    const { recent, profile } = await this.#shopper({ userId: shopper, anonymousId: null, trusted: true }, null);
    const refused = new Set([recent[0], ...(profile?.bought ?? []), ...(profile?.dismissed ?? [])]);
    return this.#parts.ranking.rank(recent, limit, (sku) => !refused.has(sku) && this.#parts.items.mayShow(sku));
  }

  /** What is kept of a shopper. */
  user(id: string): object | undefined {
    const { views } = this.#parts;
    const key = views.canonical(userProfiles, id);
    const profile = views.row(userProfiles, profiles, key);
    return profile && { id: key, ...profile };
  }

  async #shopper(ref: ShopperRef, after: After | null): Promise<Shopper> {
    const { views, isReady } = this.#parts;
    const asked = ref.userId ?? ref.anonymousId ?? '';
    const wanted = after && { ...after, positions: after.positions.filter(({ topic }) => topic === clickstream.name) };
    const seen = await views.until(userProfiles, () => !wanted || views.reflects(userProfiles, asked, wanted), AFTER_DEADLINE_MS);
    const key = views.canonical(userProfiles, asked);
    const kept = views.row(userProfiles, profiles, key);
    // A write key is public and an id can be claimed: a known user's history is for those who prove to be that user.
    const profile = kept?.known && !ref.trusted ? undefined : kept;
    return { key, profile, recent: recentOf(profile), isStale: !seen || !isReady() };
  }

  #freshness({ isStale, profile }: Shopper): object {
    return { ...(isStale ? { stale: true } : {}), freshness: { lastEventAt: profile ? new Date(profile.lastSeen).toISOString() : null, caughtUp: this.#parts.isReady() } };
  }

  #shown({ sku, score, contributions, because }: Ranked, explain: boolean): object {
    const { items } = this.#parts;
    const product = items.product(sku);
    return {
      sku,
      score,
      name: product?.name ?? null,
      price: priceOf(product),
      reasons: because === null
        ? [{ code: 'trending', text: 'Popular right now' }]
        : [{ code: 'because_you_viewed', sku: because, text: `Because you viewed ${items.product(because)?.name ?? because}` }],
      ...(explain ? { contributions } : {}),
    };
  }

  #remember(recommendationId: string, { key, isStale }: Shopper, placement: string | null, ranked: readonly Ranked[]): void {
    const { now, remember, views } = this.#parts;
    const value = recommendations.codec.encode({
      recommendationId, shopper: key, placement, time: now(), model: MODEL, stale: isStale,
      items: ranked.map(({ sku, score, because }) => ({ sku, score, reason: because === null ? 'trending' : 'because_you_viewed' })),
    });
    remember({ topic: recommendations.name, partition: partitionOf(key, views.partitions), key, value });
  }
}

/** Items of the current session where it has any, else the latest ones. */
function recentOf(profile: UserProfile | undefined): string[] {
  if (!profile) return [];
  const ofSession = profile.recent.filter(({ time }) => time >= profile.sessionStart);
  return (ofSession.length > 0 ? ofSession : profile.recent).slice(0, CONTEXT).map(({ sku }) => sku);
}

const passes = (items: Items, sku: string, matches: Matches | undefined): boolean => {
  if (!matches) return true;
  const product = items.product(sku);
  return product !== undefined && matches(product);
};

/** @throws Refusal 400 naming every wrong condition */
function matchesOf(filter: RecommendRequest['filter']): Matches | undefined {
  if (filter === null) return undefined;
  const read = readFilter(filter);
  if ('errors' in read) throw badRequest(read.errors.map((error) => ({ ...error, code: 'invalid_filter' as const })));
  return read.matches;
}

const priceOf = (product: Product | undefined): string | null => (product === undefined || product.price === null ? null : formatMoney(product.price));
