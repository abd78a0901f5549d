// Made by "npm run schemas" from schemas/**/*.avsc. Do not edit.

export type CatalogOp = 'upsert' | 'delete';

export type Availability = 'in_stock' | 'on_order';

/** A product put into or taken out of the catalogue. Key: sku. */
export interface CatalogChange {
  /** Stock keeping unit. */
  readonly sku: string;
  /** delete hides the product everywhere. */
  readonly op: CatalogOp;
  /** Title. */
  readonly name: null | string;
  /** First category, in which the product counts. A path (Home > Kitchen > Cups) is in what lies above it, too. */
  readonly category: null | string;
  /** Brand. */
  readonly brand: null | string;
  /** Unit price. */
  readonly price: null | bigint;
  /** ISO 4217. */
  readonly currency: null | string;
  /** Page. */
  readonly url: null | string;
  /** Picture. */
  readonly imageUrl: null | string;
  /** Not to be recommended. */
  readonly hidden: boolean;
  /** Stock, when the catalogue knows it. */
  readonly quantity: null | number;
  /** What a feed says of stock in words: in_stock, in a number that only quantity tells; on_order, it can be bought but is not there. Sold out is a quantity of 0. */
  readonly availability: null | Availability;
  /** Further attributes; several values are a JSON list of texts. */
  readonly attributes: Readonly<Record<string, string>>;
  /** When it was changed. */
  readonly time: number;
  /** When it was taken. */
  readonly receivedAt: number;
  /** Further categories, none of them the first. */
  readonly furtherCategories: readonly string[];
}

/** Stock or price of a product. Key: sku. */
export interface InventoryChange {
  /** Id of the message. */
  readonly messageId: string;
  /** Stock keeping unit. */
  readonly sku: string;
  /** Units in stock now; null leaves it. */
  readonly quantity: null | number;
  /** What a feed says of stock in words: in_stock, in a number that only quantity tells; on_order, it can be bought but is not there. Sold out is a quantity of 0. */
  readonly availability: null | Availability;
  /** Unit price now; null leaves it. */
  readonly price: null | bigint;
  /** When it changed. */
  readonly time: number;
  /** When it was taken. */
  readonly receivedAt: number;
  /** ISO 4217, of the price; null leaves the product's. */
  readonly currency: null | string;
}

export type OrderEventKind = 'completed' | 'line' | 'updated' | 'refunded' | 'cancelled';

/** Units of one SKU. */
export interface OrderLine {
  /** Stock keeping unit. */
  readonly sku: string;
  /** Title. */
  readonly name: null | string;
  /** Category. */
  readonly category: null | string;
  /** Units; negative in corrections. */
  readonly quantity: number;
  /** Unit price. */
  readonly price: bigint;
}

/** Where a record of a file source stands: replaying the file again changes nothing. */
export interface SourcePosition {
  /** Name of the source, chosen at replay. */
  readonly name: string;
  /** Number of the record in its file, from 0. */
  readonly ordinal: number;
}

/** An order, a line of one, or a change to one, as reported. Key: orderId. */
export interface OrderEvent {
  /** Id of the message. */
  readonly messageId: string;
  /** completed: the whole order; line: one line of it (file sources); the rest change an order. */
  readonly kind: OrderEventKind;
  /** Order. */
  readonly orderId: string;
  /** Known shopper. */
  readonly userId: null | string;
  /** Browser or device. */
  readonly anonymousId: null | string;
  /** When it happened. */
  readonly time: number;
  /** When it was taken. */
  readonly receivedAt: number;
  /** ISO 4217; empty in a refund or cancellation that names none: the order's. */
  readonly currency: string;
  /** Total as reported. */
  readonly total: null | bigint;
  /** Shipping. */
  readonly shipping: null | bigint;
  /** Tax. */
  readonly tax: null | bigint;
  /** Discount. */
  readonly discount: null | bigint;
  /** Coupon. */
  readonly coupon: null | string;
  /** Cart it came from. */
  readonly cartId: null | string;
  /** Checkout it came from. */
  readonly checkoutId: null | string;
  /** Recommendation that led here. */
  readonly recommendationId: null | string;
  /** Country. */
  readonly country: null | string;
  /** Lines. */
  readonly lines: readonly OrderLine[];
  /** Said by the shop's own systems; false: claimed by a page, whose key is public. */
  readonly confirmed: boolean;
  /** File source, if any. */
  readonly source: null | SourcePosition;
  /** Of a record that was exported and read again: the log and partition from which it came, and its offset there. */
  readonly restored: null | SourcePosition;
}

export type EventType = 'track' | 'page' | 'screen' | 'identify' | 'group' | 'alias';

/** A product named by an event. */
export interface EventProduct {
  /** Stock keeping unit (product_id and sku become sku). */
  readonly sku: string;
  /** Title. */
  readonly name: null | string;
  /** Category. */
  readonly category: null | string;
  /** Brand. */
  readonly brand: null | string;
  /** Variant. */
  readonly variant: null | string;
  /** Unit price. */
  readonly price: null | bigint;
  /** Units, fractional for goods by weight. */
  readonly quantity: null | number;
  /** Position in the list shown. */
  readonly position: null | number;
}

/** What was sent with a browser key, which anybody has. */
export interface Claim {
  /** The userId of the shopper token that came with it. */
  readonly provenUser: null | string;
}

/** A login that joined the anonymous id with the user's. */
export interface Login {
  /** Message that told of it. */
  readonly messageId: string;
  /** Its event time, ms since 1970. */
  readonly time: number;
  /** As of the event. */
  readonly claim: null | Claim;
}

/** One thing a shopper did, as the storefront told it. Key: userId where present, else anonymousId. */
export interface ShopEvent {
  /** Id of the message; the same id within 24 hours is the same message. */
  readonly messageId: string;
  /** Segment call. */
  readonly type: EventType;
  /** Segment e-commerce event name for track, the page or screen name otherwise; may be empty. */
  readonly event: string;
  /** The shop's own id of a known shopper. */
  readonly userId: null | string;
  /** Id of the browser or device. */
  readonly anonymousId: null | string;
  /** For alias: the id that becomes userId. */
  readonly previousId: null | string;
  /** When it happened, corrected by sentAt against receipt and never in the future. */
  readonly time: number;
  /** When the collector took it. */
  readonly receivedAt: number;
  /** Products the event names. */
  readonly products: readonly EventProduct[];
  /** Cart. */
  readonly cartId: null | string;
  /** Checkout. */
  readonly checkoutId: null | string;
  /** Order. */
  readonly orderId: null | string;
  /** The answer of /v1/recommend that led here. */
  readonly recommendationId: null | string;
  /** Where on the page. */
  readonly placement: null | string;
  /** Search words. */
  readonly query: null | string;
  /** List or category viewed. */
  readonly list: null | string;
  /** ISO 4217. */
  readonly currency: null | string;
  /** Value of the event. */
  readonly value: null | bigint;
  /** Page. */
  readonly url: null | string;
  /** Referring page. */
  readonly referrer: null | string;
  /** Campaign name. */
  readonly campaign: null | string;
  /** Locale. */
  readonly locale: null | string;
  /** IANA zone of the shopper. */
  readonly timezone: null | string;
  /** Consent to marketing said by this event; null says nothing. */
  readonly marketingConsent: null | boolean;
  /** Traits of identify, as JSON. */
  readonly traits: null | string;
  /** Properties that have no field of their own, as JSON. */
  readonly properties: null | string;
  /** File source, if any. */
  readonly source: null | SourcePosition;
  /** A page says it, and proves nothing of the ids it names but by a shopper token; null: the shop’s own systems say it. */
  readonly claim: null | Claim;
  /** The login of the shopper that came in one go with this event and before it. The record's key is the anonymous id then: the visit goes on behind what the device did before. */
  readonly login: null | Login;
  /** Of a record that was exported and read again: the log and partition from which it came, and its offset there. */
  readonly restored: null | SourcePosition;
}

