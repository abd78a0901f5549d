import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import express, { type ErrorRequestHandler, type Express, type Request, type Response } from 'express';
import { packageRoot } from '../../schemas/files.js';
import { readBody, readJson, utf8 } from './body.js';
import type { ExtraRoute } from './doors.js';
import { requireScope, type Exchange, type House } from './exchange.js';
import type { Scope } from './keys.js';
import { allowHeader, refuse, wrongMethod } from './problem.js';
import { shopperId } from '../../producers/fields.js';
import { sendJson } from './send.js';
import { forecastsWanted, pathId, refuseUnknown } from './requests.js';
import { rudderSettings, segmentSettings } from './sdk-settings.js';
import { uploadSource } from './source-upload.js';
import { deleteProduct, uploadProducts } from './upload.js';

/** The console and the demo shop, and what they load. */
const PAGES = join(packageRoot, 'infra/http/pages');

/** Everything that is not hot: operations, catalogue, users, settings of foreign SDKs, pages. */
export function application(house: House, exchangeOf: (request: Request) => Exchange, labelled: (request: Request, label: string) => void): Express {
  const app = express();
  app.disable('x-powered-by');

  const registered = new Map<string, { readonly label: string; readonly methods: string[] }>();
  /** A route whose label is its pattern, where it has no other one. */
  const register: Register = (method, path, handle, label = path) => {
    const methods = [...(registered.get(path)?.methods ?? []), ...(method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()])];
    registered.set(path, { label, methods });
    app[method](path, (request, response) => {
      labelled(request, label);
      return handle(request, response);
    });
  };
  type Handler = (exchange: Exchange, request: Request, response: Response) => unknown;
  /** A route open to keys of `scope`, whose answer is sent as JSON unless it was sent already. */
  const route = (method: Method, path: string, scope: Scope | 'public', handle: Handler): void => {
    register(method, path, async (request, response) => {
      const exchange = exchangeOf(request);
      if (scope !== 'public') requireScope(house, exchange, scope);
      const answer = await handle(exchange, request, response);
      if (!response.headersSent && answer !== undefined) sendJson(response, 200, answer);
    });
  };
  const param = (request: Request, name: string): string => pathId(name, String(request.params[name] ?? ''));
  const shopper = (request: Request): string => pathId('id', String(request.params['id'] ?? ''), shopperId);

  operations(house, route);
  route('put', '/v1/products', 'admin', (exchange) => uploadProducts(house, exchange));
  route('delete', '/v1/products/:sku', 'admin', (exchange, request) => deleteProduct(house, exchange, param(request, 'sku').trim()));
  route('post', '/v1/sources/:name', 'admin', (exchange, request) => uploadSource(house, exchange, param(request, 'name')));
  route('get', '/v1/forecasts/:sku', 'server', async ({ query }, request) => {
    refuseUnknown(query);
    const sku = param(request, 'sku').trim();
    return (await house.deps.forecast(sku)) ?? missing(`There is no forecast of ${JSON.stringify(sku)}: it has not sold, or not for two months since it was taken out.`);
  });
  route('get', '/v1/forecasts', 'server', async ({ query }) => {
    const wanted = forecastsWanted(query);
    return (await house.deps.forecasts(wanted)) ?? missing('No product counts in this category. It counts in its first one, and in what lies above that.');
  });
  route('get', '/v1/users/:id', 'admin', async (_, request) => (await house.deps.user(shopper(request))) ?? missing('Nothing is kept under this id.'));
  route('delete', '/v1/users/:id', 'admin', (_, request) => house.deps.erase(shopper(request)));
  route('post', '/v1/sql', 'admin', (exchange, _, response) => answerSql(house, exchange, response));

  route('get', '/v1/projects/:key/settings', 'public', (_, request) => {
    const key = String(request.params['key']);
    return house.keys.find(key) ? segmentSettings(request, key) : missing('This write key is not known here.');
  });
  route('get', '/sourceConfig', 'public', (exchange, request) => {
    const key = house.keys.ofRequest(request, exchange.query);
    if (!key) throw refuse(401, 'Name a write key.');
    const basic = /^basic (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
    return rudderSettings(basic ? Buffer.from(basic, 'base64').toString().split(':', 1)[0] : (exchange.query?.get('writeKey') ?? ''));
  });
  // Segment's browser library reports on itself here; nothing is done with it, but an error would be retried.
  route('post', '/v1/m', 'public', (exchange) => {
    exchange.request.resume();
    return {};
  });
  for (const extra of house.deps.extra ?? []) addExtra(house, extra, route);
  pages(register, house.deps.extra?.some(({ path }) => path.startsWith('/shop/')) === true);
  for (const [path, { label, methods }] of registered) {
    app.all(path, (request, response) => {
      labelled(request, label);
      if (request.method !== 'OPTIONS') throw wrongMethod(methods, request);
      response.setHeader('allow', allowHeader(methods));
      response.status(204).end();
    });
  }
  app.use((request) => {
    labelled(request, 'unmatched');
    throw refuse(404, 'There is nothing at this address; /openapi.yaml has all there are.');
  });
  const passOn: ErrorRequestHandler = (error, request, _response, _next) => {
    const status = (error as { status?: unknown }).status;
    throw status === 400 ? refuse(400, `The address ${request.path.slice(0, 80)} cannot be decoded.`) : error;
  };
  app.use(passOn);
  return app;
}

