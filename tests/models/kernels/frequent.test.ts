import fc from 'fast-check';
import { expect, test } from 'vitest';
import { OTHERS, use, type Used } from '../../../models/kernels/frequent.js';

const untrained: Used & { readonly known: number } = { uses: 0, known: 0 };
type States = Map<string, typeof untrained>;
const used = (states: States, name: string, times: number): string => Array.from({ length: times }, () => use(states, 3, name, untrained)).at(-1)!;
const some = (): States => {
  const states: States = new Map();
  for (const [name, times] of [['a', 30], ['b', 20], ['c', 10]] as const) used(states, name, times);
  return states;
};

test('a name gives way to one that is used more than twice as much since, and what was known of it goes', () => {
  const states = some();
  states.set('c', { ...states.get('c')!, known: 7 });
  expect(used(states, 'd', 19)).toBe(OTHERS);
  expect(states.get('c')?.known).toBe(7);
  expect(used(states, 'd', 1)).toBe('d');
  expect([...states.keys()].sort()).toEqual([OTHERS, 'a', 'b', 'd']);
  expect(states.get('d')?.known).toBe(0);
});

test('names used alike do not change places: one more than there is room for stays among the others', () => {
  const states = some();
  const owners = new Set(Array.from({ length: 500 }, () => ['a', 'b', 'c', 'd'].map((name) => use(states, 3, name, untrained)).join()));
  expect([...owners]).toEqual([`a,b,c,${OTHERS}`]);
});

test('what was used all year gives way within 2,000 uses of others once nobody uses it', () => {
  const states = some();
  for (const name of ['a', 'b', 'c']) used(states, name, 100_000);
  expect(used(states, 'd', 1_999)).toBe(OTHERS);
  expect(used(states, 'd', 1)).toBe('d');
});

test('any number of made-up names leaves those of use their own, but for one', () => {
  fc.assert(fc.property(fc.array(fc.string({ minLength: 2 }), { maxLength: 300 }), (names) => {
    const states = some();
    for (const name of names) use(states, 3, name, untrained);
    expect(states.has('a') && states.has('b')).toBe(true);
    expect(states.size).toBeLessThanOrEqual(4);
    // Nameless uses are the others' own.
    expect(use(states, 3, OTHERS, untrained)).toBe(OTHERS);
  }));
});
