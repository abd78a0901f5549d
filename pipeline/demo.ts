import { existsSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runSimulation, simulatedShop, type SimulatedRequest } from '../producers/simulate.js';
import { productRows } from '../consumers/item-watch.js';
import { products } from '../schemas/topics.js';
import { DEMO_KEYS } from './config.js';
import { Unavailable } from './core/errors.js';
import type { Journal } from './core/metrics.js';
import type { Millrace } from './main.js';

const SHOPPERS = 500;
const ITEMS = 200;
/** Orders of so many days are told when the shop opens for the first time, so that forecasts have something to go by. */
const PAST_DAYS = 35;

/** Stands in the directory from the first start until the past orders were taken, and is as old as that start. */
const UNTOLD = 'past-orders-untold';

/**
 * Open the synthetic shop: it publishes over HTTP to this very process, as a storefront would. Answers how to close it.
 * Past orders that a stop or a crash has cut short are told from their beginning: those that were taken do not count again.
 */
export function startDemo({ port, scorer }: Pick<Millrace, 'port' | 'scorer'>, directory: string, journal: Journal): () => Promise<void> {
  const stop = new AbortController();
  const shop = simulatedShop({ seed: 7, shoppers: SHOPPERS, items: ITEMS, run: Date.now().toString(36) });
  const isNew = scorer?.views.mainRows(products, productRows)[Symbol.iterator]().next().done === true;
  const untold = join(directory, UNTOLD);
  if (isNew && !existsSync(untold)) writeFileSync(untold, '');
  const past = existsSync(untold) ? { days: PAST_DAYS, until: statSync(untold).mtimeMs, told: () => rmSync(untold) } : undefined;
  const done = runSimulation({ shop, past, isKnown: past === undefined, signal: stop.signal, now: Date.now, send: (request) => post(port, request, stop.signal) })
    .catch((error: Error) => journal.error({ error: error.message }, 'The demo shop has closed; Millrace goes on.'));
  return async () => {
    stop.abort();
    await done;
  };
}

async function post(port: number, { method, path, key, body }: SimulatedRequest, signal: AbortSignal): Promise<void> {
  const authorization = key === 'admin' ? `Bearer ${DEMO_KEYS.admin}` : `Basic ${Buffer.from(`${key === 'server' ? DEMO_KEYS.server : DEMO_KEYS.write}:`).toString('base64')}`;
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, signal, headers: { authorization, 'content-type': 'application/json' }, body: JSON.stringify(body) })
    .catch((cause: unknown) => { throw new Unavailable('The collector does not answer.', { cause }); });
  const text = await response.text();
  if (response.status >= 500 || response.status === 429) throw new Unavailable(`The collector answers ${response.status}.`);
  if (response.status === 401 || response.status === 404) throw new Error(`The collector answers ${response.status}: ${text.slice(0, 200)}`);
}
