import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { openDoor } from '../../infra/embedded-log/door.js';
import { replayCommand } from '../../pipeline/cli/replay.js';
import { entry } from '../faults/millrace-entry.js';
import { said } from '../support/command.js';

const on = said();
let server: Server;
let url = '';

beforeAll(async () => {
  vi.stubEnv('ADMIN_TOKENS', 'at_test');
  server = createServer((request, response) => void request.resume().on('end', () => response.end('{}'))).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.close();
  vi.unstubAllEnvs();
});

const HEADER = 'InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country';
const row = (order: string, quantity = '1'): string => `${order},P1,Cup,${quantity},2010-12-01 08:26:00,2.55,17850,United Kingdom`;
const replay = (content: string, ...more: string[]): Promise<unknown> =>
  replayCommand().parseAsync([on.file('lines.csv', content), '--format', 'online-retail', '--url', url, ...more], { from: 'user' });

test('a file that was taken whole ends with 0', async () => {
  await replay([HEADER, row('1'), row('2')].join('\n'));
  expect(on.out).toMatch(/^2 events, 2 accepted, 0 rejected, /);
  expect(process.exitCode).toBeUndefined();
});

test('where nobody can tell which lines were known before, it says that these change nothing', async () => {
  await replay([HEADER, row('1')].join('\n'), '--json');
  expect(JSON.parse(on.out)).toMatchObject({ accepted: 1, repeated: null });
  expect(on.err).toContain('What lines.csv had told before is accepted again and changes nothing');
});

test('refused lines end it with 65: how many, and in which lines', async () => {
  await replay([HEADER, row('1'), row('2', 'many'), row('3'), row('4', '')].join('\n'));
  expect(on.out).toMatch(/^4 events, 2 accepted, 2 rejected \(lines 3, 5\), /);
  expect(on.err).toContain('Line 3 of ');
  expect(on.err).toContain('Put right, these lines are a file of their own');
  expect(process.exitCode).toBe(65);
});

test('the clock of a file is not to be had over HTTP, where no tick is carried', async () => {
  await replay([HEADER, row('1')].join('\n'), '--clock', 'file');
  expect(on.err).toContain('--clock file cannot be had by --url');
  expect(process.exitCode).toBe(78);
});

test('a line that is cut off is refused for what it lacks', async () => {
  await replay([HEADER, row('1'), row('2').slice(0, 35), row('3')].join('\n'), '--json');
  expect(JSON.parse(on.out)).toMatchObject({ accepted: 2, refused: [{ line: 3, errors: [{ code: 'missing_columns', message: 'Line 3 ends before CustomerID, Country.' }] }] });
});

test('of very many refused lines the first twenty are named', async () => {
  await replay([HEADER, ...Array.from({ length: 30 }, (_, at) => row(String(at), 'many')), row('31')].join('\n'), '--json');
  const report = JSON.parse(on.out) as { rejected: number; refused: { line: number; errors: { path: string; code: string }[] }[] };
  expect(report).toMatchObject({ events: 31, accepted: 1, rejected: 30 });
  expect(report.refused.map(({ line }) => line)).toEqual(Array.from({ length: 20 }, (_, at) => at + 2));
  expect(report.refused[0]).toMatchObject({ errors: [{ path: 'Quantity', code: 'not_a_number' }] });
  expect(process.exitCode).toBe(65);
});

test('a file that is none of its format leaves no log behind, which commands would ask instead of the demo', async () => {
  const directory = join(on.folder, 'empty');
  vi.stubEnv('DATA_DIR', directory);
  await replayCommand().parseAsync([on.file('lines.csv', 'a,b\n1,2\n'), '--format', 'online-retail'], { from: 'user' });
  expect(on.err).toContain('The first line does not name the columns InvoiceNo');
  expect([process.exitCode, existsSync(directory)]).toEqual([1, false]);
});

test('a file goes into the demo that runs, where DATA_DIR has no log of its own', async () => {
  const directory = join(on.folder, 'shop');
  mkdirSync(join(directory, 'demo'), { recursive: true });
  vi.stubEnv('DATA_DIR', directory);
  const taken: unknown[] = [];
  const door = await openDoor(join(directory, 'demo'));
  door.answer('log', () => ({ partitions: 1, clock: 'wall' }));
  door.answer('known-lines', ({ source }) => (source === 'lines.csv' ? { orders: 1 } : {}));
  door.answer('append', ({ records }) => void taken.push(...(records as unknown[])));
  door.answer('caught-up', () => null);
  await replayCommand().parseAsync([on.file('lines.csv', [HEADER, row('1'), row('2')].join('\n')), '--format', 'online-retail'], { from: 'user' });
  await door.close();
  expect(on.err).toContain(`Into the demo that runs in ${join(directory, 'demo')}.`);
  expect([on.out.slice(0, 20), taken.length > 0, readdirSync(directory)]).toEqual(['2 events, 2 accepted', true, ['demo']]);
  expect(on.out).toContain('2 accepted (1 known before, which change nothing), 0 rejected');
});

