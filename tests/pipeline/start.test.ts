import { expect, test } from 'vitest';
import { prometheusMetrics } from '../../infra/metrics/prometheus.js';
import { readConfig } from '../../pipeline/config.js';
import { silentJournal } from '../../pipeline/core/metrics.js';
import { readinessOf, startMillrace } from '../../pipeline/main.js';

test.each(['0.0.0.0', '192.0.2.2', '::'])('the demo, whose keys everybody knows, does not listen on %s', async (HOST) => {
  const started = startMillrace({ config: readConfig({ HOST, DATA_DIR: '/nowhere/at/all' }), role: 'all', demo: true, journal: silentJournal });
  await expect(started).rejects.toThrow(`HOST=${HOST} with --demo`);
});

test('a process that only scores is ready once it has caught up; one that takes events is from the start', () => {
  let caughtUp = false;
  const parts = { scorer: { isReady: () => caughtUp }, sql: null, log: 'embedded' };
  const metrics = prometheusMetrics({ withProcess: false });
  const [scoring, all, collecting] = [readinessOf('scorer', parts, metrics), readinessOf('all', parts, metrics), readinessOf('collector', { ...parts, scorer: undefined }, metrics)];
  expect([scoring(), all(), collecting()]).toMatchObject([{ ready: false, parts: { scorer: false } }, { ready: true, parts: { scorer: false } }, { ready: true, parts: { scorer: null } }]);
  caughtUp = true;
  expect(scoring()).toMatchObject({ ready: true, parts: { scorer: true } });
});
