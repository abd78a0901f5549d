import { expect, test } from 'vitest';
import { runFaults } from '../../pipeline/faults/run.js';
import { entry, nothingLostNorDoubled } from './millrace-entry.js';

const KILLS = Number(process.env.MILLRACE_KILLS ?? 3);

test(`a process killed ${KILLS} times while it takes events has each of them once, in its topics, its ClickHouse and its state`, { timeout: 420_000 + KILLS * 60_000 }, async () => {
  const report = await runFaults({ kills: KILLS, seed: 'embedded', engine: 'embedded', environment: process.env, entry });
  expect(report).toMatchObject(nothingLostNorDoubled);
  expect(report.sent).toBeGreaterThan(50);
  expect(report.in_topics).toBe(report.sent);
  expect(report.in_clickhouse).toBe(report.sent);
  expect(report.triggers).toBeGreaterThan(0);
});
