import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import { expect, test } from 'vitest';
import { packageRoot } from '../../schemas/files.js';

const script = readFileSync(join(packageRoot, 'producers/tracker/millrace.js'), 'utf8');

interface Sent {
  readonly url: string;
  readonly body: { readonly writeKey: string; readonly sentAt: string; readonly batch: readonly Record<string, unknown>[] };
}

/** What a browser carries of requests that outlive their page, all of them together until they are answered. */
const OUTLIVING_BYTES = 65_536;

/** A page, as far as the tracker sees one. `told` is what the server answers beside the token. */
function page(early: unknown[] = [], storage: Map<string, string> | 'forbidden' = new Map(), status: number | readonly number[] = 200, told: object = {}, attributes: Readonly<Record<string, string>> = {}) {
  const warned: unknown[][] = [];
  const fetched: Sent[] = [];
  const beacons: Sent[] = [];
  const listeners = new Map<string, () => void>();
  const statuses = [status].flat();
  let outliving = 0;
  const carries = (body: string): boolean => {
    if (outliving + Buffer.byteLength(body) > OUTLIVING_BYTES) return false;
    outliving += Buffer.byteLength(body);
    return true;
  };
  const document = {
    currentScript: { src: 'https://collector.example/millrace.js', getAttribute: (name: string) => (name === 'data-write-key' ? 'wk' : (attributes[name] ?? null)) },
    referrer: 'https://search.example/', title: 'Cup', visibilityState: 'visible', addEventListener: (name: string, run: () => void) => listeners.set(name, run),
  };
  const world: Record<string, unknown> = {
    document,
    location: { href: 'https://shop.example/p?utm_campaign=spring', pathname: '/p', search: '?utm_campaign=spring' },
    navigator: {
      language: 'en-GB',
      sendBeacon: (url: string, blob: { text: string; type: string }) => {
        if (!carries(blob.text)) return false;
        beacons.push({ url, body: JSON.parse(blob.text) as Sent['body'] });
        return true;
      },
    },
    localStorage: {
      getItem: (name: string) => {
        if (storage === 'forbidden') throw new Error('SecurityError');
        return storage.get(name) ?? null;
      },
      setItem: (name: string, value: string) => {
        if (storage === 'forbidden') throw new Error('SecurityError');
        storage.set(name, value);
      },
      removeItem: (name: string) => storage !== 'forbidden' && storage.delete(name),
    },
    Blob: class {
      readonly text: string;
      constructor(parts: readonly string[], readonly options: { readonly type: string }) {
        this.text = parts.join('');
      }
    },
    fetch: async (url: string, { body, keepalive }: { body: string; keepalive?: boolean }) => {
      if (keepalive && !carries(body)) throw new TypeError('Failed to fetch');
      fetched.push({ url, body: JSON.parse(body) as Sent['body'] });
      const now = statuses.shift() ?? 200;
      if (now === Infinity) return await new Promise(() => {}); // it never answers
      if (keepalive) outliving -= Buffer.byteLength(body);
      return { status: now, ok: now === 200, headers: { get: () => null }, json: async () => (now === 200 ? { token: `token ${fetched.length}`, ...told } : { detail: 'No.', ...told }) };
    },
    addEventListener: (name: string, run: () => void) => listeners.set(name, run),
    console: { warn: (...said: unknown[]) => warned.push(said) },
    crypto, WeakMap, URL, URLSearchParams, Intl, TextEncoder, setTimeout, clearTimeout, Promise, millrace: early,
  };
  world['window'] = world;
  runInContext(script, createContext(world));
  return { fetched, beacons, listeners, warned, document, api: world['millrace'] as Record<string, (...values: unknown[]) => unknown> & { token?: string } };
}

test('calls made before the script had loaded are sent, after the page itself', async () => {
  const { fetched, api } = page([['track', 'Product Viewed', { product_id: 'P1' }]]);
  await expect.poll(() => fetched).toHaveLength(1);
  const [{ url, body }] = fetched as [Sent];
  expect(url).toBe('https://collector.example/v1/batch');
  expect(body).toMatchObject({ writeKey: 'wk', batch: [{ type: 'page' }, { type: 'track', event: 'Product Viewed', properties: { product_id: 'P1' }, context: { page: { url: 'https://shop.example/p?utm_campaign=spring' }, campaign: { name: 'spring' } } }] });
  expect(new Set(body.batch.map((call) => call['messageId'])).size).toBe(2);
  expect(api.token).toBe('token 1');
});

