import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Shelf } from '../../../models/kernels/shelf.js';

test('what is kept is what a plain list keeps: the latest within the bytes, and within so many of each owner', () => {
  const step = fc.record({ does: fc.constantFrom('add', 'add', 'add', 'move', 'delete'), id: fc.nat(30), owner: fc.nat(3), to: fc.nat(3) });
  fc.assert(fc.property(fc.array(step, { maxLength: 200 }), (story) => {
    const shelf = new Shelf<number>({ bytes: 60, each: 5 }, (_, value) => value + 1);
    let plain: { id: string; owner: string; value: number }[] = [];
    const bytes = (): number => plain.reduce((sum, { value }) => sum + value + 1, 0);
    const drop = (owner: string): void => {
      while (plain.filter((one) => one.owner === owner).length > 5) plain.splice(plain.findIndex((one) => one.owner === owner), 1);
    };
    for (const { does, id: number, owner: from, to: other } of story) {
      const [id, owner, to] = [`i${number}`, `o${from}`, `o${other}`];
      if (does === 'add') {
        shelf.add(id, owner, number);
        if (!plain.some((one) => one.id === id)) plain.push({ id, owner, value: number });
        drop(owner);
        while (bytes() > 60) plain.shift();
      } else if (does === 'move') {
        shelf.move(owner, to);
        plain = plain.map((one) => (one.owner === owner ? { ...one, owner: to } : one));
        drop(to);
      } else {
        shelf.delete(id);
        plain = plain.filter((one) => one.id !== id);
      }
      expect([...shelf]).toEqual(plain.map((one) => [one.id, one.owner, one.value]));
      expect([shelf.bytes, shelf.oldest()]).toEqual([bytes(), plain[0]?.value]);
      for (const name of [owner, to]) expect(shelf.idsOf(name)).toEqual(plain.filter((one) => one.owner === name).map((one) => one.id));
    }
  }));
});

test('what is added again after it was deleted is the newest, also where it was the oldest when somebody asked', () => {
  const shelf = new Shelf<string>({ bytes: 100, each: 5 }, () => 1);
  for (const id of ['a', 'b']) shelf.add(id, 'o', id);
  expect(shelf.oldest()).toBe('a');
  shelf.delete('a');
  shelf.add('a', 'o', 'a');
  expect(shelf.oldest()).toBe('b');
});
