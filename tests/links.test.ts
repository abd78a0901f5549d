import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../schemas/files.js';
import { pages, textOf } from './support/pages.js';

/** Anchors of a page's headings, as GitHub makes them. */
function anchorsOf(page: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of withoutCode(textOf(page)).matchAll(/^#{1,6} (.+)$/gm)) {
    const anchor = heading.replaceAll(/\]\([^)]*\)/g, '').toLowerCase().replaceAll(/[^\p{L}\p{N}\s_-]/gu, '').trim().replaceAll(' ', '-');
    let [free, count] = [anchor, 0];
    while (anchors.has(free)) free = `${anchor}-${++count}`;
    anchors.add(free);
  }
  return anchors;
}

const withoutCode = (text: string): string => text.replaceAll(/^```[\s\S]*?^```$/gm, '');

/** What is wrong with a link from one page to `target` and `anchor`, if anything is. */
function problemOf(page: string, target: string, anchor: string): string | undefined {
  const file = target === '' ? page : path.posix.join(path.posix.dirname(page), target);
  if (!existsSync(path.join(packageRoot, file))) return `${page}: there is no ${file}`;
  if (anchor !== '' && file.endsWith('.md') && !anchorsOf(file).has(anchor)) return `${page}: ${file} has no heading #${anchor}`;
}

const linksOf = (page: string): [target: string, anchor: string][] =>
  [...withoutCode(textOf(page)).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)/g)].map(([, target = '', anchor = '']) => [target, anchor]);

test('every link from a page to a file or a heading leads there', () => {
  expect(pages.flatMap(linksOf).length).toBeGreaterThan(50);
  expect(pages.flatMap((page) => linksOf(page).flatMap((link) => problemOf(page, ...link) ?? []))).toEqual([]);
});

test('every page can be reached from the README', () => {
  const reached = new Set(['README.md']);
  for (const page of reached) {
    for (const [target] of linksOf(page)) {
      const file = path.posix.join(path.posix.dirname(page), target);
      if (pages.includes(file)) reached.add(file);
      else if (pages.includes(`${file.replace(/\/$/, '')}/README.md`)) reached.add(`${file.replace(/\/$/, '')}/README.md`);
    }
  }
  expect(pages.filter((page) => !reached.has(page))).toEqual([]);
});

test('every page and heading that code, alerts, schemas and settings name exists', () => {
  const folders = ['consumers', 'infra', 'models', 'pipeline', 'producers', 'schemas'];
  const files = folders.flatMap((folder) => readdirSync(path.join(packageRoot, folder), { recursive: true, encoding: 'utf8' }).map((file) => `${folder}/${file}`))
    .filter((file) => /\.(ts|mjs|js|html|ya?ml|json|sql|avsc|example)$/.test(file) && statSync(path.join(packageRoot, file)).isFile());
  const named = [...files, 'docker-compose.yml'].flatMap((file) =>
    [...textOf(file).matchAll(/\b(docs\/[\w./-]+\.md)(?:#([\w-]+))?/g)].map(([, target = '', anchor = '']) => ({ file, target, anchor })));
  expect(named.length).toBeGreaterThan(30);
  expect(named.flatMap(({ file, target, anchor }) => {
    const problem = problemOf('README.md', target, anchor);
    return problem === undefined ? [] : [`${file}: ${problem}`];
  })).toEqual([]);
});
