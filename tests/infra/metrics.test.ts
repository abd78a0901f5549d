import { expect, test } from 'vitest';
import { prometheusMetrics } from '../../infra/metrics/prometheus.js';

const series = async (metrics: { text(): Promise<string> }): Promise<string[]> =>
  (await metrics.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#')).map((line) => line.replace(/ \S+$/, ''));

test('D05: what a process is to expect stands among its series from the start, so that traffic brings few new ones', async () => {
  const metrics = prometheusMetrics({ withProcess: true });
  const labels = { route: '/v1/track', status: '200' };
  metrics.announce('millrace_http_request_seconds', labels);
  expect(await metrics.text()).toContain('millrace_http_request_seconds_count{route="/v1/track",status="200"} 0');
  const before = await series(metrics);
  expect(before.filter((name) => name.startsWith('nodejs_gc_duration_seconds_count'))).toHaveLength(4);
  metrics.observe('millrace_http_request_seconds', 0.002, labels);
  expect(await series(metrics)).toEqual(before);
  expect(await metrics.text()).toContain('millrace_http_request_seconds_count{route="/v1/track",status="200"} 1');
});
