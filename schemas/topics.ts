import { codec, type Codec } from './codec.js';
import type {
  CatalogChange, DeadLetter, DemandHandover, Erasure, Forecast, Interaction, InventoryChange, ItemInterest, ItemVector, MarketingTrigger, Move,
  OrderEvent, Purchase, Recommendation, RecommenderModel, ReorderSuggestion, Sale, ShopEvent, ShopSettings, ShopWindow, Supply, TriggerCandidate, UserMerge,
} from './types.js';

const DAY_MS = 86_400_000;

/**
 * `source`: written from outside, ticked by the task that reads it. `stream`: written by one consumer, which passes its
 * time on in it. `feedback`: flows backwards, carries no ticks and holds no time back. `leaf`: read by sinks, learners
 * and foreign clients only, carries no ticks. `table`: compacted rows of one consumer or learner.
 */
export type TopicKind = 'source' | 'stream' | 'feedback' | 'leaf' | 'table';

/** A topic of the log: its name without prefix, what its records are, and what its key is. */
export interface Topic<T = unknown> {
  readonly name: string;
  readonly kind: TopicKind;
  readonly key: 'shopper' | 'order' | 'sku' | 'id';
  readonly codec: Codec<T>;
  readonly retentionMs: number;
}

const topic = <T>(name: string, kind: TopicKind, key: Topic['key'], record: string, retentionDays = 30): Topic<T> => ({
  name, kind, key, codec: codec<T>(record), retentionMs: retentionDays * DAY_MS,
});

export const clickstream = topic<ShopEvent>('clickstream', 'source', 'shopper', 'ShopEvent');
export const orders = topic<OrderEvent>('orders', 'source', 'order', 'OrderEvent');
export const catalog = topic<CatalogChange>('catalog', 'source', 'sku', 'CatalogChange');
export const inventory = topic<InventoryChange>('inventory', 'source', 'sku', 'InventoryChange');

export const interactions = topic<Interaction>('interactions', 'stream', 'shopper', 'Interaction');
export const purchases = topic<Purchase>('purchases', 'stream', 'shopper', 'Purchase');
/** `purchases` of orders that the shop itself has reported, and not only a page. */
export const confirmedPurchases = topic<Purchase>('confirmed-purchases', 'stream', 'shopper', 'Purchase');
export const sales = topic<Sale>('sales', 'stream', 'sku', 'Sale');
export const itemInterests = topic<ItemInterest>('item-interests', 'stream', 'sku', 'ItemInterest');
export const supplies = topic<Supply>('supplies', 'stream', 'sku', 'Supply');
export const triggerCandidates = topic<TriggerCandidate>('trigger-candidates', 'stream', 'shopper', 'TriggerCandidate');

export const forecasts = topic<Forecast>('forecasts', 'leaf', 'sku', 'Forecast');
export const reorderSuggestions = topic<ReorderSuggestion>('reorder-suggestions', 'leaf', 'sku', 'ReorderSuggestion');
export const marketingTriggers = topic<MarketingTrigger>('marketing-triggers', 'leaf', 'shopper', 'MarketingTrigger');
export const recommendations = topic<Recommendation>('recommendations', 'leaf', 'shopper', 'Recommendation');
export const deadLetters = topic<DeadLetter>('dead-letters', 'leaf', 'id', 'DeadLetter', 90);

export const userMerges = topic<UserMerge>('user-merges', 'feedback', 'shopper', 'UserMerge');
export const erasures = topic<Erasure>('erasures', 'feedback', 'order', 'Erasure');
export const demandHandovers = topic<DemandHandover>('demand-handovers', 'feedback', 'sku', 'DemandHandover');
export const demandDays = topic<ShopWindow>('demand-days', 'feedback', 'sku', 'ShopWindow');
export const shoppersMoves = topic<Move>('shoppers-moves', 'feedback', 'shopper', 'Move');
export const heldNews = topic<TriggerCandidate>('held-news', 'feedback', 'shopper', 'TriggerCandidate');
export const marketingTriggersMoves = topic<Move>('marketing-triggers-moves', 'feedback', 'shopper', 'Move');

const table = (name: string, key: Topic['key']): Topic => topic(name, 'table', key, 'Progress');

export const userProfiles = table('user-profiles', 'shopper');
export const orderLedger = table('order-ledger', 'order');
export const products = table('products', 'sku');
export const demandForecasts = table('demand-forecasts', 'sku');
export const marketingTriggersState = table('marketing-triggers-state', 'shopper');
export const itemVectors = topic<ItemVector>('item-vectors', 'table', 'sku', 'ItemVector');
export const recommenderModels = topic<RecommenderModel>('recommender-models', 'table', 'id', 'RecommenderModel');

/** Settings with which the topics of an installation on Kafka were made. The embedded log keeps them beside its files. */
export const shopSettings = topic<ShopSettings>('shop-settings', 'table', 'id', 'ShopSettings');

/** Every topic and table, in the order in which water flows. */
export const allTopics: readonly Topic[] = [
  clickstream, orders, catalog, inventory, interactions, purchases, confirmedPurchases, sales, itemInterests, supplies, triggerCandidates, forecasts,
  reorderSuggestions, marketingTriggers, recommendations, deadLetters, userMerges, erasures, demandHandovers, demandDays, shoppersMoves, marketingTriggersMoves, heldNews,
  userProfiles, orderLedger, products, demandForecasts, marketingTriggersState, itemVectors, recommenderModels,
];
