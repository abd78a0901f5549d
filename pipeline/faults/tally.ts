import type { Accepted } from './publisher.js';

/** How often each thing came out, by its name. */
export type Counts = ReadonlyMap<string, number>;

export interface Tally {
  /** Records or rows in all. */
  readonly found: number;
  readonly lost: readonly string[];
  /** Names that came out once too often or should not be there at all, each as often as it is too much. */
  readonly duplicated: readonly string[];
}

/** Compare what came out with what must have come out once each. */
export function tally(expected: Iterable<string>, counts: Counts): Tally {
  const wanted = new Set(expected);
  const duplicated: string[] = [];
  let found = 0;
  for (const [name, count] of counts) {
    found += count;
    for (let extra = wanted.has(name) ? 1 : 0; extra < count; extra++) duplicated.push(name);
  }
  return { found, lost: [...wanted].filter((name) => !counts.has(name)), duplicated };
}

/** Cart triggers that came out: `status/shopper`, counted. */
export function tallyTriggers(carts: Accepted['carts'], counts: Counts): Tally {
  const lost: string[] = [];
  const duplicated: string[] = [];
  let found = 0;
  for (const [name, count] of counts) {
    found += count;
    const shopper = name.slice(name.indexOf('/') + 1);
    if (!carts.has(shopper)) duplicated.push(name);
  }
  for (const [shopper, fate] of carts) {
    const fired = counts.get(`fired/${shopper}`) ?? 0;
    const recovered = counts.get(`recovered/${shopper}`) ?? 0;
    if (fate === 'left' && fired === 0) lost.push(`fired/${shopper}`);
    // An order that came late may have been overtaken by the trigger, which it must then take back.
    if (fate === 'bought late' && fired > recovered) lost.push(`recovered/${shopper}`);
    const most = { left: 1, bought: 0, 'bought late': 1 }[fate];
    for (let extra = most; extra < fired; extra++) duplicated.push(`fired/${shopper}`);
    for (let extra = fired; extra < recovered; extra++) duplicated.push(`recovered/${shopper}`);
  }
  return { found, lost, duplicated };
}
