import { join } from 'node:path';
import { Command, Option } from 'commander';
import { consoleInto } from '../../infra/journal/console.js';
import { pinoJournal } from '../../infra/journal/pino.js';
import { misspelt, readConfig, type Config } from '../config.js';
import { startDemo } from '../demo.js';
import { misspeltSentence } from '../misspelt-settings.js';
import { startMillrace, type Millrace, type Role } from '../main.js';
import { exitingWell } from './exit.js';

/** A stop that takes longer is cut short: what ends the process from outside must grant more (infra/k8s, docker-compose.yml). */
export const STOP_WITHIN_MS = 20_000;
/** In the demo a cart, and a visit, count as abandoned this soon, and so little makes a VIP, so that a visitor sees triggers within minutes. */
const DEMO_SETTINGS = { CART_ABANDONED_AFTER_SECONDS: '20', BROWSE_ABANDONED_AFTER_SECONDS: '60', VIP_SPEND: '500' };

export function startCommand(): Command {
  return new Command('start')
    .description('Run Millrace: embedded in this process, or on Kafka and ClickHouse where KAFKA_BROKERS and CLICKHOUSE_URL name them.')
    .addOption(new Option('--role <role>', 'parts to run').choices(['all', 'collector', 'consumers', 'scorer', 'sinks']).default('all'))
    .option('--demo', 'add the synthetic shop, on 127.0.0.1 with well-known keys; its data stand in DATA_DIR/demo')
    .option('--skip-lost', 'go on behind records that the log has lost before a consumer read them (docs/runbook.md)')
    .addHelpText('after', `
All else is set by environment variables (docs/configuration.md):
  WRITE_KEYS=wk_1 SERVER_KEYS=sk_1 ADMIN_TOKENS=at_1 DATA_DIR=./shop millrace start

Exit codes: 0 stopped by a signal, 1 a part failed (the log says which), 78 the configuration is wrong (every problem is named).`)
    .action((options: StartFlags) => exitingWell(() => start(options))
      // All is stopped; a client library may still hold a timer or a join that nobody waits for.
      .then(() => process.exit()));
}

/** Who may open the console of an installation that is no demo. */
export const consoleSentence = ({ ADMIN_TOKENS }: Pick<Config, 'ADMIN_TOKENS'>): string =>
  (ADMIN_TOKENS.length > 0 ? 'The console there asks for one of ADMIN_TOKENS.' : 'Nobody can open the console there: it asks for an admin token, and ADMIN_TOKENS is not set.');

const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost']);
const EVERYWHERE = new Set(['0.0.0.0', '::']);

/** Who reaches an HTTP server: `localhost` stands for one that answers other machines, too, and for one that does not. */
export function addressSentence({ host, port }: Pick<Millrace, 'host' | 'port'>): string {
  if (LOOPBACK.has(host)) return `listens on http://localhost:${port}/ (${host}: this machine alone)`;
  if (EVERYWHERE.has(host)) return `listens on http://localhost:${port}/ (${host}: every address of this machine; HOST names one)`;
  return `listens on http://${host.includes(':') ? `[${host}]` : host}:${port}/`;
}

interface StartFlags {
  readonly role: Role;
  readonly demo?: boolean;
  readonly skipLost?: boolean;
}

async function start({ role, demo = false, skipLost = false }: StartFlags): Promise<void> {
  const config = demo ? demoConfig() : readConfig();
  const journal = pinoJournal(config.LOG_LEVEL);
  consoleInto(journal);
  for (const one of misspelt()) journal.warn({ ...one }, misspeltSentence(one));
  const signalled = new Promise<'stopped'>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve('stopped'));
  });
  // As a container's first process it would not be ended by a signal that nobody awaits, and a start may wait a minute for its cluster.
  const millrace = await Promise.race([signalled, startMillrace({ config, role, demo, journal, skipsLost: skipLost })]);
  // What a start leaves half done is what a crash leaves: the next one goes on from there.
  if (millrace === 'stopped') return;
  const stopSimulation = demo ? startDemo(millrace, config.DATA_DIR, journal) : () => Promise.resolve();
  if (millrace.http) process.stderr.write(`Millrace (${millrace.engine.log.engine}, role ${role}) ${addressSentence(millrace)}\n${demo ? '' : `${consoleSentence(config)}\n`}`);
  try {
    await Promise.race([signalled, millrace.failed]);
  } finally {
    // A peer that never answers must not keep the process: what was acknowledged is durable already.
    setTimeout(() => {
      process.stderr.write(`Not stopped within ${STOP_WITHIN_MS / 1_000} s: ${millrace.unstopped().join(', ')}.\n`);
      process.exit(1);
    }, STOP_WITHIN_MS).unref();
    await stopSimulation();
    await millrace.stop();
  }
}

/** Settings of the demo, which goes by those that are set as every installation does. @throws ConfigError */
export function demoConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const config = readConfig({ ...DEMO_SETTINGS, ...env });
  return { ...config, DATA_DIR: join(config.DATA_DIR, 'demo') };
}