test('the anonymous id is random, stays in the browser, and ends with a reset', () => {
  const storage = new Map<string, string>();
  const first = page([], storage).api['anonymousId']!();
  const { api } = page([], storage);
  expect(first).toMatch(/^[0-9a-f-]{36}$/);
  expect(api['anonymousId']!()).toBe(first);
  api['identify']!('u1');
  expect(page([], storage).api['userId']!()).toBe('u1');
  api['reset']!();
  expect(api['anonymousId']!()).not.toBe(first);
  expect(api['userId']!()).toBeNull();
  expect(page([], 'forbidden').api['anonymousId']!()).toMatch(/^[0-9a-f-]{36}$/);
});

test.each(['storage', 'pageshow'])('who logs out in one tab, or logs in as somebody else, does so in the others (%s)', (event) => {
  const storage = new Map<string, string>();
  const [one, other] = [page([], storage), page([], storage)];
  one.api['identify']!('alice');
  other.listeners.get(event)!();
  expect(other.api['userId']!()).toBe('alice');
  Object.assign(other.api, { shopperToken: 'alice, signed' });
  one.api['reset']!();
  one.api['identify']!('bob');
  expect(other.api['userId']!()).toBe('alice');
  other.listeners.get(event)!();
  other.api['track']!('Product Added', { product_id: 'P1' });
  other.listeners.get('pagehide')!();
  expect(other.beacons[0]!.body.batch.at(-1)).toMatchObject({ event: 'Product Added', userId: 'bob', anonymousId: one.api['anonymousId']!() });
  expect(other.beacons[0]!.body).not.toHaveProperty('shopperToken');
});

test('what another tab says of nobody changes nothing, and a token stays with its shopper', () => {
  const storage = new Map<string, string>();
  const { api, listeners } = page([], storage);
  api['identify']!('alice');
  Object.assign(api, { shopperToken: 'alice, signed' });
  listeners.get('storage')!();
  storage.clear();
  listeners.get('storage')!();
  expect([api['userId']!(), api['shopperToken']]).toEqual(['alice', 'alice, signed']);
});

test.each([[200, { accepted: 1 }], [400, { accepted: 0 }]])('a user id that is refused is forgotten, so that what follows counts (%i)', async (status, more) => {
  const storage = new Map<string, string>();
  const rejected = [{ index: 1, errors: [{ path: 'userId', code: 'placeholder_id', message: 'Nobody.' }] }];
  const { api, fetched, warned } = page([['identify', 'guest']], storage, status, { ...more, rejected });
  await expect.poll(() => fetched[0]?.body.batch).toMatchObject([{ type: 'page' }, { type: 'identify', userId: 'guest' }]);
  await expect.poll(() => api['userId']!()).toBeNull();
  expect(warned).toHaveLength(1);
  expect(page([], storage).api['userId']!()).toBeNull();
  api['track']!('Product Viewed', { product_id: 'P1' });
  await expect.poll(() => fetched[1]?.body.batch).toMatchObject([{ anonymousId: api['anonymousId']!() }]);
  expect(fetched[1]!.body.batch[0]).not.toHaveProperty('userId');
});

test('a call that is refused for something else, or an earlier user, changes nobody', async () => {
  const { api, warned } = page([['identify', 'u1']], new Map(), 200, { rejected: [{ index: 0, errors: [{ path: 'userId' }] }, { index: 1, errors: [{ path: 'properties.price' }] }] });
  await expect.poll(() => warned).toHaveLength(1);
  expect(api['userId']!()).toBe('u1');
});

test('another collector is named with a slash at its end or without', async () => {
  const { fetched } = page([], new Map(), 200, {}, { 'data-host': 'https://events.example/' });
  await expect.poll(() => fetched[0]?.url).toBe('https://events.example/v1/batch');
});

test('what waits leaves as beacons with the page', () => {
  const { beacons, fetched, listeners, api } = page();
  for (let i = 0; i < 10; i++) api['track']!('Product Viewed', { product_id: `P${i}` });
  listeners.get('pagehide')!();
  expect(fetched).toEqual([]);
  expect(beacons).toHaveLength(1);
  expect(beacons[0]!.body.batch).toHaveLength(11);
});

