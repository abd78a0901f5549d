import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { snapshotFiles } from '../../infra/snapshots/files.js';

const POSITIONS = [{ topic: 'interactions', partition: 0, offset: 7 }];
const PIECES = [Uint8Array.of(1, 2, 3), new Uint8Array(0), new Uint8Array(100_003).fill(9)];
let directory: string;

beforeEach(async () => { directory = await mkdtemp(join(tmpdir(), 'millrace-snapshots-')); });
afterEach(() => rm(directory, { recursive: true }));

test('pieces come back as they were, each by itself, with their positions', async () => {
  const files = snapshotFiles(directory, 'log-1');
  expect(await files.load('learner')).toBeUndefined();
  await files.save('learner', PIECES, POSITIONS);
  const saved = await snapshotFiles(directory, 'log-1').load('learner');
  expect(saved?.positions).toEqual(POSITIONS);
  expect(saved?.pieces.map((piece) => [...piece])).toEqual(PIECES.map((piece) => [...piece]));
  expect(saved?.pieces.every(({ byteOffset }) => byteOffset % 8 === 0)).toBe(true);
});

test('one of another log, cut short or changed counts as none', async () => {
  const files = snapshotFiles(directory, 'log-1');
  await files.save('learner', PIECES, POSITIONS);
  expect(await snapshotFiles(directory, 'log-2').load('learner')).toBeUndefined();
  const path = join(directory, 'learner.snapshot');
  const bytes = await readFile(path);
  await writeFile(path, bytes.subarray(0, -1));
  expect(await files.load('learner')).toBeUndefined();
  bytes[bytes.length - 1]! ^= 1;
  await writeFile(path, bytes);
  expect(await files.load('learner')).toBeUndefined();
});

test('others have their turn between two pieces', async () => {
  const order: string[] = [];
  function* pieces(): Iterable<Uint8Array> {
    for (const name of ['first', 'second']) {
      order.push(name);
      setImmediate(() => order.push('a request'));
      yield Uint8Array.of(1);
    }
  }
  await snapshotFiles(directory, 'log-1').save('learner', pieces(), POSITIONS);
  expect(order).toEqual(['first', 'a request', 'second', 'a request']);
});
