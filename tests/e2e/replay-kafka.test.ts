import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { expect, onTestFinished, test, vi } from 'vitest';
import { replayCommand } from '../../pipeline/cli/replay.js';
import { said } from '../support/command.js';
import { describeWith } from '../support/services/describe-with.js';

await describeWith(['kafka'], 'replay into a cluster', ({ kafka: { brokers } }) => {
  const on = said();

  test('writes the topics and ends: it joins no group, where it would take partitions from the consumers that run', async () => {
    const prefix = `replay-${randomBytes(4).toString('hex')}-`;
    for (const [name, value] of Object.entries({ KAFKA_BROKERS: brokers.join(','), TOPIC_PREFIX: prefix, TOPIC_PARTITIONS: '2', DATA_DIR: join(on.folder, 'data') })) vi.stubEnv(name, value);
    const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    onTestFinished(async () => {
      vi.unstubAllEnvs();
      await admin.disconnect();
    });
    const line = (n: number): string => JSON.stringify({ type: 'track', anonymousId: `a${n}`, event: 'Product Viewed', messageId: `m${n}`, properties: { product_id: 'P1' } });
    await replayCommand().parseAsync([on.file('views.ndjson', [1, 2, 3, 4, 5].map(line).join('\n')), '--format', 'segment-ndjson'], { from: 'user' });

    expect(on.out).toMatch(/^5 events, 5 accepted, 0 rejected, /);
    expect(on.err).toContain('the consumers of the cluster read on from there');
    const { groups } = await admin.listGroups();
    expect(groups.map(({ groupId }) => groupId).filter((id) => id.startsWith(prefix))).toEqual([]);
    const written = (await admin.fetchTopicOffsets(`${prefix}clickstream`)).reduce((sum, { high }) => sum + Number(high), 0);
    expect(written).toBe(5);
  });
});
