import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { countedWhenGiven, placementIn, recommendationIdAt } from '../../schemas/recommendation-ids.js';

test('an id says for which placement it was made and whether it counted as shown, and is a UUID of version 8', () => {
  const placements = ['', 'home', 'cart', 'Zubehör'];
  for (const placement of placements) for (const shown of [true, false]) {
    const id = recommendationIdAt(placement, randomUUID(), shown);
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(placementIn(id, placements)).toBe(placement);
    expect(countedWhenGiven(id)).toBe(shown);
    expect(placementIn(id, ['elsewhere'])).toBe('');
  }
});

test('of an id that was made elsewhere nothing is said', () => {
  expect(placementIn(randomUUID(), ['home'])).toBeUndefined();
  expect(countedWhenGiven(randomUUID())).toBeUndefined();
  fc.assert(fc.property(fc.string({ maxLength: 35 }), (id) => { expect(placementIn(id, ['home'])).toBeUndefined(); }));
});
