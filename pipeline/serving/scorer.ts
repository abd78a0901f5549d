import { randomUUID } from 'node:crypto';
import { profiles } from '../../consumers/shoppers.js';
import { aliases, aliasOf } from '../../consumers/shoppers/aliases.js';
import type { After, RecommendRequest, ScoreRequest, ShopperRef, SimilarRequest } from '../../infra/http/doors.js';
import { refuse } from '../../infra/http/problem.js';
import * as exploration from '../../models/exploration.js';
import * as fatigue from '../../models/fatigue.js';
import { MODEL } from '../../models/fusion.js';
import { randomness, type Randomness } from '../../models/kernels/numbers.js';
import { levelsOf } from '../../schemas/categories.js';
import { recommendationIdAt } from '../../schemas/recommendation-ids.js';
import { userProfiles } from '../../schemas/topics.js';
import type { NewRecord } from '../core/log.js';
import type { Metrics } from '../core/metrics.js';
import { partitionOf } from '../core/partition.js';
import { choose, type Chosen, type KnownItems } from './choose.js';
import type { Filter } from '../../infra/http/filter.js';
import type { Sought } from './catalogue-search.js';
import { matching, shortest } from './filter.js';
import { reflected, refuseImpossible, type Followed } from './read-your-writes.js';
import { Refusals } from './refusals.js';
import { similarItems } from './similar.js';
import { onPage, shopperOf, type Shopper, type ShopperParts } from './shopper.js';
import { chooseGiven, Showing } from './showing.js';
import { recordOf, Telling, type Answer } from './telling.js';

/** What answers call the model for a shopper of whom nothing is known. */
const TRENDING = 'trending/1';
const AFTER_DEADLINE_MS = 200;
/** As many as are ranked at all, and how many of them nobody has touched when something is to be tried. */
const ALL = 128;
const NEW_ITEMS = 8;

export interface ScorerParts extends Followed, ShopperParts {
  readonly metrics: Metrics;
  /** Tell the log what was recommended; not waited for. */
  readonly remember: (record: NewRecord) => void;
  readonly now: () => number;
}

/** Whether items come as they were ranked. */
const isPlain = ({ diversity, fatigue: strength, explore }: RecommendRequest): boolean => diversity === 0 && strength === 0 && !explore;

const modelFor = ({ recent }: Shopper): string => (recent.length > 0 ? MODEL : TRENDING);

/** Answers what a shopper should see: from views in memory and LMDB, with reasons; never an item dismissed, nor bought but where that is asked for. */
export class Scorer {
  readonly #parts: ScorerParts;
  readonly #showing: Showing;
  readonly #refusals = new Refusals();
  readonly #telling = new Telling();
  /** A seed of each process's own: two scorers must not try the same. */
  readonly #chance: Randomness;

  constructor(parts: ScorerParts) {
    this.#parts = parts;
    this.#showing = new Showing(parts.items, parts.ranking);
    this.#chance = randomness(parts.now());
  }

