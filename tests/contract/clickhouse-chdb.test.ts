import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe } from 'vitest';
import { openChdb } from '../../infra/clickhouse/chdb.js';
import { noMetrics, silentJournal } from '../../pipeline/core/metrics.js';
import { rowSinkContract } from './clickhouse-contract.js';

describe('chDB in this process', () => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-chdb-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  rowSinkContract(async () => {
    const sink = await openChdb({ directory, shopTimeZone: 'America/Chicago' }, { metrics: noMetrics, journal: silentJournal });
    if (!sink) throw new Error('The optional package chdb is not installed.');
    return sink;
  });
});
