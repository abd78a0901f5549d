import type { LocalLinear } from '../../models/local-linear.js';
import type { Kind } from '../../models/evidence.js';
import { GROUPS, type Explanation, type Group } from '../../models/explanation.js';
import { lastStep } from '../../schemas/categories.js';

export interface Reason {
  readonly code: 'trending' | 'popular' | Did['code'] | 'viewed_before' | 'often_follows' | 'goes_with' | 'similar_to' | 'new' | 'more';
  readonly sku?: string;
  /** Title of that item, its SKU where it has none. */
  readonly name?: string;
  /** Of `viewed_before`: what the shopper did with the item itself. */
  readonly did?: Did['did'];
  /** Of `more`: the item's category, where it has one. */
  readonly category?: string;
  /** The same as a sentence in English. */
  readonly text: string;
  /** What lies between the item and the click that is named. */
  readonly evidence?: Exclude<Kind, 'own'>;
  /** How much of the score it makes up. */
  readonly contribution?: number;
}

/** What a shopper did with the product that speaks for another one. */
interface Did {
  readonly did: 'viewed' | 'added' | 'wished' | 'shared' | 'reviewed';
  readonly code: 'because_you_viewed' | 'because_you_added' | 'because_you_wished' | 'because_you_shared' | 'because_you_reviewed';
  readonly text: (name: string) => string;
  /** Of the product itself, which is recommended again. */
  readonly before: string;
}

const VIEWED: Did = { did: 'viewed', code: 'because_you_viewed', text: (name) => `Because you viewed ${name}`, before: 'You viewed this before' };
const ADDED: Did = { did: 'added', code: 'because_you_added', text: (name) => `Because you put ${name} into your cart`, before: 'You had this in your cart' };
const DID: ReadonlyMap<string, Did> = new Map(Object.entries<Did>({
  'Product Added': ADDED,
  'Product Removed': ADDED,
  'Wishlist Product Added to Cart': ADDED,
  'Product Added to Wishlist': { did: 'wished', code: 'because_you_wished', text: (name) => `Because you put ${name} on your wish list`, before: 'You put this on your wish list' },
  'Product Shared': { did: 'shared', code: 'because_you_shared', text: (name) => `Because you shared ${name}`, before: 'You shared this before' },
  'Product Reviewed': { did: 'reviewed', code: 'because_you_reviewed', text: (name) => `Because you reviewed ${name}`, before: 'You reviewed this before' },
}));

/** What is said of an item that has evidence with a product of which the shopper's latest event is `event`. */
export const didWith = (event: string | undefined): Did => DID.get(event ?? '') ?? VIEWED;

/** What is said of an item for nothing but its category; of a path the last step. */
export const moreIn = (category: string | null): string => (category === null ? 'More from the shop' : `More in ${lastStep(category)}`);

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

/** An item that the shopper had to do with: what was done, and as a sentence. */
interface Done {
  readonly sku: string;
  readonly did: Did['did'];
  readonly name: string;
}

/** What may be said of an item: by kind of evidence the recent item that has it with this one, null where none has, and how popular it is. */
export interface Sayable {
  readonly follows: Because | null;
  readonly goesWith: Because | null;
  readonly like: Because | null;
  readonly own: Done | null;
  /** The item's category, where one of the clicks is of it. */
  readonly category: { readonly category: string; readonly name: string } | null;
  readonly isTrending: boolean;
  readonly isPopular: boolean;
}

/** What groups of features speak of, in words that a shop can show. */
const PARTS: Readonly<Record<Group, string>> = {
  own: 'viewed before',
  latest: 'follows the latest view',
  forward: 'follows what was viewed',
  backward: 'precedes what was viewed',
  hop: 'goes with what was viewed',
  embedding: 'similar to what was viewed',
  category: 'of a category that was viewed',
  trending: 'trending',
  popular: 'popular',
  age: 'age',
  session: 'this visit',
};

/** Groups that make one reason. */
const REASONS: readonly { readonly code: Reason['code']; readonly groups: readonly Group[]; readonly text: (name: string) => string; readonly if: keyof Sayable }[] = [
  { code: 'often_follows', groups: ['latest', 'forward'], text: (name) => `Often follows ${name}`, if: 'follows' },
  { code: 'goes_with', groups: ['backward', 'hop'], text: (name) => `Goes with ${name}`, if: 'goesWith' },
  { code: 'similar_to', groups: ['embedding'], text: (name) => `Similar to ${name}`, if: 'like' },
  { code: 'more', groups: ['category'], text: moreIn, if: 'category' },
  { code: 'viewed_before', groups: ['own'], text: (done) => done, if: 'own' },
  { code: 'trending', groups: ['trending'], text: () => 'Popular right now', if: 'isTrending' },
  { code: 'popular', groups: ['popular'], text: () => 'Popular lately', if: 'isPopular' },
];

/** Parts that add up to the score: that of an unknown item, and what is known of this one, the largest first. */
export function contributionsOf({ baseline, contributions }: Explanation, damping: number): Contribution[] {
  return damped([{ part: 'an unknown item', value: baseline }, ...partsOf(contributions).filter(isSome)], damping);
}

/** Contributions of a score to which damping was added. */
export function damped([baseline, ...parts]: readonly Contribution[], damping: number): Contribution[] {
  const all = damping === 0 ? parts : [...parts, { part: 'shown in vain', value: damping }];
  return [...(baseline ? [baseline] : []), ...all.sort((a, b) => Math.abs(b.value) - Math.abs(a.value))];
}

const partsOf = (values: Float64Array): Contribution[] => GROUPS.map((group, at): Contribution => ({ part: PARTS[group], value: values[at] }));

/** A linear fit near the item, part by part, the largest first. */
export function localFitOf({ fit, weights }: LocalLinear): LocalFit {
  return { fit, parts: partsOf(weights).filter(isSome).sort((a, b) => Math.abs(b.value) - Math.abs(a.value)) };
}

/** What a reason names beside its sentence. */
function namedIn(said: Exclude<Sayable[keyof Sayable], false | null>): Partial<Reason> {
  if (said === true) return {};
  if ('category' in said) return { category: said.category };
  return 'did' in said ? { sku: said.sku, did: said.did } : { sku: said.sku, name: said.name };
}

/** Rounding leaves crumbs of parts that say nothing. */
const CRUMB = 1e-9;
const isSome = ({ value }: Contribution): boolean => Math.abs(value) > CRUMB;

/** What speaks for an item, the strongest first. What speaks against it is no reason, and what is not so is not said, whatever it is worth. */
export function reasonsFor({ contributions }: Explanation, sayable: Sayable): Reason[] {
  return REASONS.flatMap(({ code, groups, text, if: condition }): Reason[] => {
    const contribution = groups.reduce((sum, group) => sum + contributions[GROUPS.indexOf(group)], 0);
    const said = sayable[condition];
    if (contribution <= CRUMB || !said) return [];
    return [{ code, ...namedIn(said), text: text(said === true ? '' : said.name), contribution }];
  }).sort((a, b) => b.contribution! - a.contribution!);
}
