import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Server as NetServer, type AddressInfo, type Socket } from 'node:net';
import { ConfigError, Unavailable } from '../../pipeline/core/errors.js';
import { application } from './application.js';
import { BodyBudget } from './body.js';
import type { HttpDeps, HttpSettings } from './doors.js';
import type { Exchange, House } from './exchange.js';
import { hotRoutes } from './hot.js';
import { Keys } from './keys.js';
import { AddressLimits, isLoopback } from './limits.js';
import { refuse, Refusal, sendProblem, writeProblem, wrongMethod, type Problem } from './problem.js';
import { Logins } from '../../producers/logins.js';

export interface HttpServer {
  /** Listen; answers the port (the one asked for, or a free one for 0). */
  listen(port: number, host?: string): Promise<number>;
  /** Take no more requests, answer those under way, close. */
  close(): Promise<void>;
  readonly server: Server;
}

/** What comes so long after a login by another connection may reach its partition before what the login moves there. */
const OVERTAKES_MS = 5_000;
/** What an operator must put right refuses every request in the same way. */
const TOLD_EVERY_MS = 60_000;
/** Who keeps a connection and asks again within that time is told with the answer that it ends; who asks less often finds it closed. */
const ASKED_AGAIN_MS = 500;
/** How long the rest of a refused body is thrown away before the connection is cut. */
const DRAIN_MS = 500;

/**
 * One server for everything. Hot routes are answered before Express sees them (through Express a request costs twice
 * the CPU); whatever fails, here or there, becomes a problem document in one place.
 */
export function createHttpServer(deps: HttpDeps, settings: HttpSettings): HttpServer {
  const now = deps.now ?? Date.now;
  let toldAt = -Infinity;
  const house: House = {
    deps, settings, now,
    keys: new Keys(settings.keys),
    budget: new BodyBudget(settings.maxBodiesBytes ?? 64 * 1024 * 1024),
    logins: new Logins(OVERTAKES_MS),
    limits: settings.addressLimit && new AddressLimits(settings.addressLimit, now),
    tellOperator: (problem) => {
      if (now() - toldAt < TOLD_EVERY_MS) return;
      toldAt = now();
      deps.journal.error({ error: problem.message }, 'Requests are refused until somebody has put this right.');
    },
  };
  for (const route of [...[...hotRoutes.values()].map(({ label }) => label), '/livez', '/readyz', '/metrics']) deps.metrics.announce('millrace_http_request_seconds', { route, status: '200' });
  deps.metrics.announce('millrace_http_request_seconds', { route: 'unmatched', status: '404' });
  const exchanges = new WeakMap<IncomingMessage, Exchange>();
  const labels = new WeakMap<IncomingMessage, string>();
  /** Not yet sent. */
  const answers = new Set<ServerResponse>();
  let isEnding = false;
  const app = application(house, (request) => exchanges.get(request)!, (request, label) => labels.set(request, label));

  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    const started = performance.now();
    const url = request.url ?? '/';
    const question = url.indexOf('?');
    const asked = question < 0 ? url : url.slice(0, question);
    const hot = hotRoutes.get(asked) ?? hotRoutes.get(asked.replace(/\/$/, ''));
    const requestId = requestIdOf(request);
    const exchange: Exchange = {
      request, response, requestId, receivedAt: now(),
      query: question < 0 ? undefined : new URLSearchParams(url.slice(question + 1)),
    };
    response.setHeader('x-request-id', requestId);
    if (isEnding) response.setHeader('connection', 'close');
    answers.add(response);
    response.on('close', () => {
      answers.delete(response);
      const status = response.writableFinished ? String(response.statusCode) : 'aborted';
      deps.metrics.observe('millrace_http_request_seconds', (performance.now() - started) / 1000, { route: hot?.label ?? labels.get(request) ?? 'unmatched', status });
    });
    if (hot || isBrowserPath(asked)) {
      if (request.headers.origin !== undefined) allowOrigins(response);
      if (request.method === 'OPTIONS') return void response.writeHead(204, PREFLIGHT).end();
    }
    if (!hot) {
      exchanges.set(request, exchange);
      // Express rethrows what a handler threw to its last argument.
      app(request as Parameters<typeof app>[0], response as Parameters<typeof app>[1], (error?: unknown) => fail(house, exchange, error ?? refuse(404, 'There is nothing at this address; /openapi.yaml has all there are.')));
    } else if (request.method === 'POST') {
      hot.run(house, exchange).catch((error: unknown) => fail(house, exchange, error));
    } else {
      fail(house, exchange, wrongMethod(['POST'], request));
    }
  };

  const server = createServer({
    headersTimeout: settings.headersTimeoutMs ?? 10_000,
    requestTimeout: 60_000,
    connectionsCheckingInterval: Math.min(5_000, settings.headersTimeoutMs ?? 5_000),
    keepAliveTimeout: 65_000,
    noDelay: true,
  }, handle);
  // A client that asks first (curl does above 1 MB) gets its refusal before it sends: no continue is written here.
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    if (hotRoutes.has((request.url ?? '').split('?', 1)[0]) && Number(request.headers['content-length'] ?? 0) > 1024 * 1024) return handle(request, response);
    response.writeContinue();
    handle(request, response);
  });
  if (settings.loopbackOnly === true) server.on('connection', (socket) => onlyLoopback(socket, deps));
  return {
    server,
    listen: (port, host) => listen(server, port, host),
    async close() {
      isEnding = true;
      for (const answer of answers) if (!answer.headersSent) answer.setHeader('connection', 'close');
      await close(server);
    },
  };
}

