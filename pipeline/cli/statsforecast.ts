/** Forecasts of Python's statsforecast for the same series, where a Python with it is present. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import type { Rival, Rivals } from '../../models/evaluate/forecasts.js';
import { packageRoot } from '../../schemas/files.js';
import { DataFileError } from './text-lines.js';

/** `python` is the interpreter, for example one of a virtual environment. */
export function statsforecastOf(python: string): Rivals {
  return (histories, horizon, season) => ask(python, histories, horizon, season);
}

function ask(python: string, histories: readonly Float64Array[], horizon: number, season: number): Rival[] {
  const answer = spawnSync(python, [path.join(packageRoot, 'infra/scripts/statsforecast-peer.py')], {
    input: JSON.stringify({ series: histories.map((history) => [...history]), horizon, season }),
    encoding: 'utf8', maxBuffer: 2 ** 30, stdio: ['pipe', 'pipe', 'pipe'],
  });
  if (answer.status !== 0) throw new DataFileError(reasonOf(python, answer.error, answer.stderr ?? ''));
  return rivalsIn(JSON.parse(answer.stdout));
}

function reasonOf(python: string, error: Error | undefined, stderr: string): string {
  if (error !== undefined) return `--compare statsforecast needs Python: ${python} does not start (${error.message}). --python names another one.`;
  const last = stderr.trim().split('\n').at(-1) ?? '';
  if (last.startsWith('absent:')) {
    return `--compare statsforecast needs a Python with the package statsforecast, which ${python} lacks (${last.slice(8)}). --python names another one.`;
  }
  return `statsforecast failed: ${last}`;
}

function rivalsIn(answer: unknown): Rival[] {
  // The script is ours: what it prints has this form.
  const { version, models } = answer as { version: string; models: { name: string; seconds: number; cpu_seconds: number; quantiles: number[][]; means: number[][] }[] };
  return models.map(({ name, seconds, cpu_seconds: cpuSeconds, quantiles, means }) => ({
    name: `statsforecast ${version} ${name}`,
    seconds,
    cpuSeconds,
    forecasts: quantiles.map((one, at) => ({ quantiles: Float64Array.from(one), means: Float64Array.from(means[at]) })),
  }));
}
