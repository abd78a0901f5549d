import { Unavailable } from '../pipeline/core/errors.js';
import { sleep } from '../pipeline/core/sleep.js';
import { assortment, type SimulatedProduct } from './simulate/assortment.js';
import { pastOrders } from './simulate/past-orders.js';
import { random as randomOf, type Random } from './simulate/random.js';
import { tastes as tastesOf, type Taste } from './simulate/tastes.js';
import { visit, type Floor, type Shopper, type Step } from './simulate/visit.js';
import { warehouse as warehouseOf, type StockChange } from './simulate/warehouse.js';

export type { SimulatedProduct } from './simulate/assortment.js';
export type { Taste } from './simulate/tastes.js';

/** Shoppers who are in the shop at once: at 20 events a second each does something every two seconds. */
const AT_ONCE = 40;
const DUPLICATES = 0.01;
const LATE = 0.005;
const BROKEN = 0.001;
/** Share of orders that the shop's server reports as well. */
const REPORTED_TWICE = 0.2;

export interface SimulationSettings {
  /** Decides catalogue, shoppers and tastes: the same seed is the same shop. */
  readonly seed: number;
  readonly shoppers: number;
  readonly items: number;
  /**
   * Decides what happens, and begins every message and order id. A shop that opens again needs another one, or all it
   * does would be taken for a repetition of the first time.
   */
  readonly run?: string | undefined;
}

/** Something the shop sends on purpose that real shops send by accident. */
export type Oddity = 'duplicate' | 'late' | 'broken' | 'reported twice';

export interface SimulatedCall {
  /** The write key that it is sent with. */
  readonly key: 'browser' | 'server';
  readonly call: Readonly<Record<string, unknown>>;
  readonly odd?: Oddity | undefined;
}

/** What nobody outside can know: for tests, and for measuring how right recommendations are. */
export interface Truth {
  /** Number of the shopper with this userId, or anonymousId of any of their devices. */
  readonly shopperOf: (id: string) => number | undefined;
  readonly taste: (shopper: number) => Taste;
  /** Probability of each product to be viewed next by a shopper who looked at `last` before, or who just came. */
  readonly nextItem: (shopper: number, last: string | null) => ReadonlyMap<string, number>;
}

export interface SimulatedShop {
  readonly products: readonly SimulatedProduct[];
  /** Calls of a server that reports the orders of the days before a time, oldest first. */
  readonly ordersBefore: (time: number, days: number) => Readonly<Record<string, unknown>>[];
  readonly truth: Truth;
  /** What happens next, at this time. Times must not go back. */
  readonly next: (time: number) => SimulatedCall;
}

/** A shop full of people with known tastes: pure, so that the same seed, run and times give the same events. */
export function simulatedShop({ seed, shoppers, items, run = 'run' }: SimulationSettings): SimulatedShop {
  if (!(items >= 10) || !(shoppers >= 1)) throw new RangeError(`A simulated shop needs ten items and a shopper, not ${items} and ${shoppers}.`);
  // One source of chance each: the catalogue must not change because somebody bought something.
  const products = assortment(items, randomOf(`${seed}/products`));
  const tastes = tastesOf(products, shoppers, randomOf(`${seed}/tastes`));
  const people = randomOf(`${seed}/people`);
  const random = randomOf(`${seed}/${run}`);
  const warehouse = warehouseOf(products, randomOf(`${seed}/${run}/stock`));
  const everyone = Array.from({ length: shoppers }, (_, number): Shopper => shopper(number, people));
  const ids = new Map(everyone.map(({ number, userId }): [string, number] => [userId, number]));
  const know = ({ number, anonymousId }: Shopper): void => void ids.set(anonymousId, number);
  everyone.forEach(know);
  let time = 0;
  let orders = 0;
  let messages = 0;
  const floor: Floor = { products, tastes, warehouse, random, newOrderId: () => `O-${run}-${++orders}`, time: () => time };
  const happen = happenings(floor, crowd(everyone, floor, know), () => `${run}-${(messages++).toString(36)}`);
  return {
    products,
    ordersBefore: (until, days) => pastOrders(products, days, until, randomOf(`${seed}/past`)),
    truth: {
      shopperOf: (id) => ids.get(id),
      taste: tastes.of,
      nextItem: (number, last) => {
        const at = last === null ? null : products.findIndex(({ sku }) => sku === last);
        return new Map(Array.from(tastes.next(number, at), (chance, item) => [products[item].sku, chance]));
      },
    },
    next: (now) => {
      time = Math.max(time, now);
      return happen();
    },
  };
}

