/**
 * A base-stock level that corrects itself by what the cycles before have cost.
 *
 *   S = max(0, q + a σ)                          q the textbook level, σ the deviation of the demand that it covers
 *   cost = p (D − S)⁺ + (1 − p) (S − D)⁺         p the service level: a unit too few costs p, one too many 1 − p
 *   a ← clip(a − η_t g, −4, 4),  g = 1 − p if S > D, −p if S < D, 0 if equal,  η_t = 0.15 / (max(p, 1 − p) √t)
 *
 * A projected sub-gradient step on the newsvendor cost: against the best fixed `a` in hindsight its regret grows like √t, whatever the
 * demand. Where an empty shelf cut the demand off, cost, slope and coverage are means over the demands that are likely (unseen-demand.ts): of the same
 * expectation, so that the bound holds in expectation. `a` is in deviations of the demand that the cycles judge, so that it goes along with a forecast that moves; it may be used for
 * no other demand. Units are units.
 *
 * Untrained, S is the textbook's. It is corrected once that has cost less over at least six cycles, by one and a half standard errors
 * of the sum, Σ d > 1.5 √(Σ d²) with d what a cycle cost less; to a lower level only after so many cycles that three shortages were to be
 * expected, since what a lower level costs shows in a shortage only, and until one comes it always seems to save (docs/measured/reorder.md).
 * Source: Huh and Rusmevichientong 2009.
 */
export interface Correction {
  /** a. */
  readonly shift: number;
  readonly cycles: number;
  /** Sum of their service levels: how many of them were to be covered. */
  readonly promised: number;
  /** How many the levels covered that were suggested; of one that was not seen whole how likely it was. */
  readonly covered: number;
  /** What the corrected levels have cost, trusted or not. */
  readonly cost: number;
  /** What the textbook's have. */
  readonly textbookCost: number;
  /** Sum of the squares of the differences, cycle by cycle. */
  readonly squares: number;
}

/** What was asked of a cycle when it began. */
export interface Asked {
  readonly textbook: number;
  readonly deviation: number;
  /** p. */
  readonly service: number;
  /** Sold by the piece: what is suggested are whole units, and those are covered or not. */
  readonly isWhole?: boolean;
}

const RATE = 0.15;
const MOST_SHIFT = 4;
const ENOUGH_CYCLES = 6;
const STANDARD_ERRORS = 1.5;
const ENOUGH_SHORTAGES = 3;
/** ln 40: so few covered cycles come by chance once in forty times at most. */
const CLEARLY = Math.log(40);
/** Sums of fractions must not cost a unit more. */
const DUST = 1e-9;

/** The least number of whole units that reaches a level. */
export const wholeUnits = (level: number): number => Math.max(0, Math.ceil(level - DUST));

export const init = (): Correction => ({ shift: 0, cycles: 0, promised: 0, covered: 0, cost: 0, textbookCost: 0, squares: 0 });

export const corrected = ({ shift }: Pick<Correction, 'shift'>, { textbook, deviation }: Pick<Asked, 'textbook' | 'deviation'>): number =>
  Math.max(0, textbook + shift * deviation);

/** Whether it has paid, by more than chance. */
export function isTrusted({ shift, cycles, promised, cost, textbookCost, squares }: Correction): boolean {
  if (cycles < ENOUGH_CYCLES || (shift < 0 && cycles - promised < ENOUGH_SHORTAGES)) return false;
  return textbookCost - cost > STANDARD_ERRORS * Math.sqrt(squares);
}

/** The level that is suggested: corrected where that has paid. */
export function suggested(correction: Correction, asked: Omit<Asked, 'service'>): number {
  return inUnits(isTrusted(correction) ? corrected(correction, asked) : asked.textbook, asked);
}

/** A level as it can be bought. */
export const inUnits = (level: number, { isWhole }: Pick<Asked, 'isWhole'>): number => (isWhole ? wholeUnits(level) : level);

/**
 * Whether so few cycles were covered that chance does not explain it: their probability, were the promise kept, is at most
 * exp(−n KL(covered / n, promised / n)) (Chernoff), and that less than one in forty.
 */
export function isShortOfPromise({ cycles, promised, covered }: Pick<Correction, 'cycles' | 'promised' | 'covered'>): boolean {
  if (cycles < ENOUGH_CYCLES || covered >= promised) return false;
  const short = cycles - covered;
  const divergence = (covered > 0 ? covered * Math.log(covered / promised) : 0) + short * Math.log(short / (cycles - promised));
  return divergence > CLEARLY;
}

export function cycleCost(level: number, demand: number, service: number): number {
  return demand > level ? service * (demand - level) : (1 - service) * (level - demand);
}

/** Mean over demands that are equally likely. */
export const meanOver = (demands: readonly number[], of: (demand: number) => number): number => demands.reduce((sum, demand) => sum + of(demand), 0) / demands.length;

/** What a level costs where `demands` are equally likely. */
export const meanCost = (level: number, demands: readonly number[], service: number): number => meanOver(demands, (demand) => cycleCost(level, demand, service));

/** Learns one cycle of `demands` that are equally likely: one, where all of it was seen. */
export function learn(before: Correction, asked: Asked, demands: readonly number[]): Correction {
  const { service, textbook } = asked;
  const level = corrected(before, asked);
  const served = suggested(before, asked);
  const cycles = before.cycles + 1;
  const slope = meanOver(demands, (demand) => (level > demand ? 1 - service : level < demand ? -service : 0));
  const shift = before.shift - (RATE * slope) / (Math.max(service, 1 - service) * Math.sqrt(cycles));
  const [cost, textbookCost] = [meanCost(level, demands, service), meanCost(textbook, demands, service)];
  return {
    cycles,
    shift: Math.min(MOST_SHIFT, Math.max(-MOST_SHIFT, shift)),
    promised: before.promised + service,
    covered: before.covered + meanOver(demands, (demand) => Number(demand <= served)),
    cost: before.cost + cost,
    textbookCost: before.textbookCost + textbookCost,
    squares: before.squares + (textbookCost - cost) ** 2,
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

/** Cycles of one SKU, lived one after the other. Levels cost what they do as they can be bought, in whole units where `isWhole`. */
export function replay(cycles: readonly (Asked & { readonly demand: number })[]): ReplayedCosts {
  let state = init();
  let [served, learned, textbook] = [0, 0, 0];
  for (const cycle of cycles) {
    const costOf = (level: number): number => cycleCost(level, cycle.demand, cycle.service);
    served += costOf(suggested(state, cycle));
    learned += costOf(inUnits(corrected(state, cycle), cycle));
    textbook += costOf(suggested(init(), cycle));
    state = learn(state, cycle, [cycle.demand]);
  }
  const total = (level: number): number => cycles.reduce((sum, { demand, service }) => sum + cycleCost(level, demand, service), 0);
  // The newsvendor cost is convex and kinked at the demands only, so the best fixed level is one of them.
  const hindsight = Math.min(total(0), ...cycles.map(({ demand }) => total(Math.max(0, demand))));
  return { served, learned, textbook, hindsight };
}
