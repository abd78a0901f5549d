/** Where a visit stands: what can be told of it without saying who or what it is about. */
export interface Situation {
  /** Products that were looked at or put into the cart. */
  readonly products: number;
  /** One of them was looked at again. */
  readonly isAgain: boolean;
  readonly isInCart: boolean;
  readonly isAtCheckout: boolean;
  /** They ordered before this visit. */
  readonly isCustomer: boolean;
}

/** So many products are one step. */
const STEPS = [0, 1, 2, 4] as const;
const WORDS = ['No product', 'One product', 'Two or three products', 'Four products or more'] as const;
const FACTS = ['one of them again', 'something in the cart', 'at the checkout', 'ordered before'] as const;

/** A number below 64, by which visits are counted. */
export function situationOf({ products, isAgain, isInCart, isAtCheckout, isCustomer }: Situation): number {
  const step = STEPS.filter((least) => products >= least).length - 1;
  return [isAgain, isInCart, isAtCheckout, isCustomer].reduce((sum, is, index) => sum + (is ? STEPS.length << index : 0), step);
}

/** It in words, as `Two or three products, something in the cart`. */
export const wordsOf = (situation: number): string =>
  [WORDS[situation % STEPS.length]!, ...FACTS.filter((_, index) => (situation & (STEPS.length << index)) !== 0)].join(', ');
