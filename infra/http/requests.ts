import { allTopics } from '../../schemas/topics.js';
import { controlsIn, isObject, optionalId, requiredSku, shopperId, under, type Errors, type Json } from '../../producers/fields.js';
import { skuOf } from '../../producers/event-products.js';
import type { ForecastsWanted, RecommendRequest, ScoreRequest, ShopperRef, SimilarRequest } from './doors.js';
import { filterOf } from './filter.js';
import { decodeToken } from './position-token.js';
import { badRequest } from './problem.js';

const MAX_LIMIT = 100;
const MAX_LISTED = 1000;
const MAX_PLACEMENT = 256;
/** Recommendations asked for at once. */
const MAX_REQUESTS = 100;
/** Items explained for one call: an explanation asks the ranker a thousand times, and others wait meanwhile. */
const MAX_EXPLAINED = 100;

/** A misspelt option that is silently ignored looks like one that does not work: it is refused by name. */
function onlyKnown(errors: Errors, body: Json, known: ReadonlySet<string>, hint = ''): void {
  for (const name in body) {
    if (known.has(name)) continue;
    const taken = [...known].filter((field) => field !== 'writeKey' && field !== 'shopperToken').join(', ');
    errors.push({ path: name.slice(0, 80), code: 'unknown_field', message: `This takes ${taken}.${hint}` });
  }
}

function limitOf(errors: Errors, body: Json): number {
  const value = body['limit'] ?? 10;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= MAX_LIMIT) return value;
  errors.push({ path: 'limit', code: 'out_of_range', message: `This must be a whole number from 1 to ${MAX_LIMIT}.` });
  return 1;
}

function strengthOf(errors: Errors, body: Json, name: string, most: number): number {
  const value = body[name] ?? 0;
  if (typeof value === 'number' && value >= 0 && value <= most) return value;
  errors.push({ path: name, code: 'out_of_range', message: `This must be a number from 0 to ${most}.` });
  return 0;
}

/** SKUs of a list, each once. */
function skusOf(errors: Errors, body: Json, name: string): string[] | null {
  const list = body[name];
  if (list === undefined || list === null) return null;
  if (!Array.isArray(list)) {
    errors.push({ path: name, code: 'wrong_type', message: 'This must be a list of SKUs.' });
    return null;
  }
  if (list.length > MAX_LISTED) {
    errors.push({ path: name, code: 'too_many', message: `At most ${MAX_LISTED} SKUs.` });
    return null;
  }
  const from = errors.length;
  const skus = new Set<string>();
  list.forEach((value: unknown, index) => {
    const before = errors.length;
    const sku = requiredSku(errors, { '': value }, '');
    under(errors, before, `[${index}]`);
    if (sku !== null) skus.add(sku);
  });
  under(errors, from, name);
  return [...skus];
}

/** Where on the page. Blank says a place that has no name: a page whose template lost it. What clicks could not name again is no place. */
function placementOf(errors: Errors, body: Json, known: readonly string[]): string | null {
  const value = body['placement'];
  if (value === undefined || value === null) return null;
  if (typeof value !== 'string') errors.push({ path: 'placement', code: 'wrong_type', message: 'This must be a text.' });
  else if (value.trim() === '') errors.push({ path: 'placement', code: 'empty', message: 'Name the place on the page, or leave the field out.' });
  else if (value.length > MAX_PLACEMENT) errors.push({ path: 'placement', code: 'too_large', message: `At most ${MAX_PLACEMENT} characters; these are ${value.length}.` });
  else if (controlsIn(value)) errors.push({ path: 'placement', code: 'control_character', message: 'A placement must not contain control characters.' });
  else if (known.length > 0 && !known.includes(value)) errors.push({ path: 'placement', code: 'unknown_placement', message: `${JSON.stringify(value)} is none of ${known.join(', ')} (PLACEMENTS).` });
  else return value;
  return null;
}

/** An option of a question. One that is nearly true is a slip of who asks, as a misspelt one is. */
function isWanted(errors: Errors, body: Json, name: string, unsaid = false): boolean {
  const value = body[name] ?? unsaid;
  if (typeof value === 'boolean') return value;
  errors.push({ path: name, code: 'wrong_type', message: 'This must be true or false, without quotes.' });
  return unsaid;
}

/** The product of the page, under any name that a product has. */
function contextOf(errors: Errors, body: Json): string | null {
  const value = body['context'];
  if (value === undefined || value === null) return null;
  const from = errors.length;
  if (isObject(value)) {
    onlyKnown(errors, value, CONTEXT);
    const sku = skuOf(errors, value);
    under(errors, from, 'context.');
    return sku;
  }
  errors.push({ path: 'context', code: 'not_an_object', message: 'This must be an object with the product_id of the page.' });
  return null;
}

/** Topics that the collector writes. */
const WRITTEN = new Set(allTopics.filter(({ kind }) => kind === 'source').map(({ name }) => name));

