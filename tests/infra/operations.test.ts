import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { STOP_WITHIN_MS } from '../../pipeline/cli/start.js';
import { configTable } from '../../pipeline/config.js';
import { DEAD_LETTER_CODES } from '../../pipeline/core/errors.js';
import { catalogue } from '../../infra/metrics/catalogue.js';
import type { MetricInfo } from '../../infra/metrics/catalogue.js';
import { pages } from '../support/pages.js';

const root = path.resolve(import.meta.dirname, '../..');
const text = (file: string) => readFileSync(path.join(root, file), 'utf8');

const RuleFile = z.object({
  groups: z.array(
    z.object({
      rules: z.array(
        z.object({
          alert: z.string(),
          expr: z.string(),
          labels: z.object({ severity: z.enum(['page', 'ticket', 'note']) }),
          annotations: z.object({ summary: z.string(), runbook: z.string() }),
        }),
      ),
    }),
  ),
});
const TestFile = z.object({
  tests: z.array(z.object({ alert_rule_test: z.array(z.object({ alertname: z.string(), exp_alerts: z.array(z.unknown()) })) })),
});
const Dashboard = z.object({
  panels: z.array(z.object({
    id: z.number(), title: z.string(), gridPos: z.object({ x: z.number(), y: z.number(), w: z.number(), h: z.number() }), targets: z.array(z.object({ expr: z.string() })).optional(),
  })),
});

const panels = Dashboard.parse(JSON.parse(text('infra/grafana/dashboards/millrace.json'))).panels;
const alerts = RuleFile.parse(parse(text('infra/prometheus/alerts.yml'))).groups.flatMap((group) => group.rules);

