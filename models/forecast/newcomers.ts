/**
 * How new SKUs of a shop go on after their first sale, learned from those before them.
 *
 *   q = (5/4 + Σ s) / (5 + n)      s: share of the thirteen days after a SKU's first sale on which it sold again; n of them, forgotten by 1/100 with each new one
 *   N = 1/q − 1                    periods without a sale that are imagined before the first one of every SKU (expert-bank.ts)
 *
 * So one sale of which nothing more is known says that the SKU sells on a day with chance 1 / (N + 1) = q, and each day that follows says
 * more: the mean of a Beta(1, N) prior. Untrained: N = 3. Always between 0 and 83.
 */
import { GROWN_UP } from './sku-forecast.js';

const FORGETTING = 0.99;
/** Imagined SKUs, which sell every fourth day: on seven cut-offs before September of UCI Online Retail that is best where nothing is learned. */
const PRIOR_SKUS = 5;
const PRIOR_SHARE = 0.25;

export interface Newcomers {
  /** SKUs that were new, forgetting as it goes. */
  readonly newcomers: number;
  /** Σ s. */
  readonly wentOn: number;
}

export const noNewcomers: Newcomers = { newcomers: 0, wentOn: 0 };

/** With some more that are two weeks old: `hits` is their days with a sale in that time, the first one of each left out; `grownUp` days are two weeks, or as many longer periods. */
export function learn(known: Newcomers, newcomers: number, hits: number, grownUp = GROWN_UP): Newcomers {
  if (!(newcomers > 0)) return known;
  const kept = FORGETTING ** newcomers;
  // Of those that came together none is older than another.
  const each = (1 - kept) / (newcomers * (1 - FORGETTING));
  return { newcomers: kept * known.newcomers + each * newcomers, wentOn: kept * known.wentOn + (each * hits) / (grownUp - 1) };
}

/** N. */
export const imaginedPeriods = ({ newcomers, wentOn }: Newcomers): number => (PRIOR_SKUS + newcomers) / (PRIOR_SKUS * PRIOR_SHARE + wentOn) - 1;