test('a batch that was not taken is sent again under the same ids', async () => {
  const { fetched } = page([['track', 'X']], new Map(), 503);
  await expect.poll(() => fetched).toHaveLength(2);
  expect(fetched[1]!.body.batch.map((call) => call['messageId'])).toEqual(fetched[0]!.body.batch.map((call) => call['messageId']));
});

test.each([
  ['left out', () => ({ limit: 4 })],
  ['taken from the page before the click was sent', (token: unknown) => ({ limit: 4, after: token })],
])('a question has seen the call just made, its `after` %s: that leaves first, and its token is asked by', async (_, options) => {
  const { fetched, api } = page();
  await api['recommend']!({});
  api['track']!('Product Viewed', { product_id: 'P1' });
  await api['recommend']!(options(api.token));
  expect(fetched.map(({ url }) => new URL(url).pathname)).toEqual(['/v1/batch', '/v1/recommend', '/v1/batch', '/v1/recommend']);
  expect(fetched[2]!.body.batch).toMatchObject([{ event: 'Product Viewed' }]);
  expect(fetched[3]!.body).toMatchObject({ limit: 4, after: 'token 3' });
});

test('a collector that hangs holds a question up for a second', async () => {
  const { fetched, api } = page([], new Map(), Infinity);
  const asked = Date.now();
  await api['recommend']!({});
  expect(Date.now() - asked).toBeGreaterThan(900);
  expect(fetched.map(({ url }) => new URL(url).pathname)).toEqual(['/v1/batch', '/v1/recommend']);
});

test('a question names the token that a page got elsewhere, and is asked at once while the collector fails', async () => {
  const { fetched, api } = page([], new Map(), 503);
  await api['recommend']!({ after: 'of an order' });
  await api['recommend']!({});
  expect(fetched.map(({ url }) => new URL(url).pathname)).toEqual(['/v1/batch', '/v1/recommend', '/v1/recommend']);
  expect(fetched[1]!.body).toMatchObject({ after: 'of an order' });
  expect(fetched[2]!.body).not.toHaveProperty('after');
});

const large = (kilobytes: number): object => ({ pad: 'ü'.repeat(kilobytes * 512) });

const eventsIn = (sent: readonly Sent[]): unknown[] => sent.flatMap(({ body }) => body.batch.map(({ event }) => event));

test('calls that are large together leave in as many requests as a browser lets outlive the page, in their order', async () => {
  const sizes = [...Array.from({ length: 25 }, () => 4), 70, 1];
  const { fetched, api } = page();
  for (const size of sizes) api['track']!(`${size} KB`, large(size));
  await expect.poll(() => eventsIn(fetched)).toEqual([undefined, ...sizes.map((size) => `${size} KB`)]);
});

test('requests that together are more than a browser lets outlive the page wait for none: those above it leave without outliving it', async () => {
  const { fetched, api } = page([], new Map(), Infinity);
  for (const event of ['first', 'second']) {
    api['track']!(event, large(40));
    api['flush']!();
  }
  await expect.poll(() => eventsIn(fetched)).toEqual([undefined, 'first', 'second']);
});

const seven = Array.from({ length: 7 }, (_, i) => `call ${i}`);

test('what beacons cannot carry when the page goes is sent by the next one, in its order, once', async () => {
  const storage = new Map<string, string>();
  const first = page([], storage);
  for (const event of seven) first.api['track']!(event, large(20));
  first.listeners.get('pagehide')!();
  expect([eventsIn(first.beacons), eventsIn(first.fetched)]).toEqual([[undefined, 'call 0', 'call 1'], []]);
  const second = page([['track', 'later']], storage);
  await expect.poll(() => eventsIn(second.fetched)).toEqual([...seven.slice(2), undefined, 'later']);
  first.listeners.get('pageshow')!();
  const third = page([], storage);
  await expect.poll(() => eventsIn(third.fetched)).toEqual([undefined]);
  expect(first.fetched).toEqual([]);
});

