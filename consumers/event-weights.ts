/** How much an event says that its product was wanted, with a view as the unit; others teach nothing. Stated, not learned: docs/event-weights.md. */
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

/** The event that says more of the same touch; of two that say as much, the later one. */
export const strongerEvent = (before: string, after: string): string => (eventWeight(before) > eventWeight(after) ? before : after);

/** What a purchase adds to how popular an item is: it has no clicks before it to learn from, the clicks taught those. */
export const PURCHASE_WEIGHT = 3;

const DISMISSALS = new Set(['Recommendation Dismissed', 'Product Recommendation Dismissed']);
export const isDismissal = (event: string): boolean => DISMISSALS.has(event);

/** What a dismissal takes from how popular an item is: who is shown it and does not want it weighs against one who looks at it. */
export const DISMISSAL_WEIGHT = 1;
