/**
 * Which of any number of names have something of their own: at most `most`, those used most.
 *
 * A use gives its name two turns, at most 2,000; a use of a name that has nothing takes one from the name with the fewest, and the last
 * one takes its place. So a name gives way to others once they are used more than twice as much, or after 2,000 of their uses, made-up
 * names hold nothing against those that are used, and two that are used alike do not change places all day.
 * Source: the frequent-elements count of Misra & Gries (1982), taken from the least used alone.
 */
const MOST_USES = 2_000;
const A_USE = 2;

export interface Used {
  readonly uses: number;
}

/** Stands for all names that have nothing of their own, beside them. */
export const OTHERS = '';

/** Counts a use of a name; answers whose state counts, the name itself or `OTHERS`, which has one now, `untrained` where it had none. */
export function use<T extends Used>(states: Map<string, T>, most: number, name: string, untrained: T): string {
  const own = states.get(name);
  if (own) states.set(name, { ...own, uses: Math.min(MOST_USES, own.uses + A_USE) });
  else if (name === OTHERS || named(states) < most) states.set(name, { ...untrained, uses: A_USE });
  else return takeFrom(states, leastUsed(states), name, untrained);
  return name;
}

function takeFrom<T extends Used>(states: Map<string, T>, [least, state]: readonly [string, T], name: string, untrained: T): string {
  if (state.uses > 1) {
    states.set(least, { ...state, uses: state.uses - 1 });
    if (!states.has(OTHERS)) states.set(OTHERS, { ...untrained, uses: A_USE });
    return OTHERS;
  }
  states.delete(least);
  states.set(name, { ...untrained, uses: A_USE });
  return name;
}

const named = (states: ReadonlyMap<string, Used>): number => states.size - (states.has(OTHERS) ? 1 : 0);

/** Of equal ones the one that came first. */
function leastUsed<T extends Used>(states: ReadonlyMap<string, T>): readonly [string, T] {
  return [...states].filter(([name]) => name !== OTHERS).reduce((least, one) => (one[1].uses < least[1].uses ? one : least));
}
