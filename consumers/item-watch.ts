import { consumer, on, type Consumer, type Context, type Incoming } from '../pipeline/core/consumer.js';
import { BadEvent } from '../pipeline/core/errors.js';
import { rows } from '../pipeline/core/rows.js';
import { MOST_UNITS, orderingProblems } from '../schemas/ordering.js';
import { catalog, inventory, itemInterests, products as productsTable, supplies, triggerCandidates } from '../schemas/topics.js';
import type { CatalogChange, InventoryChange, ItemInterest, ItemWatcher, Mention, Product, TriggerCandidate } from '../schemas/types.js';
import { happened } from './happened.js';
import { requireSku } from './ids.js';
import { dropSince, follow, followAs, offerOf, tellDrops, unfollow } from './items/offers.js';
import { suppliesAlike, supplyOf } from './items/supply.js';

const NOTICES_A_COMMIT = 1_000;
/** When the next tick fires a timer (ms). Not `now` + 1, which for a timer is when it was due: this tick would then fire all of them, in one commit. */
const nextTick = (ctx: Context): number => ctx.time + 1;

export const productRows = rows<Product>('', 'Product');
/** Who waits for an item: by shopper, and once more in the order in which they will be told. */
const watchers = rows<ItemWatcher>('watcher', 'ItemWatcher');
const turns = rows<ItemWatcher>('turn', 'ItemWatcher');
/** When an item was last back in stock. */
const restocked = rows<Mention>('restocked', 'Mention');
/** Somebody who asked longer ago than this waits for the next restock, even if there has been one since: a file is being replayed. */
const HEARD_LATE_MS = 86_400_000;
const TIME_DIGITS = 16;
const turnOf = (since: number, shopper: string): string => String(Math.max(0, since)).padStart(TIME_DIGITS, '0') + shopper;

export interface ItemWatchOptions {
  /** Shoppers who want an item are told when it costs so many percent less; 0: they are not. */
  readonly priceDropPercent: number;
  /** The shop's, ISO 4217. */
  readonly currency: string;
}

/**
 * Keeps the catalogue with stock and prices. It tells marketing-triggers when an item that a shopper waits for is back in stock, or one that
 * a shopper wants costs less, and it tells demand-forecasts what changes in stock and in terms of ordering.
 */
export function itemWatch({ priceDropPercent: percent = 0, currency: shopCurrency = 'EUR' }: Partial<ItemWatchOptions> = {}): Consumer {
  return consumer({
    name: 'item-watch',
    table: productsTable,
    inputs: [
      on(catalog, thenOffer(onCatalogChange), { keyOf: ({ sku }) => sku }),
      on(inventory, thenOffer(onInventoryChange), { keyOf: ({ sku }) => sku }),
      on(itemInterests, (record, ctx) => (record.value.heldAt === null ? onInterest(record, percent > 0, ctx) : tellHeld(record.value, record.value.heldAt, ctx))),
    ],
    outputs: [triggerCandidates],
    samePartitionOutputs: [supplies],
    // A request that names the token of a product change waits for the change, twice as long as this.
    patienceMs: 100,
    timers: {
      notify: ({ key, payload }, ctx) => notify(key, Number(payload), ctx),
      offer: ({ key }, ctx) => offer(key, ctx),
    },
  });

  /** A handler that takes a change, and then tells those who want the item if it costs less now, and can be had. */
  function thenOffer<T>(onChange: (record: Incoming<T>, ctx: Context) => void): (record: Incoming<T>, ctx: Context) => void {
    return (record, ctx) => {
      onChange(record, ctx);
      offer(record.key, ctx);
    };
  }

  /** Tells those who want an item of its lower price, a thousand with a commit. Each turn goes by what is known then: the sale may be over. */
  function offer(sku: string, ctx: Context): void {
    const product = ctx.get(productRows, sku);
    if (percent === 0 || !product || !canBeHad(product)) return;
    const time = Math.max(product.catalogAt, product.stockAt, product.priceAt);
    const isMore = tellDrops(product, { percent, most: NOTICES_A_COMMIT, time, shopCurrency }, (shopper, previousPrice) => tell(sku, shopper, { kind: 'price_drop', causeId: `${sku}@${time}`, time, previousPrice }, ctx), ctx);
    if (isMore) ctx.schedule('offer', sku, nextTick(ctx));
  }

  /**
   * News that was to be told at `time`, in the shopper's quiet hours, and is looked at again now. Where the item is sold out again, the shopper
   * waits for the next restock. A lower price is told only if it still is so much lower than the one that the shopper had seen before; if
   * not, that one stays what they have seen.
   */
  function tellHeld({ sku, shopper, kind, time: since, seenPrice, seenIn }: ItemInterest, time: number, ctx: Context): void {
    const product = ctx.get(productRows, sku) ?? emptyProduct(sku);
    if (kind === 'back_in_stock') {
      stopWaiting(sku, shopper, ctx);
      if (canBeHad(product)) tell(sku, shopper, { kind, time }, ctx);
      else wait(sku, shopper, since, ctx);
    } else if (seenPrice !== null) {
      const offered = canBeHad(product) ? offerOf(product, ctx.now) : undefined;
      const price = dropSince(product, shopper, { seen: { price: seenPrice, currency: seenIn }, offered, percent, shopCurrency }, ctx);
      if (price !== undefined) tell(sku, shopper, { kind: 'price_drop', causeId: `${sku}@${time}`, time, previousPrice: seenPrice, price }, ctx);
    }
  }
}

