import { expect, test } from 'vitest';
import { KeptTotals } from '../../pipeline/serving/kept-totals.js';

test('a total is kept for twenty times as long as it took, asked for meanwhile by all at once, and not kept where it failed', async () => {
  let now = 0;
  let made = 0;
  const kept = new KeptTotals(() => now);
  const ask = () => kept.of('Kitchen', async () => {
    const number = ++made;
    await Promise.resolve();
    now += 100;
    return { number };
  });
  expect(await Promise.all([ask(), ask(), ask()])).toEqual([{ number: 1 }, { number: 1 }, { number: 1 }]);
  now = 2_099;
  expect(await ask()).toEqual({ number: 1 });
  now = 2_101;
  expect(await ask()).toEqual({ number: 2 });
  expect(await kept.of('Garden', async () => undefined)).toBeUndefined();
  await expect(kept.of('Cellar', async () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await kept.of('Cellar', async () => ({ number: 0 }))).toEqual({ number: 0 });
});

test('of more than some 256 the oldest are worked out anew', () => {
  const kept = new KeptTotals(() => 0);
  const made: string[] = [];
  const ask = (category: number): void => void kept.of(`C${category}`, () => {
    made.push(`C${category}`);
    return new Promise(() => {});
  });
  for (let category = 0; category < 300; category++) ask(category);
  expect(made).toHaveLength(300);
  ask(299);
  ask(0);
  expect(made.slice(300)).toEqual(['C0']);
});
