import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { hotRoutes } from '../../infra/http/hot.js';
import { packageRoot } from '../../schemas/files.js';
import { startHttp } from './http-server.js';

interface Description {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}
const text = readFileSync(join(packageRoot, 'schemas/openapi.yaml'), 'utf8');
const description = parse(text) as Description;
const METHODS = ['get', 'put', 'post', 'delete'];

test('every hot route is described', () => {
  expect([...hotRoutes.keys()].filter((path) => description.paths[path]?.['post'] === undefined)).toEqual([]);
});

test('every described route exists: none answers that there is nothing there', async () => {
  const http = await startHttp();
  const missing: string[] = [];
  for (const [path, operations] of Object.entries(description.paths)) {
    for (const method of METHODS.filter((name) => name in operations)) {
      const response = await fetch(http.url + path.replaceAll(/\{\w+\}/g, 'x'), { method: method.toUpperCase() });
      const body = await response.text();
      if (response.status === 405 || body.includes('nothing at this address')) missing.push(`${method} ${path}`);
    }
  }
  await http.server.close();
  expect(missing).toEqual([]);
});

test('every reference leads somewhere', () => {
  const dangling = [...text.matchAll(/\$ref: '#\/components\/(\w+)\/(\w+)'/g)].filter(([, group, name]) => description.components[group!]?.[name!] === undefined);
  expect(dangling.map(([all]) => all)).toEqual([]);
});
