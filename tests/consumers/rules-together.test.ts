import fc from 'fast-check';
import { expect, test } from 'vitest';
import { itemWatch } from '../../consumers/item-watch.js';
import { marketingTriggers, type MarketingTriggerOptions } from '../../consumers/marketing-triggers.js';
import { orderLedger } from '../../consumers/order-ledger.js';
import { shoppers } from '../../consumers/shoppers.js';
import { clickstream, inventory, marketingTriggers as triggers, orders } from '../../schemas/topics.js';
import type { MarketingTrigger } from '../../schemas/types.js';
import { Driver, type DriverOptions } from '../support/driver.js';
import { DAY, HOUR, MINUTE, NINE, orderEvent, orderLine, product, shopEvent, stock } from '../support/events.js';

const OPTIONS: MarketingTriggerOptions = {
  abandonedAfterMs: HOUR, browsedAfterMs: 4 * HOUR, quietAfterOrderMs: DAY, winBackAfterMs: 20 * DAY, welcomesNew: true, vipSpend: 3_000_000n, highIntentPercent: 30,
  quietHours: { from: 21, to: 8, timezone: 'UTC' }, cap: { count: 0, windowMs: 7 * DAY }, consentByDefault: true, currency: 'EUR',
};
const SAID = [
  'Product Viewed', 'Product Added', 'Product Removed', 'Checkout Started', 'Payment Info Entered', 'Product Added to Wishlist', 'Product Removed from Wishlist', 'Wishlist Product Added to Cart', 'Back In Stock Subscribed',
];

const steps = fc.array(fc.record({
  what: fc.constantFrom(...SAID, ...SAID, 'order', 'order', 'login', 'stock', 'stock'),
  device: fc.constantFrom('a1', 'a2'),
  user: fc.constantFrom('u1', 'u2'),
  isKnown: fc.boolean(),
  sku: fc.constantFrom('P1', 'P2', 'P3'),
  cartId: fc.constantFrom(null, null, 'c1', 'c2'),
  units: fc.integer({ min: 0, max: 3 }),
  price: fc.bigInt({ min: 50_000n, max: 150_000n }),
  lateMs: fc.constantFrom(0, 0, 0, 20 * MINUTE),
  waitMs: fc.constantFrom(0, 0, MINUTE, 20 * MINUTE, 2 * HOUR, 9 * HOUR, 3 * DAY),
}), { minLength: 30, maxLength: 80 });

/** What a shop is told, and the noon at which that ends. */
interface Told {
  readonly acts: readonly ((driver: Driver) => void)[];
  readonly noon: number;
  readonly ordered: readonly { readonly id: string; readonly cartId: string | null; readonly time: number; readonly writtenAt: number }[];
  readonly stocked: readonly { readonly sku: string; readonly units: number; readonly price: bigint; readonly time: number }[];
}

function told(script: typeof steps extends fc.Arbitrary<infer T> ? T : never): Told {
  let now = NINE;
  const ordered: Told['ordered'][number][] = [];
  const stocked: Told['stocked'][number][] = [];
  const acts = script.map(({ what, device, user, isKnown, sku, cartId, units, price, lateMs, waitMs }, at) => {
    now += waitMs;
    const [key, who] = isKnown ? [user, { userId: user }] : [device, { anonymousId: device }];
    const [time, writtenAt] = [now - lateMs, now];
    const said = what === 'login' ? shopEvent('', { type: 'identify', anonymousId: device, userId: user, time }) : shopEvent(what, { ...who, time, cartId, products: [product(sku, { quantity: units === 0 ? null : units, price })] });
    const order = orderEvent('completed', `O${at}`, { ...who, time, cartId, lines: [orderLine(sku, 1, 10n * price)] });
    const change = stock(sku, units, now, price);
    if (what === 'order') ordered.push({ id: key, cartId, time, writtenAt });
    if (what === 'stock') stocked.push({ sku, units, price, time: now });
    return (driver: Driver): void => {
      if (waitMs > 0) driver.tick(writtenAt);
      if (what === 'stock') driver.send(inventory, sku, change);
      else if (what === 'order') driver.send(orders, order.orderId, order, writtenAt);
      else driver.send(clickstream, what === 'login' ? user : key, said, writtenAt);
    };
  });
  return { acts, ordered, stocked, noon: Math.ceil(now / DAY) * DAY + 12 * HOUR };
}