type Method = 'get' | 'post' | 'put' | 'delete';
type Register = (method: Method, path: string, handle: (request: Request, response: Response) => unknown, label?: string) => void;
type AddRoute = (method: 'get' | 'post', path: string, scope: Scope | 'public', handle: (exchange: Exchange, request: Request, response: Response) => unknown) => void;

const missing = (detail: string): never => {
  throw refuse(404, detail);
};

function operations(house: House, route: AddRoute): void {
  route('get', '/livez', 'public', (_, __, response) => sendJson(response, 200, { live: true }));
  route('get', '/readyz', 'public', (_, __, response) => {
    const state = house.deps.ready();
    sendJson(response, state.ready ? 200 : 503, state);
  });
  route('get', '/metrics', 'public', async (_, __, response) => {
    const text = await house.deps.metricsText();
    response.setHeader('content-type', 'text/plain; version=0.0.4; charset=utf-8');
    response.end(text);
  });
  route('get', '/openapi.yaml', 'public', (_, __, response) => {
    response.type('application/yaml');
    return sendPage(response, 'openapi.yaml', join(packageRoot, 'schemas'));
  });
}

async function answerSql(house: House, exchange: Exchange, response: Response): Promise<void> {
  const { sql } = house.deps;
  if (!sql) throw refuse(404, 'This process has no ClickHouse at hand.');
  const query = utf8(await readBody(exchange.request, 64 * 1024, house.budget));
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  response.setHeader('content-type', 'application/x-ndjson; charset=utf-8');
  for await (const row of await sql(query, gone.signal)) response.write(`${JSON.stringify(row)}\n`);
  response.end();
}

function addExtra(house: House, { method, path, scope, answer }: ExtraRoute, route: AddRoute): void {
  route(method === 'GET' ? 'get' : 'post', path, scope, async (exchange, request, response) => {
    const body = method === 'POST' ? await readJson(exchange.request, 64 * 1024, house.budget) : undefined;
    const params = Object.fromEntries(Object.entries(request.params).map(([name, value]) => [name, String(value)]));
    const answered = await answer({ params, query: exchange.query ?? new URLSearchParams(), body });
    return isStream(answered) ? sendEvents(answered, request, response) : answered;
  });
}

const isStream = (answer: object): answer is AsyncGenerator<object> => Symbol.asyncIterator in answer;

/** Server-Sent Events, one JSON value each, until the client goes away. */
async function sendEvents(stream: AsyncGenerator<object>, { method }: Request, response: Response): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
  // Who asks for the head alone waits for its end.
  if (method === 'HEAD') return void response.end();
  response.on('close', () => void stream.return(undefined));
  for await (const value of stream) response.write(`data: ${JSON.stringify(value)}\n\n`);
  response.end();
}

/** A page may load it with `crossorigin`, or be isolated from what does not say that it may. */
const OF_ANY_PAGE = { 'access-control-allow-origin': '*', 'cross-origin-resource-policy': 'cross-origin' };

/** The console at /, the demo shop at /shop, which says itself where there is none, what both load, and the tracker. */
function pages(register: Register, hasShop: boolean): void {
  const page = (path: string, file: string, root: string, { maxAge = 0, status = 200, label = path, headers = {} } = {}): void => {
    register('get', path, (_, response) => {
      response.status(status).set({ 'x-content-type-options': 'nosniff', ...headers });
      return sendPage(response, file, root, maxAge);
    }, label);
  };
  page('/', 'index.html', PAGES);
  page('/shop', 'shop.html', PAGES, { status: hasShop ? 200 : 404 });
  page('/millrace.js', 'millrace.js', join(packageRoot, 'producers/tracker'), { maxAge: 300_000, headers: OF_ANY_PAGE });
  for (const file of readdirSync(PAGES)) page(`/${file}`, file, PAGES, { label: 'pages' });
}

/** @throws Refusal 412 for another edition than `If-Match` or `If-Unmodified-Since` names, else 404 */
function sendPage(response: Response, file: string, root: string, maxAge = 0): Promise<void> {
  return new Promise((resolve, reject) => {
    response.sendFile(file, { root, maxAge, acceptRanges: false }, (error) => {
      if (!error || response.headersSent) return resolve();
      const isOther = (error as { status?: unknown }).status === 412;
      reject(isOther ? refuse(412, 'This is another edition than If-Match or If-Unmodified-Since asks for.') : refuse(404, 'This page is not installed.'));
    });
  });
}
