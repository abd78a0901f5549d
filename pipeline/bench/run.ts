import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bench, BenchSetting, Figure } from './bench.js';

export interface RunOptions extends Omit<BenchSetting, 'folder'> {
  readonly onStart?: (bench: Bench) => void;
  /** Told of a bench that cannot run here, with the reason. */
  readonly onSkipped?: (bench: Bench, reason: string) => void;
}

/** Run benches one after the other: two at once would measure each other. */
export async function runBenches(benches: readonly Bench[], options: RunOptions): Promise<Figure[]> {
  const { config } = options;
  const has = { KAFKA_BROKERS: config.KAFKA_BROKERS.length > 0, CLICKHOUSE_URL: config.CLICKHOUSE_URL !== undefined };
  const figures: Figure[] = [];
  for (const bench of benches) {
    const missing = bench.needs.filter((name) => !has[name]);
    if (missing.length > 0) {
      options.onSkipped?.(bench, `needs ${missing.join(' and ')}`);
      continue;
    }
    options.onStart?.(bench);
    const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
    try {
      figures.push(...await bench.run({ ...options, folder }));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  return figures;
}
