import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import express, { type ErrorRequestHandler, type Express, type Request, type Response } from 'express';
import { shopperId } from '../../producers/fields.js';
import { packageRoot } from '../../schemas/files.js';
import { readJson } from './body.js';
import type { ExtraRoute } from './doors.js';
import { requireScope, type Exchange, type House } from './exchange.js';
import type { Scope } from './keys.js';
import { allowHeader, refuse, wrongMethod } from './problem.js';
import { forecastsWanted, pathId, refuseUnknown } from './requests.js';
import { rudderSettings, segmentSettings } from './sdk-settings.js';
import { sendJson } from './send.js';
import { uploadSource } from './source-upload.js';
import { answerSql, isStream, sendEvents } from './streams.js';
import { deleteProduct, uploadProducts } from './upload.js';

/** The console and the demo shop, and what they load. */
const PAGES = join(packageRoot, 'infra/http/pages');

/**
 * Everything that is not hot: operations, catalogue, forecasts, users, settings of foreign SDKs, pages. `labelled` is told by which
 * label the metrics know a request.
 */
export function application(house: House, exchangeOf: (request: Request) => Exchange, labelled: (request: Request, label: string) => void): Express {
  const app = express();
  app.disable('x-powered-by');
  const routes = new Routes(app, house, exchangeOf, labelled);
  operations(house, routes);
  catalogue(house, routes);
  forecasts(house, routes);
  users(house, routes);
  foreignSdks(house, routes);
  for (const extra of house.deps.extra ?? []) addExtra(house, extra, routes);
  pages(routes, house.deps.extra?.some(({ path }) => path.startsWith('/shop/')) === true);
  routes.close();
  return app;
}

type Method = 'get' | 'post' | 'put' | 'delete';
type Handler = (exchange: Exchange, request: Request, response: Response) => unknown;

/** The routes of the application, each with its methods and its label in the metrics. */
class Routes {
  readonly #registered = new Map<string, { readonly label: string; readonly methods: string[] }>();

  constructor(
    readonly app: Express,
    readonly house: House,
    readonly exchangeOf: (request: Request) => Exchange,
    readonly labelled: (request: Request, label: string) => void,
  ) {}

  /** A route open to keys of `scope`. What the handler answers is sent as JSON, unless it has sent something itself. */
  add(method: Method, path: string, scope: Scope | 'public', handle: Handler): void {
    this.register(method, path, async (request, response) => {
      const exchange = this.exchangeOf(request);
      if (scope !== 'public') requireScope(this.house, exchange, scope);
      const answer = await handle(exchange, request, response);
      if (!response.headersSent && answer !== undefined) sendJson(response, 200, answer);
    });
  }

