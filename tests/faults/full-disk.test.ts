import { execFileSync } from 'node:child_process';
import { expect, onTestFinished, test } from 'vitest';
import { startChild } from '../../pipeline/faults/child.js';
import { folderForTest } from '../support/folder.js';
import { entry } from './millrace-entry.js';

const ORDERS = 200;
/** Beyond what the files of a new installation hold. */
const FILE_BYTES = 3 << 20;
const SOLD = expect.objectContaining({ sku: expect.stringMatching(/^P\d+$/) });

// The kernel refuses to let a file grow, as on a full disk; that needs neither root nor a disk.
test.skipIf(process.platform !== 'linux')('on a full disk writes are refused by what fails, answers go on, and when there is room all that was accepted is there once', { timeout: 240_000 }, async () => {
  const directory = folderForTest();
  const child = startChild({ entry, role: 'all', environment: { ...process.env, WRITE_KEYS: 'w', SERVER_KEYS: 's', ADMIN_TOKENS: 'a', HOST: '127.0.0.1', PORT: '0', LOG_LEVEL: 'warn', DATA_DIR: directory } });
  onTestFinished(() => child.kill());
  const url = `http://127.0.0.1:${await child.listening}`;
  const limit = (bytes: string): void => void execFileSync('prlimit', ['--pid', String(child.pid), `--fsize=${bytes}:`]);
  const ask = async (path: string, body?: object): Promise<{ status: number; json: Record<string, unknown> }> => {
    const response = await fetch(`${url}${path}`, body && { method: 'POST', headers: { authorization: `Basic ${btoa('s:')}`, 'content-type': 'application/json' }, body: JSON.stringify(body) });
    return { status: response.status, json: await response.json() as Record<string, unknown> };
  };
  const orders = (batch: number): Promise<{ status: number; json: Record<string, unknown> }> => ask('/v1/batch', {
    batch: Array.from({ length: ORDERS }, (_, i) => ({ type: 'track', messageId: `m${batch}-${i}`, anonymousId: `a${i}`, event: 'Order Completed', properties: { order_id: `O${batch}-${i}`, products: [{ product_id: `P${i % 20}`, price: 5, quantity: 1 }] } })),
  });

  limit(String(FILE_BYTES));
  let batches = 0;
  let answer = await orders(batches);
  while (answer.status === 200 && batches < 300) answer = await orders(++batches);
  expect(answer).toMatchObject({ status: 503, json: { detail: expect.stringMatching(/^The log cannot be written \(EFBIG: .*\); send the same again\.$/) } });
  expect(batches).toBeGreaterThan(0);
  // What is small enough to be written meanwhile, into another file, takes the failure back until the next one.
  await expect.poll(async () => {
    await orders(batches);
    return ask('/readyz');
  }).toMatchObject({ status: 200, json: { ready: true, parts: { logFailure: expect.stringContaining('EFBIG') } } });
  // What was sold before is recommended still, to who bought and to who has never been seen.
  for (const anonymousId of ['a1', 'nobody']) {
    const { status, json } = await ask('/v1/recommend', { anonymousId, limit: 3 });
    expect(status).toBe(200);
    expect(json.items).toEqual([SOLD, SOLD, SOLD]);
  }
  // Tasks, tables, sinks and learners try meanwhile.
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  // Written alone the same batch may still have fitted, which it does once.
  await expect.poll(async () => (await orders(batches)).status).toBe(503);

  limit('unlimited');
  await expect.poll(async () => (await orders(batches)).status, { timeout: 30_000 }).toBe(200);
  const rows = async (): Promise<unknown> => {
    const response = await fetch(`${url}/v1/sql`, { method: 'POST', headers: { authorization: 'Bearer a', 'content-type': 'text/plain' }, body: 'SELECT count() AS n, uniqExact(order_id) AS orders FROM purchases' });
    return JSON.parse(await response.text());
  };
  const accepted = String((batches + 1) * ORDERS);
  await expect.poll(rows, { timeout: 90_000, interval: 1_000 }).toEqual({ n: accepted, orders: accepted });
  expect(await ask('/readyz')).toMatchObject({ json: { parts: { logFailure: null, stoppedSinks: [] } } });
  expect([await child.stop(30_000), child.tail()]).toEqual([0, expect.stringContaining('cannot be written')]);
});
