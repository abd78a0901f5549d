import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ensure, itemArena, placeOf } from '../../../models/kernels/item-arena.js';

const stretches = fc.record({ ids: fc.array(fc.nat(30), { maxLength: 100 }), wanted: fc.nat(30), behind: fc.nat(30) });

test('a number is found where it stands first in a stretch, and nowhere else', () => {
  fc.assert(fc.property(stretches, fc.nat(200), ({ ids, wanted, behind }, first) => {
    const arena = itemArena();
    // What lies before and behind the stretch is no part of it.
    arena.ids.fill(behind);
    arena.ids.set(ids, first);
    expect(placeOf(arena, first, ids.length, wanted)).toBe(ids.indexOf(wanted));
  }));
});

test('a stretch may end where the numbers end', () => {
  const arena = itemArena();
  const first = arena.ids.length - 3;
  arena.ids.set([7, 8, 9], first);
  expect([7, 9, 1].map((id) => placeOf(arena, first, 3, id))).toEqual([0, 2, -1]);
});

test('numbers stay where they are when the arena grows', () => {
  const arena = itemArena();
  const before = arena.ids.length;
  arena.ids.set([5, 6], before - 2);
  ensure(arena, before + 1);
  expect(arena.ids.length).toBeGreaterThan(before);
  expect(placeOf(arena, before - 2, 2, 6)).toBe(1);
});
