/**
 * A base-stock level that corrects itself by what the cycles before have cost.
 *
 *   S = max(0, q + a σ)                          q the textbook level, σ the deviation of the demand that it covers
 *   cost = p (D − S)⁺ + (1 − p) (S − D)⁺         p the service level: a unit too few costs p, one too many 1 − p
 *   a ← clip(a − η_t g, −4, 4),  g = 1 − p if S > D, −p if S < D, 0 if equal,  η_t = 0.15 / (max(p, 1 − p) √t)
 *
 * A projected sub-gradient step on the newsvendor cost: against the best fixed `a` in hindsight its regret grows like √t, whatever the
 * demand. `a` is in deviations, so that it goes along with a forecast that moves. Untrained, S is the textbook's; it is trusted once it
 * has cost less than that over at least six cycles. Units are units.
 * Source: Huh and Rusmevichientong 2009.
 */
export interface Correction {
  /** a. */
  readonly shift: number;
  readonly cycles: number;
  /** What the corrected levels have cost, trusted or not. */
  readonly cost: number;
  /** What the textbook's have. */
  readonly textbookCost: number;
}

/** What was asked of a cycle when it began. */
export interface Asked {
  readonly textbook: number;
  readonly deviation: number;
  /** p. */
  readonly service: number;
}

const RATE = 0.15;
const MOST_SHIFT = 4;
const ENOUGH_CYCLES = 6;

export const init = (): Correction => ({ shift: 0, cycles: 0, cost: 0, textbookCost: 0 });

export const corrected = ({ shift }: Pick<Correction, 'shift'>, { textbook, deviation }: Pick<Asked, 'textbook' | 'deviation'>): number =>
  Math.max(0, textbook + shift * deviation);

/** Whether it has paid. */
export const isTrusted = ({ cycles, cost, textbookCost }: Correction): boolean => cycles >= ENOUGH_CYCLES && cost < textbookCost;

export function cycleCost(level: number, demand: number, service: number): number {
  return demand > level ? service * (demand - level) : (1 - service) * (level - demand);
}

/** Learns one cycle. A demand that an empty shelf cut off is more than was sold: pass none. */
export function learn(before: Correction, asked: Asked, demand: number): Correction {
  const { service, textbook } = asked;
  const level = corrected(before, asked);
  const cycles = before.cycles + 1;
  const slope = level > demand ? 1 - service : level < demand ? -service : 0;
  const shift = before.shift - (RATE * slope) / (Math.max(service, 1 - service) * Math.sqrt(cycles));
  return {
    cycles,
    shift: Math.min(MOST_SHIFT, Math.max(-MOST_SHIFT, shift)),
    cost: before.cost + cycleCost(level, demand, service),
    textbookCost: before.textbookCost + cycleCost(textbook, demand, service),
  };
}

export interface ReplayedCosts {
  /** Of the level that is served: corrected where it is trusted. */
  served: number;
  /** Of the corrected one, trusted or not. */
  learned: number;
  textbook: number;
  /** Of the best fixed level known afterwards. */
  hindsight: number;
}

/** Cycles of one SKU, lived one after the other. */
export function replay(cycles: readonly (Asked & { readonly demand: number })[]): ReplayedCosts {
  let state = init();
  let served = 0;
  for (const cycle of cycles) {
    served += cycleCost(isTrusted(state) ? corrected(state, cycle) : cycle.textbook, cycle.demand, cycle.service);
    state = learn(state, cycle, cycle.demand);
  }
  const total = (level: number): number => cycles.reduce((sum, { demand, service }) => sum + cycleCost(level, demand, service), 0);
  // The newsvendor cost is convex and kinked at the demands only, so the best fixed level is one of them.
  const hindsight = Math.min(total(0), ...cycles.map(({ demand }) => total(Math.max(0, demand))));
  return { served, learned: state.cost, textbook: state.textbookCost, hindsight };
}