  async recommend(request: RecommendRequest): Promise<object> {
    const { metrics, remember, now } = this.#parts;
    const seen = await this.#hasSeen(request, request.after);
    const shopper = onPage(this.#parts, shopperOf(this.#parts, request, seen, request.excludePurchased), request.context);
    const answer = request.items === null ? this.#best(shopper, request) : this.#amongItems(shopper, request, request.items);
    const recommendationId = recommendationIdAt(request.placement ?? '', randomUUID(), request.shown);
    const model = modelFor(shopper);
    remember(recordOf({ recommendationId, placement: request.placement, model, time: now() }, shopper, answer));
    metrics.count('millrace_recommendations_total', { kind: model === MODEL ? 'personal' : 'trending' });
    const freshness = this.#freshness(shopper);
    // Two shapes rather than one put together: this is built for every request.
    return shopper.isStale ? { recommendationId, items: answer.items, model, stale: true, freshness } : { recommendationId, items: answer.items, model, freshness };
  }

  async score(request: ScoreRequest): Promise<object> {
    const shopper = shopperOf(this.#parts, request, await this.#hasSeen(request, request.after));
    const { items } = this.#parts;
    const numbers = Int32Array.from(request.items, (sku) => items.number(sku));
    return {
      items: this.#showing.given(shopper, request.items, numbers, request),
      unknown: request.items.filter((sku, at) => numbers[at] < 0 && !items.wasDeleted(sku)),
      deleted: request.items.filter((sku) => items.wasDeleted(sku)),
      model: modelFor(shopper),
      ...(shopper.isStale ? { stale: true } : {}),
      freshness: this.#freshness(shopper),
    };
  }

  /** What is asked about nobody, and waits for nothing, is answered at once. */
  similar(request: SimilarRequest): object | Promise<object> {
    const { after, to } = request;
    return after ? this.#hasSeen(to ?? NOBODY, after).then((sawAfter) => this.#similar(request, sawAfter)) : this.#similar(request, undefined);
  }

  #similar(request: SimilarRequest, sawAfter: boolean | undefined): object {
    const { items, ranking, remember, now } = this.#parts;
    const item = items.number(request.sku);
    if (item < 0) throw refuse(404, `No item is known as product_id ${request.sku}.`);
    const { sku, limit, exclude, filter, to } = request;
    const shopper = to && shopperOf(this.#parts, to, sawAfter);
    const similar = similarItems(item, limit, this.#sought(shopper, [sku, ...exclude], false, filter), { items, ranking, showing: this.#showing });
    const stale = (shopper ? shopper.isStale : sawAfter === false) ? { stale: true } : {};
    if (!shopper) return { sku, items: similar, model: MODEL, ...stale };
    const recommendationId = recommendationIdAt(to.placement ?? '', randomUUID(), to.shown);
    // Without what the ranker saw: their order is not its own, and a choice would teach it little.
    remember(recordOf({ recommendationId, placement: to.placement, model: MODEL, time: now() }, shopper, { items: similar, features: undefined }));
    return { recommendationId, sku, items: similar, model: MODEL, ...stale, freshness: this.#freshness(shopper) };
  }

  /** What a shopper would see now, and why, without telling the log. */
  async preview(id: string, limit: number): Promise<readonly { readonly sku: string; readonly score: number; readonly reason: string }[]> {
    const { ranking, items } = this.#parts;
    const shopper = shopperOf(this.#parts, { userId: id, anonymousId: null, trusted: true });
    const ranked = ranking.rank(shopper.recent, limit, this.#sought(shopper, [], true, null));
    const reasons = this.#showing.reasons(shopper, ranked.items);
    return Array.from(ranked.items, (item, at) => ({ sku: items.sku(item), score: ranked.scores[at], reason: reasons[at].text }));
  }

  /** What is kept of a shopper, and under which other ids. */
  user(id: string): object | undefined {
    const { views } = this.#parts;
    const key = views.canonical(userProfiles, id);
    const profile = views.row(userProfiles, profiles, key);
    const others = views.subs(userProfiles, partitionOf(key, views.partitions), aliases, key, '', Infinity).map(aliasOf);
    return profile && { id: key, ...profile, aliases: [...new Set(others)] };
  }

  /** Whether what was to be waited for is reflected; undefined: nothing is. @throws Refusal 400 */
  async #hasSeen(ref: Pick<ShopperRef, 'userId' | 'anonymousId'>, after: After | null): Promise<boolean | undefined> {
    if (!after) return undefined;
    if (await reflected(this.#parts, ref.userId ?? ref.anonymousId ?? '', after, AFTER_DEADLINE_MS)) return true;
    await refuseImpossible(this.#parts, after);
    return false;
  }

  /** The page's category, what lies above it, then all: whose best come to somebody of whom nothing is known, on the page of a product of which nothing else is. */
  #filtersOfPage({ recent }: Shopper, { context, filter }: RecommendRequest): (Filter | null)[] {
    if (context === null || filter !== null || recent.length > 0) return [];
    const category = this.#parts.items.category(this.#parts.items.number(context));
    return category === null ? [] : [...levelsOf(category).map((level): Filter => [{ field: 'category', any: new Set([level]) }]), null];
  }

  /** Which items may come: of what was had just now nothing, where nobody takes an item twice, else not the latest. */
  #sought(shopper: Shopper | undefined, exclude: readonly string[], butHad: boolean, filter: Filter | null): Sought {
    const { items, ranking } = this.#parts;
    const refusals = this.#refusals;
    refusals.begin(items.size);
    for (const skus of unwanted(shopper, exclude)) {
      for (const sku of skus) {
        const item = items.number(sku);
        if (item >= 0) refusals.refuse(item);
      }
    }
    const had = butHad && shopper ? shopper.recent : [];
    for (let j = 0; j < (ranking.repeats ? Math.min(1, had.length) : had.length); j++) refusals.refuse(had[j]);
    const isRefused = (item: number): boolean => refusals.has(item) || !items.mayShow(item);
    if (!filter) return { isRefused, listed: () => undefined };
    const matches = matching(filter, items);
    return { isRefused: (item) => isRefused(item) || !matches(item), listed: () => shortest(filter, items) };
  }

  /** The best of all that may come, with what the ranker saw of them where the log is to be told. */
  #best(shopper: Shopper, request: RecommendRequest): Answer {
    const isTold = this.#telling.isInFull(shopper.key, this.#parts.now());
    const exclude = besidePage(request);
    const [first = request.filter, ...filters] = this.#filtersOfPage(shopper, request);
    let best = this.#ranked(shopper, request, exclude, first, isTold);
    for (const filter of filters) {
      const limit = request.limit - best.items.length;
      if (limit === 0) break;
      const more = this.#ranked(shopper, { ...request, limit }, [...exclude, ...best.items.map(({ sku }) => sku)], filter, isTold);
      best = { items: [...best.items, ...more.items], features: best.features && more.features && Buffer.concat([best.features, more.features]) };
    }
    return best;
  }

  #ranked(shopper: Shopper, request: RecommendRequest, exclude: readonly string[], filter: Filter | null, isTold: boolean): Answer {
    const { ranking } = this.#parts;
    const { recent } = shopper;
    const { limit, explain, compare } = request;
    const sought = this.#sought(shopper, exclude, true, filter);
    const explaining = explain ? ranking.explaining(recent) : undefined;
    const ranked = isPlain(request) ? ranking.rank(recent, limit, sought) : this.#chosen(shopper, request, sought);
    const features = isTold ? ranking.seen(ranked.places) : undefined;
    return { items: this.#showing.ranked(shopper, ranked, explaining, compare), features };
  }

  /** Chosen from all that was ranked, by more than its score. */
  #chosen(shopper: Shopper, request: RecommendRequest, sought: Sought): Chosen {
    const { ranking } = this.#parts;
    const also = request.explore ? ranking.newItems(shopper.recent, NEW_ITEMS, sought) : undefined;
    // A list as long as there are candidates would hold the same items each time, all shown equally often in vain.
    const least = request.fatigue > 0 ? ALL : request.limit;
    return choose(ranking.rank(shopper.recent, ALL, sought, also, least), request, this.#known(shopper, request));
  }

  /** What choosing asks of items, by number. */
  #known({ key }: Shopper, request: RecommendRequest): KnownItems {
    const { ranking, items } = this.#parts;
    const { exploration: tried, fatigue: seen } = ranking.shown;
    return {
      vectorOf: (item) => ranking.vectorOf(item),
      categoryOf: (item) => items.category(item) ?? undefined,
      dampingOf: (item) => (request.fatigue === 0 ? 0 : request.fatigue * fatigue.predict(seen, key, item)),
      isNew: (item) => ranking.isNew(item),
      draw: (among) => exploration.draw(tried, request.placement ?? '', among, this.#chance),
    };
  }

  /** The best of given items. One that nobody knows may be shown where unlisted ones are, unless a filter asks for what is not known of it. */
  #amongItems(shopper: Shopper, request: RecommendRequest, skus: readonly string[]): Answer {
    const { items } = this.#parts;
    const { limit, explain, compare, filter } = request;
    const { isRefused } = this.#sought(shopper, besidePage(request), false, filter);
    const unwantedSkus = new Set(unwanted(shopper, besidePage(request)).flat());
    const left = skus.filter((sku) => {
      // Its number may be that of the one that has taken its place.
      if (items.wasDeleted(sku)) return false;
      const item = items.number(sku);
      return item < 0 ? items.showsUnlisted && filter === null && !unwantedSkus.has(sku) : !isRefused(item);
    });
    const seen = left.length > 1 && this.#telling.isInFull(shopper.key, this.#parts.now()) ? new Map<string, Buffer>() : undefined;
    const ranked = this.#showing.given(shopper, left, Int32Array.from(left, (sku) => items.number(sku)), { explain, compare, seen });
    const shown = isPlain(request) ? ranked.slice(0, limit) : chooseGiven(ranked, request, this.#known(shopper, request), (sku) => items.number(sku));
    return { items: shown, features: seen && Buffer.concat(shown.map(({ sku }) => seen.get(sku) ?? NOTHING)) };
  }

  #freshness({ profile, isCurrent, sawAfter }: Shopper): object {
    const lastEventAt = profile ? new Date(profile.lastSeen).toISOString() : null;
    return sawAfter === undefined ? { lastEventAt, caughtUp: isCurrent } : { lastEventAt, caughtUp: isCurrent, sawAfter };
  }
}

/** SKUs that must not come. Some have no number, since nothing was learned of them. */
const unwanted = (shopper: Shopper | undefined, exclude: readonly string[]): (readonly string[])[] => [exclude, ...(shopper?.refused ?? [])];

/** What is not to come: the product of the page that asks is not recommended on it. */
const besidePage = ({ exclude, context }: RecommendRequest): readonly string[] => (context === null ? exclude : [...exclude, context]);

const NOTHING = Buffer.alloc(0);
const NOBODY = { userId: null, anonymousId: null };