/** A record that could not be processed, kept whole so that it can be repaired and replayed. Key: id. */
export interface DeadLetter {
  /** topic/partition/offset, or the id of a refused request's event. */
  readonly id: string;
  /** Closed set of codes. */
  readonly code: string;
  /** A sentence. */
  readonly message: string;
  /** Who refused it. */
  readonly consumer: string;
  /** Topic it stood in, or was meant for. */
  readonly topic: string;
  /** Partition; -1 when refused before the log. */
  readonly partition: number;
  /** Offset; -1 when refused before the log. */
  readonly offset: number;
  /** Key as it came. */
  readonly key: null | Buffer;
  /** Value as it came; null for a tombstone. */
  readonly value: null | Buffer;
  /** When it was refused. */
  readonly at: number;
  /** Stack of a crashed handler. */
  readonly stack: null | string;
  /** Of a call that the collector refused: it came with a browser key, and may say no more when it is collected again. */
  readonly claim: null | Claim;
}

export type HandoverKind = 'request' | 'series' | 'release';

/** What demand-forecasts say to each other when one SKU takes the place of another. Key: the SKU that is told. */
export interface DemandHandover {
  /** request: `to` takes the place of `from`; series: the answer, told to `to`, or with a time a line of `from` that came after it; release: it does not any more. */
  readonly kind: HandoverKind;
  /** SKU that is replaced. */
  readonly from: string;
  /** SKU that takes its place. */
  readonly to: string;
  /** Row of `from`, a framed SkuDemand; null but in the answer. */
  readonly series: null | Buffer;
  /** Hours of `from`, a framed SkuHours; null where none are known. */
  readonly hours: null | Buffer;
  /** request: SKUs that have been asked, down the line of those that are replaced, whether the line leads back to `to`; −1 once it is known not to. */
  readonly asked: number;
  /** Time of the order of a line that came after the answer, in ms since 1970-01-01 UTC; null in all else. */
  readonly time: null | number;
  /** Its units; below zero where they came back. */
  readonly units: number;
  /** How many of the line's units nobody but a page has reported, signed. */
  readonly claimed: number;
}

/** Ids to be forgotten where they cannot be found by the shopper's key. Key: the order, or the shopper. */
export interface Erasure {
  /** The shopper's ids: the canonical one and those that were merged into it. */
  readonly ids: readonly string[];
  /** Order that names one of them; null: all rows of ClickHouse. */
  readonly orderId: null | string;
  /** When it was asked. */
  readonly time: number;
}

/** One hour of the shop. */
export interface ForecastHour {
  /** First instant. */
  readonly start: number;
  /** Mean units. */
  readonly mean: number;
  /** Units at each level. */
  readonly quantiles: readonly number[];
}

/** A day of which less than 95 % was on sale. */
export interface ShortDay {
  /** Days since 1970-01-01 in the shop's zone. */
  readonly day: number;
  /** Part of it on sale, 0 to 1. */
  readonly onSale: number;
}

/** Demand forecast of one SKU as it was made. Key: sku. */
export interface Forecast {
  /** Stock keeping unit. */
  readonly sku: string;
  /** Task time. */
  readonly madeAt: number;
  /** First day forecast: days since 1970-01-01 in the shop's zone. */
  readonly firstDay: number;
  /** Quantile levels. */
  readonly levels: readonly number[];
  /** Mean units of each day. */
  readonly mean: readonly number[];
  /** For each day, units at each level. */
  readonly quantiles: readonly (readonly number[])[];
  /** Model and version. */
  readonly model: string;
  /** How often the SKU sells: rare, slow, frequent or daily; empty where it is no longer sold. */
  readonly demandClass: string;
  /** For each day, lower end of the interval that holds 80 % of the days. */
  readonly low: readonly number[];
  /** For each day, its upper end. */
  readonly high: readonly number[];
  /** The next hours of the shop's clocks, from the first that had not begun; empty unless FORECAST_HOURS is set. */
  readonly hours: readonly ForecastHour[];
  /** First category of the SKU, in which it counts; null where none is known. */
  readonly category: null | string;
  /** Days that judge no forecast, since the shelf was empty: of the four weeks before firstDay, and as it stands until five days after it. One in between that is not named was on sale, whatever was said of it before. */
  readonly shortDays: readonly ShortDay[];
}

/** A product of an interaction. */
export interface InteractionProduct {
  /** Stock keeping unit. */
  readonly sku: string;
  /** Unit price. */
  readonly price: null | bigint;
  /** Units. */
  readonly quantity: null | number;
  /** Position in the list. */
  readonly position: null | number;
  /** Title, where a product is touched or checked out; null elsewhere, and where the event has none. */
  readonly name: null | string;
}

/** A clean, deduplicated event of a canonical shopper. Key: shopper. */
export interface Interaction {
  /** Canonical id. */
  readonly shopper: string;
  /** The shopper is a userId. */
  readonly known: boolean;
  /** Browser or device, where the event named one. */
  readonly anonymousId: null | string;
  /** Message it came from. */
  readonly messageId: string;
  /** Segment call. */
  readonly type: string;
  /** Event name. */
  readonly event: string;
  /** When it happened. */
  readonly time: number;
  /** When it was taken. */
  readonly receivedAt: number;
  /** Session: shopper and its first event's time. */
  readonly sessionId: string;
  /** First event of its session. */
  readonly sessionStart: boolean;
  /** Products. */
  readonly products: readonly InteractionProduct[];
  /** Cart. */
  readonly cartId: null | string;
  /** Checkout. */
  readonly checkoutId: null | string;
  /** Order. */
  readonly orderId: null | string;
  /** Recommendation that led here. */
  readonly recommendationId: null | string;
  /** Where on the page. */
  readonly placement: null | string;
  /** Search words. */
  readonly query: null | string;
  /** List viewed. */
  readonly list: null | string;
  /** ISO 4217. */
  readonly currency: null | string;
  /** Value. */
  readonly value: null | bigint;
  /** Consent of the shopper as known after this event. */
  readonly marketingConsent: null | boolean;
  /** SKUs the shopper touched before this touch in this session, latest first, at most 10: what a learner needs. */
  readonly recent: readonly string[];
  /** Strongest event so far of the touch that this one goes on with: a click on a product, its page and its cart within minutes are one touch. Null: a touch of its own. */
  readonly continues: null | string;
  /** The shopper had bought or dismissed the product before: no answer would have named it. */
  readonly refused: boolean;
  /** File source. */
  readonly source: null | SourcePosition;
  /** IANA zone of the shopper, as the event told it. */
  readonly timezone: null | string;
}

