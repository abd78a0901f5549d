import { randomUUID } from 'node:crypto';
import { afterAll, expect, test } from 'vitest';
import { openClickHouse } from '../../infra/clickhouse/server.js';
import { ConfigError, Unavailable } from '../../pipeline/core/errors.js';
import { describeWith } from '../support/services/describe-with.js';
import { rowSinkContract } from './clickhouse-contract.js';

await describeWith(['clickhouse'], 'a ClickHouse server', ({ clickhouse: { url } }) => {
  const names: string[] = [];
  const fresh = () => {
    names.push(`millrace_${randomUUID().replaceAll('-', '')}`);
    return names.at(-1)!;
  };
  afterAll(async () => {
    const sink = openClickHouse({ url, database: 'default', shopTimeZone: 'UTC' });
    for (const name of names) await sink.query(`DROP DATABASE IF EXISTS ${name}`);
    await sink.close();
  });

  rowSinkContract(async () => openClickHouse({ url, database: fresh(), shopTimeZone: 'America/Chicago' }));

  test('takes four processes that make its tables at the same time', async () => {
    const database = fresh();
    const sinks = Array.from({ length: 4 }, () => openClickHouse({ url, database, shopTimeZone: 'Europe/London' }));
    await Promise.all(sinks.map((sink) => sink.ensure()));
    expect(await sinks[0]!.query("SELECT count() AS n FROM system.tables WHERE database = currentDatabase() AND name LIKE '%_feed'")).toEqual([{ n: '2' }]);
    await Promise.all(sinks.map((sink) => sink.close()));
  });

  test('refuses another time zone than its days were made in', async () => {
    const database = fresh();
    const london = openClickHouse({ url, database, shopTimeZone: 'Europe/London' });
    await london.ensure();
    const chicago = openClickHouse({ url, database, shopTimeZone: 'America/Chicago' });
    await expect(chicago.ensure()).rejects.toThrow(/Europe\/London/);
    await Promise.all([london.close(), chicago.close()]);
  });

  test('ends what it reads for somebody who has gone', async () => {
    const sink = openClickHouse({ url, database: fresh(), shopTimeZone: 'UTC' });
    await sink.ensure();
    const mark = randomUUID();
    const running = async (): Promise<unknown> => (await sink.query(`SELECT count() AS n FROM system.processes WHERE query LIKE '%${mark}%' AND query NOT LIKE '%system.processes%'`))[0]?.['n'];
    const gone = new AbortController();
    const asked = sink.look(`SELECT count() FROM numbers(1000) WHERE sleepEachRow(0.01) = 0 AND '${mark}' != '' SETTINGS max_block_size = 5, max_execution_time = 60`, gone.signal).catch((error: unknown) => error);
    await expect.poll(running, { interval: 20 }).toBe('1');
    gone.abort();
    expect(await asked).toBeInstanceOf(Unavailable);
    await expect.poll(running, { interval: 20 }).toBe('0');
    await expect(sink.look('TRUNCATE TABLE sales', new AbortController().signal)).rejects.toThrow(/readonly/);
    await sink.close();
  });

  test('refuses a user it does not know as a matter of configuration', async () => {
    const sink = openClickHouse({ url, user: 'nobody', shopTimeZone: 'UTC' });
    await expect(sink.query('SELECT 1')).rejects.toBeInstanceOf(ConfigError);
    await sink.close();
  });
});

test('a server that is not there is unavailable, not an error for good', async () => {
  const sink = openClickHouse({ url: 'http://127.0.0.1:9', shopTimeZone: 'UTC' });
  await expect(sink.query('SELECT 1')).rejects.toBeInstanceOf(Unavailable);
  await sink.close();
});

test('a time zone or a database name that is not one never reaches a statement', () => {
  expect(() => openClickHouse({ url: 'http://127.0.0.1:9', shopTimeZone: "UTC'); DROP DATABASE x --" })).toThrow(ConfigError);
  expect(() => openClickHouse({ url: 'http://127.0.0.1:9', database: 'a.b', shopTimeZone: 'UTC' })).toThrow(ConfigError);
});
