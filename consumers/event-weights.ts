/** How strongly an event says that its product was wanted; a view is 1. Events that are not named here teach nothing. The weights are set, not learned: docs/event-weights.md. */
export const WEIGHTS: ReadonlyMap<string, number> = new Map(Object.entries({
  'Product Viewed': 1,
  'Product Clicked': 1,
  'Recommendation Clicked': 1,
  'Product Shared': 1.5,
  'Product Reviewed': 1.5,
  'Product Added to Wishlist': 2,
  'Wishlist Product Added to Cart': 2,
  'Product Added': 2,
}));

export const eventWeight = (event: string): number => WEIGHTS.get(event) ?? 0;

/** Of two events of the same touch the one with the greater weight; of equal ones the later. */
export const strongerEvent = (before: string, after: string): string => (eventWeight(before) > eventWeight(after) ? before : after);

/** What a purchase adds to an item's popularity. It teaches nothing else, since the clicks before it have taught that. */
export const PURCHASE_WEIGHT = 3;

const DISMISSALS = new Set(['Recommendation Dismissed', 'Product Recommendation Dismissed']);
export const isDismissal = (event: string): boolean => DISMISSALS.has(event);

/** What a dismissal takes from an item's popularity: one shopper who does not want it makes up for one who looks at it. */
export const DISMISSAL_WEIGHT = 1;
