import { randomBytes } from 'node:crypto';
import { describeWith } from '../support/services/describe-with.js';
import { spineContract } from './spine-contract.js';

await describeWith(['kafka', 'clickhouse', 'schemaRegistry'], 'with real services', ({ kafka, clickhouse, schemaRegistry }) => {
  const id = randomBytes(4).toString('hex');
  spineContract('Kafka and ClickHouse, a process a role', {
    roles: ['collector', 'consumers', 'consumers', 'scorer', 'sinks'],
    environment: {
      KAFKA_BROKERS: kafka.brokers.join(','), CLICKHOUSE_URL: clickhouse.url, SCHEMA_REGISTRY_URL: schemaRegistry.url, CLICKHOUSE_DATABASE: 'millrace',
      TOPIC_PREFIX: `spine-${id}-`, TOPIC_PARTITIONS: '4',
    },
  });
});
