import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { folderForTest } from '../support/folder.js';

const SCRIPT = `
  const { runnerImport } = await import('vite');
  const [source, records, directory] = process.argv.slice(1);
  const { module: { openChdb } } = await runnerImport(source);
  const { module: { blockOf, saleRecord } } = await runnerImport(records);
  const quiet = { debug() {}, info() {}, warn() {}, error() {} };
  const sink = await openChdb({ directory, shopTimeZone: 'UTC' }, { metrics: { gauge() {} }, journal: quiet });
  await sink.ensure();
  const { columns, lines } = blockOf([saleRecord(1)]);
  await sink.insert('sales', columns, lines, 'a');
  console.log(JSON.stringify(await sink.query('SELECT sku, _offset FROM sales')));
  await sink.close();`;

test('what waits on standard input neither fails an insert of the in-process ClickHouse nor becomes rows', { timeout: 60_000 }, () => {
  const directory = folderForTest();
  const module = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
  const args = ['--input-type=module', '-e', SCRIPT, module('../../infra/clickhouse/chdb.ts'), module('../contract/clickhouse-records.ts'), directory];
  const said = execFileSync(process.execPath, args, { input: '["from standard input"]\n', encoding: 'utf8', stdio: ['pipe', 'pipe', 'inherit'] });
  expect(JSON.parse(said)).toEqual([{ sku: 'P1', _offset: '1' }]);
});