function onCatalogChange({ key, value, writtenAt }: Incoming<CatalogChange>, ctx: Context): void {
  const change = happened(value, writtenAt, ctx);
  requireSku(key);
  requireStock(key, change.quantity);
  if (change.op === 'upsert') requireTerms(key, change.attributes);
  const before = ctx.get(productRows, key) ?? emptyProduct(key);
  if (change.time < before.catalogAt) return ctx.count('millrace_outdated_total');
  const deleted = change.op === 'delete';
  const product: Product = deleted
    ? { ...before, deleted: true, catalogAt: change.time }
    : {
        ...before, ...priceAfter(before, change), name: change.name, category: change.category, furtherCategories: change.furtherCategories, brand: change.brand,
        url: change.url, imageUrl: change.imageUrl, hidden: change.hidden, deleted: false,
        attributes: change.attributes, catalogAt: change.time,
      };
  ctx.put(productRows, key, product);
  if (!deleted) setStock(key, change, ctx);
  if (isAway(before) && !isAway(product)) returns(before, change, ctx);
  tellSupply(before, change.time, ctx);
}

function onInventoryChange({ key, value, writtenAt }: Incoming<InventoryChange>, ctx: Context): void {
  const change = happened(value, writtenAt, ctx);
  requireSku(key);
  requireStock(key, change.quantity);
  const before = ctx.get(productRows, key) ?? emptyProduct(key);
  if (change.price !== null) ctx.put(productRows, key, { ...before, ...priceAfter(before, change) });
  setStock(key, change, ctx);
  tellSupply(before, change.time, ctx);
}

/** The latest price, whether the catalogue or the inventory has told it. A price without a currency is in the product's. */
function priceAfter({ price, currency, priceAt }: Product, told: Pick<InventoryChange, 'price' | 'currency' | 'time'>): Pick<Product, 'price' | 'currency' | 'priceAt'> {
  const isLatest = told.price !== null && told.time >= priceAt;
  return isLatest ? { price: told.price, currency: told.currency ?? currency, priceAt: told.time } : { price, currency: currency ?? told.currency, priceAt };
}

function requireStock(sku: string, quantity: number | null): void {
  if (quantity !== null && !(Math.abs(quantity) <= MOST_UNITS)) throw new BadEvent('bad_quantity', `quantity of ${sku} is ${quantity} units: a stock must not exceed 10^12 in either direction.`);
}

function requireTerms(sku: string, attributes: CatalogChange['attributes']): void {
  const problems = orderingProblems(sku, attributes);
  if (problems.length > 0) throw new BadEvent('bad_ordering', `${sku} cannot be ordered so. ${problems.map(({ name, message }) => `${name}: ${message}`).join(' ')}`);
}

/** Tells what has changed since `before` in stock and in terms of ordering, if anything has; and of each item that the catalogue names for the first time. */
function tellSupply(before: Product, time: number, ctx: Context): void {
  const product = ctx.get(productRows, before.sku);
  if (!product) return;
  const supply = supplyOf(product, time);
  const isFirst = before.catalogAt === 0 && product.catalogAt > 0;
  if (isFirst || !suppliesAlike(supplyOf(before, time), supply)) ctx.emit(supplies, before.sku, supply);
}

/** Nobody can buy the item, whatever its stock. */
const isAway = ({ deleted, hidden }: Product): boolean => deleted || hidden;

/** A product that was deleted or hidden is shown again: if there is stock of it, those who wait are told. Of an unknown stock the feed must say "in stock". */
function returns({ sku, restocks }: Product, { availability, time }: CatalogChange, ctx: Context): void {
  const product = ctx.get(productRows, sku)!;
  const isThere = product.stock === null ? !product.onOrder && availability === 'in_stock' : !isSoldOut(product);
  // If the same change was a restock, they were told by that.
  if (!isThere || product.restocks > restocks) return;
  ctx.put(productRows, sku, { ...product, restocks: restocks + 1 });
  notify(sku, time, ctx);
}

/** Whether the item can be bought. An unknown stock counts as some. */
const canBeHad = (product: Product): boolean => !isSoldOut(product) && !product.onOrder && !isAway(product);

const isSoldOut = ({ stock }: Product): boolean => stock !== null && stock <= 0;

/**
 * Sets the stock, and tells those who wait of a restock: a change to more than nothing, from nothing, less or unknown. A feed that says
 * "in stock" without a number tells of a restock only where the item was sold out or on order.
 */