export type InterestKind = 'back_in_stock' | 'wanted';

/** A shopper's interest in an item, for item-watch to answer. Key: sku. */
export interface ItemInterest {
  /** Stock keeping unit. */
  readonly sku: string;
  /** Canonical id. */
  readonly shopper: string;
  /** back_in_stock: tell them when it is back; wanted, in a cart or on a wish list: tell the trigger engine name, price and stock, and when it costs less. */
  readonly kind: InterestKind;
  /** false withdraws it. */
  readonly active: boolean;
  /** When. */
  readonly time: number;
  /** The id under which it was said, which leads to the shopper since a login: what is left of it is theirs. Null: it is said now. */
  readonly former: null | string;
  /** When news of it came, ms since 1970, that was held until the shopper's quiet hours were over: it is to be told if it still is news. Null: it is none. */
  readonly heldAt: null | number;
  /** Of such news of a price: what it cost when they took to it, or were last told. */
  readonly seenPrice: null | bigint;
  /** ISO 4217, of that price; null: the shop's. */
  readonly seenIn: null | string;
}

/** Embedding of an item: an idempotent upsert. Key: sku. */
export interface ItemVector {
  /** Stock keeping unit. */
  readonly sku: string;
  /** Length. */
  readonly dimensions: number;
  /** Little-endian float32, unit length. */
  readonly vector: Buffer;
  /** Log time. */
  readonly learnedAt: number;
  /** Events the learner had seen. */
  readonly events: number;
}

export type TriggerStatus = 'fired' | 'suppressed' | 'recovered';

/** A product the message is about. */
export interface TriggerProduct {
  /** Stock keeping unit. */
  readonly sku: string;
  /** Title. */
  readonly name: null | string;
  /** Page. */
  readonly url: null | string;
  /** Units in the cart. */
  readonly quantity: null | number;
  /** Unit price. */
  readonly price: null | bigint;
  /** Units in stock when decided; null: unknown. */
  readonly stock: null | number;
}

/** Tell a shopper something now, or do not after all. Key: shopper. Each id appears once per status. */
export interface MarketingTrigger {
  /** UUIDv5 of rule, version, shopper, cause: the same cause never has two ids. */
  readonly id: string;
  /** fired: send it; suppressed: it would have fired, see reason; recovered: what it reminded of has happened, cancel what is not sent. */
  readonly status: TriggerStatus;
  /** cart_abandonment, checkout_abandonment, browse_abandonment, price_drop, back_in_stock, replenishment_due, win_back, new_customer_welcome, vip or high_intent. */
  readonly rule: string;
  /** Version of the rule. */
  readonly version: number;
  /** Canonical shopper id. */
  readonly shopper: string;
  /** Cart, visit, SKU, restock, change of price or order that caused it. */
  readonly causeId: string;
  /** Event time of the cause. */
  readonly causedAt: number;
  /** Task time at which it was decided. */
  readonly at: number;
  /** A sentence for a person; for suppressed one of history, opted_out, recent_order, frequency_cap, holdout. */
  readonly reason: string;
  /** Products. */
  readonly products: readonly TriggerProduct[];
  /** Value of the cart. */
  readonly value: null | bigint;
  /** ISO 4217. */
  readonly currency: null | string;
}

export type MoveKind = 'rows' | 'record' | 'piece';

/** A row or timer. */
export interface MovedRow {
  /** Row kind, or _timer. */
  readonly kind: string;
  /** Rest of the row's key. */
  readonly sub: string;
  /** Framed Avro. */
  readonly value: Buffer;
}

/** What follows a merged shopper to the canonical id's partition. Key: to. */
export interface Move {
  /** rows: state; record: an input that arrived late at the old id; piece: part of one of these, which is too large for a record. */
  readonly kind: MoveKind;
  /** Merge. */
  readonly mergeId: string;
  /** Old id. */
  readonly from: string;
  /** Canonical id. */
  readonly to: string;
  /** How often it was forwarded. */
  readonly hops: number;
  /** Rows. */
  readonly rows: readonly MovedRow[];
  /** Topic of a forwarded record. */
  readonly topic: null | string;
  /** Framed Avro of a forwarded record; of a piece, its part of the framed Avro of the whole move. */
  readonly value: null | Buffer;
  /** Write time of the forwarded record. */
  readonly writtenAt: number;
  /** As of the merge. */
  readonly toProven: boolean;
  /** Position of the sending task: input/partition to the next offset, for read-your-writes. */
  readonly origin: Readonly<Record<string, number>>;
  /** Of a piece: how many of the same move follow it. */
  readonly more: number;
}

export type PurchaseKind = 'completed' | 'line' | 'refunded' | 'cancelled';

/** Units of one SKU. */
export interface PurchaseLine {
  /** Stock keeping unit. */
  readonly sku: string;
  /** Units, signed. */
  readonly quantity: number;
  /** Unit price. */
  readonly price: bigint;
}

/** A purchase or its undoing, once each. Key: shopper. */
export interface Purchase {
  /** userId or anonymousId of the order. */
  readonly shopper: string;
  /** The shopper is a userId. */
  readonly known: boolean;
  /** Order. */
  readonly orderId: string;
  /** line: one more line of an order that arrives line by line. */
  readonly kind: PurchaseKind;
  /** Time of the order (of the refund for refunded). */
  readonly time: number;
  /** When it was taken. */
  readonly receivedAt: number;
  /** ISO 4217. */
  readonly currency: string;
  /** Signed: negative when money goes back. */
  readonly revenue: bigint;
  /** Lines. */
  readonly lines: readonly PurchaseLine[];
  /** Cart. */
  readonly cartId: null | string;
  /** Recommendation. */
  readonly recommendationId: null | string;
  /** File source. */
  readonly source: null | SourcePosition;
}

/** An item of the answer. */
export interface RecommendedItem {
  /** Stock keeping unit. */
  readonly sku: string;
  /** Score. */
  readonly score: number;
  /** Reason code. */
  readonly reason: string;
  /** Probability with which the item was put there: below 1 where it is tried. */
  readonly propensity: number;
}

