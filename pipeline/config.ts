import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { z } from 'zod';
import type { Plan } from '../models/forecast/planned-days.js';
import { REORDER_POLICIES } from '../schemas/ordering.js';
import { isTriggerRule, TRIGGER_RULES } from '../schemas/trigger-rules.js';
import { ConfigError } from './core/errors.js';
import { misspeltSentence, misspeltSettings, type Misspelt } from './misspelt-settings.js';
import type { WebhookTarget } from '../infra/webhook/endpoint.js';
import { parseCalendar } from './shop-calendar.js';
import { parseWebhooks } from './webhook-settings.js';

/** Keys of the demo shop: known to everyone, hence accepted only on loopback. */
export const DEMO_KEYS = { write: 'wk_demo', server: 'sk_demo', admin: 'at_demo' } as const;

const list = z.string().default('').transform((text, ctx) => {
  const items = text.split(',').map((item) => item.trim()).filter((item) => item !== '');
  if (items.length > 0 || !text.includes(',')) return items;
  ctx.addIssue({ code: 'custom', message: 'has commas and nothing between them; leave it out for none' });
  return z.NEVER;
});
const flag = (fallback: 'true' | 'false') => z.enum(['true', 'false', '1', '0']).default(fallback).transform((text) => text === 'true' || text === '1');
const whole = (least: number, most: number, fallback: number, why = ''): z.ZodType<number> =>
  z.string().default(String(fallback)).transform((text, ctx) => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    ctx.addIssue({ code: 'custom', message: `must be a whole number from ${least} to ${most}${why}, not "${text}"` });
    return z.NEVER;
  });
// "localhost:8123" is a URL, too: one of the protocol "localhost:".
const url = z.string().optional().refine((text) => text === undefined || (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)), 'must be a URL that begins with http:// or https://');
const quietHours = z.string().default('').transform((text, ctx) => {
  const [, from, to] = (/^(\d{1,2})-(\d{1,2})$/.exec(text.trim()) ?? []).map(Number);
  if (text.trim() === '') return undefined;
  if (from !== undefined && to !== undefined && from < 24 && to < 24 && from !== to) return { from, to };
  ctx.addIssue({ code: 'custom', message: `must be two different hours from 0 to 23, such as 21-8, not "${text}"` });
  return z.NEVER;
});
const brokers = list.refine((all) => all.every((broker) => /^[^\s:/]+:\d{1,5}$/.test(broker)), 'must be a list of host:port, such as kafka-1:9092,kafka-2:9092');

