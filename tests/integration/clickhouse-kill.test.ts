import { expect, test } from 'vitest';
import { silentJournal } from '../../pipeline/core/metrics.js';
import { interactions, sales } from '../../schemas/topics.js';
import { folderForTest } from '../support/folder.js';
import { everythingIn } from '../support/records.js';
import { killed } from '../support/run-module.js';
import { openPlace, startSinks } from './clickhouse-sink-process.js';

const KILLS = Number(process.env.MILLRACE_SINK_KILLS ?? 3);

test(`a process killed ${KILLS} times with its ClickHouse has every row once, and views that equal them`, { timeout: 120_000 + KILLS * 20_000 }, async () => {
  const directory = folderForTest();
  const module = new URL('clickhouse-sink-process.ts', import.meta.url);
  // It says only that it runs, or what went wrong.
  for (let kill = 0; kill < KILLS; kill++) expect(await killed(module, directory, 'running', Math.random() * 1_500)).toEqual(['running']);

  const complaints: string[] = [];
  const place = await openPlace(directory);
  const members = startSinks(place, { ...silentJournal, error: (fields) => void complaints.push(JSON.stringify(fields)) });
  for (const topic of [sales, interactions]) {
    const offsets = (await everythingIn(place.log, topic.name)).filter(({ tick }) => tick === null).map(({ offset }) => offset);
    expect(offsets.length).toBeGreaterThan(100);
    await expect.poll(() => place.sink.lastOffset(topic.name, topic.name, 0), { timeout: 60_000 }).toBe(offsets.at(-1));
    const rows = await place.sink.query(`SELECT _offset FROM ${topic.name} ORDER BY _offset`);
    expect(rows.length).toBe(offsets.length);
    expect(rows.map((row) => Number(row['_offset']))).toEqual(offsets);
  }
  await Promise.all(members.map((member) => member.stop()));
  expect(complaints).toEqual([]);
  const [fromRows] = await place.sink.query('SELECT sum(amount) AS net, sum(quantity) AS units FROM sales');
  expect(await place.sink.query('SELECT sum(net) AS net, sum(units) AS units FROM revenue_by_shop_day')).toEqual([fromRows]);
  const [views] = await place.sink.query('SELECT count() AS n FROM interactions');
  expect(await place.sink.query('SELECT sum(viewed_events) AS n FROM funnel_by_shop_day')).toEqual([views]);
  await place.sink.close();
  await place.log.close();
});