function setStock(sku: string, { quantity, availability, time }: Pick<InventoryChange, 'quantity' | 'availability' | 'time'>, ctx: Context): void {
  if (quantity === null && availability === null) return;
  const before = ctx.get(productRows, sku) ?? emptyProduct(sku);
  if (time < before.stockAt) return ctx.count('millrace_outdated_total');
  const onOrder = availability === 'on_order';
  const wasAbsent = isSoldOut(before) || before.onOrder;
  const stock = onOrder ? null : (quantity ?? (wasAbsent ? null : before.stock));
  const isRestock = !onOrder && (quantity === null ? wasAbsent : quantity > 0 && (before.stock === null || before.stock <= 0));
  ctx.put(productRows, sku, { ...before, stock, onOrder, stockAt: time, restocks: before.restocks + (isRestock ? 1 : 0) });
  if (isRestock && wasAbsent) ctx.put(restocked, sku, { time });
  if (isRestock) notify(sku, time, ctx);
}

function onInterest({ key: sku, value: { shopper, kind, active, time, former } }: Incoming<ItemInterest>, isPriceTold: boolean, ctx: Context): void {
  if (kind === 'wanted') {
    if (former !== null) return followAs(shopper, former, sku, ctx);
    if (!active) return unfollow(sku, shopper, ctx);
    tell(sku, shopper, { kind: 'item_info', time }, ctx);
    if (isPriceTold) follow(ctx.get(productRows, sku) ?? emptyProduct(sku), shopper, time, ctx);
  } else {
    const moved = former === null ? undefined : stopWaiting(sku, former, ctx);
    // The former id waits no more: it was told already.
    if (former !== null && !moved) return;
    const standing = stopWaiting(sku, shopper, ctx);
    if (!active) return;
    // Somebody who asks again waits from then on; somebody who asked under two ids has waited since the earlier time.
    const since = moved ? Math.min(moved.since, standing?.since ?? Infinity) : time;
    const cameAt = former === null ? restockAfter(since, sku, ctx) : undefined;
    if (cameAt !== undefined) return tell(sku, shopper, { kind: 'back_in_stock', time: cameAt }, ctx);
    wait(sku, shopper, since, ctx);
  }
}

function wait(sku: string, shopper: string, since: number, ctx: Context): void {
  ctx.put(watchers, sku, { since }, shopper);
  ctx.put(turns, sku, { since }, turnOf(since, shopper));
}

/** When the item was back in stock, for somebody who waits since `since`: it may have come before this wish was heard, as wishes and stock come by different topics. */
function restockAfter(since: number, sku: string, ctx: Context): number | undefined {
  const product = ctx.get(productRows, sku);
  const at = ctx.get(restocked, sku)?.time ?? 0;
  return product && canBeHad(product) && since < at && ctx.now - since < HEARD_LATE_MS ? at : undefined;
}

/** Answers the row that was deleted, if there was one. */
function stopWaiting(sku: string, shopper: string, ctx: Context): ItemWatcher | undefined {
  const before = ctx.get(watchers, sku, shopper);
  if (!before) return undefined;
  ctx.delete(watchers, sku, shopper);
  ctx.delete(turns, sku, turnOf(before.since, shopper));
  return before;
}

/** Tells those who wait that the item is back since `time`, in the order in which they asked: a thousand now, and the rest at the next ticks, so that no commit grows too large. */
function notify(sku: string, time: number, ctx: Context): void {
  const product = ctx.get(productRows, sku);
  // Sold out or hidden again before their turn: they go on waiting.
  if (!product || !canBeHad(product)) return;
  // Only as many are read as are told: else each tick would read all that are left of a hundred thousand.
  const waiting = ctx.scan(turns, sku, NOTICES_A_COMMIT + 1);
  for (const { sub: turn } of waiting.slice(0, NOTICES_A_COMMIT)) {
    const shopper = turn.slice(TIME_DIGITS);
    tell(sku, shopper, { kind: 'back_in_stock', time }, ctx);
    ctx.delete(watchers, sku, shopper);
    ctx.delete(turns, sku, turn);
  }
  if (waiting.length > NOTICES_A_COMMIT) ctx.schedule('notify', sku, nextTick(ctx), '', String(time));
}

function tell(sku: string, shopper: string, news: Pick<TriggerCandidate, 'kind' | 'time'> & Partial<TriggerCandidate>, ctx: Context): void {
  const product = ctx.get(productRows, sku) ?? emptyProduct(sku);
  const { name, url, currency, stock, restocks } = product;
  ctx.emit(triggerCandidates, shopper, { shopper, causeId: `${sku}#${restocks}`, sku, name, url, price: offerOf(product, news.time) ?? null, currency, stock, previousPrice: null, ...news });
}

function emptyProduct(sku: string): Product {
  return {
    sku, name: null, category: null, furtherCategories: [], brand: null, price: null, currency: null, url: null, imageUrl: null, hidden: false, deleted: false,
    stock: null, onOrder: false, attributes: {}, catalogAt: 0, stockAt: 0, priceAt: 0, restocks: 0,
  };
}
