/**
 * What shoppers want, and so the truth that recommendations can be measured against.
 *
 *   P(next = i | shopper s, last viewed l) = F · C[l][i] + (1 − F) · T_s[i] / (1 − T_s[l])     for i ≠ l
 *   T_s[i] ∝ popularity[i] · exp(category_s[c(i)] + brand_s[b(i)])
 *
 * C[l] spreads 0.4, 0.3, 0.2, 0.1 over four companions of l, two of its own category and two of the one that goes with
 * it. Without a last item P = T_s.
 */
import { brands, categories, type SimulatedProduct } from './assortment.js';
import type { Random } from './random.js';

/** F: how often a shopper follows from an item to one of its companions. */
const FOLLOWS = 0.35;
const COMPANION_WEIGHTS = [0.4, 0.3, 0.2, 0.1] as const;

/** Log-odds that one shopper gives to categories and brands. Most are zero. */
export interface Taste {
  readonly categories: ReadonlyMap<string, number>;
  readonly brands: ReadonlyMap<string, number>;
}

export interface Tastes {
  readonly of: (shopper: number) => Taste;
  /** T_s. */
  readonly atFirst: (shopper: number) => Float64Array;
  /** P(next = i), by number of the item. */
  readonly next: (shopper: number, last: number | null) => Float64Array;
  readonly companions: (item: number) => readonly number[];
}

export function tastes(products: readonly SimulatedProduct[], shoppers: number, random: Random): Tastes {
  const popularity = products.map(() => 1 / (1 + random.below(products.length)) ** 0.5);
  const companions = products.map((_, item) => companionsOf(products, item, random));
  const everyone = Array.from({ length: shoppers }, () => tasteOf(random));
  const known = new Map<number, Float64Array>();
  const atFirst = (shopper: number): Float64Array => {
    let wanted = known.get(shopper);
    if (!wanted) {
      wanted = wantedBy(everyone[shopper], products, popularity);
      known.set(shopper, wanted);
    }
    return wanted;
  };
  const next = (shopper: number, last: number | null): Float64Array => {
    const wanted = atFirst(shopper);
    if (last === null) return wanted;
    const share = (1 - FOLLOWS) / (1 - wanted[last]);
    const chances = new Float64Array(wanted.length);
    for (let item = 0; item < chances.length; item++) chances[item] = item === last ? 0 : share * wanted[item];
    companions[last].forEach((item, rank) => {
      chances[item] += FOLLOWS * COMPANION_WEIGHTS[rank];
    });
    return chances;
  };
  return { of: (shopper) => everyone[shopper], atFirst, next, companions: (item) => companions[item] };
}

function tasteOf(random: Random): Taste {
  const first = random.below(categories.length);
  const second = random.chance(0.6) ? categories[first].goesWith : random.below(categories.length);
  const liked = new Map([[categories[second].name, 2], [categories[first].name, 3]]);
  return { categories: liked, brands: new Map([[random.pick(brands), 1.2]]) };
}

function wantedBy(taste: Taste, products: readonly SimulatedProduct[], popularity: readonly number[]): Float64Array {
  const wanted = Float64Array.from(products, ({ category, brand }, item) =>
    popularity[item] * Math.exp((taste.categories.get(category) ?? 0) + (taste.brands.get(brand) ?? 0)));
  const total = wanted.reduce((sum, share) => sum + share, 0);
  return wanted.map((share) => share / total);
}

/** Four different items, none of them the item itself. */
function companionsOf(products: readonly SimulatedProduct[], item: number, random: Random): number[] {
  const own = item % categories.length;
  const other = categories[own].goesWith;
  const chosen = new Set<number>();
  for (const category of [own, other, own, other]) {
    const sameCategory = Math.ceil((products.length - category) / categories.length);
    let companion = category + categories.length * random.below(sameCategory);
    while (companion === item || chosen.has(companion) || companion >= products.length) companion = (companion + 1) % products.length;
    chosen.add(companion);
  }
  return [...chosen];
}
