import { shopOf } from '../infra/embedded-log/log.js';
import type { Shop } from '../producers/collect.js';
import type { Config } from './config.js';
import { ConfigError } from './core/errors.js';
import { zoneName } from './core/shop-day.js';

/** What the configuration says of amounts and days. */
export const shopSettings = ({ SHOP_CURRENCY: currency, SHOP_TIMEZONE: timezone }: Pick<Config, 'SHOP_CURRENCY' | 'SHOP_TIMEZONE'>): Shop => ({ currency, timezone });

/** The settings with which the log of an installation was made, as far as they are noted; else those that the configuration has. */
export const shopMade = (directory: string, config: Pick<Config, 'KAFKA_BROKERS' | 'SHOP_CURRENCY' | 'SHOP_TIMEZONE'>): Shop =>
  (config.KAFKA_BROKERS.length > 0 ? undefined : shopOf(directory)) ?? shopSettings(config);

const HOW = 'or carry the shop over into a fresh DATA_DIR (docs/runbook.md#another-currency-or-time-zone).';

/**
 * Records of one log are made with one currency and one time zone: what named no currency stands in the first one for good, and what shoppers have
 * spent, prices that were seen and days that were forecast would go on in another as if they were the same.
 * @throws ConfigError where the embedded log in `directory` was made with others than the configuration has
 */
export function checkShop(directory: string, config: Pick<Config, 'SHOP_CURRENCY' | 'SHOP_TIMEZONE'>): void {
  const made = shopOf(directory);
  if (!made) return;
  const { currency, timezone } = shopSettings(config);
  const problems: string[] = [];
  if (made.currency !== currency) problems.push(`SHOP_CURRENCY is ${currency}, and the log in ${directory} was made with ${made.currency}: amounts in it that named no currency are in ${made.currency}. Set that, ${HOW}`);
  if (zoneName(made.timezone) !== zoneName(timezone)) problems.push(`SHOP_TIMEZONE is ${timezone}, and the log in ${directory} was made with ${made.timezone}: sales in it are of the days of ${made.timezone}. Set that, ${HOW}`);
  if (problems.length > 0) throw new ConfigError(problems);
}
