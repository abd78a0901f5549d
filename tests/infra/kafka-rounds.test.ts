import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { baseOffsets, MAX_BATCH_BYTES, place, rounds, tooLarge } from '../../infra/kafka-log/rounds.js';
import type { NewRecord, Position } from '../../pipeline/core/log.js';

const record = (topic: string, partition: number, bytes: number): NewRecord => ({ topic, partition, key: 'k', value: Buffer.alloc(bytes) });

const acknowledge = (key: string, baseOffset: number) => {
  const at = key.lastIndexOf('/');
  return { topicName: key.slice(0, at), partition: Number(key.slice(at + 1)), errorCode: 0, baseOffset: String(baseOffset) };
};

describe('a send in rounds', () => {
  const records = fc.array(fc.record({
    topic: fc.constantFrom('a', 'b'), partition: fc.integer({ min: 0, max: 2 }), key: fc.constant('k'),
    value: fc.integer({ min: 0, max: 400_000 }).map((length) => Buffer.alloc(length)),
  }), { maxLength: 30 });

  test('keeps every batch below the limit and the order within each partition', () => {
    fc.assert(fc.property(records, (all) => {
      const positions: Position[] = [];
      const next = new Map<string, number>();
      for (const round of rounds('p-', all)) {
        const sizes = new Map<string, number>();
        for (const { topic, messages } of round.topicMessages) {
          for (const { partition, value } of messages) sizes.set(`${topic}/${partition}`, (sizes.get(`${topic}/${partition}`) ?? 0) + Buffer.byteLength(value ?? ''));
        }
        for (const size of sizes.values()) expect(size).toBeLessThan(MAX_BATCH_BYTES);
        const answer = [...round.counts].map(([key, count]) => {
          const base = next.get(key) ?? 0;
          next.set(key, base + count);
          return acknowledge(key, base);
        });
        place(round, answer, all, positions);
      }
      const seen = new Map<string, number>();
      expect(positions).toHaveLength(all.length);
      for (const { topic, partition, offset } of positions) {
        const key = `${topic}/${partition}`;
        expect(offset).toBe(seen.get(key) ?? 0);
        seen.set(key, offset + 1);
      }
    }), { numRuns: 30 });
  });

  test('a record that no batch holds is found before it is sent', () => {
    expect(tooLarge([record('a', 0, 900_000)])).toBeUndefined();
    expect(tooLarge([record('a', 0, 10), record('a', 0, 1_100_000)])).toMatchObject({ message: 'A record of 1100000 bytes for a is larger than Kafka\'s batches.' });
  });

  test('a partition that Kafka leaves out or acknowledges twice is an error', () => {
    const [round] = rounds('', [record('a', 0, 1), record('a', 1, 1)]);
    const answers = ['a/0', 'a/1'].map((key) => acknowledge(key, 5));
    expect(baseOffsets(round!, answers)).toEqual(new Map([['a/0', 5], ['a/1', 5]]));
    expect(() => baseOffsets(round!, answers.slice(0, 1))).toThrow(/did not acknowledge a\/1/);
    expect(() => baseOffsets(round!, [...answers, acknowledge('a/0', 6)])).toThrow(/twice/);
  });
});
