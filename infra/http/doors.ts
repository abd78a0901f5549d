import type { Journal, Metrics } from '../../pipeline/core/metrics.js';
import type { NewRecord, Position } from '../../pipeline/core/log.js';
import type { Shop } from '../../producers/collect.js';
import type { Filter } from './filter.js';
import type { KeyLists, Scope } from './keys.js';
import type { AddressLimit } from './limits.js';

/** What an answer must have seen: records of the log, and what follows from joining ids. */
export interface After {
  readonly positions: readonly Position[];
  /** Ids that were said to be another's: what stands there moves to the other. */
  readonly merges: readonly string[];
}

/** Who is asked about. One of the two is given. */
export interface ShopperRef {
  readonly userId: string | null;
  readonly anonymousId: string | null;
  /** Asked by the shop's server, or by a browser that has proved to be this user: what is kept of a known user may be used. */
  readonly trusted: boolean;
}

export interface RecommendRequest extends ShopperRef {
  /** 1 to 100. */
  readonly limit: number;
  /** Conditions on what the catalogue says. */
  readonly filter: Filter | null;
  /** SKUs that must not come. */
  readonly exclude: readonly string[];
  /** Only these SKUs may come, each once. */
  readonly items: readonly string[] | null;
  readonly placement: string | null;
  /** SKU of the product whose page the answer is for: it counts as the latest click. */
  readonly context: string | null;
  readonly after: After | null;
  readonly explain: boolean;
  /** Whether a linear fit stands beside the explanation, which it asks for as well. */
  readonly compare: boolean;
  /** 0 to 1: how much an item like those before it is held back. */
  readonly diversity: number;
  /** 0 to 5: how much an item that was shown in vain to this shopper is held back. */
  readonly fatigue: number;
  /** Whether the last place tries an item of which little is known. */
  readonly explore: boolean;
  /** Whether what the shopper bought must not come; null: as the shop has it. */
  readonly excludePurchased: boolean | null;
  /** Whether the answer counts as shown; else what the shop tells was shown of it does. */
  readonly shown: boolean;
}

export interface ScoreRequest extends ShopperRef {
  /** SKUs to score, each once; none gives an empty answer. */
  readonly items: readonly string[];
  readonly after: After | null;
  readonly explain: boolean;
  /** Whether a linear fit stands beside the explanation, which it asks for as well. */
  readonly compare: boolean;
}

export interface SimilarRequest {
  readonly sku: string;
  readonly limit: number;
  readonly filter: Filter | null;
  readonly exclude: readonly string[];
  /** Absent: nothing is waited for. */
  readonly after?: After | undefined;
  /** To whom they are shown, and where; absent: nothing is noted of the answer. */
  readonly to?: (ShopperRef & Pick<RecommendRequest, 'placement' | 'shown'>) | undefined;
}

/** An answer of serving: what is sent as JSON. */
type Answer = object | Promise<object>;

/** A page's or console's own route, answered as JSON, or as Server-Sent Events when the answer is an async generator. */
export interface ExtraRoute {
  readonly method: 'GET' | 'POST';
  /** Express 5 path; also the label of its metric. */
  readonly path: string;
  readonly scope: Scope | 'public';
  readonly answer: (request: { readonly params: Readonly<Record<string, string>>; readonly query: URLSearchParams; readonly body: unknown }) => Answer;
}

/** SKUs, the SKUs of a category together, or all that the shop has sold. */
export type ForecastsWanted = { readonly skus: readonly string[] } | { readonly category: string } | { readonly total: 'shop' };

/** What stands behind the doors. Any of them may throw `Refusal` (it becomes the answer) or `Unavailable` (503). */
export interface HttpDoors {
  /** Write records to the log; resolves when they are durable. @throws Unavailable */
  readonly accept: (records: readonly NewRecord[]) => Promise<readonly Position[]>;
  /** Wait before a batch of a file source is written, where it must; absent: nothing need wait. @throws Unavailable */
  readonly inStep?: (source: string, records: readonly NewRecord[]) => Promise<void>;
  /** Partitions of every topic. */
  readonly partitions: number;
  readonly recommend: (request: RecommendRequest) => Answer;
  readonly score: (request: ScoreRequest) => Answer;
  readonly similar: (request: SimilarRequest) => Answer;
  /** Forecast of a SKU, or undefined when there is none. */
  readonly forecast: (sku: string) => object | undefined | Promise<object | undefined>;
  /** Forecasts of several SKUs, or of a category together; undefined for a category without products. */
  readonly forecasts: (wanted: ForecastsWanted) => object | undefined | Promise<object | undefined>;
  /** Whether the catalogue or anybody's event names a SKU; undefined, or no such door, where this process cannot tell. */
  readonly isNamed?: ((sku: string) => Promise<boolean | undefined>) | undefined;
  /** What is kept of a shopper, or undefined for nothing. */
  readonly user: (id: string) => object | undefined | Promise<object | undefined>;
  readonly erase: (id: string) => Answer;
  readonly metricsText: () => string | Promise<string>;
  /** Whether it may get traffic, with what it says about its parts. */
  readonly ready: () => { readonly ready: boolean; readonly parts?: object };
  /** Rows of a query, where this process has ClickHouse at hand. */
  readonly sql?: ((query: string, until: AbortSignal) => AsyncIterable<object> | Promise<Iterable<object>>) | undefined;
  readonly extra?: readonly ExtraRoute[] | undefined;
}

export interface HttpSettings {
  readonly shop: Shop;
  readonly keys: KeyLists;
  /** HMAC secret of shopper tokens; empty: none is valid. */
  readonly shopperTokenSecret: string;
  /** Of events and questions with a browser key; absent: none. */
  readonly addressLimit?: AddressLimit | undefined;
  /** Placements that may be asked for; absent or none: any. */
  readonly placements?: readonly string[] | undefined;
  /** Connections from other machines are cut: for a demo, whose keys everybody knows. */
  readonly loopbackOnly?: boolean | undefined;
  /** Bytes of bodies being read at once (64 MiB). */
  readonly maxBodiesBytes?: number | undefined;
  /** How long a client may take for its headers (10 s). */
  readonly headersTimeoutMs?: number | undefined;
}

/** What the handlers share. */
export interface HttpDeps extends HttpDoors {
  readonly metrics: Metrics;
  readonly journal: Journal;
  /** Wall clock in ms; tests give their own. */
  readonly now?: (() => number) | undefined;
}
