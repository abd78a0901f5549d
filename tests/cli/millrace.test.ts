import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { textOf } from '../support/pages.js';
import { entry } from '../faults/millrace-entry.js';

test('the command says which version it is', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [...entry, '--version'], { timeout: 60_000 });
  expect(stdout).toBe(`${(JSON.parse(textOf('package.json')) as { version: string }).version}\n`);
});
