import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import type { Consumer } from '../pipeline/core/consumer.js';
import type { RecordSchema } from '../schemas/files.js';

const root = path.resolve(import.meta.dirname, '..');
const page = readFileSync(path.join(root, 'CONTRIBUTING.md'), 'utf8');

/** Code blocks of the page by the file that each says it stands in. */
const blocks = new Map([...page.matchAll(/^```\w+ (\S+)\n([\s\S]*?)^```$/gm)].map(([, file = '', text = '']) => [file, text]));
const block = (file: string): string => {
  const text = blocks.get(file);
  if (text === undefined) throw new Error(`CONTRIBUTING.md has no block for ${file}.`);
  return text;
};

const schema = JSON.parse(block('schemas/tables/return-rate.avsc')) as RecordSchema;
const [, constant = '', topic = '', key = ''] = /export const (\w+) = table\('([\w-]+)', '(\w+)'\);/.exec(block('schemas/topics.ts')) ?? [];

// What `npm run schemas` and the line in topics.ts would do, without touching the contracts of this clone.
vi.doMock('../schemas/files.js', async (original) => {
  const files = await original<typeof import('../schemas/files.js')>();
  return { ...files, frozenSchemas: () => new Map([...files.frozenSchemas(), [schema.name, [{ id: 1_900_000_000, version: 1, schema }]]]) };
});
vi.doMock('../schemas/topics.js', async (original) => {
  const topics = await original<typeof import('../schemas/topics.js')>();
  return { ...topics, [constant]: { ...topics.products, name: topic, key } };
});

// A shadow of the tree: the page's files stand where the page says, everything else is this clone.
const shadow = mkdtempSync(path.join(root, '.contributing-'));
afterAll(() => rmSync(shadow, { recursive: true, force: true }));
for (const folder of ['consumers', 'tests']) {
  mkdirSync(path.join(shadow, folder));
  for (const name of readdirSync(path.join(root, folder))) if (name !== 'consumers') symlinkSync(path.join(root, folder, name), path.join(shadow, folder, name));
}
mkdirSync(path.join(shadow, 'tests/consumers'));
for (const folder of ['schemas', 'pipeline', 'models']) symlinkSync(path.join(root, folder), path.join(shadow, folder));
for (const file of ['consumers/return-rates.ts', 'tests/consumers/return-rates.test.ts']) writeFileSync(path.join(shadow, file), block(file));

describe('the consumer of CONTRIBUTING.md', async () => {
  const { returnRates } = (await import(path.join(shadow, 'consumers/return-rates.ts'))) as { returnRates: () => Consumer };
  const { topologyOf } = await import('../pipeline/topology.js');
  const { readConfig } = await import('../pipeline/config.js');
  const { mermaid, topologyProblems } = await import('../pipeline/core/topology.js');
  // The page's own test registers here.
  await import(path.join(shadow, 'tests/consumers/return-rates.test.ts'));

  test('joins the topology by one line, and the picture shows it', () => {
    expect(block('pipeline/topology.ts').trim().split('\n')).toEqual(['returnRates(),']);
    const topology = topologyOf(readConfig({}), 'wall');
    const grown = { ...topology, consumers: [...topology.consumers, returnRates()] };
    expect(topologyProblems(grown)).toEqual([]);
    expect(mermaid(grown).split('\n')).toEqual(expect.arrayContaining(['  t_sales --> c_return_rates', '  c_return_rates --> t_return_rates']));
  });

  test('documents every field of its record', () => {
    expect(schema.fields.filter(({ doc }) => !doc?.endsWith('.'))).toEqual([]);
  });

  test('sends what it cannot understand to the dead letters and goes on', async () => {
    const { Driver } = await import('./support/driver.js');
    const { deadLetters, sales } = await import('../schemas/topics.js');
    const driver = new Driver([returnRates()]);
    driver.write(sales.name, 'P1', Buffer.from('no Avro'));
    driver.run();
    expect(driver.read(deadLetters)).toMatchObject([{ code: 'wrong_magic_byte', consumer: 'return-rates' }]);
  });
});

test('files and commands that CONTRIBUTING.md names exist', () => {
  const { scripts } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { scripts: Readonly<Record<string, string>> };
  const named = [...page.matchAll(/npm run (?:--\w+ )?([\w:]+)/g)].map(([, name = '']) => name);
  expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
  const paths = [...page.matchAll(/`((?:tests|consumers|pipeline|schemas|infra|docs)\/[\w./-]+\.(?:ts|md|sql))`/g)].map(([, file = '']) => file);
  expect(paths.filter((file) => !readdirSync(path.dirname(path.join(root, file))).includes(path.basename(file)))).toEqual([]);
});
