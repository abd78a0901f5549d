import { expect, test } from 'vitest';
import { runFaults } from '../../pipeline/faults/run.js';
import { describeWith } from '../support/services/describe-with.js';
import { entry, nothingLostNorDoubled } from './millrace-entry.js';

const KILLS = Number(process.env.MILLRACE_KILLS ?? 2);

await describeWith(['kafka', 'clickhouse'], 'five processes on Kafka', ({ kafka, clickhouse }) => {
  test(`of which ${KILLS} are killed lose no event and count none twice`, { timeout: 600_000 + KILLS * 60_000 }, async () => {
    const environment = { ...process.env, KAFKA_BROKERS: kafka.brokers.join(','), CLICKHOUSE_URL: clickhouse.url };
    const report = await runFaults({ kills: KILLS, seed: 'kafka', engine: 'kafka', environment, entry });
    expect(report).toMatchObject(nothingLostNorDoubled);
    expect(report.sent).toBeGreaterThan(50);
    expect(report.in_topics).toBe(report.sent);
    expect(report.in_clickhouse).toBe(report.sent);
    expect(report.triggers).toBeGreaterThan(0);
  });
});
