import { expect, test } from 'vitest';
import { residentMemory } from '../../infra/metrics/memory.js';
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

test.runIf(process.platform === 'linux')('memory that is its own is told from pages of files, and both make what is resident', async () => {
  expect(residentMemory('VmRSS:\t  300 kB\nRssAnon:\t  200 kB\nRssFile:\t   100 kB\nRssShmem:\t 0 kB\n')).toEqual({ anonymous: 204_800, files: 102_400 });
  expect(residentMemory('')).toBeUndefined();
  const text = await prometheusMetrics({ withProcess: true }).text();
  const valueOf = (name: string): number => Number(text.split('\n').find((line) => line.startsWith(`${name} `))?.slice(name.length));
  const [own, files] = [valueOf('millrace_resident_memory_bytes{of="anonymous"}'), valueOf('millrace_resident_memory_bytes{of="files"}')];
  expect(Math.min(own, files)).toBeGreaterThan(1 << 20);
  expect((own + files) / valueOf('process_resident_memory_bytes')).toBeCloseTo(1, 1);
  expect(await prometheusMetrics({ withProcess: false }).text()).not.toContain('millrace_resident_memory_bytes{');
});
