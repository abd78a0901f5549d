import { itemNeighbours, itemNeighboursIn, type ItemNeighbours } from '../../consumers/co-visitation.js';
import { productRows } from '../../consumers/item-watch.js';
import { recommender, recommenderIn, type Recommender } from '../../consumers/recommender.js';
import { profiles } from '../../consumers/shoppers.js';
import type { RecommendRequest } from '../../infra/http/doors.js';
import { recommendRequest } from '../../infra/http/requests.js';
import * as embedding from '../../models/embedding.js';
import * as features from '../../models/features.js';
import { MODEL } from '../../models/fusion.js';
import * as itemIndex from '../../models/item-index.js';
import * as ranker from '../../models/ranker.js';
import { memoryStore } from '../../pipeline/core/memory-store.js';
import { noMetrics } from '../../pipeline/core/metrics.js';
import type { NewRecord } from '../../pipeline/core/log.js';
import { Items } from '../../pipeline/serving/items.js';
import { followLearner } from '../../pipeline/serving/learned.js';
import { Ranking } from '../../pipeline/serving/rank.js';
import { Scorer } from '../../pipeline/serving/scorer.js';
import { observedStores, Views } from '../../pipeline/serving/views.js';
import { catalog, interactions, itemVectors, products, purchases, recommendations, recommenderModels, userProfiles } from '../../schemas/topics.js';
import type { CatalogChange, Interaction, Product, Purchase, Recommendation, RecommenderModel, UserProfile } from '../../schemas/types.js';

const START = Date.UTC(2026, 0, 5);

export interface RecommendAnswer {
  readonly recommendationId: string;
  readonly items: readonly { sku: string; score: number; name: string | null; price: string | null; propensity?: number; reasons: readonly { code: string; sku?: string; text: string; contribution?: number }[]; contributions?: readonly { part: string; value: number }[] }[];
  readonly model: string;
}

type Asked = Partial<Omit<RecommendRequest, 'filter'>> & { readonly filter?: object | null };

/** A learner and a scorer side by side, with the log between them played by hand. */
export class TestShop {
  readonly learner: Recommender;
  readonly neighbours: ItemNeighbours;
  readonly told: Recommendation[] = [];
  readonly scorer: Scorer;
  readonly items: Items;
  /** Whether profiles lack what happened lately. */
  isBehind = false;
  /** When the next answer is given. */
  now = START;
  readonly #stores = observedStores(() => memoryStore());
  #events = 0;
  #positions = 0;
  #last: Interaction | undefined;

