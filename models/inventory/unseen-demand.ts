/**
 * Demand of a stretch of days in which the shelf was empty for a part f of the time.
 *
 *   D = N + L,  L ~ negative binomial with the moments of the forecast of the missing part:  f m,  f Σ σ_d² + ρ f² Σ_{d≠e} σ_d σ_e
 *
 * N is what was sold, and D ≥ N for sure. Of a counting process that is stopped when the shelf is empty, what would have come after is independent of
 * what came before: a level judged by the mean over L has, over all stretches, the same expected cost, slope and coverage as one that is judged by D, as far
 * as the forecast of the missing time is right. Where N alone is more than the level, L changes nothing: the shortage is known, which is what
 * Huh and Rusmevichientong 2009 learn from. They need it alone, since in their shop the shelf holds the level that is judged; ours may hold another,
 * and stretches with an empty shelf that sold less than the level must not be left out: those that are seen whole are the ones of
 * little demand. What one customer would have taken beyond what there was stays unknown.
 *
 * L stands as 256 equally likely quantiles: of fewer none would lie beyond the levels of a high service, which then would seem never to be too low.
 * Units are units.
 */
import { demandQuantiles } from './demand-over-time.js';
import { correlationOf, type SharedError, type Stretch } from './shared-error.js';

const DRAWS = 256;
const MIDDLES = Array.from({ length: DRAWS }, (_, i) => (i + 0.5) / DRAWS);

/** Equally likely demands of a stretch, one where the shelf was never empty. `missing` is a part of its time, 0 to 1. */
export function likelyDemands(sold: number, missing: number, { days, mean, squares, products }: Stretch, shared: SharedError): readonly number[] {
  if (!(missing > 0)) return [sold];
  const variance = missing * squares + correlationOf(shared, mean / days) * missing ** 2 * products;
  return demandQuantiles({ mean: missing * mean, variance }, MIDDLES).map((lost) => sold + lost);
}