/** A server that answers 503 to the requests of these numbers, from 0, and takes the others. */
async function moody(refuses: (request: number) => boolean): Promise<{ url: string; asked(): number; close(): void }> {
  let asked = 0;
  const listening = createServer((request, response) => void request.resume().on('end', () => response.writeHead(refuses(asked++) ? 503 : 200).end('{}'))).listen(0, '127.0.0.1');
  await once(listening, 'listening');
  return { url: `http://127.0.0.1:${(listening.address() as AddressInfo).port}`, asked: () => asked, close: () => void listening.close() };
}

test('what a server has against a batch is told in its sentences, not as JSON', async () => {
  const refusing = createServer((request, response) => void request.resume().on('end', () => response.writeHead(400, { 'content-type': 'application/problem+json' })
    .end(JSON.stringify({ type: 'about:blank', title: 'Bad Request', status: 400, detail: '2 fields are wrong.', errors: [{ path: 'records[0]', code: 'wrong_type', message: 'Schema id 9 is not known.' }, { path: 'records[3]', code: 'wrong_type', message: 'Schema id 9 is not known.' }] })))).listen(0, '127.0.0.1');
  await once(refusing, 'listening');
  const there = `http://127.0.0.1:${(refusing.address() as AddressInfo).port}`;
  await replay([HEADER, row('1')].join('\n'), '--url', there);
  refusing.close();
  expect(on.err).toContain(`${there}/v1/sources/lines.csv answers 400: 2 fields are wrong. records[0]: Schema id 9 is not known. records[3]: Schema id 9 is not known.\n`);
  expect(process.exitCode).toBe(1);
});

test('a server that is away for a moment is told once, and all is taken', async () => {
  const { url: away, asked, close } = await moody((request) => request < 2);
  await replay([HEADER, row('1'), row('2')].join('\n'), '--url', away);
  close();
  expect(on.err.match(/The same batch is sent again for 60 s\./g)).toHaveLength(1);
  expect(on.out).toMatch(/^2 events, 2 accepted, /);
  expect([asked(), process.exitCode]).toEqual([3, undefined]);
});

test('a server that stays away is given up with 75, in two lines that say why, until when and what to do', async () => {
  const { url: gone, close } = await moody(() => false);
  close();
  await replay([HEADER, row('1')].join('\n'), '--url', gone, '--patience', '1');
  expect(on.err).toMatch(/does not answer \(ECONNREFUSED\)\. The same batch is sent again for 1 s\.\n.*Given up after 1 s: start the same command again/s);
  expect(on.err.match(/does not answer/g)).toHaveLength(2);
  expect([on.out, process.exitCode]).toEqual(['', 75]);
});

test('one that goes away half-way is given up, too', async () => {
  const lines = Array.from({ length: 3_000 }, (_, at) => row(String(at)));
  const { url: away, close } = await moody((request) => request > 0);
  await replay([HEADER, ...lines].join('\n'), '--url', away, '--patience', '0');
  close();
  expect(process.exitCode).toBe(75);
});

test('an address without http is a fault of the configuration, not a server that is away', async () => {
  await replay([HEADER, row('1')].join('\n'), '--url', 'localhost:8080');
  expect([on.err, process.exitCode]).toEqual([expect.stringContaining('--url must be an address such as http://localhost:8080, not "localhost:8080".'), 78]);
});

test('where nothing runs, a file that cannot be read to its end is named, and the command ends with 1', { timeout: 120_000 }, async () => {
  const lines = Array.from({ length: 2_000 }, (_, at) => row(String(at * 7_919)));
  const file = on.file('cut.csv.gz', gzipSync([HEADER, ...lines].join('\n')).subarray(0, -100));
  const child = execFile(process.execPath, [...entry, 'replay', file, '--format', 'online-retail'], { env: { ...process.env, DATA_DIR: join(on.folder, 'data') }, timeout: 60_000 });
  let told = '';
  child.stderr!.on('data', (text) => { told += String(text); });
  const [code] = await once(child, 'close') as [number | null];
  expect([code, told]).toEqual([1, expect.stringContaining(`${file} cannot be read to its end: unexpected end of file.\n`)]);
});

