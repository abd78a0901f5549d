import { random, type Random } from '../../producers/simulate/random.js';

/** What must be true of a shopper's cart in the end. */
export type CartFate = 'left' | 'bought';

/** One request to the collector, and what must have come of it once it was accepted. */
export interface Request {
  readonly events: readonly object[];
  /** Message ids that must each be one interaction. */
  readonly messages: readonly { readonly id: string; readonly shopper: string }[];
  /** Lines that must each be one sale, as `order/line`; an order of which several requests tell is sold once. */
  readonly sales: readonly string[];
  readonly cart?: { readonly shopper: string; readonly fate: CartFate };
}

const SHOPPERS = 120;
const SKUS = 60;

/**
 * An endless story of a shop: browsing, carts that are left (each must fire exactly one trigger), carts that are bought in
 * the same request (none), orders that browser and server both report (one sale). The same seed tells the same story.
 */
export function* workload(run: string, seed: string): Generator<Request> {
  const chance = random(seed);
  for (let number = 0; ; number++) {
    const id = `${run}-${seed}-${number}`;
    const kind = chance.weighted([6, 2, 1, 1]);
    if (kind === 0) yield browsing(id, chance);
    else if (kind === 1) yield leftCart(id, chance);
    else if (kind === 2) yield boughtCart(id, chance);
    else yield* orderToldTwice(id, chance);
  }
}

const sku = (chance: Random): string => `sku-${chance.below(SKUS)}`;

function browsing(id: string, chance: Random): Request {
  const messages = Array.from({ length: chance.between(1, 20) }, (_, at) => ({ id: `${id}-${at}`, shopper: `shopper-${chance.below(SHOPPERS)}` }));
  const events = messages.map((message) => ({ type: 'track', messageId: message.id, userId: message.shopper, event: 'Product Viewed', properties: { product_id: sku(chance) } }));
  return { events, messages, sales: [] };
}

function addition(shopper: string, cartId: string, product: string): object {
  return { type: 'track', messageId: `${cartId}-add`, userId: shopper, event: 'Product Added', properties: { product_id: product, cart_id: cartId, price: '10.00', quantity: 1 } };
}

function leftCart(id: string, chance: Random): Request {
  const shopper = `left-${id}`;
  return { events: [addition(shopper, id, sku(chance))], messages: [{ id: `${id}-add`, shopper }], sales: [], cart: { shopper, fate: 'left' } };
}

function boughtCart(id: string, chance: Random): Request {
  const shopper = `bought-${id}`;
  const product = sku(chance);
  return {
    events: [addition(shopper, id, product), order(`${id}-order`, shopper, `o-${id}`, [product], id)],
    messages: [{ id: `${id}-add`, shopper }, { id: `${id}-order`, shopper }],
    sales: [`o-${id}/0`],
    cart: { shopper, fate: 'bought' },
  };
}

function* orderToldTwice(id: string, chance: Random): Generator<Request> {
  const shopper = `shopper-${chance.below(SHOPPERS)}`;
  const products = Array.from({ length: chance.between(1, 4) }, () => sku(chance));
  const lines = products.map((_, line) => `o-${id}/${line}`);
  for (const teller of ['browser', 'server']) {
    const message = `${id}-${teller}`;
    yield { events: [order(message, shopper, `o-${id}`, products)], messages: [{ id: message, shopper }], sales: lines };
  }
}

function order(messageId: string, shopper: string, orderId: string, products: readonly string[], cartId?: string): object {
  const lines = products.map((product) => ({ product_id: product, quantity: 1, price: '10.00' }));
  return {
    type: 'track', messageId, userId: shopper, event: 'Order Completed',
    properties: { order_id: orderId, total: `${products.length * 10}.00`, currency: 'EUR', products: lines, ...(cartId === undefined ? {} : { cart_id: cartId }) },
  };
}