/** What was recommended, to train on and to attribute by. Key: shopper. */
export interface Recommendation {
  /** Id given to the caller. */
  readonly recommendationId: string;
  /** Canonical id. */
  readonly shopper: string;
  /** Where on the page. */
  readonly placement: null | string;
  /** When. */
  readonly time: number;
  /** Model and version. */
  readonly model: string;
  /** The answer did not reflect the event asked for. */
  readonly stale: boolean;
  /** Items in order. */
  readonly items: readonly RecommendedItem[];
  /** Which features stand below; empty for none. Most records carry none: a share is enough to learn from. */
  readonly featureSet: string;
  /** Of each item in order, what the ranker saw at the decision: one signed byte a feature, in units of 1/32. */
  readonly features: Buffer;
}

/** What scorers rank by beside item vectors: an idempotent upsert. Key: id. */
export interface RecommenderModel {
  /** Model and version. */
  readonly model: string;
  /** Which features the weights are of; a scorer of others keeps what it has. */
  readonly featureSet: string;
  /** Weights of the ranker, little-endian float32. */
  readonly weights: Buffer;
  /** Weights of the latest clicks in a shopper's vector, latest first, little-endian float32. */
  readonly pooling: Buffer;
  /** When it was told. */
  readonly learnedAt: number;
  /** Events the learner had seen. */
  readonly events: number;
  /** Lists the ranker had learned from. */
  readonly lessons: number;
}

/** One reason. */
export interface ReorderReason {
  /** covers, covered-less, below-reorder-point, learned, rounded-to-pack, raised-to-minimum, enough, too-late, owed or no-demand. */
  readonly code: string;
  /** The same in a sentence. */
  readonly text: string;
}

/** What to order of one SKU, and why. Units of 0 take an earlier suggestion back. Key: sku. */
export interface ReorderSuggestion {
  /** Stock keeping unit. */
  readonly sku: string;
  /** Task time. */
  readonly madeAt: number;
  /** Day of the shop: days since 1970-01-01 in the shop's zone. */
  readonly day: number;
  /** Units to order now, in whole packs. */
  readonly units: number;
  /** Units that should be on hand and on order afterwards. */
  readonly upTo: number;
  /** Units in stock. */
  readonly stock: number;
  /** Units ordered and not yet here. */
  readonly onOrder: number;
  /** Share of cycles to cover, 0 to 1. */
  readonly serviceLevel: number;
  /** Days from order to shelf. */
  readonly leadTimeDays: number;
  /** Their standard deviation. */
  readonly leadTimeDeviationDays: number;
  /** Days until the next order can be placed. */
  readonly reviewDays: number;
  /** Mean units forecast over the days that it covers: lead time and review, lead time and cover_days, or the days that a newsvendor's order is sold for. */
  readonly demand: number;
  /** Why. */
  readonly reasons: readonly ReorderReason[];
  /** Model and version of the forecast. */
  readonly model: string;
  /** periodic, reorder-point or newsvendor. */
  readonly policy: string;
}

export type SaleKind = 'sale' | 'refund' | 'cancellation' | 'adjustment';

/** Units of one SKU sold, or taken back, on the day of the order. Key: sku. */
export interface Sale {
  /** Stock keeping unit. */
  readonly sku: string;
  /** Order. */
  readonly orderId: string;
  /** Line within the order. */
  readonly line: number;
  /** adjustment: a change to an order, or a stock correction in the source. */
  readonly kind: SaleKind;
  /** Time of the original order, so that a refund corrects the day it belongs to. */
  readonly time: number;
  /** Time of the report. */
  readonly reportedAt: number;
  /** When it was taken. */
  readonly receivedAt: number;
  /** Units, signed. */
  readonly quantity: number;
  /** Unit price. */
  readonly price: bigint;
  /** What the units came to, signed: quantity × price less their part of the order's discount, rounded half up to 0.0001. */
  readonly amount: bigint;
  /** ISO 4217. */
  readonly currency: string;
  /** Shopper, where known. */
  readonly shopper: null | string;
  /** Country. */
  readonly country: null | string;
  /** File source. */
  readonly source: null | SourcePosition;
  /** How many of the units nobody but a page has reported, signed; when the shop confirms them, as many are taken back with a quantity of 0. quantity - claimed is what is sure. */
  readonly claimed: number;
}

/** Stock of one SKU and the terms on which more of it comes, where the catalogue tells them. Key: sku. */
export interface Supply {
  /** Stock keeping unit. */
  readonly sku: string;
  /** Time of the change. */
  readonly time: number;
  /** Units in stock; null where unknown. */
  readonly stock: null | number;
  /** Taken out of the catalogue. */
  readonly deleted: boolean;
  /** Units ordered and not yet here (attribute on_order). */
  readonly onOrder: null | number;
  /** Days from order to shelf (lead_time_days). */
  readonly leadTimeDays: null | number;
  /** Standard deviation of these days (lead_time_deviation_days). */
  readonly leadTimeDeviationDays: null | number;
  /** Days between two orders (review_days). */
  readonly reviewDays: null | number;
  /** Share of cycles without a stock-out, 0 to 1 (service_level). */
  readonly serviceLevel: null | number;
  /** Cost of a unit too few (shortage_cost). */
  readonly shortageCost: null | number;
  /** Cost of a unit too many (excess_cost). */
  readonly excessCost: null | number;
  /** Units of a pack (pack_size). */
  readonly packSize: null | number;
  /** Least units of an order (minimum_order). */
  readonly minimumUnits: null | number;
  /** periodic, reorder-point or newsvendor (reorder_policy). */
  readonly policy: null | string;
  /** Days that one order should last, or that are left to sell (cover_days). */
  readonly coverDays: null | number;
  /** Last day on which it is sold, of a newsvendor's SKU (sell_until): days since 1970-01-01 in the shop's zone. */
  readonly sellUntil: null | number;
  /** Not sold again once its stock is gone (availability discontinued). */
  readonly discontinued: boolean;
  /** SKU whose place it takes (replaces). */
  readonly replaces: null | string;
  /** Dates of the sale price as the feed writes them (sale_price_effective_date), empty where it writes none; null without a sale price. */
  readonly sale: null | string;
  /** First category, in which it counts. */
  readonly category: null | string;
}

export type CandidateKind = 'back_in_stock' | 'item_info' | 'price_drop';

/** What item-watch has to tell about an item to a shopper's triggers. Key: shopper. */
export interface TriggerCandidate {
  /** Shopper. */
  readonly shopper: string;
  /** back_in_stock: a restock they waited for; item_info: what is known of an item that they want; price_drop: one that they want costs less. */
  readonly kind: CandidateKind;
  /** Id of the cause: SKU and number of the restock, or SKU and time of the change of price. */
  readonly causeId: string;
  /** Stock keeping unit. */
  readonly sku: string;
  /** Title. */
  readonly name: null | string;
  /** Page. */
  readonly url: null | string;
  /** Unit price. */
  readonly price: null | bigint;
  /** Units in stock. */
  readonly stock: null | number;
  /** When the item changed. */
  readonly time: number;
  /** ISO 4217, of the price; null: the shop's. */
  readonly currency: null | string;
  /** Of price_drop: what it cost when they took to it, or were last told. */
  readonly previousPrice: null | bigint;
}

