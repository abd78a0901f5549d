import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { openClickHouse } from '../../infra/clickhouse/server.js';
import { openEmbeddedLog } from '../../infra/embedded-log/log.js';
import { noMetrics, silentJournal } from '../../pipeline/core/metrics.js';
import { runSink, sinkPorts } from '../../pipeline/core/sink.js';
import { sales } from '../../schemas/topics.js';
import { sale, sinkOf } from '../contract/clickhouse-records.js';
import { folderForTest } from '../support/folder.js';
import { describeWith } from '../support/services/describe-with.js';
import { faultyProxy } from '../support/services/proxy.js';

await describeWith(['clickhouse'], 'a sink whose ClickHouse server', ({ clickhouse: { url } }) => {
  test('is away at the start, loses answers and goes away for a while has every row once', { timeout: 90_000 }, async () => {
    const directory = folderForTest();
    const database = `millrace_${randomUUID().replaceAll('-', '')}`;
    const direct = openClickHouse({ url, database, shopTimeZone: 'Europe/London' });
    const proxy = await faultyProxy(url);
    const through = openClickHouse({ url: proxy.url, database, shopTimeZone: 'Europe/London' });
    const log = await openEmbeddedLog({ directory, clock: 'wall' });
    onTestFinished(async () => {
      await Promise.all([log.close(), through.close(), proxy.stop()]);
      await direct.query(`DROP DATABASE ${database}`);
      await direct.close();
    });
    await proxy.close();
    await log.ensureTopics([sales]);
    const complaints: object[] = [];
    let retries = 0;
    const journal = { ...silentJournal, warn: () => void retries++, error: (fields: object) => void complaints.push(fields) };
    const spec = sinkOf(sales);
    const member = log.own({ name: spec.name, inputs: [spec.topic] }, (lease) => runSink(lease, spec, through, sinkPorts(noMetrics, journal)));

    await expect.poll(() => retries, { timeout: 30_000 }).toBeGreaterThan(0);
    await proxy.open();

    const write = (count: number) =>
      log.append(Array.from({ length: count }, () => ({ topic: 'sales', partition: 0, key: 'P1', value: sales.codec.encode(sale()) })));
    const lastRow = () => direct.lastOffset('sales', 'sales', 0);
    let written = 0;
    let missing = 0;
    for (const fault of ['none', 'lost answers', 'outage', 'lost answers', 'none']) {
      if (fault === 'lost answers') proxy.loseAnswers(3);
      if (fault === 'outage') await proxy.close();
      await write(500);
      written += 500;
      if (fault === 'outage') {
        await new Promise((resolve) => setTimeout(resolve, 1_500));
        missing = written - (await direct.countRows('sales', 'sales', 0, 0, written));
        await proxy.open();
      }
      await expect.poll(lastRow, { timeout: 30_000 }).toBe((await log.ranges('sales'))[0]!.end - 1);
    }
    await member.stop();
    expect(missing).toBeGreaterThan(0);
    expect(retries).toBeGreaterThan(2);
    expect(complaints).toEqual([]);
    expect(await direct.query('SELECT count() AS n, uniqExact(_offset) AS offsets FROM sales')).toEqual([{ n: String(written), offsets: String(written) }]);
    expect(await direct.query('SELECT sum(units) AS units FROM revenue_by_shop_day')).toEqual([{ units: written }]);
  });
});
