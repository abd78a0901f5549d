import { describe } from 'vitest';
import { openChdb } from '../../infra/clickhouse/chdb.js';
import { noMetrics, silentJournal } from '../../pipeline/core/metrics.js';
import { folderForTests } from '../support/folder.js';
import { rowSinkContract } from './clickhouse-contract.js';

describe('chDB in this process', () => {
  const directory = folderForTests();
  rowSinkContract(async () => {
    const sink = await openChdb({ directory, shopTimeZone: 'America/Chicago' }, { metrics: noMetrics, journal: silentJournal });
    if (!sink) throw new Error('The optional package chdb is not installed.');
    return sink;
  });
});
