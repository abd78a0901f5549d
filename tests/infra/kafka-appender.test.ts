import { Kafka, logLevel } from 'kafkajs';
import type { Producer, ProducerBatch, RecordMetadata } from 'kafkajs';
import { describe, expect, test, vi } from 'vitest';
import { openAppender } from '../../infra/kafka-log/appender.js';
import { Unavailable } from '../../pipeline/core/errors.js';
import type { NewRecord } from '../../pipeline/core/log.js';
import { noMetrics, silentJournal, type Journal } from '../../pipeline/core/metrics.js';

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
    const appender = openAppender(kafka, 'p-', noMetrics, silentJournal);
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
    const appender = openAppender(kafka, 'p-', noMetrics, silentJournal);
    await expect(appender.append([record('lost?')])).rejects.toThrow(Unavailable);
    await expect(appender.append([record('next')])).resolves.toEqual([{ topic: 'clicks', partition: 0, offset: 7 }]);
    expect(used).toEqual([0, 1]);
    await appender.close();
  });

  test('that fail say why, to the log once and to whoever asks, until some are taken again', async () => {
    let isAway = true;
    const { kafka } = scripted(async () => {
      if (isAway) throw Object.assign(new Error('connect 10.0.0.7:9092'), { code: 'ECONNREFUSED' });
      return [acknowledged(7)];
    });
    const lines: string[] = [];
    const journal: Journal = { ...silentJournal, warn: (_, sentence) => void lines.push(`warn ${sentence}`), info: (_, sentence) => void lines.push(`info ${sentence}`) };
    const appender = openAppender(kafka, 'p-', noMetrics, journal);
    expect(appender.failure()).toBeUndefined();
    for (let attempt = 0; attempt < 3; attempt++) await expect(appender.append([record('a')])).rejects.toMatchObject({ told: 'Kafka does not take records (ECONNREFUSED)' });
    expect(appender.failure()).toBe('Kafka does not take records (ECONNREFUSED)');
    isAway = false;
    await appender.append([record('a')]);
    expect(appender.failure()).toBeUndefined();
    expect(lines).toEqual([expect.stringMatching(/^warn Kafka does not take records/), 'info Kafka takes records again.']);
    await appender.close();
  });

  test('that failed are no reason any more once a broker answers, though nobody sends anything; the log says so with the next that are taken', async () => {
    vi.useFakeTimers();
    try {
      let isAway = true;
      const { kafka } = scripted(async () => [acknowledged(7)]);
      const away = { producer: (): Producer => {
        const fake = kafka.producer();
        vi.spyOn(fake, 'connect').mockImplementation(async () => { if (isAway) throw Object.assign(new Error('connect 10.0.0.7:9092'), { code: 'ECONNREFUSED' }); });
        return fake;
      } };
      const lines: string[] = [];
      const journal: Journal = { ...silentJournal, warn: (_, sentence) => void lines.push(sentence), info: (_, sentence) => void lines.push(sentence) };
      const appender = openAppender(away, 'p-', noMetrics, journal);
      await expect(appender.append([record('a')])).rejects.toThrow(Unavailable);
      await vi.advanceTimersByTimeAsync(20_000);
      expect(appender.failure()).toBe('Kafka does not take records (ECONNREFUSED)');
      isAway = false;
      await vi.advanceTimersByTimeAsync(6_000);
      expect([appender.failure(), lines.length]).toEqual([undefined, 1]);
      await appender.append([record('a')]);
      expect(lines).toEqual([expect.stringMatching(/^Kafka does not take records/), 'Kafka takes records again.']);
      await appender.close();
    } finally {
      vi.useRealTimers();
    }
  });

  test('that a frozen broker does not answer are given up after ten seconds, and the next go by another producer', async () => {
    vi.useFakeTimers();
    try {
      const { kafka } = scripted(async (_, producer) => (producer === 0 ? new Promise<never>(() => {}) : [acknowledged(7)]));
      const appender = openAppender(kafka, 'p-', noMetrics, silentJournal);
      const answer = appender.append([record('a')]).catch((error: unknown) => error);
      await vi.advanceTimersByTimeAsync(10_000);
      expect(await answer).toMatchObject({ name: 'Unavailable', told: 'Kafka does not take records (NO_ANSWER)' });
      await expect(appender.append([record('a')])).resolves.toEqual([{ topic: 'clicks', partition: 0, offset: 7 }]);
      await appender.close();
    } finally {
      vi.useRealTimers();
    }
  });

  test('that Kafka does not acknowledge in full are not taken for written', async () => {
    const { kafka } = scripted(async () => [acknowledged(0)]);
    const appender = openAppender(kafka, 'p-', noMetrics, silentJournal);
    await expect(appender.append([record('a'), record('b', 1)])).rejects.toThrow(Unavailable);
    await appender.close();
  });

  test('of a record that no batch holds fail alone', async () => {
    const { kafka } = scripted(async () => [acknowledged(0)]);
    const appender = openAppender(kafka, 'p-', noMetrics, silentJournal);
    const [large, small] = await Promise.allSettled([appender.append([{ ...record(''), value: Buffer.alloc(1_100_000) }]), appender.append([record('small')])]);
    expect([large?.status, small?.status]).toEqual(['rejected', 'fulfilled']);
    await appender.close();
  });
});