function afterOf(errors: Errors, body: Json): RecommendRequest['after'] {
  const token = body['after'];
  if (token === undefined || token === null) return null;
  const after = typeof token === 'string' ? decodeToken(token) : undefined;
  if (after === undefined || !after.positions.every(({ topic }) => WRITTEN.has(topic))) errors.push({ path: 'after', code: 'wrong_type', message: 'This must be a token that the collector answered with.' });
  return after ?? null;
}

function shopperOfRequest(errors: Errors, body: Json): ShopperRef {
  const from = errors.length;
  const userId = shopperId(errors, body, 'userId');
  const anonymousId = shopperId(errors, body, 'anonymousId');
  if (userId === null && anonymousId === null && errors.length === from) {
    errors.push({ path: 'userId', code: 'required', message: 'Say who: a userId or an anonymousId.' });
  }
  return { userId, anonymousId, trusted: false };
}

/** @throws Refusal 400 naming every wrong field */
function read<T>(body: unknown, known: ReadonlySet<string>, fields: (errors: Errors, body: Json) => T, hint = ''): T {
  if (!isObject(body)) throw badRequest([{ path: '', code: 'not_an_object', message: 'The request must be a JSON object.' }]);
  const errors: Errors = [];
  onlyKnown(errors, body, known, hint);
  const request = fields(errors, body);
  if (errors.length > 0) throw badRequest(errors);
  return request;
}

const CONTEXT = new Set(['product_id', 'sku']);
const RECOMMEND = new Set(['userId', 'anonymousId', 'limit', 'filter', 'exclude', 'items', 'placement', 'context', 'after', 'explain', 'compare', 'diversity', 'fatigue', 'explore', 'excludePurchased', 'shown', 'writeKey', 'shopperToken']);
const SEVERAL = new Set(['requests', 'writeKey', 'shopperToken']);
const SCORE = new Set(['userId', 'anonymousId', 'items', 'after', 'explain', 'compare', 'writeKey', 'shopperToken']);
const SIMILAR = new Set(['sku', 'product_id', 'limit', 'filter', 'exclude', 'after', 'userId', 'anonymousId', 'placement', 'shown', 'writeKey', 'shopperToken']);

/**
 * `isServer`: asked with a server's key, which speaks for every shopper; another proves a userId before it is answered.
 * `placements`: those that may be named; none: any. @throws Refusal 400 naming every wrong field
 */
export const recommendRequest = (input: unknown, isServer = false, placements: readonly string[] = []): RecommendRequest =>
  read(input, RECOMMEND, (errors, body) => recommendFields(errors, body, isServer, placements));

/** Written out field by field: copying objects into each other takes longer than reading them. */
function recommendFields(errors: Errors, body: Json, isServer: boolean, placements: readonly string[]): RecommendRequest {
  const { userId, anonymousId } = shopperOfRequest(errors, body);
  const compare = isWanted(errors, body, 'compare');
  const request: RecommendRequest = {
    userId,
    anonymousId,
    trusted: isServer || userId !== null,
    limit: limitOf(errors, body),
    filter: filterOf(errors, body),
    exclude: skusOf(errors, body, 'exclude') ?? [],
    items: skusOf(errors, body, 'items'),
    placement: placementOf(errors, body, placements),
    context: contextOf(errors, body),
    after: afterOf(errors, body),
    explain: isWanted(errors, body, 'explain') || compare,
    compare,
    diversity: strengthOf(errors, body, 'diversity', 1),
    fatigue: strengthOf(errors, body, 'fatigue', 5),
    explore: isWanted(errors, body, 'explore'),
    excludePurchased: (body['excludePurchased'] ?? null) === null ? null : isWanted(errors, body, 'excludePurchased'),
    shown: isWanted(errors, body, 'shown', true),
  };
  if (explainedIn(request) > MAX_EXPLAINED) errors.push({ path: 'items', code: 'too_many', message: `At most ${MAX_EXPLAINED} items are explained at once.` });
  return request;
}

const explainedIn = ({ explain, limit, items }: RecommendRequest): number => (explain ? (items?.length ?? limit) : 0);

/** Several recommendations asked for at once, each with the body that may hold its shopper token, or undefined when the body asks for one. @throws Refusal 400 naming every wrong field of each */
export function recommendRequests(body: unknown, isServer: boolean, placements: readonly string[] = []): readonly { readonly request: RecommendRequest; readonly body: Json }[] | undefined {
  if (!isObject(body) || body['requests'] === undefined) return undefined;
  return read(body, SEVERAL, (errors) => {
    const asked = body['requests'];
    if (!Array.isArray(asked) || asked.length > MAX_REQUESTS) {
      errors.push({ path: 'requests', code: Array.isArray(asked) ? 'too_many' : 'wrong_type', message: `This must be a list of at most ${MAX_REQUESTS} requests.` });
      return [];
    }
    const read = asked.flatMap((one: unknown, index) => {
      if (!isObject(one)) {
        errors.push({ path: `requests[${index}]`, code: 'not_an_object', message: 'A request must be a JSON object.' });
        return [];
      }
      const before = errors.length;
      onlyKnown(errors, one, RECOMMEND);
      const request = recommendFields(errors, one, isServer, placements);
      under(errors, before, `requests[${index}].`);
      return [{ request, body: (one['shopperToken'] ?? null) === null ? body : one }];
    });
    const explained = read.reduce((sum, { request }) => sum + explainedIn(request), 0);
    if (explained > MAX_EXPLAINED) errors.push({ path: 'requests', code: 'too_many', message: `At most ${MAX_EXPLAINED} items are explained at once: these ask for ${explained}.` });
    return read;
  }, ' Each of them says all else itself.');
}

