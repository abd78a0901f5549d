import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { Metrics } from '../../pipeline/core/metrics.js';
import { catalogue, type MetricInfo } from './catalogue.js';
import { residentMemory } from './memory.js';

export interface PrometheusMetrics extends Metrics {
  /** Text exposition format. */
  text(): Promise<string>;
  /** Sum of a counter over all labels, for the console. */
  total(name: string): number;
  /** Highest latest value of a gauge by one label's value, for the console. */
  byLabel(name: string, label: string): ReadonlyMap<string, number>;
  /** Sum of a counter by one label's value, for the console. */
  countsByLabel(name: string, label: string): ReadonlyMap<string, number>;
}

interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Metrics in Prometheus' format. Only names of the catalogue exist, so that labels stay closed sets. */
export function prometheusMetrics(options: { readonly withProcess: boolean }): PrometheusMetrics {
  const registry = new Registry();
  if (options.withProcess) collectProcessMetrics(registry);
  const counters = new Map<string, Counter>();
  const gauges = new Map<string, Gauge>();
  const histograms = new Map<string, Histogram>();
  const totals = new Map<string, number>();
  const latest = new Map<string, Map<string, Series>>();
  const sums = new Map<string, Map<string, number>>();
  for (const [name, info] of Object.entries(catalogue) as [string, MetricInfo][]) {
    const settings = { name, help: info.help, labelNames: [...info.labels], registers: [registry] };
    if (info.kind === 'counter') counters.set(name, new Counter(settings));
    if (info.kind === 'gauge') gauges.set(name, new Gauge(settings));
    if (info.kind === 'histogram') histograms.set(name, new Histogram({ ...settings, buckets: [...(info.buckets ?? [])] }));
  }
  const known = <M>(metrics: ReadonlyMap<string, M>, name: string): M => {
    const metric = metrics.get(name);
    if (!metric) throw new Error(`No such metric in the catalogue: ${name}.`);
    return metric;
  };
  return {
    count(name, labels = {}, by = 1) {
      known(counters, name).inc(only(name, labels), by);
      totals.set(name, (totals.get(name) ?? 0) + by);
      for (const [label, value] of Object.entries(labels)) {
        const ofLabel = sums.get(`${name} ${label}`) ?? new Map<string, number>();
        sums.set(`${name} ${label}`, ofLabel.set(value, (ofLabel.get(value) ?? 0) + by));
      }
    },
    gauge(name, value, labels = {}) {
      known(gauges, name).set(only(name, labels), value);
      const series = latest.get(name) ?? new Map<string, Series>();
      latest.set(name, series.set(JSON.stringify(labels), { labels, value }));
    },
    observe(name, value, labels = {}) {
      known(histograms, name).observe(only(name, labels), value);
    },
    announce(name, labels) {
      known(histograms, name).zero(only(name, labels));
    },
    text() {
      const memory = options.withProcess ? residentMemory() : undefined;
      for (const [of, bytes] of Object.entries(memory ?? {})) known(gauges, 'millrace_resident_memory_bytes').set({ of }, bytes);
      return registry.metrics();
    },
    total: (name) => totals.get(name) ?? 0,
    byLabel(name, label) {
      const worst = new Map<string, number>();
      for (const { labels, value } of latest.get(name)?.values() ?? []) {
        const of = labels[label] ?? '';
        worst.set(of, Math.max(worst.get(of) ?? -Infinity, value));
      }
      return worst;
    },
    countsByLabel: (name, label) => sums.get(`${name} ${label}`) ?? new Map(),
  };
}

const GC_KINDS = ['minor', 'major', 'incremental', 'weakcb'];

function collectProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry });
  const gc = registry.getSingleMetric('nodejs_gc_duration_seconds');
  if (gc instanceof Histogram) for (const kind of GC_KINDS) gc.zero({ kind });
}

/** Labels that the metric has; others are dropped rather than thrown at the caller. */
function only(name: string, labels: Readonly<Record<string, string>>): Record<string, string> {
  const wanted = (catalogue as Readonly<Record<string, MetricInfo>>)[name]?.labels ?? [];
  let isWanted = true;
  for (const label in labels) isWanted &&= wanted.includes(label);
  // Nearly always: several are counted for every request.
  if (isWanted) return labels;
  return Object.fromEntries(Object.entries(labels).filter(([label]) => wanted.includes(label)));
}
