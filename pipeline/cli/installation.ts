import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { callDoor, type DoorRequest } from '../../infra/embedded-log/door.js';
import { clockOf } from '../../infra/embedded-log/log.js';
import { pinoJournal } from '../../infra/journal/pino.js';
import type { Config } from '../config.js';
import { Unavailable } from '../core/errors.js';
import { noMetrics } from '../core/metrics.js';
import type { Engine, EngineOptions } from '../engine.js';

/** The data directory that commands mean: DATA_DIR, or the demo shop's below it where only that exists. */
export function installationDirectory({ DATA_DIR }: Config): string {
  const demo = join(DATA_DIR, 'demo');
  return clockOf(DATA_DIR) === undefined && existsSync(demo) ? demo : DATA_DIR;
}

/** What the process that runs in a directory answers; undefined when none does. */
export async function askRunning(directory: string, request: DoorRequest): Promise<{ readonly answer: unknown } | undefined> {
  if (!existsSync(directory)) return undefined;
  try {
    return { answer: await callDoor(directory, request) };
  } catch (error) {
    if (error instanceof Unavailable) return undefined;
    throw error;
  }
}

type Command = Pick<EngineOptions, 'makesRecords'>;

/**
 * Ask the running process of an embedded installation; without one, or on Kafka, open the log here.
 * @throws Error where there is no log: asking must not create one
 */
export async function askInstallation(config: Config, request: DoorRequest, directly: (engine: Engine) => Promise<unknown>, command: Command = {}): Promise<unknown> {
  const running = config.KAFKA_BROKERS.length === 0 ? await askRunning(installationDirectory(config), request) : undefined;
  return running ? running.answer : openInstallation(config, directly, command);
}

/**
 * Open the log here, for as long as `directly` takes. An embedded log tells a command that makes records its settings (shopMade); topics on Kafka
 * must have been made with those of the configuration.
 * @throws Error where there is none: asking must not create one
 */
export async function openInstallation<T>(config: Config, directly: (engine: Engine) => Promise<T>, { makesRecords = false }: Command = {}): Promise<T> {
  const directory = installationDirectory(config);
  const isEmbedded = config.KAFKA_BROKERS.length === 0;
  if (isEmbedded && clockOf(directory) === undefined) throw new Error(`There is no log in ${directory}: set DATA_DIR, or KAFKA_BROKERS.`);
  // Loaded here, since it brings Kafka's client and the tables: whoever asks a running process needs neither.
  const { openEngine } = await import('../engine.js');
  const engine = await openEngine({ config: { ...config, DATA_DIR: directory }, metrics: noMetrics, journal: pinoJournal('error'), makesRecords: makesRecords && !isEmbedded });
  try {
    return await directly(engine);
  } finally {
    await engine.close();
  }
}
