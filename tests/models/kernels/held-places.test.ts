import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hold, placeOf, release } from '../../../models/kernels/held-places.js';

/** Few different last bits, so that many clash. */
const item = fc.integer({ min: 0, max: 40 }).map((n) => (n % 7) * 1_024 + (n % 5));

test('an item is found where a list has it first, as indexOf finds it, and nowhere once the list is released', () => {
  fc.assert(fc.property(fc.array(fc.oneof(item, fc.constant(-1)), { maxLength: 30 }), fc.array(item, { maxLength: 30 }), (listed, sought) => {
    const items = Int32Array.from(listed);
    hold(items);
    for (const one of sought) expect(placeOf(items, one)).toBe(items.indexOf(one));
    release(items);
    for (const one of sought) expect(placeOf(items, one)).toBe(-1);
  }));
});
