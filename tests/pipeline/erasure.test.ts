import { expect, test } from 'vitest';
import { erase } from '../../pipeline/door-answers.js';
import type { NewRecord } from '../../pipeline/core/log.js';
import { clickstream } from '../../schemas/topics.js';

test('what can be nobody’s id erases nobody, and says so: an empty variable in a shell was told as done', async () => {
  const written: NewRecord[] = [];
  const engine = { log: { partitions: 1, append: (records: readonly NewRecord[]) => { written.push(...records); return Promise.resolve([]); } } } as unknown as Parameters<typeof erase>[0];
  for (const id of ['', ' ', 'undefined', 'guest', '0', 'a\u001fb', 'x'.repeat(300)]) await expect(erase(engine, id)).rejects.toThrow(/nobody's id.*Nothing was erased/);
  expect(written).toEqual([]);
  await erase(engine, 'u1');
  expect(written.map(({ key, value }) => [key, clickstream.codec.decode(value!).event])).toEqual([['u1', 'User Erased']]);
});
