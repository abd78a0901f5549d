import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readConfig } from '../../pipeline/config.js';
import { silentJournal } from '../../pipeline/core/metrics.js';
import { folderForTests } from '../support/folder.js';
import '../support/threads-from-source.mjs';
import { startMillrace, type Millrace } from '../../pipeline/main.js';
import { marketingTriggers } from '../../schemas/topics.js';
import { textOf } from '../support/pages.js';
import { everythingIn } from '../support/records.js';

/** In the order in which a newcomer takes them: what one page sends the next one asks about. */
const PAGES = ['README.md', 'docs/events.md', 'docs/recommendations.md', 'docs/forecasts.md', 'docs/keys.md', 'docs/triggers.md'];

/** Lines that a test may type: anything else that a page says, such as an installation, would be done to this clone. */
const CALL = /^(?:curl|printf) |^  /;

/** Blocks of a page that are calls and nothing else, without `npx` lines between them, and the status that the answer below shows. */
const callsOf = (page: string): { block: string; status: string }[] => [...textOf(page).matchAll(/^```sh\n([\s\S]*?)\n```\n(?:```json\n([\s\S]*?)^```)?/gm)]
  .map(([, block = '', shown = '']) => ({ lines: block.split('\n').filter((line) => !line.startsWith('npx ')), status: /"status":(\d+)/.exec(shown)?.[1] ?? '200' }))
  .filter(({ lines }) => lines.length > 0 && lines.every((line) => CALL.test(line)))
  .map(({ lines, status }) => ({ block: lines.join('\n'), status }));

describe('calls of the pages, as they are typed', () => {
  const directory = folderForTests();
  let millrace: Millrace;
  /** The status of each call that a block makes. */
  const statuses = async (block: string): Promise<string[]> => {
    const calling = `curl() { command curl --silent --show-error --output /dev/null --write-out '%{http_code}\\n' "$@"; }\n`;
    const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', calling + block.replaceAll('localhost:8080', `127.0.0.1:${millrace.port}`)], { cwd: directory, timeout: 20_000 });
    return stdout.trim().split('\n');
  };

  beforeAll(async () => {
    const config = readConfig({ PORT: '0', HOST: '127.0.0.1', DATA_DIR: directory });
    millrace = await startMillrace({ config, role: 'all', demo: true, journal: silentJournal });
    // What the demo shop has sold before a newcomer comes.
    const send = (method: string, path: string, body: unknown) => fetch(`http://127.0.0.1:${millrace.port}${path}`, { method, headers: { authorization: 'Bearer at_demo', 'content-type': 'application/json' }, body: JSON.stringify(body) });
    await send('PUT', '/v1/products', ['KIT-0004', 'KIT-0014', 'OUT-0182'].map((sku) => ({ product_id: sku, name: sku, category: 'Kitchen', price: '94.90', quantity: 9 })));
    const products = ['KIT-0004', 'OUT-0182'].map((sku) => ({ product_id: sku, quantity: 1, price: 94.9 }));
    await send('POST', '/v1/track', { userId: 'u0', event: 'Order Completed', properties: { order_id: 'O-0', currency: 'EUR', products } });
    for (const sku of ['KIT-0004', 'OUT-0182']) {
      const until = Date.now() + 20_000;
      while ((await fetch(`http://127.0.0.1:${millrace.port}/v1/forecasts/${sku}`, { headers: { authorization: 'Bearer sk_demo' } })).status !== 200 && Date.now() < until) await delay(50);
    }
  });
  afterAll(() => millrace.stop());

  test.each(PAGES)('%s', async (page) => {
    const calls = callsOf(page);
    expect(calls.flatMap(({ block }) => block.match(/\bcurl /g) ?? [])).toHaveLength([...textOf(page).matchAll(/^(?: {2})?curl /gm)].length);
    for (const { block, status } of calls) {
      const expected = [...block.matchAll(/\bcurl /g)].map(() => status);
      expect({ block, answered: await statuses(block) }).toEqual({ block, answered: expected });
    }
  });

  test('the calls of docs/triggers.md bring about the price drop that it tells of', async () => {
    const dropped = async (): Promise<string[]> => (await everythingIn(millrace.engine.log, marketingTriggers.name)).filter(({ tick }) => !tick)
      .map(({ value }) => marketingTriggers.codec.decode(value)).filter(({ rule, shopper }) => rule === 'price_drop' && shopper === 'a1b2c3').map(({ reason }) => reason);
    await expect.poll(dropped, { timeout: 20_000 }).toEqual([expect.stringContaining('costs 79.90 EUR now, 94.90 EUR before.')]);
  });
});
