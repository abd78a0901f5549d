import { expect, test } from 'vitest';
import type { DoorHandler } from '../../infra/embedded-log/door.js';
import { answerDoor } from '../../pipeline/door-answers.js';
import type { Engine } from '../../pipeline/engine.js';
import type { Topology } from '../../pipeline/core/topology.js';
import { clickstream } from '../../schemas/topics.js';
import { product, shopEvent } from '../support/events.js';

test('what a command of a newer version would write is refused whole: to this one each record would be a dead letter', async () => {
  const answers = new Map<string, DoorHandler>();
  const taken: unknown[] = [];
  const engine = { door: { answer: (kind: string, handler: DoorHandler) => void answers.set(kind, handler) }, log: { append: async (records: readonly unknown[]) => (taken.push(...records), records.map(() => 0n)) } };
  answerDoor(engine as unknown as Engine, { parts: [] } as unknown as Topology, undefined, { currency: 'EUR', timezone: 'UTC' });
  const known = clickstream.codec.encode(shopEvent('Product Viewed', { anonymousId: 'a1', products: [product('P1')] }));
  const newer = Buffer.from(known);
  newer.writeUInt32BE(9_999, 1);
  const append = (...values: (Buffer | null)[]) => answers.get('append')!({ kind: 'append', records: values.map((value) => ({ topic: 'clickstream', partition: 0, key: 'k', value: value?.toString('base64') ?? null })) }, new AbortController().signal);
  expect(await append(known, null)).toBe(2);
  await expect(append(known, newer)).rejects.toThrow('does not know schema 9999');
  expect(taken).toHaveLength(2);
});