describe('alerts', () => {
  test('each one leads to its own entry of the runbook', () => {
    const headings = text('docs/runbook.md').match(/^### .+$/gm)?.map((line) => line.slice(4));
    expect(headings?.sort()).toEqual(alerts.map((rule) => rule.alert).sort());
    for (const { alert, annotations } of alerts) expect(annotations.runbook).toBe(`docs/runbook.md#${alert.toLowerCase()}`);
  });

  test('each one is seen firing by a rule test', () => {
    const tested = readdirSync(path.join(root, 'infra/prometheus'))
      .filter((file) => file.endsWith('.test.yml'))
      .flatMap((file) => TestFile.parse(parse(text(`infra/prometheus/${file}`))).tests)
      .flatMap((one) => one.alert_rule_test)
      .filter((one) => one.exp_alerts.length > 0);
    const fired = new Set(tested.map((one) => one.alertname));
    expect(alerts.map((rule) => rule.alert).filter((name) => !fired.has(name))).toEqual([]);
  });

  test('and panels speak only of metrics that the catalogue has, of histograms by their series', () => {
    const expressions = [...alerts.map((rule) => rule.expr), ...panels.flatMap((panel) => panel.targets ?? []).map((target) => target.expr)];
    const named = new Set(expressions.flatMap((expression) => expression.match(/millrace_\w+/g) ?? []));
    const exposed = Object.entries<MetricInfo>(catalogue).flatMap(([name, { kind }]) =>
      kind === 'histogram' ? ['_bucket', '_count', '_sum'].map((suffix) => name + suffix) : [name],
    );
    expect(named.size).toBeGreaterThan(15);
    expect([...named].filter((name) => !exposed.includes(name))).toEqual([]);
  });
});

test('the dashboard shows all that is measured of webhooks; no panel lies on another or has its id', () => {
  const shown = panels.flatMap(({ targets }) => targets ?? []).map(({ expr }) => expr).join();
  expect(Object.keys(catalogue).filter((name) => name.startsWith('millrace_webhook_') && !shown.includes(name))).toEqual([]);
  const covering = panels.flatMap(({ gridPos: a, title }, i) => panels.slice(i + 1)
    .filter(({ gridPos: b }) => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h).map((other) => `${title}, ${other.title}`));
  expect([covering, new Set(panels.map(({ id }) => id)).size]).toEqual([[], panels.length]);
});

test('each code of a dead letter is counted from 0, so that the first of its kind is an increase to Prometheus', () => {
  const files = ['consumers', 'pipeline/core', 'infra/webhook', 'schemas'].flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts')).map((file) => text(path.join(folder, file))));
  const told = files.flatMap((file) => [...file.matchAll(/new (?:BadEvent|UndecodableError)\('(\w+)'|'(webhook_\w+)'/g)].map(([, code, webhook]) => code ?? webhook!));
  expect([...new Set(['crashed', ...told])].sort()).toEqual(DEAD_LETTER_CODES.toSorted());
});

test('every metric is in an alert, on the dashboard, or on a page that says what it is good for', () => {
  const said = ['infra/prometheus/alerts.yml', 'infra/grafana/dashboards/millrace.json', ...pages.filter((page) => page !== 'CHANGELOG.md')].map(text).join();
  const named = new Set((said.match(/millrace_\w+/g) ?? []).map((name) => name.replace(/_(bucket|count|sum)$/, '')));
  expect(Object.keys(catalogue).filter((name) => !named.has(name))).toEqual([]);
});

describe('deployments', () => {
  const roles = ['collector', 'consumers', 'scorer', 'sinks'];
  const Compose = z.object({
    services: z.record(
      z.string(),
      z.object({
        command: z.array(z.string()).optional(), healthcheck: z.unknown().optional(), environment: z.record(z.string(), z.string()).optional(),
        env_file: z.array(z.object({ path: z.string(), required: z.boolean() })).optional(),
      }),
    ),
  });

  test('compose runs each role, and everything it starts has a health check (Millrace’s is in the image)', () => {
    const { services } = Compose.parse(parse(text('docker-compose.yml'), { merge: true }));
    for (const role of roles) expect(services[role]?.command).toEqual(['start', '--role', role]);
    const unhealthy = Object.entries(services).filter(([name, service]) => !roles.includes(name) && service.healthcheck === undefined);
    expect(unhealthy.map(([name]) => name)).toEqual([]);
  });

  test('the image sets what the runbook says of the C library’s memory', () => {
    const settings = /^(MALLOC_\S+=\S+ MALLOC_\S+=\S+) npx millrace start$/m.exec(text('docs/runbook.md'))![1];
    expect(text('infra/Dockerfile')).toContain(`\nENV ${settings}\n`);
  });

  test('the image’s health check asks /livez of the port that is set, and starts neither Node nor a JVM for it', async () => {
    const [program = '', ...args] = z.array(z.string()).parse(JSON.parse(/^HEALTHCHECK [\s\S]*?CMD (\[.*\])$/m.exec(text('infra/Dockerfile'))![1]!));
    let status = 200;
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      response.writeHead(status).end('{}');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const PORT = String((server.address() as AddressInfo).port);
    const isHealthy = () => new Promise<boolean>((resolve) => void execFile(program, args, { env: { PATH: process.env['PATH'], PORT } }, (error) => resolve(error === null)));
    expect(await isHealthy()).toBe(true);
    status = 503;
    expect(await isHealthy()).toBe(false);
    expect(asked).toEqual(['GET /livez', 'GET /livez']);
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
    expect(await isHealthy()).toBe(false);
    // Every five seconds in every container: a third of a second of CPU each took a quarter of a core.
    const { services } = Compose.parse(parse(text('docker-compose.yml'), { merge: true }));
    expect([program, ...args, JSON.stringify(Object.values(services).map(({ healthcheck }) => healthcheck))].join(' ')).not.toMatch(/^node |kafka-[a-z-]+\.sh|clickhouse-client/);
  });

  test('every setting in .env reaches each role in compose, but those that name what compose itself starts', () => {
    const { services } = Compose.parse(parse(text('docker-compose.yml'), { merge: true }));
    const settings = configTable().map(({ name }) => name);
    for (const role of roles) {
      const { env_file: files, environment = {} } = services[role]!;
      expect(files).toEqual([{ path: '.env', required: false }]);
      expect(Object.keys(environment).filter((name) => !settings.includes(name))).toEqual([]);
      // These beat .env. What compose sets to what .env says of the same name is .env's all the same.
      const fixed = Object.entries(environment).filter(([name, value]) => !value.startsWith(`\${${name}:`)).map(([name]) => name);
      expect(fixed.sort()).toEqual(['CLICKHOUSE_URL', 'CLICKHOUSE_USER', 'DATA_DIR', 'KAFKA_BROKERS', 'PORT', 'SCHEMA_REGISTRY_URL']);
      for (const name of fixed) expect(text('infra/compose.env.example')).toContain(name);
    }
  });

  test('compose takes every secret from the environment and has a default for none', () => {
    const compose = text('docker-compose.yml');
    for (const secret of ['WRITE_KEYS', 'SERVER_KEYS', 'ADMIN_TOKENS', 'CLICKHOUSE_PASSWORD', 'GRAFANA_PASSWORD']) {
      const uses = compose.match(new RegExp(`\\$\\{${secret}[^}]*\\}`, 'g')) ?? [];
      expect(uses).not.toEqual([]);
      expect(uses.filter((use) => !use.startsWith(`\${${secret}:?`))).toEqual([]);
      expect(text('infra/compose.env.example')).toContain(`\n${secret}=\n`);
    }
  });

  const documentsOf = (role: string): { kind: string; metadata: { name: string }; spec: Record<string, never> }[] => parseAllDocuments(text(`infra/k8s/${role}.yaml`)).map((document) => document.toJS());
  const learning = new Set(['consumers', 'scorer']);

  test('Kubernetes has for each role pods with the three probes, and a disruption budget', () => {
    expect(text('infra/Dockerfile')).toContain('--start-period=120s');
    for (const role of roles) {
      const kind = learning.has(role) ? 'StatefulSet' : 'Deployment';
      const documents = documentsOf(role);
      expect(documents.map((one) => one.kind)).toEqual(expect.arrayContaining([kind, 'PodDisruptionBudget']));
      expect(documents.find((one) => one.kind === kind)).toMatchObject({ spec: { template: { spec: { containers: [{
        args: ['start', '--role', role],
        // As long as the image's own health check grants: on a busy machine a first start takes more than a minute and a half.
        startupProbe: { httpGet: { path: '/livez' }, periodSeconds: 2, failureThreshold: 60 },
        livenessProbe: { httpGet: { path: '/livez' } },
        readinessProbe: { httpGet: { path: '/readyz' } },
      }] } } } });
    }
  });

  test('Prometheus knows the pods and the containers by the job and the roles that alerts ask for', () => {
    const Scrape = z.object({
      rule_files: z.tuple([z.literal('alerts.yml')]),
      scrape_configs: z.tuple([z.object({ job_name: z.string(), relabel_configs: z.array(z.object({ source_labels: z.tuple([z.string()]), target_label: z.string().optional(), regex: z.string().optional() })) })]),
    });
    const [compose, kubernetes] = ['prometheus', 'kubernetes'].map((file) => Scrape.parse(parse(text(`infra/prometheus/${file}.yml`))).scrape_configs[0]);
    const jobs = new Set(alerts.flatMap(({ expr }) => expr.match(/job="[^"]*"/g) ?? []));
    expect([...jobs]).toEqual(['job="millrace"']);
    expect([compose!.job_name, kubernetes!.job_name]).toEqual(['millrace', 'millrace']);
    const roleOf = ({ relabel_configs: rules }: NonNullable<typeof compose>) => rules.find((rule) => rule.target_label === 'role')?.source_labels;
    expect([roleOf(compose!), roleOf(kubernetes!)]).toEqual([['__meta_dns_name'], ['__meta_kubernetes_pod_label_app_kubernetes_io_component']]);
    for (const role of roles) {
      const labels = { 'app.kubernetes.io/name': 'millrace', 'app.kubernetes.io/component': role };
      expect(documentsOf(role).find(({ kind }) => kind === 'Deployment' || kind === 'StatefulSet')).toMatchObject({ spec: { template: { metadata: { labels } } } });
    }
  });

  test('a pod that is asked things goes on answering until every node has heard that it ends, and ends within its grace', () => {
    for (const role of ['collector', 'scorer']) {
      const { terminationGracePeriodSeconds: grace, containers } = z.object({ terminationGracePeriodSeconds: z.number(), containers: z.tuple([z.object({ lifecycle: z.object({ preStop: z.object({ exec: z.object({ command: z.tuple([z.literal('sleep'), z.coerce.number()]) }) }) }) })]) })
        .parse(documentsOf(role).find(({ kind }) => kind === 'Deployment' || kind === 'StatefulSet')!.spec['template']['spec']);
      const sleeps = containers[0].lifecycle.preStop.exec.command[1];
      expect(sleeps).toBeGreaterThanOrEqual(3);
      expect(sleeps + STOP_WITHIN_MS / 1_000).toBeLessThan(grace);
    }
  });

  test('what was learned lies on volumes of Kubernetes, where a new pod finds it', () => {
    for (const role of learning) {
      const documents = documentsOf(role);
      const name = `millrace-${role}`;
      expect(documents).toContainEqual(expect.objectContaining({ kind: 'StatefulSet', spec: expect.objectContaining({ serviceName: name, volumeClaimTemplates: [expect.objectContaining({ metadata: { name: 'data' } })] }) }));
      expect(documents).toContainEqual(expect.objectContaining({ kind: 'Service', metadata: { name } }));
    }
  });
});