test('a page that is shown again sends what it had kept, also behind what another had', async () => {
  const storage = new Map([['millrace.left', 'no list of calls']]);
  const pages = [page([], storage), page([], storage)] as const;
  for (const [i, name] of ['a', 'b'].entries()) {
    for (const event of seven) pages[i]!.api['track']!(`${name} ${event}`, large(20));
    pages[i]!.listeners.get('pagehide')!();
  }
  pages[1].listeners.get('pageshow')!();
  pages[0].listeners.get('pageshow')!();
  await expect.poll(() => eventsIn(pages[1].fetched)).toEqual(['a', 'b'].flatMap((name) => seven.slice(2).map((event) => `${name} ${event}`)));
  expect(pages[0].fetched).toEqual([]);
});

test.each([['of a page that is only hidden', new Map<string, string>(), 'visibilitychange'], ['where nothing can be kept', 'forbidden' as const, 'pagehide']])('what beacons cannot carry %s leaves as any request', async (_, storage, name) => {
  const { fetched, beacons, listeners, document, api } = page([], storage);
  for (const event of seven) api['track']!(event, large(20));
  document.visibilityState = 'hidden';
  listeners.get(name)!();
  await expect.poll(() => [eventsIn(beacons), eventsIn(fetched)]).toEqual([[undefined, 'call 0', 'call 1'], seven.slice(2)]);
});

test('what the collector refuses is told in the console of the page, and so is a call that there is none of', async () => {
  const rejected = [{ index: 1, messageId: 'm', errors: [{ path: 'properties.product_id', code: 'required', message: 'A product needs a product_id or sku.' }] }];
  const some = page([['trak', 'X']], new Map(), 200, { rejected });
  await expect.poll(() => some.warned).toEqual([['Millrace has no such call', 'trak'], ['Millrace refused calls (200)', rejected]]);
  const all = page([], new Map(), 401);
  await expect.poll(() => all.warned).toEqual([['Millrace refused calls (401)', 'No.']]);
  expect(all.fetched).toHaveLength(1);
});

test('a question that is refused rejects with what was wrong', async () => {
  const errors = [{ path: 'limit', code: 'out_of_range', message: 'This must be a whole number from 1 to 100.' }];
  const { api } = page([], new Map(), [200, 400], { errors });
  await expect(api['recommend']!({ limit: 0 })).rejects.toMatchObject({ message: 'No.', problem: { errors } });
  await expect(api['recommend']!({})).resolves.toMatchObject({ token: 'token 3' });
});

test('calls that no room is left for are told of', async () => {
  const { api, warned } = page([], new Map(), Array.from({ length: 1_000 }, () => 503));
  const product = (i: number): unknown => ({ product_id: `P${i}` });
  for (let i = 0; i < 520; i++) api['track']!('Product Viewed', product(i));
  expect(warned).toEqual([]);
  await expect.poll(() => {
    api['track']!('Product Viewed', product(520));
    return warned;
  }, { interval: 50 }).toContainEqual(['Millrace drops the oldest calls, since 500 wait', expect.arrayContaining([expect.objectContaining({ type: 'track', properties: product(0) })])]);
});

test('batches that fail one after another keep their order, and a collector that fails is not asked by each call', async () => {
  const { api, fetched } = page([], new Map(), [503, 503, 503]);
  for (let i = 0; i < 59; i++) api['track']!('Product Viewed', { product_id: `P${i}` });
  expect(fetched).toHaveLength(3);
  await expect.poll(() => {
    api['track']!('Product Viewed', { product_id: 'later' });
    return fetched.length;
  }, { interval: 50 }).toBeGreaterThan(5);
  const ids = (batch: Sent | undefined): unknown[] => batch!.body.batch.map(({ messageId }) => messageId);
  expect(fetched.slice(3, 6).map(ids)).toEqual(fetched.slice(0, 3).map(ids));
});

test('a script tag without a key says in the console that nothing is sent, and nothing is', async () => {
  const warned: unknown[] = [];
  const document = { currentScript: { src: 'https://collector.example/millrace.js', getAttribute: () => null } };
  const window = { millrace: [['track', 'Product Viewed', { product_id: 'P1' }]], console: {} };
  // Without anything else that a page has: had it gone on, it would have failed.
  runInContext(script, createContext({ document, window, console: { warn: (...said: unknown[]) => warned.push(...said) } }));
  expect(warned).toEqual(['Millrace sends nothing', expect.stringContaining('no data-write-key')]);
});