const variables = z.object({
  PORT: whole(0, 65_535, 8080).describe('Port of the HTTP server; 0 takes a free one.'),
  HOST: z.string().optional().refine((text) => text === undefined || isIP(text) !== 0 || /^[A-Za-z0-9][A-Za-z0-9.-]*$/.test(text), 'must be an address or a name, without a port').describe('Address to listen on; 127.0.0.1 with --demo (which cuts connections from other machines), else 0.0.0.0.'),
  DATA_DIR: z.string().default('./data').describe('Folder of log, tables, snapshots and the embedded ClickHouse.'),
  WRITE_KEYS: list.describe('Browser keys, comma-separated: public; may track and ask recommendations for an anonymous id.'),
  SERVER_KEYS: list.describe('Server keys, comma-separated: everything under /v1 but administration.'),
  ADMIN_TOKENS: list.describe('Admin tokens, comma-separated: users, products, sources, replay.'),
  ADDRESS_EVENTS_PER_SECOND: whole(0, 1_000_000, 0).describe('Events and questions a second that one address may send a process with a browser key, ten seconds’ worth at once; 0: any number.'),
  TRUSTED_PROXIES: whole(0, 10, 0).describe('Proxies before this process that add to `X-Forwarded-For`: whose address counts is what the farthest of them saw.'),
  SHOPPER_TOKEN_SECRET: z.string().min(32, 'must have 32 characters at least, as the key of an HS256 signature (RFC 7518, 3.2)').optional().describe('Secret with which the shop signs shopper tokens for known users, of 32 characters or more.'),
  SHOP_TIMEZONE: z.string().default('UTC').refine(isTimeZone, 'must be an IANA time zone such as Europe/London').describe('Time zone in which days are cut.'),
  SHOP_CURRENCY: z.string().default('EUR').refine((code) => /^[A-Z]{3}$/.test(code), 'must be an ISO 4217 code such as EUR').describe('Currency of events that name none.'),
  SHOP_REPEATS: flag('true').describe('Whether shoppers come back to items they had: `false` where nobody takes one twice, as films or courses. Then recommendations go by the last 50 items of a shopper across visits, and never name one of them but where `items` does (docs/recommendations.md).'),
  SHOP_REPURCHASES: flag('false').describe('Whether shoppers buy an item again, as groceries and refills: with `true` what was bought comes in recommendations that do not say otherwise (`excludePurchased`), and the ranker learns from clicks on it. The same for all processes.'),
  FORGET_VISITORS_AFTER_DAYS: whole(0, 3_650, 400).describe('Who has no user id, has ordered nothing and has not been in the shop for so many days is forgotten; 0: never (docs/keys.md).'),
  CART_ABANDONED_AFTER_SECONDS: whole(1, 31_536_000, 3_600).describe('A cart is abandoned this long after its last change, or step of a checkout.'),
  BROWSE_ABANDONED_AFTER_SECONDS: whole(0, 31_536_000, 14_400).describe('A visit without a cart is abandoned this long after its last product; 0: nobody is reminded of one.'),
  BROWSE_QUIET_DAYS: whole(0, 365, 10).describe('For so many days after an order nobody is reminded of a visit.'),
  QUIET_HOURS: quietHours.describe('Hours in which nobody is written to, by the shopper’s clock, as 21-8; triggers wait until they are over. Empty: none.'),
  TRIGGER_HOLDOUT_PERCENT: whole(0, 99, 0).describe('Percent of shoppers to whom no trigger is sent, to compare the others with.'),
  PRICE_DROP_PERCENT: whole(0, 99, 10).describe('Who wants a product is told when it costs less by so much; 0: nobody is.'),
  WIN_BACK_AFTER_DAYS: whole(0, 3_650, 90).describe('Customers are to be won back when they have not ordered for so many days; 0: they are not.'),
  WELCOME_NEW_CUSTOMERS: flag('true').describe('Whether who orders for the first time is welcomed; `false` where Millrace does not know the orders of before.'),
  VIP_SPEND: whole(0, 1_000_000_000, 0).describe('Customers who have spent so much in 365 days, in SHOP_CURRENCY, by orders that not only a page has reported, are told of as VIPs; 0: they are not.'),
  HIGH_INTENT_PERCENT: whole(0, 99, 0).describe('Whoever is in the shop is told of once an order in this visit is so likely, in percent, by what visits like it led to; 0: nobody is (docs/triggers.md).'),
  TRIGGER_CAP_COUNT: whole(0, 1_000, 0).describe('At most so many triggers a shopper in the window, over all rules; 0: no cap.'),
  TRIGGER_CAP_WINDOW_SECONDS: whole(1, 31_536_000, 604_800).describe('Window of the cap.'),
  TRIGGER_TRANSACTIONAL_RULES: list.refine((rules) => rules.every(isTriggerRule), `must be rules, which are ${TRIGGER_RULES.join(', ')}`).describe('Rules whose triggers are neither capped nor counted by the cap, nor held out, comma-separated: what shoppers asked for, as `back_in_stock`.'),
  CONSENT_DEFAULT: z.enum(['granted', 'denied']).default('granted').describe('Whether shoppers who said nothing may be contacted.'),
  WEBHOOK_URLS: list.describe('Addresses to which triggers are sent by webhook, comma-separated, at most 8: `https://`, or `http://` on this machine or a private network (docs/triggers.md). Empty: none is sent.'),
  WEBHOOK_SECRETS: list.describe('The secret of each, in the same order, with which deliveries are signed: `whsec_` and the base64 of 24 to 64 random bytes.'),
  SHOP_CALENDAR: z.string().default('').describe('Days known in advance, for forecasts: a JSON list of `{date, kind: closed, holiday or promotion, name}`, or the path of a file with one.'),
  FORECAST_EVERY_SECONDS: whole(1, 86_400, 60).describe('A SKU is published at most once in this time, and once a day if it sells or not (in a file log: in the evening of days with news, or once a week).'),
  FORECAST_HOURS: whole(0, 168, 0).describe('Hours ahead that are forecast beside the days; 0: none, and nothing is learned of hours.'),
  FORECAST_UNLISTED_SKUS: whole(0, 10_000_000, 10_000).describe('SKUs that a partition forecasts at most though neither catalogue nor stock nor an order of the shop’s own systems has named them, only pages; in a shop that sends a catalogue none.'),
  REORDER_POLICY: z.enum(REORDER_POLICIES).default('periodic').describe('How SKUs are ordered, where the catalogue has no `reorder_policy`: `periodic` (R, S), `reorder-point` (s, S) or `newsvendor` (for the days left to sell).'),
  REORDER_LEAD_TIME_DAYS: whole(0, 3_650, 7).describe('Days from order to shelf, where the catalogue has no `lead_time_days`.'),
  REORDER_LEAD_TIME_DEVIATION_DAYS: whole(0, 3_650, 0).describe('Their standard deviation, where the catalogue has no `lead_time_deviation_days`.'),
  REORDER_REVIEW_DAYS: whole(0, 3_650, 7).describe('Days between two orders of a SKU, where the catalogue has no `review_days`.'),
  REORDER_COVER_DAYS: whole(1, 3_650, 14).describe('Days that one order should last (reorder-point) or is sold for (newsvendor, where the catalogue has no `sell_until`), where it has no `cover_days`.'),
  REORDER_PACK_SIZE: whole(1, 1_000_000, 1).describe('Units of a pack, where the catalogue has no `pack_size`.'),
  REORDER_MINIMUM_UNITS: whole(0, 1_000_000_000, 0).describe('Least units of an order, where the catalogue has no `minimum_order`.'),
  REORDER_SERVICE_PERCENT: whole(0, 99, 95, ' (no stock covers every demand; a product’s own service_level may be up to 0.9999)').describe('Percent of cycles that should pass without a stock-out, where the catalogue has neither `service_level` nor both costs.'),
  PLACEMENTS: list.describe('Placements that recommendations may be asked for, comma-separated; empty: any. Another one is refused, so that a misspelt name does not pass for a place of its own.'),
  SCORER_VECTORS: z.enum(['float32', 'int8']).default('float32').describe('How scorers keep item vectors: int8 takes a quarter of the memory (docs/measured/compression.md).'),
  SCORER_PRUNED_PERCENT: whole(0, 99, 0).describe('Percent of the ranker’s weights, the smallest, that scorers take for zero (docs/measured/compression.md).'),
  UNLISTED_ITEMS: whole(1_000, 10_000_000, 200_000).describe('Items outside the catalogue that recommendations remember at most; beyond that the least popular are forgotten.'),
  SHOW_UNLISTED: flag('true').describe('Whether products may be recommended that neither the catalogue nor a stock or price has named; `false` where the catalogue is whole: anybody can make up a SKU in a page.'),
  KAFKA_BROKERS: brokers.describe('Brokers as host:port, comma-separated; empty: the embedded log.'),
  KAFKA_TLS: flag('false').describe('Connect to Kafka over TLS.'),
  KAFKA_TLS_CA_FILE: z.string().optional().describe('File with the certificate authority of the brokers, if it is not a public one.'),
  KAFKA_SASL_MECHANISM: z.enum(['plain', 'scram-sha-256', 'scram-sha-512']).optional().describe('SASL mechanism.'),
  KAFKA_SASL_USERNAME: z.string().optional().describe('SASL user.'),
  KAFKA_SASL_PASSWORD: z.string().optional().describe('SASL password.'),
  TOPIC_PREFIX: z.string().default('').refine((text) => /^[A-Za-z0-9._-]*$/.test(text), 'may hold letters, digits, dot, underscore and hyphen').describe('Prefix of all topics, groups and transactional ids.'),
  TOPIC_PARTITIONS: whole(1, 1_000, 12).describe('Partitions of every topic on Kafka.'),
  TOPIC_REPLICATION: whole(1, 10, 1).describe('Replication factor of topics that are created.'),
  SCHEMA_REGISTRY_URL: url.describe('Confluent-compatible schema registry, with its user and password in the URL if it asks for them; without it schema ids are static.'),
  CLICKHOUSE_URL: url.describe('ClickHouse server over HTTP; without it the in-process engine chDB.'),
  CLICKHOUSE_USER: z.string().default('default').describe('ClickHouse user.'),
  CLICKHOUSE_PASSWORD: z.string().default('').describe('ClickHouse password.'),
  CLICKHOUSE_DATABASE: z.string().default('millrace').refine((text) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(text), 'must be a plain identifier').describe('Database.'),
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info').describe('Least level that is logged.'),
});

