import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fieldOf, listsOf } from '../../pipeline/serving/postings.js';

test('items stand under each thing that is said of them, each once, whatever was said before', () => {
  const change = fc.record({ item: fc.nat(5), says: fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 4 }) });
  fc.assert(fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
    const said = new Map<number, readonly string[]>();
    const field = fieldOf((item) => said.get(item) ?? []);
    for (const { item, says } of changes) {
      const move = field.moving(item);
      said.set(item, says);
      move();
    }
    for (const key of ['a', 'b', 'c', 'd']) {
      expect([...field.postings.items(key)].sort()).toEqual([...said].filter(([, says]) => says.includes(key)).map(([item]) => item).sort());
    }
    for (const [item, says] of said) expect(field.postings.has(item)).toBe(says.length > 0);
    expect([...field.postings.keys()].sort()).toEqual([...new Set([...said.values()].flat())].sort());
    expect(listsOf(field, ['a', 'none'])).toHaveLength(field.postings.items('a').length > 0 ? 1 : 0);
  }));
});