/** Two ids are one shopper. Key: from. */
export interface UserMerge {
  /** Id of the merge. */
  readonly mergeId: string;
  /** Id that is given up. */
  readonly from: string;
  /** Canonical id from now on. */
  readonly to: string;
  /** When it was said. */
  readonly time: number;
  /** Not empty: these ids were erased, so that from leads to none of them any more. */
  readonly erased: readonly string[];
  /** It is proven to be said by who from is: without that no user’s id is given up. */
  readonly fromProven: boolean;
  /** It is proven to be said by who to is. */
  readonly toProven: boolean;
  /** Nobody has erased anything: nobody was seen under from since time, for so long that nothing is kept of them. */
  readonly forgotten: boolean;
}

/** The latest visit in which a shopper looked at products. Key: shopper. */
export interface Browsing {
  /** The visit. */
  readonly sessionId: string;
  /** Products looked at, the latest first, at most 10. */
  readonly skus: readonly string[];
  /** Event time of the latest view. */
  readonly at: number;
  /** Whether the shopper is known by more than a device: nobody else could be written to. */
  readonly isKnown: boolean;
  /** Whether its trigger was decided: a visit has one. */
  readonly isTold: boolean;
  /** Their titles, where their views told them. */
  readonly names: readonly (null | string)[];
}

/** Units of a SKU in a cart. */
export interface CartLine {
  /** Stock keeping unit. */
  readonly sku: string;
  /** Title. */
  readonly name: null | string;
  /** Units. */
  readonly quantity: number;
  /** Unit price. */
  readonly price: null | bigint;
}

/** An open cart of a shopper. Key: shopper, cart. */
export interface Cart {
  /** Lines. */
  readonly lines: readonly CartLine[];
  /** Event time of the last change, or step of a checkout. */
  readonly changedAt: number;
  /** Event time of the latest product put in or taken out; 0: only checkouts told what is in it. */
  readonly filledAt: number;
  /** ISO 4217. */
  readonly currency: null | string;
  /** The latest trigger that has fired for the cart, as it is or as it was. */
  readonly firedId: null | string;
  /** changedAt of the state that it fired for; 0 where it has not. */
  readonly firedFor: number;
  /** The rule of that trigger. */
  readonly firedRule: null | string;
  /** Event time of the latest step of a checkout with this cart; 0: none. */
  readonly checkoutAt: number;
}

/** A SKU of the partition that has sold. */
export interface DemandMember {
  /** Day of its first line: days since 1970-01-01 in the shop's zone. */
  readonly since: number;
  /** Only pages have named it so far. */
  readonly unlisted: boolean;
}

/** How forecasts of one demand class fared. */
export interface DemandScore {
  /** Forecasts judged. */
  readonly samples: number;
  /** Those whose 80 % interval held the day. */
  readonly covered: number;
  /** Mean pinball loss over the quantiles. This and what follows in standard deviations of the SKU, 30 a day at most. */
  readonly pinball: number;
  /** Forecast. */
  readonly forecast: number;
  /** Sold. */
  readonly actual: number;
}

/** What the demand classes of one partition have taught: weights of experts and tails of intervals (models/forecast/mixing, conformal). Arrays of numbers are little-endian 32-bit floats. */
export interface DemandMixture {
  /** Class x quantile x expert. */
  readonly loss: Buffer;
  /** Class x quantile x expert. */
  readonly variance: Buffer;
  /** Class x quantile x expert. */
  readonly weights: Buffer;
  /** Tail cut on each side, by class. */
  readonly tails: readonly number[];
  /** Coverage that the classes aim at. */
  readonly target: number;
  /** How far errors of SKUs go together on a day (models/forecast/totals): a correlation. */
  readonly shared: number;
  /** By how much that grows from the middle of the horizon to its end: the logarithm. */
  readonly sharedSlope: number;
  /** How forecasts 1 to 28 days ahead fared lately, by how often the SKU sells; sums that lose 3 % with each round. */
  readonly scores: readonly DemandScore[];
}

/** Forecast of one SKU that waits for its days to come, to teach the weights of its class. */
export interface DemandPanel {
  /** Class. */
  readonly group: number;
  /** Scale of the SKU, units. */
  readonly scale: number;
  /** Mean of each lead. */
  readonly means: readonly number[];
  /** Lead x expert x quantile, little-endian 32-bit floats. */
  readonly quantiles: Buffer;
}

/** SKUs of a partition that only pages have named: claims of orders, no catalogue and no order of the shop's own systems. */
export interface DemandUnlisted {
  /** The shop has told of products: a claim of another SKU makes no series. */
  readonly catalogued: boolean;
  /** Series of such SKUs. */
  readonly skus: number;
}

/** An item that a shopper waits for or wants, of which rows elsewhere name them: they are told when the shopper is erased. Key: shopper, kind, sku, the id under which they said so. */
export interface Interest {
  /** When they last said so. */
  readonly time: number;
  /** Units of it that they put into carts and have not taken out. */
  readonly units: number;
  /** Whether they put it on a wish list, or asked for it. */
  readonly listed: boolean;
}

/** What is known of an item in a shopper's cart. Key: shopper, sku. */
export interface ItemInfo {
  /** Title. */
  readonly name: null | string;
  /** Page. */
  readonly url: null | string;
  /** Unit price. */
  readonly price: null | bigint;
  /** Units in stock. */
  readonly stock: null | number;
  /** When it was said. */
  readonly time: number;
  /** Cause of the latest back_in_stock: told under two ids of a shopper, it counts once. */
  readonly toldRestock: null | string;
  /** Cause of the latest price_drop. */
  readonly toldDrop: null | string;
}

/** A shopper waiting for an item. Key: sku, shopper. */
export interface ItemWatcher {
  /** When they asked. */
  readonly since: number;
}

/** A row elsewhere names the shopper: an order, or that of an id that leads to them. Key: shopper, place. It is told when the shopper is erased. */
export interface Mention {
  /** Since when. */
  readonly time: number;
}

/** A line and what came back of it. */
export interface LedgerLine {
  /** Stock keeping unit. */
  readonly sku: string;
  /** Units. */
  readonly quantity: number;
  /** Unit price. */
  readonly price: bigint;
  /** Units refunded. */
  readonly returned: number;
  /** Units told as claims that the shop has not confirmed yet. */
  readonly claimed: number;
  /** The line's part of the order's discount; below 0, what a line without a price is worth of the order's total. */
  readonly discount: bigint;
}

