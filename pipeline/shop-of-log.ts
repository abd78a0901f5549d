import { shopOf } from '../infra/embedded-log/log.js';
import type { Shop } from '../producers/collect.js';
import { shopSettings as noted } from '../schemas/topics.js';
import type { ShopSettings } from '../schemas/types.js';
import type { Config } from './config.js';
import { ConfigError, Unavailable } from './core/errors.js';
import type { Log } from './core/log.js';
import { recordsBetween } from './core/records-between.js';
import { zoneName } from './core/shop-day.js';

/** What the configuration says of amounts and days. */
export const shopSettings = ({ SHOP_CURRENCY: currency, SHOP_TIMEZONE: timezone }: Pick<Config, 'SHOP_CURRENCY' | 'SHOP_TIMEZONE'>): Shop => ({ currency, timezone });

/** The settings with which the log of an installation was made, as far as they are noted; else those that the configuration has. */
export const shopMade = (directory: string, config: Pick<Config, 'KAFKA_BROKERS' | 'SHOP_CURRENCY' | 'SHOP_TIMEZONE'>): Shop =>
  (config.KAFKA_BROKERS.length > 0 ? undefined : shopOf(directory)) ?? shopSettings(config);

/**
 * Records of one log are made with one currency and one time zone: what named no currency stands in the first one for good, and what shoppers have
 * spent, prices that were seen and days that were forecast would go on in another as if they were the same.
 * @throws ConfigError where the embedded log in `directory` was made with others than the configuration has
 */
export function checkShop(directory: string, config: Pick<Config, 'SHOP_CURRENCY' | 'SHOP_TIMEZONE'>): void {
  const made = shopOf(directory);
  const problems = made ? shopProblems(made, shopSettings(config), `the log in ${directory} was`, 'a fresh DATA_DIR') : [];
  if (problems.length > 0) throw new ConfigError(problems);
}

/**
 * The same on Kafka, where a topic of its own says with which settings the others were made, their number of partitions among them: the process
 * that comes first notes its own.
 * @throws ConfigError where they are others than the configuration has
 */
export async function agreeOnShop(log: Log, config: Pick<Config, 'SHOP_CURRENCY' | 'SHOP_TIMEZONE' | 'TOPIC_PREFIX'>): Promise<void> {
  const { name: topic, codec } = noted;
  await log.ensureTopics([noted]);
  const note = (settings: ShopSettings): Promise<unknown> => log.append([{ topic, partition: 0, key: KEY, value: codec.encode(settings) }]);
  const settings = { ...shopSettings(config), partitions: log.partitions };
  if ((await notes(log)).length === 0) await note(settings);
  const all = await notes(log);
  const [first, last] = [all[0], all.at(-1)];
  if (first === undefined || last === undefined) throw new Unavailable(`Topic ${topic} does not have what was just written to it.`);
  // Of two that come at once the first one counts. Compaction keeps the last.
  if (shopProblems(first, last, '', '').length > 0 || first.partitions !== last.partitions) await note(first);
  const where = config.TOPIC_PREFIX === '' ? 'the topics of this cluster were' : `the topics ${config.TOPIC_PREFIX}… were`;
  const problems = shopProblems(first, settings, where, 'another TOPIC_PREFIX and CLICKHOUSE_DATABASE');
  if (first.partitions !== settings.partitions) problems.push(`TOPIC_PARTITIONS is ${settings.partitions}, and ${where} made with ${first.partitions}: keys and state belong to partitions. Set that, ${how('another TOPIC_PREFIX and CLICKHOUSE_DATABASE')}`);
  if (problems.length > 0) throw new ConfigError(problems);
}

const KEY = 'shop';

async function notes(log: Log): Promise<ShopSettings[]> {
  const { name: topic, codec } = noted;
  const found: ShopSettings[] = [];
  for await (const records of recordsBetween(log, topic, 0, (await log.ranges(topic))[0])) for (const { value } of records) if (value) found.push(codec.decode(value));
  return found;
}

const how = (elsewhere: string): string => `or carry the shop over into ${elsewhere} (docs/runbook.md#another-currency-or-time-zone).`;

function shopProblems(made: Shop, { currency, timezone }: Shop, where: string, elsewhere: string): string[] {
  const problems: string[] = [];
  if (made.currency !== currency) problems.push(`SHOP_CURRENCY is ${currency}, and ${where} made with ${made.currency}: amounts there that named no currency are in ${made.currency}. Set that, ${how(elsewhere)}`);
  if (zoneName(made.timezone) !== zoneName(timezone)) problems.push(`SHOP_TIMEZONE is ${timezone}, and ${where} made with ${made.timezone}: sales there are of the days of ${made.timezone}. Set that, ${how(elsewhere)}`);
  return problems;
}
