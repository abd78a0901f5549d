import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { snapshotFiles } from '../../infra/snapshots/files.js';
import { PAUSE } from '../../pipeline/core/fold.js';
import { folderForTest } from '../support/folder.js';

const POSITIONS = [{ topic: 'interactions', partition: 0, offset: 7 }];
const PIECES = [Uint8Array.of(1, 2, 3), new Uint8Array(0), new Uint8Array(100_003).fill(9)];
let directory: string;

beforeEach(() => { directory = folderForTest(); });

test('pieces come back as they were, each by itself and without pauses, with their positions', async () => {
  const files = snapshotFiles(directory, 'log-1');
  expect(await files.load('learner')).toBeUndefined();
  await files.save('learner', [PIECES[0]!, PAUSE, PIECES[1]!, PAUSE, PAUSE, PIECES[2]!], POSITIONS);
  const saved = await snapshotFiles(directory, 'log-1').load('learner');
  expect(saved?.positions).toEqual(POSITIONS);
  expect(saved?.pieces.map((piece) => [...piece])).toEqual(PIECES.map((piece) => [...piece]));
  expect(saved?.pieces.every(({ byteOffset }) => byteOffset % 8 === 0)).toBe(true);
});

test('one of another log, cut short or with any byte changed is refused by its name', async () => {
  const files = snapshotFiles(directory, 'log-1');
  await files.save('learner', [Uint8Array.of(1, 2, 3), new Uint8Array(50).fill(9)], POSITIONS);
  const path = join(directory, 'learner.snapshot');
  await expect(snapshotFiles(directory, 'log-2').load('learner')).rejects.toThrow(`${path} belongs to another log`);
  const bytes = await readFile(path);
  for (const damaged of [bytes.subarray(0, -1), bytes.subarray(0, 20), Buffer.alloc(0), Buffer.from('abc\ndef'), Buffer.from('{"version":2,"log":"log-1","crc32":0,"lengths":[],"positions":[]}\n')]) {
    await writeFile(path, damaged);
    await expect(files.load('learner')).rejects.toThrow(`${path} is damaged`);
  }
  for (const at of bytes.keys()) {
    for (const bit of [1, 2, 16]) {
      const damaged = Buffer.from(bytes);
      damaged[at]! ^= bit;
      await writeFile(path, damaged);
      await expect(files.load('learner'), `byte ${at}`).rejects.toThrow(path);
    }
  }
  await writeFile(path, bytes);
  expect((await files.load('learner'))?.positions).toEqual(POSITIONS);
});

test('one that cannot be read is refused by its name', async () => {
  await mkdir(join(directory, 'learner.snapshot'));
  await expect(snapshotFiles(directory, 'log-1').load('learner')).rejects.toThrow('learner.snapshot cannot be read');
});

test('one that cannot be put in place leaves nothing beside it', async () => {
  await mkdir(join(directory, 'learner.snapshot'));
  await expect(snapshotFiles(directory, 'log-1').save('learner', PIECES, POSITIONS)).rejects.toThrow('EISDIR');
  expect(await readdir(directory)).toEqual(['learner.snapshot']);
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