/** An order as the ledger knows it. Key: orderId. */
export interface OrderState {
  /** Time of the order. */
  readonly time: number;
  /** userId or anonymousId. */
  readonly shopper: null | string;
  /** ISO 4217. */
  readonly currency: string;
  /** The whole order has been reported. */
  readonly complete: boolean;
  /** Reported by the shop's own systems, not only claimed by a page. */
  readonly confirmed: boolean;
  /** Lines. */
  readonly lines: readonly LedgerLine[];
  /** Ids of refunds, updates and cancellations already applied, at most 200. */
  readonly messages: readonly string[];
  /** Refunds and cancellations that came before their order: framed OrderEvent, at most 50. */
  readonly waiting: readonly Buffer[];
  /** Country. */
  readonly country: null | string;
  /** Cart. */
  readonly cartId: null | string;
  /** Money that was given back without goods, in the order's currency: it is not given back again with them. */
  readonly refunded: null | bigint;
  /** File source of its first report: what becomes of the order is booked there, too. */
  readonly source: null | SourcePosition;
}

/** A shopper who wants an item and is told when it costs less. Key: sku, shopper. */
export interface PriceFollower {
  /** What it cost when they took to it, or were last told. */
  readonly price: bigint;
  /** ISO 4217, of the price; null: the shop's. */
  readonly currency: null | string;
}

/** A product as it stands. Key: sku. */
export interface Product {
  /** Stock keeping unit. */
  readonly sku: string;
  /** Title. */
  readonly name: null | string;
  /** First category, in which the product counts. A path (Home > Kitchen > Cups) is in what lies above it, too. */
  readonly category: null | string;
  /** Brand. */
  readonly brand: null | string;
  /** Unit price. */
  readonly price: null | bigint;
  /** ISO 4217. */
  readonly currency: null | string;
  /** Page. */
  readonly url: null | string;
  /** Picture. */
  readonly imageUrl: null | string;
  /** Not to be recommended. */
  readonly hidden: boolean;
  /** Taken out of the catalogue. */
  readonly deleted: boolean;
  /** Units in stock; null: never said. */
  readonly stock: null | number;
  /** It can be bought, but is not there: preorder or backorder. */
  readonly onOrder: boolean;
  /** Further attributes; several values are a JSON list of texts. */
  readonly attributes: Readonly<Record<string, string>>;
  /** Event time of the last catalogue change. */
  readonly catalogAt: number;
  /** Event time of the last stock change. */
  readonly stockAt: number;
  /** Event time of the last price change. */
  readonly priceAt: number;
  /** How often stock came back. */
  readonly restocks: number;
  /** Further categories, none of them the first. */
  readonly furtherCategories: readonly string[];
}

/** Where a task stands; the row _progress of its table. */
export interface Progress {
  /** Input topic to the next offset. */
  readonly offsets: Readonly<Record<string, number>>;
  /** topic writer to its last tick. */
  readonly ticks: Readonly<Record<string, number>>;
  /** Task time in ms. */
  readonly time: number;
  /** input/partition of another task to the offset up to which its forwards are applied. */
  readonly applied: Readonly<Record<string, number>>;
  /** topic/offset to the number of handler exceptions there. */
  readonly crashes: Readonly<Record<string, number>>;
  /** Input topic to what tells its log from another one with the same offsets. */
  readonly lineages: Readonly<Record<string, string>>;
}

/** The key was merged into another, or is a user’s id. */
export interface Redirect {
  /** Canonical id; the key itself: it leads nowhere. */
  readonly to: string;
  /** Merge. */
  readonly mergeId: string;
  /** When it was said. */
  readonly time: number;
  /** Of each input, the next offset after the last record of this key that was sent on: whoever has applied these has seen all of it. */
  readonly sent: Readonly<Record<string, number>>;
  /** As of the merge: what is not proven ends when the key turns out to be a user’s id. */
  readonly fromProven: boolean;
  /** The key is a user’s id: only a proven merge leads away from it. */
  readonly isUser: boolean;
  /** Time of the task when something of the key was sent on last; 0: it was not known. */
  readonly seenAt: number;
}

/** What an order has of the SKU. */
export interface BoughtUnits {
  /** Order. */
  readonly orderId: string;
  /** Time of the order. */
  readonly time: number;
  /** Units of all its lines that have not come back, above 0. */
  readonly quantity: number;
  /** Unit price, the highest of several; null where it is in another currency than the shop's. */
  readonly price: null | bigint;
}

/** How regularly a shopper buys a SKU. Key: shopper, sku. */
export interface Replenishment {
  /** Orders of the latest six days of the shop, at most 50, latest first. */
  readonly orders: readonly BoughtUnits[];
  /** Time of the order after which it was told as due last; 0: of none. */
  readonly toldFor: number;
}

/** Message ids of a shopper within 24 hours of receipt: 64-bit hashes and receipt hours. */
export interface SeenMessages {
  /** Pairs of 8-byte hash and 4-byte receipt second, little-endian. */
  readonly hashes: Buffer;
}

/** How far the days of a forecast err together, learned by one partition from the cycles of its SKUs, by octave of units a day (models/inventory/shared-error). */
export interface SharedError {
  /** What cycles were off beyond what their days explain, times what a correlation of one would add. */
  readonly evidence: readonly number[];
  /** Squares of the latter. */
  readonly weight: readonly number[];
}

/** Hours in which the SKUs of a partition sold. */
export interface ShopHours {
  /** Newest day known. */
  readonly asOf: number;
  /** Weekday (0 is a Thursday) x local hour, forgetting as it goes. */
  readonly hits: readonly number[];
}

/** What a planned event is worth. */
export interface EventEffect {
  /** ln of its factor. */
  readonly effect: number;
  /** Days it was learned from. */
  readonly times: number;
}

/** How the shop's level goes through the year, week by week (models/forecast/year-course). */
export interface YearCourse {
  /** How much ln of the level grows from the week before, as it was learned; empty before the first. */
  readonly growth: readonly number[];
  /** How often each was learned. */
  readonly times: readonly number[];
  /** Week that is under way, -1 before the first. */
  readonly week: number;
  /** Typical sales made in it, at the SKUs' levels of the beginning. */
  readonly made: number;
  /** Typical sales expected of it at level 1. */
  readonly usual: number;
  /** How far ln of SKUs' own levels has moved. */
  readonly moves: number;
  /** ln of the level of the last whole weeks, at most four, oldest first. */
  readonly recent: readonly number[];
  /** What was expected of each one's change but the first's; not a number where nothing was. */
  readonly told: readonly number[];
  /** Sum of products of four weeks' changes and what was expected of them, forgetting as it goes. */
  readonly agreed: number;
  /** Sum of squares of what was expected. */
  readonly said: number;
  /** Sum of squares of the changes. */
  readonly moved: number;
  /** Number of them. */
  readonly weeks: number;
}

