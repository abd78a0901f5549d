/**
 * The chance that a visit ends with an order, by the visits that were in the same situation s before:
 *
 *   P(s) = (orders_s + K·P) / (visits_s + K)   with P = orders / visits of all, for visits_s ≥ K, else 0
 *
 * It is the mean of a beta-binomial whose prior is worth K visits (Gelman et al., Bayesian Data Analysis, 5.3): what few visits say is
 * shrunk towards what all say, and what fewer than K say is not said at all. An untrained state answers 0. Counts are halved when there
 * are MOST visits, so that they follow the shop.
 */

/** Visits, and those of them that ended with an order. */
export interface Outcomes {
  readonly visits: number;
  readonly orders: number;
}

const K = 100;
const MOST = 10_000;

export const NO_OUTCOMES: Outcomes = { visits: 0, orders: 0 };

/** P(s), 0 to 1, by the visits like this one and by all. */
export function chanceOfOrder(alike: Outcomes, all: Outcomes): number {
  if (alike.visits < K || all.visits === 0) return 0;
  return (alike.orders + (K * all.orders) / all.visits) / (alike.visits + K);
}

/** The counts with one more visit. */
export function withVisit({ visits, orders }: Outcomes, isOrdered: boolean): Outcomes {
  const after = { visits: visits + 1, orders: orders + (isOrdered ? 1 : 0) };
  return after.visits < MOST ? after : { visits: Math.round(after.visits / 2), orders: Math.round(after.orders / 2) };
}
