import { joinedIds } from '../schemas/joined-ids.js';
import type { CatalogChange, Claim, EventType, InventoryChange, OrderEvent, ShopEvent } from '../schemas/types.js';
import { callType, envelope } from './envelope.js';
import { eventProducts } from './event-products.js';
import { isObject, under, type Errors, type FieldError } from './fields.js';
import { orderEvent, refuseOld } from './orders.js';
import { eventName, objectOf, shopEvent, type Call } from './shop-event.js';
import { inventoryChanges } from './stock.js';
import { unproven } from './unproven.js';
import { isServerOnly, meanings } from './vocabulary.js';

/** The shop's own settings that an event may leave out. */
export interface Shop {
  /** ISO 4217. */
  readonly currency: string;
  /** IANA zone in which days are cut. */
  readonly timezone: string;
}

export interface CollectContext {
  readonly receivedAt: number;
  readonly shop: Shop;
  /** A browser's write key is public: it may not change stock, prices or orders, erase anyone, or consent for a known user. */
  readonly scope: 'browser' | 'server';
  /** The user that the browser has proved to be, by a shopper token. */
  readonly provenUser?: string | undefined;
  /** Id of a message that has none. */
  readonly newId: () => string;
  /** The call that the route stands for. */
  readonly type?: EventType | undefined;
  /** When the batch around this call was sent. */
  readonly sentAt?: number | undefined;
}

/** A record for the log, with the key that decides its partition. */
export type CollectedRecord =
  | { readonly topic: 'clickstream'; readonly key: string; readonly value: ShopEvent }
  | { readonly topic: 'orders'; readonly key: string; readonly value: OrderEvent }
  | { readonly topic: 'inventory'; readonly key: string; readonly value: InventoryChange }
  | { readonly topic: 'catalog'; readonly key: string; readonly value: CatalogChange };

export interface Collected {
  readonly messageId: string;
  readonly records: readonly CollectedRecord[];
  /** The event claimed to lie in the future and was taken as of now. */
  readonly clamped: boolean;
  /** What it says without effect, though it is taken. */
  readonly warnings: readonly FieldError[];
}

export type Outcome = { readonly ok: Collected } | { readonly errors: readonly FieldError[] };

/**
 * Turn one untrusted Segment call into typed records, or into a list that names every wrong field. Pure: the same body
 * and context give the same answer. An order goes to `orders`, which alone counts it, and to `clickstream`, where the
 * funnel sees it.
 */
export function collect(body: unknown, context: CollectContext): Outcome {
  if (!isObject(body)) return { errors: [{ path: '', code: 'not_an_object', message: 'A call must be a JSON object.' }] };
  const errors: Errors = [];
  const type = callType(errors, body, context.type);
  const event = eventName(errors, body, type);
  const meaning = type === 'track' ? meanings.get(event) : undefined;
  if (context.scope === 'browser' && isServerOnly(meaning)) {
    errors.push({ path: 'event', code: 'needs_server_key', message: `${event} is taken with a server key only: a browser's key is public.` });
  }
  const head = envelope(errors, body, type, meaning?.kind !== 'stock', context.receivedAt, context.sentAt, context.newId);
  const maySayYes = context.scope === 'server' || head.userId === null || head.userId === context.provenUser;
  const call: Call = { body, head, event, meaning, properties: objectOf(errors, body, 'properties'), claim: claimOf(context), maySayYes };
  const records = meaning?.kind === 'stock' ? stockRecords(errors, call, meaning.field) : shopperRecords(errors, call, context.shop);
  if (errors.length > 0) return { errors };
  const warnings = records[0]?.topic === 'clickstream' ? unproven(call, records[0].value) : [];
  return { ok: { messageId: head.messageId, records, clamped: head.clamped, warnings } };
}

/** What a caller with a browser key may claim; null: a server key says it. */
export const claimOf = ({ scope, provenUser }: Pick<CollectContext, 'scope' | 'provenUser'>): Claim | null => (scope === 'server' ? null : { provenUser: provenUser ?? null });

/**
 * Key of an event in `clickstream`: the shopper's id as it names it. What joins an id with another takes the way of the former, behind what was
 * done under it and before what comes, and so does what follows right behind: the logins of two people on one device keep their order.
 */
export function keyOf(event: ShopEvent): string {
  const { login, userId, anonymousId } = event;
  return (login === null ? (joinedIds(event)?.from ?? userId) : anonymousId) ?? anonymousId ?? '';
}

function stockRecords(errors: Errors, call: Call, field: 'quantity' | 'price'): CollectedRecord[] {
  const from = errors.length;
  const changes = inventoryChanges(errors, call, field);
  under(errors, from, 'properties.');
  return changes.map((value) => ({ topic: 'inventory', key: value.sku, value }));
}

function shopperRecords(errors: Errors, call: Call, shop: Shop): CollectedRecord[] {
  const { head, meaning } = call;
  const from = errors.length;
  const products = head.type === 'track' ? eventProducts(errors, call.properties, meaning?.kind === 'product') : [];
  if (meaning?.kind === 'list' && products.length === 0 && errors.length === from) errors.push({ path: 'products', code: 'required', message: 'Name the products that were shown, in order.' });
  under(errors, from, 'properties.');
  const told = shopEvent(errors, call, products);
  const isPriced = told.value !== null || products.some(({ price }) => price !== null);
  const click = told.currency === null && isPriced ? { ...told, currency: shop.currency } : told;
  const record: CollectedRecord = { topic: 'clickstream', key: keyOf(click), value: click };
  if (meaning?.kind !== 'order') return [record];
  const before = errors.length;
  const order = orderEvent(errors, call, meaning.change, products, told, shop.currency);
  under(errors, before, 'properties.');
  refuseOld(errors, call);
  return [record, { topic: 'orders', key: order.orderId, value: order }];
}
