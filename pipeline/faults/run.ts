import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { callDoor } from '../../infra/embedded-log/door.js';
import { openClickHouse } from '../../infra/clickhouse/server.js';
import { random } from '../../producers/simulate/random.js';
import { readConfig, type Config } from '../config.js';
import { ConfigError } from '../core/errors.js';
import type { Row } from '../core/row-sink.js';
import type { Entry } from './child.js';
import { Installation, type OwnExit, type ProcessSpec } from './installation.js';
import { outcomeInClickHouse, outcomeInTopics, rowsIn, type Ask, type Outcome } from './outcome.js';
import { publish, type Accepted } from './publisher.js';
import { tally, tallyTriggers } from './tally.js';

const KEYS = { WRITE_KEYS: 'wk_faults', SERVER_KEYS: 'sk_faults', ADMIN_TOKENS: 'at_faults' };
const PUBLISHERS = 6;
const UP_MS = 120_000;
const DRAIN_MS = 150_000;
/** What is wrongly done twice may come late: after everything is there, wait so long for more. */
const SETTLE_MS = 4_000;
const WARM_MS = 1_500;
const KAFKA_ROLES = ['collector', 'consumers', 'consumers', 'scorer', 'sinks'] as const;

export interface FaultsOptions {
  readonly kills: number;
  readonly seed: string;
  readonly engine: 'embedded' | 'kafka';
  readonly environment: NodeJS.ProcessEnv;
  readonly entry: Entry;
  readonly onProgress?: (kills: number, stage: string) => void;
}

export interface FaultsReport {
  readonly kills: number;
  /** Things that must each come out once: messages as interactions, order lines as sales. */
  readonly sent: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly in_topics: number;
  readonly in_clickhouse: number;
  readonly triggers_lost: number;
  readonly triggers_duplicated: number;
  readonly seconds: number;
  readonly triggers: number;
  /** Shoppers whose profile counts another number of events than they sent. */
  readonly profiles_wrong: number;
  /** Requests that were sent again, on purpose or because nobody had answered. */
  readonly repeated: number;
  /** Processes that ended though nobody killed them. */
  readonly own_exits: readonly OwnExit[];
  /** Whether everything had arrived when it was counted. */
  readonly drained: boolean;
  readonly examples: readonly string[];
}