function live({ acts, noon }: Told, options: DriverOptions): Driver {
  const driver = new Driver([shoppers(), orderLedger(), itemWatch({ priceDropPercent: 10 }), marketingTriggers(OPTIONS)], options);
  driver.tick(NINE - MINUTE);
  for (const act of acts) act(driver);
  for (let day = 0; day < 420; day += 6) driver.tick(noon + day * DAY);
  return driver;
}

/** Why a trigger that was fired should not have been, by what the shop was told; undefined where nothing speaks against it. */
function wrongOf({ rule, shopper, causedAt, at, products }: MarketingTrigger, { ordered, stocked }: Told): string | undefined {
  // What was told in the very second may have come after it.
  const isOrdered = ordered.some(({ id, cartId, time, writtenAt }) => id === shopper && cartId === null && time >= causedAt && writtenAt < at - 1_000);
  if (/abandonment/.test(rule) && isOrdered) return 'ordered since';
  if (!/price_drop|back_in_stock/.test(rule)) return undefined;
  const hour = new Date(at).getUTCHours();
  if (hour >= 21 || hour < 8) return 'in quiet hours';
  // What changed in the very moment may have come after it.
  const changes = stocked.filter(({ sku, time }) => sku === products[0]!.sku && time <= at);
  const since = changes.findLast(({ time }) => time < at)?.time ?? at;
  const isSo = changes.some(({ time, units, price }) => time >= since && units > 0 && (rule !== 'price_drop' || products[0]!.price === price));
  return isSo ? undefined : 'not so any more';
}

test('all rules together, by shoppers who log in, order and come late: the same whatever the batches and crashes, each id decided once, none by what was ordered, sold out or dear again, and of what has passed nothing is kept', () => {
  const seen = new Set<string>();
  fc.assert(fc.property(steps, fc.integer({ min: 1, max: 3 }), fc.infiniteStream(fc.integer({ min: 0, max: 19 })), (script, partitions, chance) => {
    const shop = told(script);
    const whole = live(shop, { partitions });
    const draw = (): number => chance.next().value;
    const broken = live(shop, { partitions, batch: () => 1 + (draw() % 3), crash: () => ({ 0: 'lost', 1: 'kept' } as const)[draw()] });
    const all = whole.read(triggers);
    expect(broken.read(triggers).map((trigger) => JSON.stringify(trigger, spoken)).sort()).toEqual(all.map((trigger) => JSON.stringify(trigger, spoken)).sort());
    const decided = all.filter(({ status }) => status !== 'recovered').map(({ id }) => id);
    expect(decided).toHaveLength(new Set(decided).size);
    const fired = new Set(all.filter(({ status }) => status === 'fired').map(({ id }) => id));
    expect(all.filter(({ id, status }) => status === 'recovered' && !fired.has(id))).toEqual([]);
    expect(all.filter(({ status }) => status === 'fired').flatMap((trigger) => wrongOf(trigger, shop) ?? [])).toEqual([]);
    for (const rule of ['new_customer_welcome', 'recovered']) {
      const once = all.filter((trigger) => trigger.rule === rule || trigger.status === rule).map(({ id, shopper }) => (rule === 'recovered' ? id : shopper));
      expect(once).toHaveLength(new Set(once).size);
    }
    for (const name of ['marketing-triggers', 'item-watch', 'shoppers']) expect(whole.dump(name).filter((row) => /_timer|wanted|follower|f(cart|browsing|visit|held|item|spent)\b/.test(row))).toEqual([]);
    for (const { rule } of all) seen.add(rule);
  }), { numRuns: 8, seed: 2 });
  expect(seen.size).toBeGreaterThan(6);
}, 240_000);

const spoken = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value);