interface Doing {
  readonly who: Shopper;
  readonly step: Step;
}

/** Someone in the shop does their next step; who has finished leaves, and another one comes. `know` is called with whoever may have taken another device. */
function* crowd(everyone: readonly Shopper[], floor: Floor, know: (who: Shopper) => void): Generator<Doing, never> {
  const { random } = floor;
  const present: { readonly who: Shopper; readonly steps: Generator<Step, void, void> }[] = [];
  const absent = [...everyone];
  for (;;) {
    while (present.length < AT_ONCE && absent.length > 0) {
      const who = absent.splice(random.below(absent.length), 1)[0];
      present.push({ who, steps: visit(who, floor) });
    }
    const at = random.below(present.length);
    const { who, steps } = present[at];
    const { value: step, done } = steps.next();
    know(who);
    if (!done) yield { who, step };
    else absent.push(...present.splice(at, 1).map((left) => left.who));
  }
}

/** What is called next: of the warehouse, what the shop's server has yet to report, a call once more, or what somebody does. */
function happenings({ warehouse, random, time }: Floor, doings: Iterator<Doing, never>, newMessageId: () => string): () => SimulatedCall {
  const untold: SimulatedCall[] = [];
  let latest: SimulatedCall | undefined;

  const ofWarehouse = (): SimulatedCall | undefined => {
    const change = warehouse.change(time());
    return change && { key: 'server', call: stockCall(change, newMessageId(), time()) };
  };

  const onceMore = (): SimulatedCall | undefined => (latest && random.chance(DUPLICATES) ? { ...latest, odd: 'duplicate' } : undefined);

  const ofSomebody = (): SimulatedCall => {
    const { who, step } = doings.next().value;
    const call = shopperCall(who, step, newMessageId(), time());
    if (step.type === 'track' && step.event === 'Order Completed' && random.chance(REPORTED_TWICE)) {
      untold.push({ key: 'server', call: { ...call, messageId: newMessageId() }, odd: 'reported twice' });
    }
    // Who they are, and what they agreed to, is known to the shop's server: a browser's key may not say it of a known user.
    if (step.type === 'identify') return { key: 'server', call };
    return step.type === 'track' && step.event === 'Product Viewed' ? oddly(call, step.properties, random, time()) : { key: 'browser', call };
  };

  return () => {
    const happened = ofWarehouse() ?? untold.shift() ?? onceMore() ?? ofSomebody();
    if (happened.key === 'browser' && happened.odd === undefined) latest = happened;
    return happened;
  };
}

function shopper(number: number, people: Random): Shopper {
  const userId = `u-${String(number + 1).padStart(5, '0')}`;
  return { number, userId, email: `${userId}@example.com`, anonymousId: people.id(), isKnown: people.chance(0.35) };
}

const timestamp = (time: number): string => new Date(time).toISOString();

function shopperCall({ userId, anonymousId, isKnown }: Shopper, step: Step, messageId: string, time: number): Readonly<Record<string, unknown>> {
  const context = { library: { name: 'simulated-storefront' }, locale: 'en-GB', page: { url: 'https://shop.example/', path: '/' } };
  return { ...step, messageId, anonymousId, ...(isKnown ? { userId } : {}), timestamp: timestamp(time), context };
}

const stockCall = (change: StockChange, messageId: string, time: number): Readonly<Record<string, unknown>> =>
  ({ type: 'track', event: 'Inventory Updated', messageId, timestamp: timestamp(time), properties: change });

