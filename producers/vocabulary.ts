import type { OrderEventKind } from '../schemas/types.js';

/** What an event name asks of its properties. Names that are not here are the shop's own and are taken as they are. */
export type Meaning =
  | { readonly kind: 'product' }
  | { readonly kind: 'list' }
  | { readonly kind: 'order'; readonly change: OrderEventKind }
  | { readonly kind: 'stock'; readonly field: 'quantity' | 'price' }
  | { readonly kind: 'consent' }
  | { readonly kind: 'erasure' };

const product: Meaning = { kind: 'product' };

/** Segment's e-commerce spec V2 and ours, as far as a name obliges to something. */
export const meanings: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  ['Product Clicked', product],
  ['Product Viewed', product],
  ['Product Added', product],
  ['Product Removed', product],
  ['Product Added to Wishlist', product],
  ['Product Removed from Wishlist', product],
  ['Wishlist Product Added to Cart', product],
  ['Recommendation Clicked', product],
  ['Recommendation Dismissed', product],
  ['Product Recommendation Dismissed', product],
  ['Recommendations Served', { kind: 'list' }],
  ['Back In Stock Subscribed', product],
  ['Order Completed', { kind: 'order', change: 'completed' }],
  ['Order Updated', { kind: 'order', change: 'updated' }],
  ['Order Refunded', { kind: 'order', change: 'refunded' }],
  ['Order Cancelled', { kind: 'order', change: 'cancelled' }],
  ['Inventory Updated', { kind: 'stock', field: 'quantity' }],
  ['Price Changed', { kind: 'stock', field: 'price' }],
  ['Consent Updated', { kind: 'consent' }],
  ['User Erased', { kind: 'erasure' }],
]);

/**
 * A write key in a page is public: what these say must come from the shop's own servers. An order may be placed by a page,
 * but whoever knows its id must not be able to change it or take it back.
 */
export function isServerOnly(meaning: Meaning | undefined): boolean {
  switch (meaning?.kind) {
    case 'stock': case 'erasure': return true;
    case 'order': return meaning.change !== 'completed';
    default: return false;
  }
}

/** GA4's recommended events and their names here; other GA4 names stay as they are. */
export const ga4Names: ReadonlyMap<string, string> = new Map([
  ['view_item_list', 'Product List Viewed'],
  ['select_item', 'Product Clicked'],
  ['view_item', 'Product Viewed'],
  ['add_to_cart', 'Product Added'],
  ['remove_from_cart', 'Product Removed'],
  ['view_cart', 'Cart Viewed'],
  ['begin_checkout', 'Checkout Started'],
  ['add_shipping_info', 'Checkout Step Completed'],
  ['add_payment_info', 'Payment Info Entered'],
  ['purchase', 'Order Completed'],
  ['refund', 'Order Refunded'],
  ['view_promotion', 'Promotion Viewed'],
  ['select_promotion', 'Promotion Clicked'],
  ['add_to_wishlist', 'Product Added to Wishlist'],
  ['search', 'Products Searched'],
]);

/** What else the spec names, which obliges to nothing and has no name in GA4. */
const otherNames = [
  'Product List Filtered', 'Checkout Step Viewed', 'Coupon Entered', 'Coupon Applied', 'Coupon Denied', 'Coupon Removed',
  'Product Shared', 'Cart Shared', 'Product Reviewed',
];

const lettersOf = (name: string): string => name.replace(/[\s_-]+/g, '').toLowerCase();

const spellings: ReadonlyMap<string, string> = new Map([...meanings.keys(), ...ga4Names.values(), ...otherNames].map((name) => [lettersOf(name), name]));

/** A name as the spec writes it, whatever its case and what stands between its words: an "order_completed" that is the shop's own event is an order lost. */
export const specName = (name: string): string => (meanings.has(name) ? name : (spellings.get(lettersOf(name)) ?? name));
