import { describe, expect, test } from 'vitest';
import { openChdb } from '../../infra/clickhouse/chdb.js';
import { noMetrics, silentJournal } from '../../pipeline/core/metrics.js';
import { folderForTest, folderForTests } from '../support/folder.js';
import { rowSinkContract } from './clickhouse-contract.js';

describe('chDB in this process', () => {
  const directory = folderForTests();
  rowSinkContract(async () => {
    const sink = await openChdb({ directory, shopTimeZone: 'America/Chicago' }, { metrics: noMetrics, journal: silentJournal });
    if (!sink) throw new Error('The optional package chdb is not installed.');
    return sink;
  });
});

test('chDB begins no write that would fill the disk: it would take what was not written for written', async () => {
  const sink = await openChdb({ directory: folderForTest(), shopTimeZone: 'UTC' }, { metrics: noMetrics, journal: silentJournal });
  expect(await sink?.query("SELECT keep_free_space FROM system.disks WHERE name = 'default'")).toEqual([{ keep_free_space: String(256 << 20) }]);
  await sink?.close();
});

test('chDB takes a few threads to remove old parts: those that it starts stay, each with memory and files of its own', async () => {
  const sink = await openChdb({ directory: folderForTest(), shopTimeZone: 'UTC' }, { metrics: noMetrics, journal: silentJournal });
  expect(await sink?.query("SELECT value FROM system.server_settings WHERE name = 'max_parts_cleaning_thread_pool_size'")).toEqual([{ value: '4' }]);
  await sink?.close();
});
