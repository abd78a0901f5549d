import { expect, test } from 'vitest';
import { categoriesOf, countsIn, levelsOf } from '../../schemas/categories.js';

test('what lies above a category is found level by level, the nearest first', () => {
  expect(levelsOf('Home > Kitchen > Cups')).toEqual(['Home > Kitchen > Cups', 'Home > Kitchen', 'Home']);
  for (const flat of ['Cups', '', ' > Cups', 'A>B']) expect(levelsOf(flat)).toEqual([flat]);
  expect(categoriesOf({ category: 'A > B', furtherCategories: ['A > C', 'A'] })).toEqual(['A > B', 'A > C', 'A']);
  expect([countsIn('A > B', 'A'), countsIn('A > B', 'B'), countsIn(null, 'A')]).toEqual([true, false, false]);
});

test('a path as deep as a record of Kafka is long ends no scorer', () => {
  const deep = Array.from({ length: 300_000 }, () => 'a').join(' > ');
  expect(categoriesOf({ category: deep, furtherCategories: [] })).toHaveLength(16);
});