  /** A route open to everybody whose handler sends the answer. Without a label of its own its pattern is one. */
  register(method: Method, path: string, handle: (request: Request, response: Response) => unknown, label = path): void {
    const methods = [...(this.#registered.get(path)?.methods ?? []), ...(method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()])];
    this.#registered.set(path, { label, methods });
    this.app[method](path, (request, response) => {
      this.labelled(request, label);
      return handle(request, response);
    });
  }

  /** There are no further routes: another method of one is refused, or told to a preflight; so is every other address. */
  close(): void {
    const { app, labelled } = this;
    for (const [path, { label, methods }] of this.#registered) {
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
  }
}

function operations(house: House, routes: Routes): void {
  routes.add('get', '/livez', 'public', (_, __, response) => sendJson(response, 200, { live: true }));
  routes.add('get', '/readyz', 'public', (_, __, response) => {
    const state = house.deps.ready();
    sendJson(response, state.ready ? 200 : 503, state);
  });
  routes.add('get', '/metrics', 'public', async (_, __, response) => {
    const text = await house.deps.metricsText();
    response.setHeader('content-type', 'text/plain; version=0.0.4; charset=utf-8');
    response.end(text);
  });
  routes.add('get', '/openapi.yaml', 'public', (_, __, response) => {
    response.type('application/yaml');
    return sendPage(response, 'openapi.yaml', join(packageRoot, 'schemas'));
  });
  routes.add('post', '/v1/sql', 'admin', (exchange) => answerSql(house, exchange));
}

function catalogue(house: House, routes: Routes): void {
  routes.add('put', '/v1/products', 'admin', (exchange) => uploadProducts(house, exchange));
  routes.add('delete', '/v1/products/:sku', 'admin', (exchange, request) => deleteProduct(house, exchange, skuIn(request)));
  routes.add('post', '/v1/sources/:name', 'admin', (exchange, request) => uploadSource(house, exchange, param(request, 'name')));
}

function forecasts(house: House, routes: Routes): void {
  routes.add('get', '/v1/forecasts/:sku', 'server', async ({ query }, request) => {
    refuseUnknown(query);
    const sku = skuIn(request);
    return (await house.deps.forecast(sku)) ?? missing(`There is no forecast of ${JSON.stringify(sku)}: it has not sold, or not for two months since it was taken out.`);
  });
  routes.add('get', '/v1/forecasts', 'server', async ({ query }) => {
    const wanted = forecastsWanted(query);
    return (await house.deps.forecasts(wanted)) ?? missing('No product counts in this category. It counts in its first one, and in what lies above that.');
  });
}

function users(house: House, routes: Routes): void {
  const shopper = (request: Request): string => pathId('id', String(request.params['id'] ?? ''), shopperId);
  routes.add('get', '/v1/users/:id', 'admin', async (_, request) => (await house.deps.user(shopper(request))) ?? missing('Nothing is kept under this id.'));
  routes.add('delete', '/v1/users/:id', 'admin', (_, request) => house.deps.erase(shopper(request)));
}

/** What libraries of Segment and RudderStack ask for before they send events. */
function foreignSdks(house: House, routes: Routes): void {
  routes.add('get', '/v1/projects/:key/settings', 'public', (_, request) => {
    const key = String(request.params['key']);
    return house.keys.find(key) ? segmentSettings(request, key) : missing('This write key is not known here.');
  });
  routes.add('get', '/sourceConfig', 'public', (exchange, request) => {
    const key = house.keys.ofRequest(request, exchange.query);
    if (!key) throw refuse(401, 'Name a write key.');
    const basic = /^basic (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
    return rudderSettings(basic ? Buffer.from(basic, 'base64').toString().split(':', 1)[0] : (exchange.query?.get('writeKey') ?? ''));
  });
  // Segment's browser library reports on itself here; nothing is done with it, but an error would be retried.
  routes.add('post', '/v1/m', 'public', (exchange) => {
    exchange.request.resume();
    return {};
  });
}

function addExtra(house: House, { method, path, scope, answer }: ExtraRoute, routes: Routes): void {
  routes.add(method === 'GET' ? 'get' : 'post', path, scope, async (exchange, request) => {
    const body = method === 'POST' ? await readJson(exchange.request, 64 * 1024, house.budget) : undefined;
    const params = Object.fromEntries(Object.entries(request.params).map(([name, value]) => [name, String(value)]));
    const answered = await answer({ params, query: exchange.query ?? new URLSearchParams(), body });
    return isStream(answered) ? sendEvents(answered, exchange) : answered;
  });
}

/** A page may load it with `crossorigin`, or be isolated from what does not say that it may. */
const OF_ANY_PAGE = { 'access-control-allow-origin': '*', 'cross-origin-resource-policy': 'cross-origin' };

/** The console at /, the demo shop at /shop, which says itself where there is none, what both load, and the tracker. */
function pages(routes: Routes, hasShop: boolean): void {
  const page = (path: string, file: string, root: string, { maxAge = 0, status = 200, label = path, headers = {} } = {}): void => {
    routes.register('get', path, (_, response) => {
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

const param = (request: Request, name: string): string => pathId(name, String(request.params[name] ?? ''));
const skuIn = (request: Request): string => param(request, 'sku').trim();

const missing = (detail: string): never => {
  throw refuse(404, detail);
};
