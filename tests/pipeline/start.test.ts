import { expect, test } from 'vitest';
import { prometheusMetrics } from '../../infra/metrics/prometheus.js';
import { readinessOf } from '../../pipeline/main.js';

test('a process that only scores is ready once it has caught up; one that takes events is from the start', () => {
  let caughtUp = false;
  const parts = { scorer: { isReady: () => caughtUp }, sql: null, log: 'embedded' };
  const metrics = prometheusMetrics({ withProcess: false });
  const [scoring, all, collecting] = [readinessOf('scorer', parts, metrics), readinessOf('all', parts, metrics), readinessOf('collector', { ...parts, scorer: undefined }, metrics)];
  expect([scoring(), all(), collecting()]).toMatchObject([{ ready: false, parts: { scorer: false } }, { ready: true, parts: { scorer: false } }, { ready: true, parts: { scorer: null } }]);
  caughtUp = true;
  expect(scoring()).toMatchObject({ ready: true, parts: { scorer: true } });
});
