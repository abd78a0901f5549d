import { expect, test } from 'vitest';
import { configTable, misspelt, readConfig } from '../../pipeline/config.js';
import { ConfigError } from '../../pipeline/core/errors.js';

const namesOf = (...names: string[]): string[] => misspelt(Object.fromEntries(names.map((name) => [name, 'secret']))).map(({ name, meant }) => `${name} ${meant}`);

test('a name that is nearly a setting is told with the one that is meant, never its value', () => {
  expect(namesOf('FORECAST_HOUR', 'FORECAST_HUORS', 'forecast_hours', 'KAFKA_BROKER', 'DATADIR', 'SERVER_KEY', 'WRITE_KESY', 'CLICKHOUSE_PASWORD', 'TOPIC_PARTITION')).toEqual([
    'FORECAST_HOUR FORECAST_HOURS', 'FORECAST_HUORS FORECAST_HOURS', 'forecast_hours FORECAST_HOURS', 'KAFKA_BROKER KAFKA_BROKERS', 'DATADIR DATA_DIR',
    'SERVER_KEY SERVER_KEYS', 'WRITE_KESY WRITE_KEYS', 'CLICKHOUSE_PASWORD CLICKHOUSE_PASSWORD', 'TOPIC_PARTITION TOPIC_PARTITIONS',
  ]);
  expect(JSON.stringify(misspelt({ ADMIN_TOKEN: 'at_secret' }))).toBe('[{"name":"ADMIN_TOKEN","meant":"ADMIN_TOKENS"}]');
});

test('settings, and what systems have in their environment, are not', () => {
  expect(namesOf(...configTable().map(({ name }) => name))).toEqual([]);
  expect(namesOf(
    'PATH', 'HOME', 'HOSTNAME', 'POST', 'USER', 'SHELL', 'TZ', 'LANG', 'LC_ALL', 'LOGNAME', 'NODE_ENV', 'NODE_OPTIONS', 'PWD', 'TERM', 'TMPDIR', 'XDG_DATA_DIRS', 'KAFKA_PORT',
    'KAFKA_SERVICE_HOST', 'CLICKHOUSE_PORT', 'KUBERNETES_PORT', 'npm_config_cache', 'LOG_DIR', '',
  )).toEqual([]);
});

test('a name that is nearly a setting is told together with what is wrong, all at once', () => {
  const problems = (environment: Record<string, string>): unknown => {
    try {
      return readConfig(environment).PORT;
    } catch (error) {
      return error instanceof ConfigError ? error.problems : error;
    }
  };
  expect(problems({ PORT: 'http', WRITE_KEY: 'wk_secret', KAFKA_SASL_MECHANISM: 'plain' })).toEqual([
    expect.stringContaining('PORT must be'), expect.stringContaining('KAFKA_SASL_USERNAME'), 'The environment has WRITE_KEY, which is no setting: is WRITE_KEYS meant?',
  ]);
  expect(problems({ PORT: '80', WRITE_KEY: 'wk_secret' })).toBe(80);
});

test('a key that stands in two lists is refused: in a page it would open what is the server\'s; its value is not told', () => {
  expect(() => readConfig({ WRITE_KEYS: 'wk_1,both_9', SERVER_KEYS: 'sk_1,both_9', ADMIN_TOKENS: 'at_1' })).toThrow(/WRITE_KEYS and SERVER_KEYS have a key in common/);
  expect(() => readConfig({ WRITE_KEYS: 'both_9', SERVER_KEYS: 'both_9', PORT: 'x' })).toThrow(/PORT must be .*WRITE_KEYS and SERVER_KEYS have a key in common/s);
  expect(() => readConfig({ SERVER_KEYS: 'both_9', ADMIN_TOKENS: 'both_9' })).toThrow(/^(?!.*both_9).*SERVER_KEYS and ADMIN_TOKENS/s);
  expect(readConfig({ WRITE_KEYS: 'wk_1', SERVER_KEYS: 'sk_1', ADMIN_TOKENS: 'at_1' }).SERVER_KEYS).toEqual(['sk_1']);
});