  constructor({ precision = 'float32', pruned = 0, mostUnlisted, keptDeleted = 0, repeats, repurchases = false, showsUnlisted = true }: { readonly precision?: 'float32' | 'int8'; readonly pruned?: number; readonly mostUnlisted?: number; readonly keptDeleted?: number; readonly repeats?: boolean; readonly repurchases?: boolean; readonly showsUnlisted?: boolean } = {}) {
    this.learner = recommenderIn({ mostUnlisted, keptDeleted, repeats }).init();
    this.neighbours = itemNeighboursIn({ precision, mostUnlisted, keptDeleted, repeats }).init();
    const views = new Views(this.#stores, 1);
    this.items = new Items(views, this.neighbours.index, 'EUR', showsUnlisted);
    followLearner(views, this.neighbours, pruned);
    const remember = ({ value }: NewRecord): void => void this.told.push(recommendations.codec.decode(value));
    this.scorer = new Scorer({ views, endOf: async () => 0, items: this.items, ranking: new Ranking(this.neighbours, this.items), metrics: noMetrics, remember, isReady: () => true, isBehind: () => this.isBehind, repurchases, now: () => this.now });
  }

  product(sku: string, fields: Partial<Product> = {}): void {
    const value = productRows.codec.encode({
      sku, name: `Product ${sku}`, category: 'Kitchen', furtherCategories: [], brand: null, price: 100_000n, currency: 'EUR', url: null, imageUrl: null, hidden: false, deleted: false, onOrder: false,
      stock: 5, attributes: {}, catalogAt: 0, stockAt: 0, priceAt: 0, restocks: 0, ...fields,
    });
    this.#stores.open(products.name, 0).apply([{ key: sku, value }], ++this.#positions);
  }

  /** The catalogue's own record, as learner and scorer read it from the log; `product` is what its task makes of it. */
  catalogue(op: CatalogChange['op'], sku: string, attributes: Readonly<Record<string, string>> = {}, fields: Partial<CatalogChange> = {}): void {
    const change: CatalogChange = {
      sku, op, name: `Product ${sku}`, category: null, furtherCategories: [], brand: null, price: 100_000n, currency: 'EUR', url: null, imageUrl: null, hidden: false, quantity: null, availability: null, attributes, time: START, receivedAt: START, ...fields,
    };
    recommender.learn(this.learner, catalog.name, change, sku);
    itemNeighbours.learn(this.neighbours, catalog.name, change, sku);
  }

  /** What a shopper did next, told to both; ten seconds later than what was told before, and received when it happened unless it is said. */
  event(shopper: string, sku: string, recent: readonly string[], fields: Partial<Interaction> = {}): void {
    const time = fields.time ?? START + 10_000 * (this.#events + 1);
    const event: Interaction = {
      shopper, known: false, anonymousId: null, messageId: `m-${++this.#events}`, type: 'track', event: 'Product Viewed', time, receivedAt: time, sessionId: shopper, sessionStart: false,
      products: [{ sku, price: null, quantity: null, position: null, name: null }], cartId: null, checkoutId: null, orderId: null, recommendationId: null, placement: null,
      query: null, list: null, currency: null, value: null, marketingConsent: null, timezone: null, recent, continues: null, refused: false, source: null, ...fields,
    };
    this.#last = event;
    recommender.learn(this.learner, interactions.name, event, shopper);
    itemNeighbours.learn(this.neighbours, interactions.name, event, shopper);
  }

  /** A purchase, or its undoing, told to both. */
  purchase(shopper: string, skus: readonly string[], fields: Partial<Purchase> & { readonly quantity?: number } = {}): void {
    const { quantity = 1, ...other } = fields;
    const time = fields.time ?? START + 10_000 * (this.#events + 1);
    const purchase: Purchase = {
      shopper, known: true, orderId: `o-${++this.#events}`, kind: 'completed', time, receivedAt: time, currency: 'EUR', revenue: 0n, lines: skus.map((sku) => ({ sku, quantity, price: 0n })),
      cartId: null, recommendationId: null, source: null, ...other,
    };
    recommender.learn(this.learner, purchases.name, purchase, shopper);
    itemNeighbours.learn(this.neighbours, purchases.name, purchase, shopper);
  }

  get lastEvent(): Interaction {
    if (!this.#last) throw new Error('Nothing has happened yet.');
    return this.#last;
  }

  /** A shopper who views items one after the other. */
  session(shopper: string, skus: readonly string[]): void {
    for (const [at, sku] of skus.entries()) this.event(shopper, sku, skus.slice(0, at).reverse().slice(0, 10));
  }

  /** The learner tells what it has learned. */
  publish(): number {
    const changes = recommender.publishes!.changes(this.learner, START);
    for (const { table, key, value } of changes) this.#stores.open(table.name, 0).apply([{ key, value }], ++this.#positions);
    return changes.length;
  }

  /** An item gets the vector of another one, as a learner tells it from content. */
  teach(sku: string, like: string): void {
    const vector = embedding.vectorOf(this.learner.model.embedding, itemIndex.predict(this.learner.index, like))!;
    const bytes = Buffer.from(vector.slice().buffer);
    const value = itemVectors.codec.encode({ sku, dimensions: vector.length, vector: bytes, learnedAt: START, events: 0 });
    this.#stores.open(itemVectors.name, 0).apply([{ key: sku, value }], ++this.#positions);
  }

  /** Weights that turn the ranker round, as a learner tells them. */
  tellWeights(fields: Partial<RecommenderModel>): void {
    const bytesOf = (values: Float32Array): Buffer => Buffer.from(Float32Array.from(values, (value) => -value).buffer);
    const { model } = this.learner;
    const value = recommenderModels.codec.encode({
      model: MODEL, featureSet: features.SET, weights: bytesOf(ranker.weightsOf(model.ranker)), pooling: bytesOf(model.embedding.pooling), learnedAt: START, events: 0, lessons: 0, ...fields,
    });
    this.#stores.open(recommenderModels.name, 0).apply([{ key: 'fusion', value }], ++this.#positions);
  }

  profile(id: string, recent: readonly string[], fields: Partial<UserProfile> = {}): void {
    const value = profiles.codec.encode({
      firstSeen: START, lastSeen: START, sessionId: id, sessionStart: START, sessions: 1, past: null, events: recent.length, recent: recent.map((sku) => ({ sku, event: 'Product Viewed', time: START })),
      bought: [], boughtAt: 0, dismissed: [], marketingConsent: null, timezone: null, known: false, consentAt: 0, ...fields,
    });
    this.#stores.open(userProfiles.name, 0).apply([{ key: id, value }], ++this.#positions);
  }

  /** `filter` as a request writes it. */
  async recommend(anonymousId: string, { filter = null, ...fields }: Asked = {}): Promise<RecommendAnswer> {
    const request: RecommendRequest = { userId: null, anonymousId, trusted: false, limit: 10, filter: recommendRequest({ anonymousId, filter }).filter, exclude: [], items: null, placement: null, context: null, after: null, explain: false, compare: false, diversity: 0, fatigue: 0, explore: false, excludePurchased: null, shown: true, ...fields };
    return await this.scorer.recommend(request) as RecommendAnswer;
  }

  async skus(anonymousId: string, fields: Asked = {}): Promise<string[]> {
    return (await this.recommend(anonymousId, fields)).items.map(({ sku }) => sku);
  }
}

/** A shop of 40 products in pairs: whoever views an even one views the next one after it. */
export function shopOfPairs(scorer: ConstructorParameters<typeof TestShop>[0] = {}, rounds = 6): TestShop {
  const shop = new TestShop(scorer);
  for (let item = 0; item < 40; item++) shop.product(`P${item}`, { category: `Category ${item % 4}`, price: BigInt(10 + item) * 10_000n, attributes: item % 2 === 0 ? { colour: 'red' } : {} });
  for (let round = 0; round < rounds; round++) for (let item = 0; item < 40; item += 2) shop.session(`s-${round}-${item}`, [`P${item}`, `P${item + 1}`]);
  shop.publish();
  return shop;
}
