import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { isObject, type Json } from '../../producers/fields.js';
import { simulatedShop } from '../../producers/simulate.js';
import { packageRoot } from '../../schemas/files.js';
import { consoleState } from './console-state.js';

const FOLDER = join(packageRoot, 'infra/http/pages');
const TYPES: Readonly<Record<string, string>> = { '.html': 'text/html; charset=utf-8', '.css': 'text/css', '.js': 'text/javascript' };
const LIMIT = 8;

export interface PagesServer {
  readonly url: string;
  /** Bodies of /v1/track and /v1/recommend, in order. */
  readonly calls: { readonly path: string; readonly body: Json }[];
  /** Break every open console stream and refuse new ones, or take them again. */
  readonly breakStream: (isBroken: boolean) => void;
  /** Ask for this token on the console stream. */
  readonly askToken: (token: string | null) => void;
  /** Status of the shop's answers: 404 is that of an installation without the demo. */
  readonly answerShop: (status: number) => void;
  readonly close: () => Promise<void>;
}

/** Serves the real pages with made-up answers: what a page does with them is what is looked at. */
export async function pagesServer({ everyMs = 1_000, port = 0 } = {}): Promise<PagesServer> {
  const shop = simulatedShop({ seed: 1, shoppers: 50, items: 200 });
  const viewed = new Map<string, string[]>();
  const gone = new Set<string>();
  const streams = new Set<ServerResponse>();
  const calls: PagesServer['calls'] = [];
  let isBroken = false;
  let token: string | null = null;
  let shopStatus = 200;
  let second = 0;

  const recommend = (who: string): object => {
    const last = viewed.get(who)?.[0] ?? null;
    const name = shop.products.find(({ sku }) => sku === last)?.name;
    const ranked = [...shop.truth.nextItem(last === null ? 0 : 3, last)].filter(([sku]) => !gone.has(sku)).sort((a, b) => b[1] - a[1]).slice(0, LIMIT);
    return {
      recommendationId: `r-${calls.length}`, model: last === null ? 'trending/1' : 'covisitation-embedding/1', freshness: { caughtUp: true },
      items: ranked.map(([sku, score]) => {
        const product = shop.products.find((one) => one.sku === sku);
        return { sku, score, name: product?.name, price: product?.price, reasons: [name === undefined ? { code: 'trending', text: 'Popular right now' } : { code: 'because_you_viewed', sku: last, text: `Because you viewed ${name}` }] };
      }),
    };
  };
  const accept = (body: Json): object => {
    const properties = isObject(body['properties']) ? body['properties'] : {};
    const sku = String(properties['product_id'] ?? '');
    const who = String(body['anonymousId']);
    if (body['event'] === 'Product Viewed') viewed.set(who, [sku, ...(viewed.get(who) ?? [])]);
    if (body['event'] === 'Recommendation Dismissed') gone.add(sku);
    return { accepted: 1, messageId: body['messageId'], token: `t-${calls.length}` };
  };
  const stream = (request: IncomingMessage, response: ServerResponse): void => {
    if (token !== null && request.headers.authorization !== `Bearer ${token}`) return sendJson(response, 401, { detail: 'no' });
    if (isBroken) return sendJson(response, 503, {});
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write(`data: ${JSON.stringify(consoleState(shop.products, second, shopStatus === 200))}\n\n`);
    streams.add(response);
    response.on('close', () => streams.delete(response));
  };
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    if (path === '/console/stream') return stream(request, response);
    if (path.startsWith('/shop/') && shopStatus !== 200) return sendJson(response, shopStatus, {});
    if (path === '/shop/config.json') return sendJson(response, 200, { writeKey: 'demo-write-key', currency: 'EUR' });
    if (path === '/shop/products.json') return sendJson(response, 200, shop.products.map(({ quantity, ...product }) => ({ ...product, stock: quantity })));
    if (path.startsWith('/v1/')) {
      const body = await bodyOf(request);
      calls.push({ path, body });
      return sendJson(response, 200, path === '/v1/recommend' ? recommend(String(body['anonymousId'])) : accept(body));
    }
    const file = path === '/' ? 'index.html' : path === '/shop' ? 'shop.html' : path.slice(1);
    response.setHeader('content-type', TYPES[extname(file)] ?? 'text/plain');
    response.end(await readFile(join(FOLDER, file)));
  };

  const server = createServer((request, response) => {
    answer(request, response).catch(() => sendJson(response, 404, {}));
  });
  await new Promise<void>((resolve) => { server.listen(port, '127.0.0.1', resolve); });
  const clock = setInterval(() => {
    second++;
    for (const response of streams) response.write(`data: ${JSON.stringify(consoleState(shop.products, second, shopStatus === 200))}\n\n`);
  }, everyMs);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    breakStream: (broken) => {
      isBroken = broken;
      if (broken) for (const response of streams) response.destroy();
    },
    askToken: (asked) => {
      token = asked;
    },
    answerShop: (status) => {
      shopStatus = status;
    },
    close: async () => {
      clearInterval(clock);
      server.closeAllConnections();
      await new Promise((resolve) => { server.close(resolve); });
    },
  };
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

async function bodyOf(request: IncomingMessage): Promise<Json> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  const body: unknown = JSON.parse(text);
  return isObject(body) ? body : {};
}
