import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { configTable, readConfig } from '../pipeline/config.js';
import { mermaid } from '../pipeline/core/topology.js';
import { topologyOf } from '../pipeline/topology.js';
import { marketingTriggers } from '../schemas/topics.js';

const root = path.resolve(import.meta.dirname, '..');
const text = (file: string): string => readFileSync(path.join(root, file), 'utf8');

/** What must stand between `<!-- name -->` and `<!-- /name -->`. */
const sections: Readonly<Record<string, string>> = {
  topology: `\`\`\`mermaid\n${mermaid(topologyOf(readConfig({}), 'wall'))}\n\`\`\``,
  configuration: ['| variable | default | meaning |', '|---|---|---|', ...configTable().map(({ name, fallback, meaning }) => `| \`${name}\` | ${fallback === '' ? '' : `\`${fallback}\``} | ${meaning.replaceAll('|', '\\|')} |`)].join('\n'),
};

const sectionOf = (name: string): RegExp => new RegExp(`(<!-- ${name} -->\n)([\\s\\S]*?)(<!-- /${name} -->)`);

// README_UPDATE=1 npx vitest run tests/readme.test.ts
if (process.env['README_UPDATE']) {
  const updated = Object.entries(sections).reduce((page, [name, made]) => page.replace(sectionOf(name), (_, open, __, close) => `${open}${made}\n${close}`), text('README.md'));
  writeFileSync(path.join(root, 'README.md'), updated);
}
const page = text('README.md');

test.each(Object.entries(sections))('the README shows the %s as it is', (name, made) => {
  expect(sectionOf(name).exec(page)?.[2]?.trimEnd()).toBe(made);
});

test('the README has a line for each field of a trigger, and one for each reason to suppress it', () => {
  const named = new Set([...page.matchAll(/`(\w+)`/g)].map(([, word]) => word));
  expect(marketingTriggers.codec.schema.fields.filter(({ name }) => !named.has(name))).toEqual([]);
  const suppressions = /function suppressionOf[\s\S]*?\n\}/.exec(text('consumers/triggers/fire.ts'))?.[0].matchAll(/return '(\w+)'/g) ?? [];
  const codes = [...suppressions].map(([, code]) => code);
  const [, table = ''] = /\| suppressed because[^\n]*\n((?:\|.*\n)+)/.exec(page) ?? [];
  expect(codes).toEqual([...table.matchAll(/^\| `(\w+)`/gm)].map(([, code]) => code));
  for (const file of ['schemas/outputs/marketing-trigger.avsc', 'docs/clickhouse.md']) expect(text(file)).toContain(`for suppressed one of ${codes.join(', ')}`);
});

test('every address that the README calls is described', () => {
  const { paths } = parse(text('schemas/openapi.yaml')) as { paths: Readonly<Record<string, unknown>> };
  const described = Object.keys(paths).map((one) => new RegExp(`^${one.replaceAll(/\{\w+\}/g, '[^/]+')}$`));
  const called = [...page.matchAll(/localhost:8080(\/[\w/-]*)/g)].map(([, address = '']) => address);
  expect(called.length).toBeGreaterThan(15);
  expect(called.filter((address) => !described.some((pattern) => pattern.test(address)))).toEqual([]);
});

test('every command that pages name exists', () => {
  const commands = new Set(readdirSync(path.join(root, 'pipeline'), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
    .flatMap((file) => [...text(`pipeline/${file}`).matchAll(/new Command\('([\w-]+)'\)/g)].map(([, name]) => name)));
  const named = ['README.md', 'CONTRIBUTING.md'].flatMap((file) => [...text(file).matchAll(/npx millrace ([a-z-]+)/g)].map(([, name]) => name));
  expect(named.filter((name) => !commands.has(name))).toEqual([]);
});

test('every file that pages link to exists', () => {
  const pages = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...['docs', 'docs/decisions'].flatMap((folder) => readdirSync(path.join(root, folder)).filter((file) => file.endsWith('.md')).map((file) => `${folder}/${file}`))];
  const broken = pages.flatMap((file) => [...text(file).matchAll(/\]\((?!https?:)([^)#]+)(#[^)]*)?\)/g)]
    .filter(([, target = '']) => !existsSync(path.join(root, path.dirname(file), target))).map(([link]) => `${file}: ${link}`));
  expect(broken).toEqual([]);
});
