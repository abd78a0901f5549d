import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, onTestFinished } from 'vitest';

/** A new folder for the test that runs, or whose `beforeEach` runs: removed after `afterEach` and what the test does when it has finished. */
export function folderForTest(): string {
  const { folder, remove } = newFolder();
  onTestFinished(remove);
  return folder;
}

/** A new folder for the tests of the file or `describe` in whose body this stands: removed after each `afterAll` that stands below. */
export function folderForTests(): string {
  const { folder, remove } = newFolder();
  afterAll(remove);
  return folder;
}

function newFolder(): { folder: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-test-'));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
