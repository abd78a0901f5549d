/**
 * A base-stock level that corrects itself by what the last cycle cost.
 *
 *   S ← clip(S − η_t · g, 0, S_max),  g = c_o if S > demand, −c_u if S < demand, 0 if equal,  η_t = scale / (max(c_u, c_o) √t)
 *
 * A projected sub-gradient step on the newsvendor cost c_o (S − D)⁺ + c_u (D − S)⁺: its regret against the best fixed level in
 * hindsight grows like √t, whatever the demand. `scale` is in units. Untrained, the level is the textbook one it starts from.
 * Source: Huh and Rusmevichientong 2009.
 */
export interface BaseStock {
  level: number;
  cycles: number;
}

export interface Costs {
  shortage: number;
  excess: number;
}

export function init(level: number): BaseStock {
  return { level: Math.max(0, level), cycles: 0 };
}

export function cycleCost(level: number, demand: number, costs: Costs): number {
  return demand > level ? costs.shortage * (demand - level) : costs.excess * (level - demand);
}

/** Learns one cycle; answers what it cost. A demand that was cut off by an empty shelf is at least the level: pass what was sold. */
export function learn(state: BaseStock, demand: number, costs: Costs, scale: number, most = Infinity): number {
  const cost = cycleCost(state.level, demand, costs);
  state.cycles++;
  const steepest = Math.max(costs.shortage, costs.excess);
  if (!(steepest > 0) || !Number.isFinite(steepest)) return cost;
  const slope = state.level > demand ? costs.excess : state.level < demand ? -costs.shortage : 0;
  const step = (scale * slope) / (steepest * Math.sqrt(state.cycles));
  state.level = Math.min(most, Math.max(0, state.level - step));
  return cost;
}

export interface ReplayedCosts {
  learned: number;
  textbook: number;
  hindsight: number;
}

/** The same cycles lived with the learned level, with a fixed one, and with the best fixed one known afterwards. */
export function replay(demands: readonly number[], textbook: number, costs: Costs, scale: number): ReplayedCosts {
  const state = init(textbook);
  let learned = 0;
  for (const demand of demands) learned += learn(state, demand, costs, scale);
  const total = (level: number): number => demands.reduce((sum, demand) => sum + cycleCost(level, demand, costs), 0);
  // The newsvendor cost is convex and kinked at the demands only, so the best fixed level is one of them.
  const hindsight = Math.min(total(0), ...demands.map((demand) => total(Math.max(0, demand))));
  return { learned, textbook: total(textbook), hindsight };
}
