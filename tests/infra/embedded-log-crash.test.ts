import { copyFileSync, cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openEmbeddedLog, type EmbeddedLog } from '../../infra/embedded-log/log.js';
import { folderForTest } from '../support/folder.js';
import { everythingIn } from '../support/records.js';
import { killed } from '../support/run-module.js';
import { events, GROUP, output, table } from './embedded-log-writer.js';

const open = (directory: string): Promise<EmbeddedLog> => openEmbeddedLog({ directory, clock: 'wall' });

test('a process killed three times under load loses nothing that it acknowledged', { timeout: 120_000 }, async () => {
  const directory = folderForTest();
  const acknowledged: string[] = [];
  let committed = 0;
  for (let kill = 0; kill < 3; kill++) {
    const lines = await killed(new URL('embedded-log-writer.ts', import.meta.url), directory, 'committed', 200 + Math.random() * 300);
    expect(lines.filter((line) => line.startsWith('bad'))).toEqual([]);
    expect(lines.filter((line) => line.startsWith('same'))).toHaveLength(1);
    acknowledged.push(...lines.flatMap((line) => (line.startsWith('acknowledged ') ? [line.slice(13)] : [])));
    committed = Math.max(committed, ...lines.flatMap((line) => (line.startsWith('committed ') ? [Number(line.slice(10))] : [])));
  }

  const log = await open(directory);
  await log.ensureTopics([events, output, table]);
  const written = (await everythingIn(log, events.name)).map(({ value }) => String(value).trimEnd());
  const present = new Set(written);
  expect(acknowledged.length).toBeGreaterThan(500);
  expect(acknowledged.filter((id) => !present.has(id))).toEqual([]);
  expect(present.size).toBe(written.length);

  // Each event was carried over once, in order, up to the progress that was committed with it.
  const outputs = (await everythingIn(log, output.name)).map(({ value }) => String(value).trimEnd());
  expect(outputs).toEqual(written.slice(0, outputs.length));
  expect(outputs.length).toBeGreaterThanOrEqual(committed);
  const rows = (await everythingIn(log, table.name)).filter(({ key }) => key === '_progress');
  expect(Number(rows.at(-1)!.value)).toBe(outputs.length);
  expect(GROUP.inputs).toEqual([events.name]);
  await log.close();
});

test('any torn end is cut back to whole frames, what was before it is kept, and the log goes on', async () => {
  const source = folderForTest();
  const log = await open(source);
  await log.ensureTopics([events]);
  const ends: number[] = [];
  const [name] = readdirSync(join(source, 'log')).filter((file) => file.endsWith('.segment'));
  const segment = join('log', name!);
  for (let i = 0; i < 60; i++) {
    await log.append(Array.from({ length: 1 + (i % 3) }, (_, j) => ({ topic: events.name, partition: 0, key: `${i}`, value: Buffer.from(`${i}/${j} `.repeat(20)) })));
    ends.push(readFileSync(join(source, segment)).length);
  }
  const whole = (await everythingIn(log, events.name)).map(({ key, value }) => `${key} ${value}`);
  await log.close();
  const bytes = readFileSync(join(source, segment));

  for (let i = 0; i < 60; i++) {
    const directory = folderForTest();
    cpSync(source, directory, { recursive: true, filter: (path) => !path.endsWith('.sock') });
    const at = bytes.length - 1 - Math.floor((i / 60) * 4_000);
    const torn = Buffer.from(i % 3 === 0 ? bytes.subarray(0, at) : bytes);
    if (i % 3 === 1) torn.fill(0, at);
    if (i % 3 === 2) torn[at]! ^= 0xff;
    writeFileSync(join(directory, segment), torn);

    const again = await open(directory);
    const kept = (await everythingIn(again, events.name)).map(({ key, value }) => `${key} ${value}`);
    const framesBefore = ends.filter((end) => end <= at).length;
    expect(kept).toEqual(whole.slice(0, kept.length));
    expect(new Set(kept.map((text) => text.split(' ')[0])).size).toBe(framesBefore);
    expect(again.cutBytes).toBe(torn.length - (ends[framesBefore - 1] ?? 0));
    await again.append([{ topic: events.name, partition: 0, key: 'after', value: null }]);
    expect((await everythingIn(again, events.name)).at(-1)?.key).toBe('after');
    await again.close();
  }
});

test('damage in the last segment that whole frames of later writes follow is an error, not a cut', async () => {
  const directory = folderForTest();
  let now = 1_000_000;
  const log = await openEmbeddedLog({ directory, clock: 'wall', now: () => now });
  await log.ensureTopics([events]);
  const path = join(directory, 'log', readdirSync(join(directory, 'log')).find((file) => file.endsWith('.segment'))!);
  const ends: number[] = [];
  for (let i = 0; i < 30; i++, now += 2_000) {
    await log.append([{ topic: events.name, partition: 0, key: `${i}`, value: Buffer.alloc(100) }]);
    ends.push(readFileSync(path).length);
  }
  await log.close();
  const bytes = readFileSync(path);

  // In the body of a frame, and in the length that says where the next one begins.
  for (const at of [ends[9]! + 50, ends[9]!]) {
    const damaged = Buffer.from(bytes);
    damaged[at]! ^= 0x10;
    writeFileSync(path, damaged);
    await expect(open(directory)).rejects.toThrow(`${path} is damaged at byte ${ends[9]}, before the end of the log: restore it from a copy`);
    expect(readFileSync(path)).toEqual(damaged);
  }
  // Frames of one write may reach the disk in any order: what is younger by a few seconds is cut off as a torn end is.
  const torn = Buffer.from(bytes);
  torn[ends[26]! + 50]! ^= 0x10;
  writeFileSync(path, torn);
  const again = await open(directory);
  expect(again.cutBytes).toBe(bytes.length - ends[26]!);
  await again.close();
});

test('damage before the last segment is an error, not a cut', async () => {
  const directory = folderForTest();
  const log = await openEmbeddedLog({ directory, clock: 'wall', segmentBytes: 2_000 });
  await log.ensureTopics([events]);
  for (let i = 0; i < 60; i++) await log.append([{ topic: events.name, partition: 0, key: `${i}`, value: Buffer.alloc(100) }]);
  await log.close();
  const [first, , third] = readdirSync(join(directory, 'log')).filter((file) => file.endsWith('.segment')).sort().map((file) => join(directory, 'log', file));
  copyFileSync(first!, `${first}.copy`);
  const bytes = readFileSync(first!);
  bytes[bytes.length - 50]! ^= 0xff;
  writeFileSync(first!, bytes);

  const again = await open(directory);
  await expect(everythingIn(again, events.name)).rejects.toThrow('is damaged at byte');
  await again.close();

  copyFileSync(`${first}.copy`, first!);
  rmSync(third!);
  await expect(open(directory)).rejects.toThrow('is missing, but older and newer segments are there');
});