test('a file on its own clock does not go into a demo, and what commands ask from then on is said', { timeout: 120_000 }, async () => {
  const directory = join(on.folder, 'beside');
  mkdirSync(join(directory, 'demo'), { recursive: true });
  const file = on.file('beside.csv', [HEADER, row('1')].join('\n'));
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [...entry, 'replay', file, '--format', 'online-retail', '--clock', 'file'], { env: { ...process.env, DATA_DIR: directory }, timeout: 100_000 });
  expect(stdout).toMatch(/^1 events, 1 accepted/);
  expect(stderr).toContain(`Into a log of its own in ${directory}, since the demo's has the wall's clock. Commands with this DATA_DIR ask it from now on, not the demo.\n`);
  expect(readdirSync(join(directory, 'demo'))).toEqual([]);
});

test('lines that were taken before are counted, an order once, and change nothing', { timeout: 240_000 }, async () => {
  const lines = [
    { type: 'track', timestamp: '2026-03-02T06:00:00Z', anonymousId: 'b1', event: 'Product Added', properties: { product_id: 'P1' } },
    { type: 'track', timestamp: '2026-03-02T06:00:01Z', anonymousId: 'b1', event: 'Order Completed', properties: { order_id: 'O1', products: [{ product_id: 'P1', quantity: 1, price: 2 }] } },
    { type: 'identify', timestamp: '2026-03-02T06:00:02Z', anonymousId: 'b1', userId: 'u1' },
  ].map((line) => JSON.stringify(line));
  const millrace = async (...args: string[]): Promise<string> =>
    (await promisify(execFile)(process.execPath, [...entry, ...args], { env: { ...process.env, DATA_DIR: join(on.folder, 'twice') }, timeout: 100_000 })).stdout;
  const told = async (...of: string[]): Promise<unknown> => JSON.parse(await millrace('replay', on.file('events.ndjson', of.join('\n')), '--format', 'segment-ndjson', '--json'));
  expect(await told(...lines.slice(0, 2))).toMatchObject({ accepted: 2, repeated: 0 });
  expect(await told(...lines)).toMatchObject({ accepted: 3, repeated: 2 });
  expect(JSON.parse(await millrace('sql', 'SELECT toUInt32(count()) AS lines FROM sales'))).toEqual({ lines: 1 });
});

test('on the file’s clock logins come at their time, carts of the last lines are left in time, and a further file without --clock goes by it, too', { timeout: 240_000 }, async () => {
  const directory = join(on.folder, 'lived');
  const lines = (day: string): string => [
    { type: 'track', timestamp: `${day}T06:00:00Z`, anonymousId: `b-${day}`, event: 'Product Added', properties: { product_id: 'P1', cart_id: `d-${day}` } },
    { type: 'identify', timestamp: `${day}T08:00:00Z`, anonymousId: `b-${day}`, userId: `v-${day}` },
    { type: 'track', timestamp: `${day}T09:00:00Z`, anonymousId: `a-${day}`, event: 'Product Added', properties: { product_id: 'P1', cart_id: `c-${day}` } },
    { type: 'identify', timestamp: `${day}T09:20:00Z`, anonymousId: `a-${day}`, userId: `u-${day}` },
    { type: 'track', timestamp: `${day}T12:00:00Z`, userId: 'u-else', event: 'Product Viewed', properties: { product_id: 'P1' } },
  ].map((line) => JSON.stringify(line)).join('\n');
  const millrace = async (...args: string[]): Promise<string> =>
    (await promisify(execFile)(process.execPath, [...entry, ...args], { env: { ...process.env, DATA_DIR: directory }, timeout: 100_000 })).stdout;
  const [first, second] = ['2026-03-02', '2026-03-03'] as const;
  await millrace('replay', on.file('first.ndjson', lines(first)), '--format', 'segment-ndjson', '--clock', 'file');
  await millrace('replay', on.file('second.ndjson', lines(second)), '--format', 'segment-ndjson');
  const triggers = (await millrace('sql', "SELECT status, shopper, time FROM marketing_triggers WHERE rule = 'cart_abandonment' ORDER BY time")).split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as unknown);
  expect(triggers).toEqual([first, second].flatMap((day) => [
    { status: 'fired', shopper: `b-${day}`, time: `${day} 07:00:00.000` },
    { status: 'fired', shopper: `u-${day}`, time: `${day} 10:00:00.000` },
  ]));
});
