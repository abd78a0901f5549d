import type { LocalLinear } from '../../models/local-linear.js';
import { GROUPS, type Explanation, type Group } from '../../models/explanation.js';

export interface Reason {
  readonly code: 'trending' | 'popular' | 'because_you_viewed' | 'viewed_before' | 'often_follows' | 'goes_with' | 'similar_to' | 'new';
  readonly sku?: string;
  readonly text: string;
  /** How much of the score it makes up. */
  readonly contribution?: number;
}

export interface Contribution {
  readonly part: string;
  readonly value: number;
}

/** A linear stand-in for the score near one item. */
export interface LocalFit {
  readonly fit: number;
  readonly parts: readonly Contribution[];
}

/** The recent item that speaks for another one. */
export interface Because {
  readonly sku: string;
  readonly name: string;
}

/** What groups of features speak of, in words that a shop can show. */
const PARTS: Readonly<Record<Group, string>> = {
  own: 'viewed before',
  latest: 'follows the latest view',
  forward: 'follows what was viewed',
  backward: 'precedes what was viewed',
  hop: 'goes with what was viewed',
  embedding: 'similar to what was viewed',
  trending: 'trending',
  popular: 'popular',
  age: 'age',
  session: 'this visit',
};

/** Groups that make one reason. */
const REASONS: readonly { readonly code: Reason['code']; readonly groups: readonly Group[]; readonly text: (name: string) => string; readonly isAboutAnItem: boolean }[] = [
  { code: 'often_follows', groups: ['latest', 'forward'], text: (name) => `Often follows ${name}`, isAboutAnItem: true },
  { code: 'goes_with', groups: ['backward', 'hop'], text: (name) => `Goes with ${name}`, isAboutAnItem: true },
  { code: 'similar_to', groups: ['embedding'], text: (name) => `Similar to ${name}`, isAboutAnItem: true },
  { code: 'viewed_before', groups: ['own'], text: () => 'You viewed this before', isAboutAnItem: false },
  { code: 'trending', groups: ['trending'], text: () => 'Popular right now', isAboutAnItem: false },
  { code: 'popular', groups: ['popular'], text: () => 'Popular this week', isAboutAnItem: false },
];

/** Parts that add up to the score: that of an unknown item, and what is known of this one, the largest first. */
export function contributionsOf({ baseline, contributions }: Explanation, damping: number, isStranger: boolean): Contribution[] {
  const parts = partsOf(contributions, isStranger);
  const damped = damping === 0 ? [] : [{ part: 'shown in vain', value: damping }];
  return [{ part: 'an unknown item', value: baseline }, ...[...parts, ...damped].filter(isSome).sort((a, b) => Math.abs(b.value) - Math.abs(a.value))];
}

const partsOf = (values: Float64Array, isStranger: boolean): Contribution[] =>
  (isStranger ? ofStranger(values) : GROUPS.map((group, at): Contribution => ({ part: PARTS[group], value: values[at]! })));

/** Of somebody without clicks, groups that compare with clicks tell only what kind of item it is. */
function ofStranger(contributions: Float64Array): Contribution[] {
  const isItsOwn = (group: Group): boolean => group === 'trending' || group === 'popular' || group === 'age';
  const own = GROUPS.flatMap((group, at): Contribution[] => (isItsOwn(group) ? [{ part: PARTS[group], value: contributions[at]! }] : []));
  const other = GROUPS.reduce((sum, group, at) => sum + (isItsOwn(group) ? 0 : contributions[at]!), 0);
  return [...own, { part: 'how it is viewed by others', value: other }];
}

/** A linear fit near the item, part by part, the largest first. */
export function localFitOf({ fit, weights }: LocalLinear, isStranger: boolean): LocalFit {
  return { fit, parts: partsOf(weights, isStranger).filter(isSome).sort((a, b) => Math.abs(b.value) - Math.abs(a.value)) };
}

/** Rounding leaves crumbs of parts that say nothing. */
const CRUMB = 1e-9;
const isSome = ({ value }: Contribution): boolean => Math.abs(value) > CRUMB;

/** What speaks for an item, the strongest first; what speaks against it is no reason. */
export function reasonsFor({ contributions }: Explanation, because: Because | null): Reason[] {
  return REASONS.flatMap(({ code, groups, text, isAboutAnItem }): Reason[] => {
    const contribution = groups.reduce((sum, group) => sum + contributions[GROUPS.indexOf(group)]!, 0);
    if (contribution <= CRUMB || (isAboutAnItem && because === null)) return [];
    return [{ code, ...(isAboutAnItem && because ? { sku: because.sku } : {}), text: text(because?.name ?? ''), contribution }];
  }).sort((a, b) => b.contribution! - a.contribution!);
}