/** Publish while processes are killed, let the rest catch up, then count what came out. */
export async function runFaults(options: FaultsOptions): Promise<FaultsReport> {
  const began = performance.now();
  const folder = mkdtempSync(join(tmpdir(), 'millrace-faults-'));
  const run = randomBytes(4).toString('hex');
  const { specs, config } = settingOf(options, folder, run);
  const installation = new Installation(options.entry, specs);
  const clickhouse = clickHouseOf(config);
  try {
    await installation.listening(UP_MS);
    const accepted = await publishUnderFire(options, installation, run);
    options.onProgress?.(options.kills, 'catching up');
    await installation.listening(UP_MS);
    const drained = await drain(clickhouse.ask, config.CLICKHOUSE_DATABASE, accepted);
    await delay(SETTLE_MS);
    const wrong = await wrongProfiles(installation, accepted);
    const inClickHouse = await outcomeInClickHouse(clickhouse.ask, config.CLICKHOUSE_DATABASE);
    options.onProgress?.(options.kills, 'counting');
    await installation.stop();
    const inTopics = await outcomeInTopics({ ...config, DATA_DIR: options.engine === 'kafka' ? join(folder, 'audit') : config.DATA_DIR });
    return {
      ...countUp(accepted, inTopics, inClickHouse, wrong),
      kills: options.kills, repeated: accepted.repeats, own_exits: installation.ownExits, drained,
      seconds: Math.round((performance.now() - began) / 100) / 10,
    };
  } finally {
    await installation.abandon();
    await clickhouse.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @throws ConfigError when Kafka is wanted but not named */
function settingOf({ engine, environment }: FaultsOptions, folder: string, run: string): { specs: ProcessSpec[]; config: Config } {
  const shared = { ...environment, ...KEYS, PORT: '0', HOST: '127.0.0.1', CART_ABANDONED_AFTER_SECONDS: '1', TRIGGER_CAP_COUNT: '0', CONSENT_DEFAULT: 'granted', LOG_LEVEL: 'warn' };
  const own = engine === 'embedded'
    ? { KAFKA_BROKERS: '', CLICKHOUSE_URL: '', SCHEMA_REGISTRY_URL: '' }
    : { TOPIC_PREFIX: `faults-${run}-`, CLICKHOUSE_DATABASE: `faults_${run}`, TOPIC_PARTITIONS: environment['TOPIC_PARTITIONS'] ?? '4' };
  const missing = engine === 'embedded' ? [] : ['KAFKA_BROKERS', 'CLICKHOUSE_URL'].filter((name) => !environment[name]);
  if (missing.length > 0) throw new ConfigError(missing.map((name) => `--engine kafka needs ${name}.`));
  const roles = engine === 'embedded' ? ['all' as const] : KAFKA_ROLES;
  const specs = roles.map((role, number) => ({ name: `${role} ${number}`, role, environment: { ...shared, ...own, DATA_DIR: join(folder, String(number)) } }));
  return { specs, config: readConfig(specs[0].environment) };
}

/** Rows from the server, or from whichever process holds the data directory at the moment. */
function clickHouseOf(config: Config): { ask: Ask; close(): Promise<void> } {
  const { CLICKHOUSE_URL: url, CLICKHOUSE_USER: user, CLICKHOUSE_PASSWORD: password, CLICKHOUSE_DATABASE: database, SHOP_TIMEZONE: shopTimeZone } = config;
  if (url === undefined) return { ask: async (query) => await callDoor(config.DATA_DIR, { kind: 'sql', query }) as readonly Row[], close: () => Promise.resolve() };
  const sink = openClickHouse({ url, user, password, database, shopTimeZone });
  return {
    ask: (sql) => sink.query(sql),
    async close() {
      await sink.query(`DROP DATABASE IF EXISTS ${database}`).catch(() => {});
      await sink.close();
    },
  };
}

async function publishUnderFire({ kills, seed, onProgress }: FaultsOptions, installation: Installation, run: string): Promise<Accepted> {
  const accepted: Accepted = { messages: new Map(), sales: new Set(), carts: new Map(), repeats: 0 };
  const stopped = { over: false, deadline: Infinity };
  const publishing = Promise.all(Array.from({ length: PUBLISHERS }, (_, number) => publish({
    run, seed: `${seed}.${number}`, key: KEYS.SERVER_KEYS, urlOf: () => installation.urlOf('collector'),
    isOver: () => stopped.over, deadline: () => stopped.deadline,
  }, accepted)));
  const killing = async (): Promise<void> => {
    const chance = random(`${seed} kills`);
    await delay(WARM_MS);
    for (let kill = 0; kill < kills; kill++) {
      onProgress?.(kill, 'killing');
      const victim = chance.below(installation.size);
      // One in five is killed while it still comes up.
      if (!chance.chance(0.2)) await installation.listeningAt(victim, UP_MS);
      await delay(chance.between(100, 3_000));
      await installation.kill(victim);
    }
  };
  try {
    await Promise.race([killing(), publishing]);
  } finally {
    stopped.over = true;
    stopped.deadline = Date.now() + UP_MS;
  }
  await publishing;
  return accepted;
}

/** Wait until ClickHouse, the last in line, has as many rows as must come; false when that takes too long. */
async function drain(ask: Ask, database: string, { messages, sales, carts }: Accepted): Promise<boolean> {
  const left = [...carts.values()].filter((fate) => fate === 'left').length;
  for (const until = Date.now() + DRAIN_MS; Date.now() < until; await delay(300)) {
    const rows = await rowsIn(ask, database).catch(() => undefined);
    if (rows && rows.messages >= messages.size && rows.sales >= sales.size && rows.fired >= left) return true;
  }
  return false;
}

/** The state must have counted each message once, too. */
async function wrongProfiles(installation: Installation, { messages }: Accepted): Promise<string[]> {
  const sent = new Map<string, number>();
  for (const shopper of messages.values()) if (shopper.startsWith('shopper-')) sent.set(shopper, (sent.get(shopper) ?? 0) + 1);
  const wrong: string[] = [];
  for (const [shopper, events] of sent) {
    const response = await fetch(`${installation.urlOf('scorer')}/v1/users/${shopper}`, { headers: { authorization: `Bearer ${KEYS.ADMIN_TOKENS}` } });
    const counted = (await response.json() as { events?: number }).events;
    if (counted !== events) wrong.push(`${shopper} sent ${events} events, the profile counts ${counted}`);
  }
  return wrong;
}

type Counted = Omit<FaultsReport, 'kills' | 'repeated' | 'own_exits' | 'drained' | 'seconds'>;

function countUp({ messages, sales, carts }: Accepted, inTopics: Outcome, inClickHouse: Outcome, wrong: readonly string[]): Counted {
  const places = { topics: inTopics, clickhouse: inClickHouse };
  const all = Object.entries(places).map(([place, outcome]) => ({
    place, messages: tally(messages.keys(), outcome.messages), sales: tally(sales, outcome.sales), triggers: tallyTriggers(carts, outcome.triggers),
  }));
  const sum = (count: (one: (typeof all)[number]) => number): number => all.reduce((total, one) => total + count(one), 0);
  const examples = all.flatMap(({ place, ...kinds }) => Object.entries(kinds).flatMap(([kind, { lost, duplicated }]) => [
    ...lost.slice(0, 5).map((name) => `${kind} lost in ${place}: ${name}`),
    ...duplicated.slice(0, 5).map((name) => `${kind} too often in ${place}: ${name}`),
  ]));
  const found = (place: string): number => all.filter((one) => one.place === place).reduce((total, one) => total + one.messages.found + one.sales.found, 0);
  return {
    sent: messages.size + sales.size,
    lost: sum((one) => one.messages.lost.length + one.sales.lost.length),
    duplicated: sum((one) => one.messages.duplicated.length + one.sales.duplicated.length),
    in_topics: found('topics'),
    in_clickhouse: found('clickhouse'),
    triggers: all[0].triggers.found,
    triggers_lost: sum((one) => one.triggers.lost.length),
    triggers_duplicated: sum((one) => one.triggers.duplicated.length),
    profiles_wrong: wrong.length,
    examples: [...examples, ...wrong.slice(0, 5)],
  };
}
