import { createHmac } from 'node:crypto';
import { deadLetters, clickstream, orders, inventory, catalog } from '../../schemas/topics.js';
import { createHttpServer } from '../../infra/http/server.js';
import type { HttpDeps, HttpSettings } from '../../infra/http/doors.js';
import type { NewRecord, Position } from '../../pipeline/core/log.js';
import { silentJournal, type Metrics } from '../../pipeline/core/metrics.js';

export const BROWSER = 'wk_demo';
export const SERVER = 'sk_demo';
export const ADMIN = 'admin_demo';
export const SECRET = 'shopper-secret';
export const NOW = Date.UTC(2026, 2, 10, 10, 0, 31);

export const basic = (key: string): Record<string, string> => ({ authorization: `Basic ${Buffer.from(`${key}:`).toString('base64')}` });
export const bearer = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` });

const codecs = { clickstream, orders, inventory, catalog, 'dead-letters': deadLetters };

/** A server with a log in memory behind it: what was accepted, decoded, by topic. */
export async function startHttp(over: Partial<HttpDeps> = {}, settings: Partial<HttpSettings> = {}, host = '127.0.0.1') {
  const accepted: NewRecord[] = [];
  const asked: { door: string; request: unknown }[] = [];
  const series = new Map<string, number>();
  const note = (name: string, labels: Readonly<Record<string, string>> = {}, by = 1): void => {
    const key = `${name} ${JSON.stringify(labels)}`;
    series.set(key, (series.get(key) ?? 0) + by);
  };
  const metrics: Metrics = { count: note, gauge: (name, value, labels) => note(name, labels, value), observe: (name, _, labels) => note(name, labels), announce: (name, labels) => note(name, labels, 0) };
  const door = (name: string) => (request: unknown) => {
    asked.push({ door: name, request });
    return { door: name };
  };
  let offset = 0;
  const deps: HttpDeps = {
    accept: async (records): Promise<Position[]> => {
      accepted.push(...records);
      return records.map(({ topic, partition }) => ({ topic, partition, offset: offset++ }));
    },
    partitions: 4,
    recommend: door('recommend'), score: door('score'), similar: door('similar'),
    forecast: (sku) => (sku === 'known/sku' ? { sku } : undefined),
    forecasts: (wanted) => ('category' in wanted && wanted.category !== 'kitchen' ? undefined : wanted),
    user: (id) => (id === 'u1' ? { id } : undefined),
    erase: door('erase'),
    metricsText: () => 'millrace_up 1\n',
    ready: () => ({ ready: true }),
    metrics,
    journal: silentJournal,
    now: () => NOW,
    ...over,
  };
  const server = createHttpServer(deps, {
    shop: { currency: 'GBP', timezone: 'Europe/London' },
    keys: { write: [BROWSER], server: [SERVER], admin: [ADMIN] },
    shopperTokenSecret: SECRET,
    ...settings,
  });
  const port = await server.listen(0, host);
  const url = `http://127.0.0.1:${port}`;
  const values = (topic: keyof typeof codecs): unknown[] => accepted.filter((record) => record.topic === topic).map((record) => codecs[topic].codec.decode(record.value));
  const post = async (path: string, body: unknown, headers: Record<string, string> = basic(BROWSER)) => {
    const response = await fetch(url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' || body instanceof Uint8Array ? (body as string) : JSON.stringify(body),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: (text === '' ? undefined : JSON.parse(text)) as Record<string, never> };
  };
  const get = async (path: string, headers: Record<string, string> = {}, method = 'GET') => {
    const response = await fetch(url + path, { method, headers });
    return { status: response.status, headers: response.headers, text: await response.text() };
  };
  return { server, port, url, accepted, asked, series, values, post, get };
}

/** A shopper token as a shop's server signs it; it ends at `expiresAtMs`. */
export function signShopper(userId: string, secret: string, expiresAtMs: number): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ sub: userId, exp: Math.floor(expiresAtMs / 1000) })}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}
