import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { callDoor, openDoor } from '../../infra/embedded-log/door.js';
import { readConfig } from '../../pipeline/config.js';
import { ConfigError, Unavailable } from '../../pipeline/core/errors.js';
import { noMetrics, silentJournal } from '../../pipeline/core/metrics.js';
import { openEngine } from '../../pipeline/engine.js';
import { folderForTest } from '../support/folder.js';

test('a data directory has one process; the second is told which directory', async () => {
  const directory = folderForTest();
  const door = await openDoor(directory);
  await expect(openDoor(directory)).rejects.toThrow(ConfigError);
  await expect(openDoor(directory)).rejects.toThrow(directory);
  await door.close();
  await (await openDoor(directory)).close();
});

test('the socket of a process that died is taken over', async () => {
  const directory = folderForTest();
  const leave = `require('node:net').createServer().listen(${JSON.stringify(join(directory, 'door.sock'))}, () => process.kill(process.pid, 'SIGKILL'))`;
  spawnSync(process.execPath, ['-e', leave]);
  expect(existsSync(join(directory, 'door.sock'))).toBe(true);
  const door = await openDoor(directory);
  door.answer('ping', () => 'pong');
  expect(await callDoor(directory, { kind: 'ping' })).toBe('pong');
  await door.close();
});

test('of many who find a stale socket at once, one gets the directory', async () => {
  const directory = folderForTest();
  const leave = `require('node:net').createServer().listen(${JSON.stringify(join(directory, 'door.sock'))}, () => process.kill(process.pid, 'SIGKILL'))`;
  spawnSync(process.execPath, ['-e', leave]);
  const all = await Promise.allSettled(Array.from({ length: 8 }, () => openDoor(directory)));
  const doors = all.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  expect(doors).toHaveLength(1);
  await doors[0]!.close();
});

test('who answers is told when whoever asked has gone', async () => {
  const directory = folderForTest();
  let asked: AbortSignal | undefined;
  const door = await openDoor(directory);
  door.answer('wait', (_, until) => ((asked = until), new Promise(() => {})));
  const ask = `const socket = require('node:net').createConnection(${JSON.stringify(join(directory, 'door.sock'))}); socket.write('{"kind":"wait"}\\n'); setTimeout(() => process.exit(), 200)`;
  const asking = spawn(process.execPath, ['-e', ask]);
  await expect.poll(() => asked?.aborted).toBe(false);
  await expect.poll(() => asked?.aborted).toBe(true);
  asking.kill();
  await door.close();
});

test('requests are answered in order, an error by its sentence, an unknown kind as such', async () => {
  const directory = folderForTest();
  const door = await openDoor(directory);
  door.answer('add', ({ a, b }) => Number(a) + Number(b));
  door.answer('fail', () => {
    throw new Error('There is no such table.');
  });
  door.answer('later', async ({ text }) => ({ text }));
  const large = 'ü'.repeat(2_000_000);
  expect(await Promise.all([callDoor(directory, { kind: 'add', a: 1, b: 2 }), callDoor(directory, { kind: 'later', text: large })])).toEqual([3, { text: large }]);
  await expect(callDoor(directory, { kind: 'fail' })).rejects.toThrow('There is no such table.');
  await expect(callDoor(directory, { kind: 'dance' })).rejects.toThrow('does not answer "dance"');
  await door.close();
  await expect(callDoor(directory, { kind: 'add' })).rejects.toThrow(Unavailable);
});

test('a path that is too long for a socket works as well', async () => {
  const directory = join(folderForTest(), 'd'.repeat(80), 'e'.repeat(80));
  mkdirSync(directory, { recursive: true });
  const door = await openDoor(directory);
  door.answer('ping', () => 'pong');
  expect(await callDoor(directory, { kind: 'ping' })).toBe('pong');
  await expect(openDoor(directory)).rejects.toThrow('in use by another process');
  await door.close();
});

test('a process on Kafka, which answers no commands of its data directory, says so: whoever had forgotten KAFKA_BROKERS waited for ever', async () => {
  const place = folderForTest();
  const config = readConfig({ DATA_DIR: place, KAFKA_BROKERS: '127.0.0.1:1' });
  const starting = openEngine({ config, metrics: noMetrics, journal: silentJournal, alone: true }).catch((error: Error) => error);
  await expect.poll(() => existsSync(join(place, 'door.sock'))).toBe(true);
  await expect(callDoor(place, { kind: 'log' })).rejects.toThrow('runs on Kafka: set KAFKA_BROKERS');
  expect(await starting).toBeInstanceOf(Unavailable);
});

test('what is asked while a process starts waits until it answers: it was refused, and a replay ended that went on while its process was started anew', async () => {
  const place = folderForTest();
  const door = await openDoor(place);
  let told = '';
  const asked = callDoor(place, { kind: 'later' }).then((answer) => { told = String(answer); });
  const unknown = callDoor(place, { kind: 'never' }).catch((error: Error) => error.message);
  // Who came behind them and asked nothing that makes sense has an answer: so what they have asked was read.
  const behind = createConnection(join(place, 'door.sock')).on('error', () => {});
  behind.write('{\n');
  await once(behind, 'data');
  behind.destroy();
  expect(told).toBe('');
  door.answer('other', () => 'other');
  door.answer('later', () => 'here');
  await asked;
  expect(told).toBe('here');
  expect(await unknown).toMatch('does not answer "never"');
  await door.close();
});