function onlyLoopback(socket: Socket, { journal }: HttpDeps): void {
  if (isLoopback(socket.remoteAddress)) return;
  journal.warn({}, 'A connection from another machine was cut: the keys of the demo are known to everybody.');
  socket.destroy();
}

const isBrowserPath = (path: string): boolean => path.startsWith('/v1/projects/') || path === '/sourceConfig' || path === '/sourceConfig/' || path === '/v1/m';

/** Any page may track: what a key opens is decided by the key, and there are no cookies to ride on. */
function allowOrigins(response: ServerResponse): void {
  response.setHeader('access-control-allow-origin', '*');
  response.setHeader('access-control-expose-headers', 'x-request-id, retry-after');
}

const PREFLIGHT = {
  'access-control-allow-methods': 'GET, POST, OPTIONS',
  // The star is for what tracing scripts add to every request of a page; it does not stand for authorization, nor with old browsers.
  'access-control-allow-headers': 'authorization, content-type, content-encoding, x-request-id, x-shopper-token, x-retry-count, anonymousid, *',
  'access-control-max-age': '86400',
};

function requestIdOf(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && /^[\w.:-]{1,128}$/.test(given) ? given : randomUUID();
}

/** The answer for whatever was thrown: refusals as they are, an unavailable log as 503, anything else is a bug of ours. */
function problemOf(house: House, exchange: Exchange, error: unknown): Problem {
  if (error instanceof Refusal) return error.problem;
  if (error instanceof Unavailable) return { status: 503, detail: `${error.told ?? 'What is behind this door does not answer now'}; send the same again.`, retryAfterSeconds: 1 };
  if (error instanceof ConfigError) {
    house.tellOperator(error);
    return { status: 503, detail: 'What is behind this door refuses it, which an operator must put right; send the same again.', retryAfterSeconds: 10 };
  }
  house.deps.journal.error({ err: error, requestId: exchange.requestId }, 'A request failed for a reason that nobody foresaw.');
  return { status: 500, detail: 'This is a fault of the server; it has been noted under the request id.' };
}

function fail(house: House, exchange: Exchange, error: unknown): void {
  const { request, response } = exchange;
  const problem = problemOf(house, exchange, error);
  if (request.complete || request.destroyed) return sendProblem(response, exchange.requestId, problem);
  // The client is still sending. Reading all of it would cost what the limit is there to save; cutting at once, or ending the
  // answer, which closes the connection, would reset it before the client has read why.
  response.setHeader('connection', 'close');
  writeProblem(response, exchange.requestId, problem);
  request.on('error', () => {});
  request.resume();
  const cut = setTimeout(() => response.end(() => request.socket.destroy()), DRAIN_MS);
  request.once('end', () => response.end());
  request.once('close', () => clearTimeout(cut));
}

function listen(server: Server, port: number, host: string | undefined): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    // By its own close an HTTP server cuts connections that are idle at this moment: who is just asking would not know whether they were heard.
    const cutting = setInterval(() => server.closeIdleConnections(), ASKED_AGAIN_MS);
    NetServer.prototype.close.call(server, () => {
      clearInterval(cutting);
      // Its timer, which looks for slow clients.
      server.close();
      resolve();
    });
    // An answer under way gets a moment; a client that never ends its request gets no more than that.
    setTimeout(() => server.closeAllConnections(), 5_000).unref();
  });
}
