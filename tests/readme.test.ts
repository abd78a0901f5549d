import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import * as features from '../models/features.js';
import { configTable, readConfig } from '../pipeline/config.js';
import { mermaid } from '../pipeline/core/topology.js';
import { topologyOf } from '../pipeline/topology.js';
import { packageRoot } from '../schemas/files.js';
import { marketingTriggers } from '../schemas/topics.js';
import { pages, textOf } from './support/pages.js';

/** What must stand between `<!-- name -->` and `<!-- /name -->` of one page. */
const sections: Readonly<Record<string, string>> = {
  topology: `\`\`\`mermaid\n${mermaid(topologyOf(readConfig({}), 'wall'))}\n\`\`\``,
  configuration: ['| variable | default | meaning |', '|---|---|---|', ...configTable().map(({ name, fallback, meaning }) => `| \`${name}\` | ${fallback === '' ? '' : `\`${fallback}\``} | ${meaning.replaceAll('|', '\\|')} |`)].join('\n'),
  features: `Columns of \`${features.SET}\`, ${features.FEATURES.length} of them, in this order: ${features.FEATURES.join(', ')}.`,
};

const sectionOf = (name: string): RegExp => new RegExp(`(<!-- ${name} -->\n)([\\s\\S]*?)(<!-- /${name} -->)`);

test.each(Object.entries(sections))('one page shows the %s as it is', (name, made) => {
  const showing = pages.filter((page) => sectionOf(name).test(textOf(page)));
  // README_UPDATE=1 npx vitest run tests/readme.test.ts
  if (process.env['README_UPDATE']) {
    for (const page of showing) writeFileSync(path.join(packageRoot, page), textOf(page).replace(sectionOf(name), (_, open, __, close) => `${open}${made}\n${close}`));
  }
  expect(showing.map((page) => sectionOf(name).exec(textOf(page))?.[2]?.trimEnd())).toEqual([made]);
});

test('one page has a line for each field of a trigger, and one for each reason to suppress it', () => {
  const reasons = /\| suppressed because[^\n]*\n((?:\|.*\n)+)/;
  const [page = '', ...others] = pages.map(textOf).filter((one) => reasons.test(one));
  expect(others).toEqual([]);
  const named = new Set([...page.matchAll(/`(\w+)`/g)].map(([, word]) => word));
  expect(marketingTriggers.codec.schema.fields.filter(({ name }) => !named.has(name))).toEqual([]);
  const suppressions = /function suppressionOf[\s\S]*?\n\}/.exec(textOf('consumers/triggers/fire.ts'))?.[0].matchAll(/return '(\w+)'/g) ?? [];
  const codes = [...suppressions].map(([, code]) => code);
  const [, table = ''] = reasons.exec(page) ?? [];
  expect(codes).toEqual([...table.matchAll(/^\| `(\w+)`/gm)].map(([, code]) => code));
  for (const file of ['schemas/outputs/marketing-trigger.avsc', 'docs/clickhouse.md']) expect(textOf(file)).toContain(`for suppressed one of ${codes.join(', ')}`);
});

test('one page has a line for each code of a reason', () => {
  const { components } = parse(textOf('schemas/openapi.yaml')) as { components: { schemas: { RecommendedItem: { properties: { reasons: { items: { properties: { code: { enum: string[] } } } } } } } } };
  const table = /\| `code` \| names[^\n]*\n((?: *\|.*\n)+)/.exec(textOf('docs/recommendations.md'))?.[1] ?? '';
  const told = [...table.matchAll(/^ *\| (`[^|]+) \|/gm)].flatMap(([, codes = '']) => [...codes.matchAll(/`(\w+)`/g)].map(([, code]) => code));
  expect(told.sort()).toEqual([...components.schemas.RecommendedItem.properties.reasons.items.properties.code.enum].sort());
});

test('every address that pages call is described', () => {
  const { paths } = parse(textOf('schemas/openapi.yaml')) as { paths: Readonly<Record<string, unknown>> };
  const described = Object.keys(paths).map((one) => new RegExp(`^${one.replaceAll(/\{\w+\}/g, '[^/]+')}$`));
  const called = pages.flatMap((page) => [...textOf(page).matchAll(/localhost:8080(\/[\w/-]*)/g)].map(([, address = '']) => address));
  expect(called.length).toBeGreaterThan(15);
  expect(called.filter((address) => !described.some((pattern) => pattern.test(address)))).toEqual([]);
});

/** What the sources of the commands say where a pattern's group stands. */
const inCommands = (pattern: RegExp): Set<string> => new Set(readdirSync(path.join(packageRoot, 'pipeline'), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
  .flatMap((file) => [...textOf(`pipeline/${file}`).matchAll(pattern)].map(([, name = '']) => name)));

test('every command that pages name exists, and so do its options', () => {
  const commands = inCommands(/new Command\('([\w-]+)'\)/g);
  const options = inCommands(/'(--[\w-]+)/g).add('--help');
  const lines = pages.flatMap((file) => [...textOf(file).matchAll(/npx millrace ([^\n`]*)/g)].map(([, line = '']) => line));
  expect(lines.length).toBeGreaterThan(40);
  expect(lines.map((line) => /^[a-z-]*/.exec(line)?.[0] ?? '').filter((name) => name !== '' && !commands.has(name))).toEqual([]);
  expect(lines.flatMap((line) => [...line.matchAll(/ (--[a-z][\w-]*)/g)].map(([, name = '']) => name)).filter((name) => !options.has(name))).toEqual([]);
});

test('every setting that pages name exists', () => {
  const settings = new Set(configTable().map(({ name }) => name));
  // What tests, tools and the C library read, and an error of ClickHouse.
  const others = new Set(['MALLOC_ARENA_MAX', 'MILLRACE_DATA', 'README_UPDATE', 'UPDATE_DOCS', 'UPDATE_GOLDEN', 'UNKNOWN_FIELD']);
  const named = pages.filter((page) => !page.startsWith('docs/decisions/')).flatMap((page) => [...textOf(page).matchAll(/(?<![\w.])[A-Z]{2,}(?:_[A-Z]+)+(?![\w*])/g)].map(([name]) => name));
  expect(named.length).toBeGreaterThan(100);
  expect(named.filter((name) => !settings.has(name) && !others.has(name))).toEqual([]);
});
