import { randomUUID } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';
import { openKafkaLog } from '../../infra/kafka-log/index.js';
import { noMetrics, silentJournal } from '../../pipeline/core/metrics.js';
import { folderForTests } from '../support/folder.js';
import { describeWith } from '../support/services/describe-with.js';
import { logContract } from './log-contract.js';
import type { LogHarness } from './log-contract.js';

await describeWith(['kafka'], 'the Kafka log', ({ kafka: { brokers } }) => {
  const stateDirectory = folderForTests();
  logContract('Kafka', async (): Promise<LogHarness> => {
    const prefix = `contract-${randomUUID().slice(0, 8)}-`;
    const open = () => openKafkaLog({
      brokers, clientId: 'contract', prefix, partitions: 3, replicationFactor: 1, stateDirectory, sessionTimeoutMs: 6_000,
      metrics: noMetrics, journal: silentJournal,
    });
    const harness: LogHarness = {
      log: await open(),
      reopen: async () => {
        await harness.log.close();
        harness.log = await open();
        return harness.log;
      },
      close: () => harness.log.close(),
      fenceElsewhere: async ({ name }, partition) => {
        const producer = new Kafka({ clientId: 'elsewhere', brokers, logLevel: logLevel.NOTHING }).producer({
          transactionalId: `${prefix}${name}-${partition}`, idempotent: true, maxInFlightRequests: 1,
        });
        await producer.connect();
        await (await producer.transaction()).abort();
        await producer.disconnect();
      },
    };
    return harness;
  });
});
