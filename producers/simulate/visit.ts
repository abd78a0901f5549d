import type { SimulatedProduct } from './assortment.js';
import type { Random } from './random.js';
import type { Tastes } from './tastes.js';
import type { Warehouse } from './warehouse.js';

/** Somebody who comes to the shop. */
export interface Shopper {
  readonly number: number;
  readonly userId: string;
  readonly email: string;
  /** Of the device in use. */
  anonymousId: string;
  /** Has said who they are on this device. */
  isKnown: boolean;
}

/** One thing a shopper does: a Segment call without its envelope. */
export type Step =
  | { readonly type: 'page'; readonly name: string }
  | { readonly type: 'track'; readonly event: string; readonly properties: Readonly<Record<string, unknown>> }
  | { readonly type: 'identify'; readonly traits: Readonly<Record<string, unknown>> };

/** What a visit happens in. */
export interface Floor {
  readonly products: readonly SimulatedProduct[];
  readonly tastes: Tastes;
  readonly warehouse: Warehouse;
  readonly random: Random;
  readonly newOrderId: () => string;
  /** Milliseconds since 1970, as of the step being taken. */
  readonly time: () => number;
}

type Cart = Map<number, number>;

const track = (event: string, properties: Readonly<Record<string, unknown>>): Step => ({ type: 'track', event, properties });

/** A visit from the first page to an order, a left cart or nothing. Each step is taken when it is asked for. */
export function* visit(shopper: Shopper, floor: Floor): Generator<Step, void, void> {
  const { random } = floor;
  const cart: Cart = new Map();
  yield { type: 'page', name: 'Home' };
  if (shopper.isKnown && random.chance(0.1)) changeDevice(shopper, random);
  yield* browse(shopper, floor, cart);
  if (!shopper.isKnown && random.chance(cart.size > 0 ? 0.6 : 0.15)) {
    shopper.isKnown = true;
    yield { type: 'identify', traits: { email: shopper.email, marketing_consent: shopper.number % 8 !== 0 } };
  }
  if (cart.size > 0) yield* pay(floor, cart);
}

/** On another device the shop does not know them yet: what they do there belongs to them once they sign in. */
function changeDevice(shopper: Shopper, random: Random): void {
  shopper.anonymousId = random.id();
  shopper.isKnown = false;
}

function* browse(shopper: Shopper, floor: Floor, cart: Cart): Generator<Step, void, void> {
  const { random, tastes, warehouse } = floor;
  let last: number | null = null;
  do {
    if (last === null || random.chance(0.1)) yield listed(floor, random.weighted(tastes.next(shopper.number, last)));
    const item = random.weighted(tastes.next(shopper.number, last));
    yield track('Product Viewed', shown(floor, item));
    last = item;
    if (warehouse.stock(item) === 0) {
      if (random.chance(0.6)) yield track('Back In Stock Subscribed', shown(floor, item));
    } else if (random.chance(0.16)) {
      cart.set(item, (cart.get(item) ?? 0) + 1);
      yield track('Product Added', { ...shown(floor, item), quantity: 1 });
    } else if (random.chance(0.04)) {
      yield track('Recommendation Dismissed', shown(floor, unwanted(shopper, floor)));
    } else if (cart.size > 0 && random.chance(0.06)) {
      const removed = random.pick([...cart.keys()]);
      const quantity = cart.get(removed)!;
      cart.delete(removed);
      yield track('Product Removed', { ...shown(floor, removed), quantity });
    }
  } while (!random.chance(0.17));
}

/** To an order, unless they leave at the cart or in the checkout. */
function* pay(floor: Floor, cart: Cart): Generator<Step, void, void> {
  const { random, warehouse, products } = floor;
  const checkoutId = `C-${random.id().slice(0, 8)}`;
  yield track('Cart Viewed', { products: [...cart].map(([item, quantity]) => ({ ...shown(floor, item), quantity })) });
  if (random.chance(0.2)) return;
  yield track('Checkout Started', { checkout_id: checkoutId, products: [...cart].map(([item, quantity]) => ({ ...shown(floor, item), quantity })) });
  if (random.chance(0.25)) return;
  yield track('Payment Info Entered', { checkout_id: checkoutId, payment_method: random.pick(['card', 'invoice', 'wallet']) });
  const bought = [...cart].map(([item, wanted]) => ({ item, quantity: warehouse.take(item, wanted, floor.time()) })).filter(({ quantity }) => quantity > 0);
  if (bought.length === 0) return;
  const cents = bought.reduce((sum, { item, quantity }) => sum + Math.round(Number(products[item].price) * 100) * quantity, 0);
  yield track('Order Completed', {
    order_id: floor.newOrderId(),
    checkout_id: checkoutId,
    total: (cents / 100).toFixed(2),
    products: bought.map(({ item, quantity }) => ({ ...shown(floor, item), quantity })),
  });
}

/** The list that shows a product's category. */
function listed({ products }: Floor, item: number): Step {
  const { category } = products[item];
  const inList = products.filter((product) => product.category === category).slice(0, 8);
  return track('Product List Viewed', { list_id: category.toLowerCase(), category, products: inList.map(({ sku }, index) => ({ sku, position: index + 1 })) });
}

function shown({ products }: Floor, item: number): Readonly<Record<string, unknown>> {
  const { sku, name, category, brand, price } = products[item];
  return { product_id: sku, sku, name, category, brand, price: Number(price) };
}

/** The least wanted of a handful. */
function unwanted({ number }: Shopper, { tastes, products, random }: Floor): number {
  const wanted = tastes.atFirst(number);
  const handful = Array.from({ length: 5 }, () => random.below(products.length));
  return handful.reduce((least, item) => (wanted[item] < wanted[least] ? item : least));
}
