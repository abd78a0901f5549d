import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { configTable } from '../../pipeline/config.js';
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
  panels: z.array(z.object({ title: z.string(), targets: z.array(z.object({ expr: z.string() })).optional() })),
});

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
    const panels = Dashboard.parse(JSON.parse(text('infra/grafana/dashboards/millrace.json'))).panels;
    const expressions = [...alerts.map((rule) => rule.expr), ...panels.flatMap((panel) => panel.targets ?? []).map((target) => target.expr)];
    const named = new Set(expressions.flatMap((expression) => expression.match(/millrace_\w+/g) ?? []));
    const exposed = Object.entries<MetricInfo>(catalogue).flatMap(([name, { kind }]) =>
      kind === 'histogram' ? ['_bucket', '_count', '_sum'].map((suffix) => name + suffix) : [name],
    );
    expect(named.size).toBeGreaterThan(15);
    expect([...named].filter((name) => !exposed.includes(name))).toEqual([]);
  });
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
    expect(text('infra/Dockerfile')).toMatch(/HEALTHCHECK[\s\S]*\/livez/);
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
    for (const role of roles) {
      const kind = learning.has(role) ? 'StatefulSet' : 'Deployment';
      const documents = documentsOf(role);
      expect(documents.map((one) => one.kind)).toEqual(expect.arrayContaining([kind, 'PodDisruptionBudget']));
      expect(documents.find((one) => one.kind === kind)).toMatchObject({ spec: { template: { spec: { containers: [{
        args: ['start', '--role', role],
        startupProbe: { httpGet: { path: '/livez' } },
        livenessProbe: { httpGet: { path: '/livez' } },
        readinessProbe: { httpGet: { path: '/readyz' } },
      }] } } } });
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
