import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openChdb } from '../../infra/clickhouse/chdb.js';
import { noMetrics, silentJournal } from '../../pipeline/core/metrics.js';
import type { Row, RowSink } from '../../pipeline/core/row-sink.js';
import { packageRoot } from '../../schemas/files.js';
import { folderForTest } from '../support/folder.js';
import { pages, textOf } from '../support/pages.js';

const PAGE = join(packageRoot, 'docs', 'clickhouse.md');
const SECTION = /(<!-- tables -->\n)[^]*(<!-- \/tables -->)/;

const cell = (text: unknown): string => String(text).replaceAll('|', '\\|');

/** What an analyst would be told by DESCRIBE, as a page. */
async function described(sink: RowSink): Promise<string> {
  const tables = await sink.query(`
    SELECT name, engine, comment FROM system.tables
    WHERE database = currentDatabase() AND NOT endsWith(name, '_feed') ORDER BY engine != 'View', endsWith(name, '_state'), name`);
  const columns = await sink.query('SELECT table, name, type, comment FROM system.columns WHERE database = currentDatabase() ORDER BY table, position');
  const part = ({ name, engine, comment }: Row): string => {
    const own = columns.filter((column) => column['table'] === name);
    // A view that takes a parameter names its columns only when it is asked.
    const header = own.length === 0 ? '' : '\n\n| column | type | |\n|---|---|---|';
    const lines = own.map((column) => `\n| \`${String(column['name'])}\` | ${cell(column['type'])} | ${cell(column['comment'])} |`);
    return `### \`${String(name)}\`${engine === 'View' ? ' (view)' : ''}\n\n${String(comment)}${header}${lines.join('')}`;
  };
  return `${tables.map(part).join('\n\n')}\n`;
}

/** A schema as it is on a fresh installation. */
async function fresh(): Promise<RowSink> {
  const directory = folderForTest();
  const sink = await openChdb({ directory, shopTimeZone: 'UTC' }, { metrics: noMetrics, journal: silentJournal });
  await sink!.ensure();
  onTestFinished(() => sink!.close());
  return sink!;
}

test('docs/clickhouse.md lists every table, view and column with its comment', async () => {
  const section = await described(await fresh());
  const page = readFileSync(PAGE, 'utf8');
  if (process.env.UPDATE_DOCS) writeFileSync(PAGE, page.replace(SECTION, (_all, begin: string, end: string) => `${begin}${section}${end}`));
  expect(SECTION.exec(readFileSync(PAGE, 'utf8'))?.[0]).toBe(`<!-- tables -->\n${section}<!-- /tables -->`);
});

test('every question that the pages ask of ClickHouse can be asked as it is typed', async () => {
  const asked = pages.flatMap((page) => [...textOf(page).matchAll(/npx millrace sql "([^"…]+)"/g)].map(([, query]) => query!));
  expect(asked.length).toBeGreaterThan(10);
  const sink = await fresh();
  const refused: string[] = [];
  for (const query of asked) await sink.look(query, new AbortController().signal).catch((error: Error) => refused.push(`${query}: ${error.message}`));
  expect(refused).toEqual([]);
});
