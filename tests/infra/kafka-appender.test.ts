import { Kafka, logLevel } from 'kafkajs';
import type { Producer, ProducerBatch, RecordMetadata } from 'kafkajs';
import { describe, expect, test, vi } from 'vitest';
import { openAppender } from '../../infra/kafka-log/appender.js';
import { Unavailable } from '../../pipeline/core/errors.js';
import type { NewRecord } from '../../pipeline/core/log.js';
import { noMetrics } from '../../pipeline/core/metrics.js';

const record = (value: string, partition = 0): NewRecord => ({ topic: 'clicks', partition, key: 'k', value: Buffer.from(value) });

/** Producers without a broker: each send is answered as the script says. */
function scripted(answer: (batch: ProducerBatch, producer: number) => Promise<RecordMetadata[]>) {
  const real = new Kafka({ clientId: 'test', brokers: ['127.0.0.1:1'], logLevel: logLevel.NOTHING });
  const batches: ProducerBatch[] = [];
  let made = 0;
  const producer = (): Producer => {
    const fake = real.producer({ idempotent: true });
    const number = made++;
    vi.spyOn(fake, 'connect').mockResolvedValue(undefined);
    vi.spyOn(fake, 'disconnect').mockResolvedValue(undefined);
    vi.spyOn(fake, 'sendBatch').mockImplementation(async (batch) => {
      batches.push(batch);
      return answer(batch, number);
    });
    return fake;
  };
  return { kafka: { producer }, batches };
}

const acknowledged = (baseOffset: number): RecordMetadata => ({ topicName: 'p-clicks', partition: 0, errorCode: 0, baseOffset: String(baseOffset) });

describe('appends', () => {
  test('that come while a send is under way go out together, each with its own positions', async () => {
    let offset = 0;
    const { kafka, batches } = scripted(async ({ topicMessages }) => {
      const base = offset;
      offset += topicMessages?.[0]?.messages.length ?? 0;
      await new Promise((resolve) => setTimeout(resolve, 5));
      return [acknowledged(base)];
    });
    const appender = openAppender(kafka, 'p-', noMetrics);
    const positions = await Promise.all(Array.from({ length: 10 }, (_, i) => appender.append([record(`${i} a`), record(`${i} b`)])));
    expect(positions.flat().map((position) => position.offset)).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(batches.map(({ topicMessages }) => topicMessages?.[0]?.messages.length)).toEqual([2, 18]);
    await appender.close();
  });

  test('after a failure come from a new producer: the old one would give its sequence numbers out twice', async () => {
    const used: number[] = [];
    const { kafka } = scripted(async (_, producer) => {
      used.push(producer);
      if (used.length === 1) throw new Error('The socket closed.');
      return [acknowledged(7)];
    });
    const appender = openAppender(kafka, 'p-', noMetrics);
    await expect(appender.append([record('lost?')])).rejects.toThrow(Unavailable);
    await expect(appender.append([record('next')])).resolves.toEqual([{ topic: 'clicks', partition: 0, offset: 7 }]);
    expect(used).toEqual([0, 1]);
    await appender.close();
  });

  test('that Kafka does not acknowledge in full are not taken for written', async () => {
    const { kafka } = scripted(async () => [acknowledged(0)]);
    const appender = openAppender(kafka, 'p-', noMetrics);
    await expect(appender.append([record('a'), record('b', 1)])).rejects.toThrow(Unavailable);
    await appender.close();
  });

  test('of a record that no batch holds fail alone', async () => {
    const { kafka } = scripted(async () => [acknowledged(0)]);
    const appender = openAppender(kafka, 'p-', noMetrics);
    const [large, small] = await Promise.allSettled([appender.append([{ ...record(''), value: Buffer.alloc(1_100_000) }]), appender.append([record('small')])]);
    expect([large?.status, small?.status]).toEqual(['rejected', 'fulfilled']);
    await appender.close();
  });
});
