import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { rootAbove } from '../../schemas/files.js';
import { folderForTest } from '../support/folder.js';

test('the root is the nearest folder with a package.json; where none lies above, that is said', () => {
  const folder = folderForTest();
  const below = join(folder, 'dist', 'schemas');
  mkdirSync(below, { recursive: true });
  expect(() => rootAbove(below)).toThrow(`No package.json lies in ${below} or above it: schemas, migrations and pages are found beside it, so that dist/ cannot be used alone.`);
  writeFileSync(join(folder, 'package.json'), '{}');
  expect(rootAbove(below)).toBe(folder);
});