/** What the SKUs of one partition have in common (models/forecast/shop-demand), as of the day before its window. */
export interface ShopSeason {
  /** ln of the day of week's factor; index day mod 7 (0 is Thursday). */
  readonly season: readonly number[];
  /** How often each was learned. */
  readonly learned: readonly number[];
  /** Closed in a row, by day of week. */
  readonly closedRun: readonly number[];
  /** ln of the level. */
  readonly level: number;
  /** Its daily change. */
  readonly slope: number;
  /** Mean surprise, taken off. */
  readonly offset: number;
  /** Days learned. */
  readonly periods: number;
  /** Sales of an ordinary day. */
  readonly sellers: number;
  /** Planned events, by name. */
  readonly events: Readonly<Record<string, EventEffect>>;
  /** Worth of the latest folded days, oldest first, little-endian 32-bit floats; -1 is closed. */
  readonly past: Buffer;
  /** SKUs of the partition that have sold. */
  readonly members: number;
  /** Typical sales made of SKUs on promotion, forgetting as it goes. */
  readonly saleMade: number;
  /** Typical sales that these would have made without. */
  readonly saleExpected: number;
  /** Of their sales of more than three typical ones what lies between three and six. */
  readonly saleBeyond3: number;
  /** What lies between six and eighteen. */
  readonly saleBeyond6: number;
  /** Smoothed sales of SKUs younger than two weeks. */
  readonly young: number;
  /** ln of the factor of each day of the month, as it was learned; index 0 is the first. */
  readonly month: readonly number[];
  /** How often each was learned. */
  readonly monthLearned: readonly number[];
  /** Smoothed square of what a day's logarithm is off. */
  readonly noise: number;
  /** SKUs that were new, forgetting with each one (models/forecast/newcomers). */
  readonly newcomers: number;
  /** Sum of the shares of their first two weeks' days after the first on which they sold. */
  readonly wentOn: number;
  /** How the level goes through the year. */
  readonly year: YearCourse;
}

/** Settings with which the topics of an installation on Kafka were made. */
export interface ShopSettings {
  /** SHOP_CURRENCY. */
  readonly currency: string;
  /** SHOP_TIMEZONE. */
  readonly timezone: string;
  /** TOPIC_PARTITIONS. */
  readonly partitions: number;
}

/** Latest days of all SKUs of the shop together (models/forecast/shop-demand), or what a partition adds to one of them. */
export interface ShopWindow {
  /** Newest day with a sale: days since 1970-01-01 in the shop's zone. */
  readonly lastDay: null | number;
  /** Typical sales made, by day, oldest first. */
  readonly made: readonly number[];
  /** SKUs that sold. */
  readonly hits: readonly number[];
  /** Sales a day to expect of those that are two weeks old since this day. */
  readonly joined: readonly number[];
  /** Typical sales made of SKUs on promotion. */
  readonly saleMade: readonly number[];
  /** Typical sales that these would have made on an ordinary day. */
  readonly saleExpected: readonly number[];
  /** Of sales of more than three typical ones what lies between three and six. */
  readonly beyond3: readonly number[];
  /** What lies between six and eighteen. */
  readonly beyond6: readonly number[];
  /** The same of SKUs on promotion. */
  readonly saleBeyond3: readonly number[];
  /** The same of SKUs on promotion. */
  readonly saleBeyond6: readonly number[];
  /** Typical sales of those that are younger. */
  readonly young: readonly number[];
  /** SKUs whose first sale was on the day. */
  readonly newcomers: readonly number[];
  /** Days with a sale of these in the thirteen days after it, in all. */
  readonly again: readonly number[];
}

/** A cart that was bought. */
export interface OrderedCart {
  /** Cart. */
  readonly cartId: string;
  /** Event time of the purchase. */
  readonly time: number;
}

/** What decides whether a shopper may be contacted. Key: shopper. */
export interface ShopperContact {
  /** Marketing consent; null: never said. */
  readonly consent: null | boolean;
  /** When it was said. */
  readonly consentAt: number;
  /** Times of the latest triggers, for the frequency cap. */
  readonly fired: readonly number[];
  /** Event time of the latest purchase without a cart id. */
  readonly lastOrderAt: number;
  /** Carts bought, latest first, at most 20. */
  readonly orderedCarts: readonly OrderedCart[];
  /** Event time of the latest purchase of any kind; 0: none. */
  readonly boughtAt: number;
  /** IANA zone that their latest event with one told; null: none did. */
  readonly timezone: null | string;
  /** Event time of that. */
  readonly timezoneAt: number;
  /** Event time of the first order, until its customer was welcomed; 0: they were, or nobody is to be. */
  readonly newSince: number;
  /** Whether what was spent in the last 365 days was at the bar of a VIP or above it when it was last looked at. */
  readonly isVip: boolean;
  /** Event time of the latest order when that was last told; 0: never. */
  readonly vipFor: number;
}

/** Days that began without stock. */
export interface Shortage {
  /** Moment on which it ran out. */
  readonly from: number;
  /** Moment on which it came back; null while it lasts. */
  readonly to: null | number;
}

/** Days with a sale price. */
export interface Promotion {
  /** First day. */
  readonly from: number;
  /** Last one; null where none is known. */
  readonly to: null | number;
}

/** A day of the window with units that nobody but a page has reported. */
export interface ClaimedDay {
  /** Days since 1970-01-01 in the shop's zone. */
  readonly day: number;
  /** Net units of the rest. */
  readonly sure: number;
  /** Net units of these. */
  readonly claimed: number;
}

/** That it left what the shop expects. */
export interface Leaving {
  /** Day on which it was told. */
  readonly told: number;
  /** First day on which nothing is expected of it: the one before, while the shop's days have not come so far. */
  readonly day: number;
  /** Sales a day that had been expected. */
  readonly often: number;
}

/** Sales of one SKU as a series that can be corrected (models/forecast/sku-series). Key: sku. */
export interface SkuDemand {
  /** First day with a net sale, once it has left the window: days since 1970-01-01 in the shop's zone. */
  readonly firstDay: null | number;
  /** Newest day known. */
  readonly lastDay: number;
  /** Net units of the last min(days, 28) days, oldest first; below zero while a refund waits for its sale. */
  readonly units: readonly number[];
  /** Row of the expert bank after every day before the window, 63 little-endian 32-bit floats; empty while nothing was folded. */
  readonly folded: Buffer;
  /** Smoothed units of the folded days. */
  readonly sizeUnits: number;
  /** Smoothed share of the folded days with a sale. */
  readonly sizeHits: number;
  /** Folded days with a sale among the first two weeks. */
  readonly earlyHits: number;
  /** Stretches of time without stock, oldest first. */
  readonly shortages: readonly Shortage[];
  /** Task time of the last publication; 0 before the first. */
  readonly publishedAt: number;
  /** Day of the last reorder suggestion; 0 before the first. */
  readonly suggestedDay: number;
  /** Its units. */
  readonly suggestedUnits: number;
  /** Units on order when it was made. */
  readonly suggestedOnOrder: number;
  /** Days with a sale price, past and to come. */
  readonly promotions: readonly Promotion[];
  /** Days with unconfirmed units, oldest first: what of them counts stands in units. */
  readonly claims: readonly ClaimedDay[];
  /** A line was of less than a whole unit, metres for example. */
  readonly byFractions: boolean;
  /** Since when the days of the shop expect nothing of it, as it is deleted or discontinued. */
  readonly left: null | Leaving;
}