/** Now and then a view was kept by a phone without network, or comes from a page that writes prices as words. */
function oddly(call: Readonly<Record<string, unknown>>, properties: Readonly<Record<string, unknown>>, random: Random, time: number): SimulatedCall {
  if (random.chance(LATE)) return { key: 'browser', call: { ...call, timestamp: timestamp(time - random.between(60, 5_400) * 1_000) }, odd: 'late' };
  if (random.chance(BROKEN)) return { key: 'browser', call: { ...call, properties: { ...properties, price: 'on request' } }, odd: 'broken' };
  return { key: 'browser', call };
}

/** A request as a storefront would make it. */
export interface SimulatedRequest {
  readonly method: 'PUT' | 'POST';
  readonly path: '/v1/products' | '/v1/batch';
  readonly key: 'admin' | SimulatedCall['key'];
  readonly body: unknown;
}

export interface Simulation {
  readonly shop: SimulatedShop;
  /** Days before a time (ms) whose orders are told first, since a shop that opens here has sold before. `told` is called once all of them were taken. */
  readonly past?: { readonly days: number; readonly until: number; readonly told: () => void } | undefined;
  /** Whether it has told its catalogue here before; what was changed of it since stays so. */
  readonly isKnown?: boolean | undefined;
  /** Resolves when the request was answered; `Unavailable` is tried again unchanged. */
  readonly send: (request: SimulatedRequest) => Promise<unknown>;
  /** Events a second. */
  readonly rate?: number | undefined;
  readonly signal: AbortSignal;
  /** Wall clock in ms. */
  readonly now: () => number;
  /** Resolves after so many ms or when the signal says stop. */
  readonly pause?: ((ms: number, signal: AbortSignal) => Promise<void>) | undefined;
}

const SEND_EVERY_MS = 250;
const RETRY_MS = 1_000;
const PAST_BATCH = 100;
/** After a suspended laptop wakes up, the hours it slept are not made up for. */
const CATCH_UP_MS = 2_000;

/** Open the shop: tell its catalogue, then what happens in it, until the signal. Resolves to the events sent. */
export async function runSimulation(simulation: Simulation): Promise<{ readonly sent: number }> {
  const { shop, past, isKnown = false, signal } = simulation;
  if (!isKnown) await deliver(simulation, { method: 'PUT', path: '/v1/products', key: 'admin', body: shop.products });
  const orders = past ? shop.ordersBefore(past.until, past.days) : [];
  for (let at = 0; at < orders.length; at += PAST_BATCH) await deliver(simulation, batchOf('server', orders.slice(at, at + PAST_BATCH)));
  if (!signal.aborted) past?.told();
  return { sent: await goOn(simulation) };
}

/** Sends what happens as time passes, a batch a key every quarter of a second, until the signal. Resolves to the events sent. */
async function goOn(simulation: Simulation): Promise<number> {
  const { shop, rate = 20, signal, now, pause = sleep } = simulation;
  let sent = 0;
  let owed = 0;
  let before = now();
  while (!signal.aborted) {
    await pause(SEND_EVERY_MS, signal);
    const time = now();
    const elapsed = Math.min(Math.max(0, time - before), CATCH_UP_MS);
    before = time;
    owed += (rate * elapsed) / 1_000;
    const due = Math.floor(owed);
    owed -= due;
    const calls = Array.from({ length: due }, (_, index) => shop.next(Math.round(time - elapsed + (elapsed * (index + 1)) / due)));
    for (const key of ['browser', 'server'] as const) {
      const batch = calls.filter((one) => one.key === key).map(({ call }) => call);
      if (batch.length > 0 && (await deliver(simulation, batchOf(key, batch, time)))) sent += batch.length;
    }
  }
  return sent;
}

/** Sends a request until it is taken. Answers false where the signal came before. */
async function deliver({ send, signal, pause = sleep }: Simulation, request: SimulatedRequest): Promise<boolean> {
  while (!signal.aborted) {
    try {
      await send(request);
      return true;
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      await pause(RETRY_MS, signal);
    }
  }
  return false;
}

const batchOf = (key: SimulatedCall['key'], batch: readonly SimulatedCall['call'][], sentAt?: number): SimulatedRequest =>
  ({ method: 'POST', path: '/v1/batch', key, body: sentAt === undefined ? { batch } : { batch, sentAt: timestamp(sentAt) } });
