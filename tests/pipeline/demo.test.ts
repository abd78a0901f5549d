import { readdirSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import '../support/threads-from-source.mjs';
import { productRows } from '../../consumers/item-watch.js';
import { readConfig } from '../../pipeline/config.js';
import { silentJournal } from '../../pipeline/core/metrics.js';
import { startDemo } from '../../pipeline/demo.js';
import { startMillrace } from '../../pipeline/main.js';
import { simulatedShop } from '../../producers/simulate.js';
import { orders, products, purchases } from '../../schemas/topics.js';
import { folderForTest } from '../support/folder.js';
import { everythingIn } from '../support/records.js';

test('a demo that is stopped while it loads its past orders loads the rest at its next start, each once', { timeout: 120_000 }, async () => {
  const directory = folderForTest();
  const millrace = await startMillrace({ config: readConfig({ PORT: '0', HOST: '127.0.0.1', DATA_DIR: directory }), role: 'all', demo: true, journal: silentJournal });
  onTestFinished(() => millrace.stop());
  const open = (): (() => Promise<void>) => startDemo(millrace, directory, silentJournal);
  const past = async (): Promise<string[]> => (await everythingIn(millrace.engine.log, purchases.name))
    .filter(({ tick }) => !tick).map(({ value }) => purchases.codec.decode(value).orderId).filter((id) => id.startsWith('O-past-'));
  const isLoading = (): boolean => readdirSync(directory).includes('past-orders-untold');
  const all = simulatedShop({ seed: 7, shoppers: 500, items: 200 }).ordersBefore(Date.now(), 35).length;

  const stop = open();
  await expect.poll(async () => (await everythingIn(millrace.engine.log, orders.name)).filter(({ tick }) => !tick).length, { interval: 5, timeout: 60_000 }).toBeGreaterThan(0);
  await stop();
  expect(isLoading()).toBe(true);
  // The shop is not new any more, which is all that the next start sees of it.
  await expect.poll(() => [...millrace.scorer!.views.mainRows(products, productRows)].length, { timeout: 60_000 }).toBe(200);

  const close = open();
  await expect.poll(isLoading, { timeout: 60_000 }).toBe(false);
  await expect.poll(async () => (await past()).length, { timeout: 60_000 }).toBe(all);
  expect(new Set(await past()).size).toBe(all);
  await close();

  // All is told: the next start has nothing to load.
  await open()();
  expect(isLoading()).toBe(false);
});