export type Config = Omit<z.output<typeof variables>, 'SHOP_CALENDAR' | 'WEBHOOK_URLS' | 'WEBHOOK_SECRETS'> & {
  readonly SHOP_CALENDAR: Plan;
  /** WEBHOOK_URLS, each with its secret. */
  readonly webhooks: readonly WebhookTarget[];
};

/** JSON as it stands, or the text of the file that is named. */
function calendarText(value: string, problems: string[]): string {
  if (value === '' || /^\s*[[{]/.test(value)) return value === '' ? '[]' : value;
  try {
    return readFileSync(value, 'utf8');
  } catch (error) {
    problems.push(`SHOP_CALENDAR names a file that cannot be read: ${(error as Error).message}.`);
    return '[]';
  }
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

/**
 * Read the environment: the only place that does.
 * @throws ConfigError with every problem at once, and with the names that have no effect
 */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const relevant = Object.fromEntries(Object.entries(environment).filter(([name, value]) => name in variables.shape && value !== ''));
  const parsed = variables.safeParse(relevant);
  const problems = parsed.success ? [] : parsed.error.issues.map((issue) => `${issue.path.join('.')} ${wordsOf(issue, relevant)}.`);
  const calendar = parseCalendar(calendarText(relevant['SHOP_CALENDAR'] ?? '', problems));
  problems.push(...calendar.problems);
  const webhooks = parseWebhooks(list.safeParse(relevant['WEBHOOK_URLS']).data ?? [], list.safeParse(relevant['WEBHOOK_SECRETS']).data ?? []);
  problems.push(...webhooks.problems);
  if (relevant['KAFKA_SASL_MECHANISM'] && !(relevant['KAFKA_SASL_USERNAME'] && relevant['KAFKA_SASL_PASSWORD'])) {
    problems.push('KAFKA_SASL_MECHANISM is set, but KAFKA_SASL_USERNAME or KAFKA_SASL_PASSWORD is not.');
  }
  const keys = variables.pick({ WRITE_KEYS: true, SERVER_KEYS: true, ADMIN_TOKENS: true }).safeParse(relevant);
  if (keys.success) problems.push(...keysTwice(keys.data));
  // A name spelt wrong may be why another setting is missing; said only once that one is right, it costs a second start.
  if (!parsed.success || problems.length > 0) throw new ConfigError([...problems, ...misspelt(environment).map(misspeltSentence)]);
  const { WEBHOOK_URLS: _, WEBHOOK_SECRETS: __, ...settings } = parsed.data;
  return { ...settings, SHOP_CALENDAR: calendar.plan, webhooks: webhooks.targets };
}

function wordsOf(issue: z.core.$ZodIssue, given: Readonly<Record<string, string | undefined>>): string {
  if (issue.code !== 'invalid_value') return issue.message;
  return `must be one of ${issue.values.join(', ')}, not "${given[issue.path.join('.')] ?? ''}"`;
}

/** A key opens what its list opens: one that stands in two would open to every page what is the server's. */
function keysTwice(lists: Pick<Config, 'WRITE_KEYS' | 'SERVER_KEYS' | 'ADMIN_TOKENS'>): string[] {
  const names = ['WRITE_KEYS', 'SERVER_KEYS', 'ADMIN_TOKENS'] as const;
  return names.flatMap((name, i) => names.slice(i + 1).filter((other) => lists[name].some((key) => lists[other].includes(key)))
    .map((other) => `${name} and ${other} have a key in common: each takes keys of its own.`));
}

/** Names in the environment that have no effect, though a setting's is like them. */
export const misspelt = (environment: NodeJS.ProcessEnv = process.env): Misspelt[] => misspeltSettings(Object.keys(environment), Object.keys(variables.shape));

/** Name, default and meaning of every variable, for docs/configuration.md. */
export function configTable(): { name: string; fallback: string; meaning: string }[] {
  const defaults = variables.parse({}) as Record<string, unknown>;
  return Object.entries(variables.shape).map(([name, type]) => {
    const fallback = defaults[name];
    const shown = fallback === undefined || (Array.isArray(fallback) && fallback.length === 0) ? '' : String(fallback);
    return { name, fallback: shown, meaning: (type as z.ZodType).description ?? '' };
  });
}
