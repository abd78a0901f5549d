import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readConfig } from '../../pipeline/config.js';
import { noMetrics, silentJournal } from '../../pipeline/core/metrics.js';
import { openEngine } from '../../pipeline/engine.js';
import { folderForTests } from '../support/folder.js';
import { startSecureKafka } from '../support/services/kafka-secure.js';

describe('Kafka over TLS and SASL', { timeout: 180_000 }, () => {
  const folder = folderForTests();
  let broker: Awaited<ReturnType<typeof startSecureKafka>>;
  beforeAll(async () => { broker = await startSecureKafka(); }, 180_000);
  afterAll(async () => {
    if (!('unavailable' in broker)) await broker.stop();
  });

  const open = (more: object): ReturnType<typeof openEngine> => {
    if ('unavailable' in broker) throw new Error(broker.unavailable);
    const { secure } = broker;
    const config = readConfig({
      DATA_DIR: folder, KAFKA_BROKERS: secure.brokers.join(','), TOPIC_PARTITIONS: '1', KAFKA_TLS: 'true', KAFKA_TLS_CA_FILE: secure.caFile,
      KAFKA_SASL_MECHANISM: 'plain', KAFKA_SASL_USERNAME: secure.username, KAFKA_SASL_PASSWORD: secure.password, ...more,
    });
    return openEngine({ config, metrics: noMetrics, journal: silentJournal });
  };

  test('topics are made and records written with the configured certificate and user', async () => {
    const engine = await open({});
    const [position] = await engine.log.append([{ topic: 'clickstream', partition: 0, key: 'u', value: Buffer.from('x') }]);
    expect(position).toEqual({ topic: 'clickstream', partition: 0, offset: 0 });
    await engine.close();
  });

  test('a wrong password is refused with a sentence, not retried for ever', async () => {
    await expect(open({ KAFKA_SASL_PASSWORD: 'wrong' })).rejects.toThrow(/SASL|[Aa]uthentication|password/);
  });
});