/** Sales of one hour. */
export interface HourCell {
  /** Local day since 1970-01-01 x 24 + local hour. */
  readonly at: number;
  /** Net units; below zero while a refund waits for its sale. */
  readonly units: number;
}

/** Hours in which one SKU sold (models/forecast/hour-profile); kept while hours are forecast. Key: sku. */
export interface SkuHours {
  /** Day that `folded` is as of. */
  readonly foldedDay: number;
  /** By local hour, hours with a sale before the last 28 days, forgetting as it goes: 24 little-endian 32-bit floats; empty while there are none. */
  readonly folded: Buffer;
  /** The last 28 days, oldest first. */
  readonly cells: readonly HourCell[];
}

/** SKU that takes the place of this one, or whose place this one has taken. Key: sku. */
export interface SkuSuccessor {
  /** The other SKU. */
  readonly sku: string;
  /** Whether the series of this SKU was handed over: false while there is none. */
  readonly handed: boolean;
}

/** What an order of the last 365 days cost, in the shop's currency. Key: shopper, order. */
export interface Spending {
  /** Event time of the order. */
  readonly time: number;
  /** What it cost, without what was given back. */
  readonly amount: bigint;
}

/** The base-stock level of one SKU in a cycle that runs, and what it has learned from those before (models/inventory/base-stock-learning). Key: sku. */
export interface StockCycle {
  /** First day of the cycle: days since 1970-01-01 in the shop's zone. */
  readonly from: number;
  /** Its length; 0 while none runs. */
  readonly days: number;
  /** Level that the forecast asked for. */
  readonly textbook: number;
  /** Standard deviation of the demand that it has to meet. */
  readonly deviation: number;
  /** Share of cycles to cover, 0 to 1. */
  readonly service: number;
  /** Correction of the level, in deviations. */
  readonly shift: number;
  /** Cycles learned. */
  readonly cycles: number;
  /** Sum of their service levels: how many of them were to be covered. */
  readonly promised: number;
  /** How many the suggested levels covered; of one with an empty shelf how likely it was. */
  readonly covered: number;
  /** What corrected levels have cost over them, in units weighed by the service level. */
  readonly cost: number;
  /** What those of the forecasts have. */
  readonly textbookCost: number;
  /** Sum of the squares of the differences of the two, cycle by cycle. */
  readonly squares: number;
  /** How it is ordered: what follows is what all of this was learned of, and may be used for. */
  readonly policy: string;
  /** Days whose demand the stock has to meet; 0 where they count down to the last one of a season. */
  readonly protectedDays: number;
  /** Standard deviation of the lead time. */
  readonly deviationDays: number;
  /** Share of cycles to cover that was asked for at first, 0 to 1. */
  readonly level: number;
  /** Mean demand of its days, as forecast when it began. */
  readonly mean: number;
  /** Sum of the variances of its days. */
  readonly ownSquares: number;
  /** Sum over all pairs of different days of the product of their deviations: what the correlation of their errors multiplies. */
  readonly products: number;
}

/** What base-stock levels of one partition have cost, in units weighed by their service levels, forgetting as it goes. */
export interface StockScore {
  /** Cycles that are over. */
  readonly cycles: number;
  /** Cost of the levels that were suggested. */
  readonly served: number;
  /** Cost of those always corrected. */
  readonly learned: number;
  /** Cost of those of the forecasts. */
  readonly textbook: number;
  /** Sum of their service levels: how many cycles were to be covered. */
  readonly promised: number;
  /** How many the suggested levels covered; of one with an empty shelf how likely it was. */
  readonly covered: number;
  /** What part of these cycles the shelf was empty: its demand is taken from the forecast. */
  readonly unseen: number;
}

/** A pending timer. */
export interface Timer {
  /** When, in log time. */
  readonly due: number;
  /** Given back to the handler. */
  readonly payload: string;
}

/** An item touched. */
export interface RecentItem {
  /** Stock keeping unit. */
  readonly sku: string;
  /** Event name. */
  readonly event: string;
  /** When. */
  readonly time: number;
}

/** A session before the current one of which events came late. */
export interface PastSession {
  /** As sessionId. */
  readonly id: string;
  /** Its first event, ms since 1970. */
  readonly start: number;
  /** Its last event, ms since 1970. */
  readonly lastSeen: number;
}

/** What is known of a shopper. Key: canonical id. */
export interface UserProfile {
  /** First event. */
  readonly firstSeen: number;
  /** Last event, by event time. */
  readonly lastSeen: number;
  /** Current session. */
  readonly sessionId: string;
  /** Its first event. */
  readonly sessionStart: number;
  /** Sessions so far. */
  readonly sessions: number;
  /** Events so far. */
  readonly events: number;
  /** Latest first, at most 50. */
  readonly recent: readonly RecentItem[];
  /** SKUs bought, latest first, at most 1,000 and 40,000 bytes of them. */
  readonly bought: readonly string[];
  /** Event time of the latest order, ms since 1970; 0: none. */
  readonly boughtAt: number;
  /** SKUs dismissed, at most 1,000 and 40,000 bytes of them. */
  readonly dismissed: readonly string[];
  /** null: never said. */
  readonly marketingConsent: null | boolean;
  /** When that was said; 0 for a yes that came by a merge. */
  readonly consentAt: number;
  /** IANA zone. */
  readonly timezone: null | string;
  /** The id is a userId: whoever asks for it must prove to be that user. */
  readonly known: boolean;
  /** The last of these, which further late events belong to. */
  readonly past: null | PastSession;
}

/** What visits of the shoppers of a partition led to. Key: situation that they came through, or all. */
export interface VisitOutcomes {
  /** Visits; halved with the orders when there are 10,000. */
  readonly visits: number;
  /** Those that ended with an order. */
  readonly orders: number;
}

/** The visit of a shopper that goes on. Key: shopper. */
export interface Visit {
  /** The visit. */
  readonly sessionId: string;
  /** Event time of the latest product or step of a cart. */
  readonly at: number;
  /** Products looked at or put into the cart, the latest first, at most 10. */
  readonly skus: readonly string[];
  /** Whether one of them was looked at again. */
  readonly isAgain: boolean;
  /** Situations that it came through, each below 64 (consumers/triggers/situations). */
  readonly passed: readonly number[];
  /** Whether its trigger was decided: a visit has one. */
  readonly isTold: boolean;
}

/** How far a file source has been read. */
export interface Watermark {
  /** Next ordinal. */
  readonly next: number;
}
