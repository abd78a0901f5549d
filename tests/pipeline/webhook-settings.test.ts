import { expect, test } from 'vitest';
import { openEmbeddedLog } from '../../infra/embedded-log/log.js';
import { readConfig } from '../../pipeline/config.js';
import { ConfigError } from '../../pipeline/core/errors.js';
import { noMetrics, silentJournal } from '../../pipeline/core/metrics.js';
import { mermaid } from '../../pipeline/core/topology.js';
import { topologyOf } from '../../pipeline/topology.js';
import { startWebhooks } from '../../pipeline/webhooks.js';
import { allTopics } from '../../schemas/topics.js';
import { folderForTest } from '../support/folder.js';

const secretOf = (bytes: number, fill = 1) => `whsec_${Buffer.alloc(bytes, fill).toString('base64')}`;
const problemsOf = (environment: NodeJS.ProcessEnv): readonly string[] => {
  try {
    readConfig(environment);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
};

test('each address has the secret in its place; without any there are no webhooks', () => {
  expect(readConfig({}).webhooks).toEqual([]);
  const urls = ['https://a.example/hooks?shop=1', 'http://127.0.0.1:9000/', 'http://10.1.2.3/', 'http://172.31.0.9/', 'http://192.168.1.1/', 'http://[::1]:8080/', 'http://mailer:8080/', 'https://a.example/other'];
  const secrets = urls.map((_, i) => secretOf(24 + 5 * i, i));
  expect(readConfig({ WEBHOOK_URLS: urls.join(', '), WEBHOOK_SECRETS: secrets.join(',') }).webhooks).toEqual(urls.map((url, i) => ({ url, secret: secrets[i] })));
});

test('everything wrong with addresses and secrets is told at once, with other problems, and without saying them', () => {
  const urls = ['http://shop.example/t0ken', 'ftp://10.0.0.1/', 'not-t0ken', 'https://user:t0ken@a.example/', 'https://b.example', 'https://b.example/', 'http://172.32.0.1/', 'http://127.0.0.1.nip.example/', 'https://c.example/'];
  const secrets = [secretOf(23), secretOf(65), 'whsec_', 'whsec_not base64!', secretOf(32).slice('whsec_'.length), secretOf(24), secretOf(64)];
  const problems = problemsOf({ PORT: 'x', WEBHOOK_URLS: urls.join(','), WEBHOOK_SECRETS: secrets.join(',') });
  const scheme = 'must begin with https://, or with http:// where the host is of this machine or a private network.';
  const bytes = 'must be whsec_ and the base64 of 24 to 64 random bytes.';
  expect(problems).toEqual([
    'PORT must be a whole number from 0 to 65535, not "x".',
    'WEBHOOK_URLS has 9 addresses; at most 8 are served.',
    'WEBHOOK_URLS has 9 addresses and WEBHOOK_SECRETS 7 secrets: each address takes one, in the same order.',
    `WEBHOOK_URLS, number 1, ${scheme}`, `WEBHOOK_URLS, number 2, ${scheme}`, 'WEBHOOK_URLS, number 3, is no URL.', 'WEBHOOK_URLS, number 4, must hold no user and no password: deliveries are signed.',
    'WEBHOOK_URLS, number 6, is there twice.', `WEBHOOK_URLS, number 7, ${scheme}`, `WEBHOOK_URLS, number 8, ${scheme}`,
    ...[1, 2, 3, 4, 5].map((n) => `WEBHOOK_SECRETS, number ${n}, ${bytes}`),
  ]);
  expect(problemsOf({ WEBHOOK_SECRETS: secretOf(32) })).toEqual(['WEBHOOK_URLS has 0 addresses and WEBHOOK_SECRETS 1 secrets: each address takes one, in the same order.']);
});

test('the topology draws webhooks where there are some', () => {
  const drawn = (environment: NodeJS.ProcessEnv) => mermaid(topologyOf(readConfig(environment), 'wall')).includes('t_marketing_triggers --> s_webhooks');
  expect([drawn({}), drawn({ WEBHOOK_URLS: 'https://a.example/', WEBHOOK_SECRETS: secretOf(32) })]).toEqual([false, true]);
});

test('a log on a file’s clock sends nothing, and says so', async () => {
  const directory = folderForTest();
  const log = await openEmbeddedLog({ directory, clock: 'file' });
  try {
    await log.ensureTopics(allTopics);
    const warnings: string[] = [];
    const engine = { log, metrics: noMetrics, journal: { ...silentJournal, warn: (_: object, sentence: string) => void warnings.push(sentence) }, learnSchemas: async () => {} };
    expect(startWebhooks(engine, [])).toEqual([]);
    expect(warnings).toEqual([]);
    expect(startWebhooks(engine, [{ url: 'http://127.0.0.1:1/', secret: secretOf(32) }])).toEqual([]);
    expect(warnings).toEqual([expect.stringContaining('clock of a file')]);
  } finally {
    await log.close();
  }
});