export const scoreRequest = (input: unknown): ScoreRequest =>
  read(input, SCORE, (errors, body) => {
    if ((body['items'] ?? null) === null) errors.push({ path: 'items', code: 'required', message: 'Say which SKUs to score.' });
    const compare = isWanted(errors, body, 'compare');
    const explain = isWanted(errors, body, 'explain') || compare;
    const items = skusOf(errors, body, 'items') ?? [];
    if (explain && items.length > MAX_EXPLAINED) errors.push({ path: 'items', code: 'too_many', message: `At most ${MAX_EXPLAINED} items are explained at once.` });
    return { ...shopperOfRequest(errors, body), items, after: afterOf(errors, body), explain, compare };
  });

/** `placements`: those that may be named; none: any. @throws Refusal 400 naming every wrong field */
export const similarRequest = (input: unknown, placements: readonly string[] = []): SimilarRequest =>
  read(input, SIMILAR, (errors, body) => ({
    sku: skuOf(errors, body) ?? '',
    limit: limitOf(errors, body),
    filter: filterOf(errors, body),
    exclude: skusOf(errors, body, 'exclude') ?? [],
    after: afterOf(errors, body) ?? undefined,
    to: shownTo(errors, body, placements),
  }));

/** To whom similar items are shown, where any of it is said: a place alone is noted of nobody. */
function shownTo(errors: Errors, body: Json, placements: readonly string[]): SimilarRequest['to'] {
  const isSaid = (name: string): boolean => body[name] !== undefined && body[name] !== null;
  if (!['userId', 'anonymousId', 'placement', 'shown'].some(isSaid)) return undefined;
  return { ...shopperOfRequest(errors, body), placement: placementOf(errors, body, placements), shown: isWanted(errors, body, 'shown', true) };
}

/** An id in a path, by default any; `read` may ask more of it. @throws Refusal 400 */
export function pathId(name: string, value: string, read: typeof optionalId = optionalId): string {
  const errors: Errors = [];
  const id = read(errors, { [name]: value }, name);
  if (errors.length > 0 || id === null) throw badRequest(errors.length > 0 ? errors : [{ path: name, code: 'empty', message: 'This id is empty.' }]);
  return id;
}

const MOST_FORECASTS = 100;
/** A key may stand in any query. */
const KEYS = ['writeKey', 'api_secret'];
const FORECASTS = new Set(['sku', 'category', 'total', ...KEYS]);
const ONE_FORECAST = new Set(KEYS);

function unknownIn(errors: Errors, query: URLSearchParams | undefined, known: ReadonlySet<string>, message: string): void {
  for (const name of new Set(query?.keys())) if (!known.has(name)) errors.push({ path: name.slice(0, 80), code: 'unknown_field', message });
}

/** A forecast of one SKU takes no options. @throws Refusal 400 */
export function refuseUnknown(query: URLSearchParams | undefined): void {
  const errors: Errors = [];
  unknownIn(errors, query, ONE_FORECAST, 'The forecast of a SKU takes no options.');
  if (errors.length > 0) throw badRequest(errors);
}

/** Whose forecasts a query asks for: `sku` once or several times, one `category`, or `total=shop`. @throws Refusal 400 */
export function forecastsWanted(query: URLSearchParams | undefined): ForecastsWanted {
  const given = query?.getAll('sku') ?? [];
  const categories = query?.getAll('category') ?? [];
  const totals = query?.getAll('total') ?? [];
  const errors: Errors = [];
  const skus = new Set<string>();
  unknownIn(errors, query, FORECASTS, 'This takes sku, category or total.');
  if (given.length > MOST_FORECASTS) errors.push({ path: 'sku', code: 'too_many', message: `At most ${MOST_FORECASTS} SKUs.` });
  else for (const sku of given) skus.add(requiredSku(errors, { sku }, 'sku') ?? '');
  if ([given, categories, totals].filter(({ length }) => length > 0).length !== 1) {
    errors.push({ path: 'sku', code: 'required', message: 'Name SKUs (sku=a&sku=b), or one category, or total=shop.' });
  }
  if (categories.length > 1 || categories[0] === '') errors.push({ path: 'category', code: 'out_of_range', message: 'Name one category.' });
  if (totals.length > 1 || (totals[0] !== undefined && totals[0] !== 'shop')) errors.push({ path: 'total', code: 'out_of_range', message: 'The total is total=shop.' });
  if (errors.length > 0) throw badRequest(errors);
  if (totals[0] !== undefined) return { total: 'shop' };
  return categories[0] === undefined ? { skus: [...skus] } : { category: categories[0] };
}
