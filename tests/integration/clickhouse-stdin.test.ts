import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { folderForTest } from '../support/folder.js';
import { running } from '../support/run-module.js';

test('what waits on standard input neither fails an insert of the in-process ClickHouse nor becomes rows', () => {
  const inserting = running(new URL('clickhouse-sink-process.ts', import.meta.url), 'insertOne', folderForTest());
  const said = execFileSync(process.execPath, inserting, { input: '["from standard input"]\n', encoding: 'utf8', stdio: ['pipe', 'pipe', 'inherit'] });
  expect(JSON.parse(said)).toEqual([{ sku: 'P1', _offset: '1' }]);
});
