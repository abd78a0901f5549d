import { cpus, loadavg } from 'node:os';
import type { Config } from '../config.js';

type Condition = string | number | boolean;

/** One measure: ours beside the peer's, from the same run. */
export interface Figure {
  readonly name: string;
  readonly ours: number;
  /** null where there is nothing of the kind to compare with. */
  readonly peer: number | null;
  /** ours / peer. */
  readonly ratio: number | null;
  readonly unit: string;
  readonly conditions: Readonly<Record<string, Condition>>;
}

export interface BenchSetting {
  readonly config: Config;
  /** Folder of this bench alone; it is removed afterwards. */
  readonly folder: string;
  /** How long it should measure; starting and loading come on top. */
  readonly seconds: number;
  /** Also measure at a million shoppers. */
  readonly large: boolean;
  /** Arguments for node that start the load generator. */
  readonly loader: readonly string[];
}

export interface Bench {
  readonly name: string;
  /** What is compared with what. */
  readonly about: string;
  readonly needs: readonly ('KAFKA_BROKERS' | 'CLICKHOUSE_URL')[];
  run(setting: BenchSetting): Promise<Figure[]>;
}

/** CPU ms of a fixed piece of arithmetic: how fast a core is at this moment, beside what else runs. */
function calibration(): number {
  const began = cpuSeconds();
  let sum = 0;
  for (let at = 0; at < 20_000_000; at++) sum = (Math.imul(sum, 31) + at) | 0;
  return sum === 0.5 ? 0 : Math.round((cpuSeconds() - began) * 1000);
}

/** The machine at this moment: a figure without it means nothing. */
function machine(): Record<string, Condition> {
  return {
    calibration_ms: calibration(), load_average: loadavg().map((load) => load.toFixed(1)).join(' '), cores: cpus().length, cpu: cpus()[0]?.model ?? 'unknown', node: process.version,
  };
}

export function figure(name: string, ours: number, peer: number | null, unit: string, conditions: Record<string, Condition>): Figure {
  return { name, ours: rounded(ours), peer: peer === null ? null : rounded(peer), ratio: peer === null ? null : rounded(ours / peer), unit, conditions: { ...conditions, ...machine() } };
}

/** Three significant digits or so: more would pretend. */
const rounded = (value: number): number => (Math.abs(value) >= 1_000 ? Math.round(value) : Number(value.toPrecision(4)));

export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** Run both sides in turn, so that what else the machine does hits both; answers the median of each side's rounds. */
export async function alternating(rounds: number, ours: () => Promise<number>, peer: () => Promise<number>): Promise<{ ours: number; peer: number; rounds: number }> {
  const results: { ours: number[]; peer: number[] } = { ours: [], peer: [] };
  for (let round = 0; round < rounds; round++) {
    // Who goes first takes turns as well.
    for (const side of round % 2 === 0 ? (['ours', 'peer'] as const) : (['peer', 'ours'] as const)) {
      results[side].push(await (side === 'ours' ? ours() : peer()));
    }
  }
  return { ours: median(results.ours), peer: median(results.peer), rounds };
}

/** CPU seconds of this process, user and system. */
export function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
