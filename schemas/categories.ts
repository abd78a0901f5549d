import type { Product } from './types.js';

/** Between the steps of a path, as product feeds write it: Home > Kitchen > Cups. */
const STEP = ' > ';
const MOST_LEVELS = 16;

type Categorised = Pick<Product, 'category' | 'furtherCategories'>;

/** All categories of a product, each once: those that are told, the first one first, and what lies above them where they are paths. */
export function categoriesOf({ category, furtherCategories }: Categorised): readonly string[] {
  const told = category === null ? furtherCategories : [category, ...furtherCategories];
  return [...new Set([...told, ...told.flatMap((one) => levelsOf(one).slice(1))])];
}

/** Whether a product's first category is this one or lies below it: it counts there, and once in each level of a tree. */
export const countsIn = (first: string | null, category: string): boolean => first !== null && (first === category || first.startsWith(category + STEP));

/** The last step of a path: what a shopper calls the category. */
export const lastStep = (category: string): string => category.split(STEP).at(-1)!;

/** A category and what lies above it, the nearest first: A > B > C, A > B, A. Of a deeper one the nearest 16: what writes to the topic is not bounded. */
export function levelsOf(category: string): string[] {
  const levels = [category];
  for (let at = category.lastIndexOf(STEP); at > 0 && levels.length < MOST_LEVELS; at = category.lastIndexOf(STEP, at - STEP.length)) levels.push(category.slice(0, at));
  return levels;
}
