import { consumer, on, type Consumer, type Context, type Incoming } from '../pipeline/core/consumer.js';
import { BadEvent } from '../pipeline/core/errors.js';
import { rows } from '../pipeline/core/rows.js';
import { amountOf, isSum } from '../schemas/money.js';
import { MOST_UNITS } from '../schemas/ordering.js';
import { confirmedPurchases, erasures, orderLedger as ledgerTable, orders, purchases, sales } from '../schemas/topics.js';
import type { Erasure, LedgerLine, OrderEvent, OrderState, SaleKind } from '../schemas/types.js';
import { happened } from './happened.js';
import { requireOrder, requireShopper, requireSku, withTrimmedCart } from './ids.js';
import { allBack, unitsOfSkusBack } from './orders/returns.js';
import { booked, emitPurchase, EVERYWHERE, hasUnits, hasWorth, sell, undone } from './orders/telling.js';
import { linesOf, worthOf, worthOfAll } from './orders/worth.js';
import { isRepeatOfSource } from './sources.js';

const MESSAGE_LIMIT = 200;
const DAY_MS = 86_400_000;
const WAITING_LIMIT = 50;
const WAITING_BYTES = 500_000;

const states = rows<OrderState>('', 'OrderState');

/**
 * The books: each order once, whoever reports it and however often. Refunds and cancellations are sales with a minus, booked on the day of
 * their order, and never for more than was paid. One that comes before its order waits for it. Units that only a page has reported are
 * booked like others, and marked as claimed until the shop confirms them, since learners must not trust them as much.
 */
export function orderLedger(): Consumer {
  return consumer({
    name: 'order-ledger',
    table: ledgerTable,
    inputs: [on(orders, onOrderEvent, { keyOf: ({ orderId }) => orderId }), on(erasures, onErasure)],
    outputs: [purchases, confirmedPurchases, sales],
  });
}

function onOrderEvent({ key, value, writtenAt }: Incoming<OrderEvent>, ctx: Context): void {
  const event = withTrimmedCart(happened(value, writtenAt, ctx));
  requireOrder(event.orderId);
  const shopper = event.userId ?? event.anonymousId;
  if (shopper !== null) requireShopper(event.userId === null ? 'anonymousId' : 'userId', shopper);
  for (const { sku } of event.lines) requireSku(sku);
  if (isRepeatOfSource(event, ctx)) return ctx.count('millrace_duplicates_total');
  if (!isSum(event.lines)) throw new BadEvent('amount_out_of_range', `The lines of order ${event.orderId} are worth more than can be written down.`);
  const beyond = event.lines.find(({ quantity }) => Math.abs(quantity) > MOST_UNITS);
  if (beyond) throw new BadEvent('bad_quantity', `Order ${event.orderId} is of ${beyond.quantity} units of ${beyond.sku}: a quantity must not exceed 10^12 in either direction.`);
  if (event.kind === 'line') return bookLine(event, ctx);
  if (event.lines.length === 0 && (event.kind === 'completed' || event.kind === 'updated')) {
    // Taken as the whole order, it would shut out a later report that has the lines, or take back all that was sold.
    throw new BadEvent('no_lines', `Order ${event.orderId} names no products: nothing of it can be booked.`);
  }
  const state = ctx.get(states, key);
  // The shop's report of an order that a page has claimed is news even under the page's message id: both may derive that id from the order's.
  if (event.kind === 'completed' && event.confirmed && state?.complete && !state.confirmed) return confirm(key, state, event, event.time, ctx);
  if (state?.messages.includes(event.messageId)) return ctx.count('millrace_duplicates_total');
  switch (event.kind) {
    case 'completed':
      return state?.complete ? ctx.count('millrace_duplicates_total') : open(key, state, event, ctx);
    case 'updated':
      if (!state?.complete) return open(key, state, event, ctx);
      return state.confirmed ? update(key, state, event, ctx) : confirm(key, state, event, state.time, ctx);
    case 'refunded':
    case 'cancelled':
      return state?.complete ? takeBack(key, state, event, ctx) : wait(key, state, event, ctx);
  }
}

/** The order stays in the books, but whose it was is forgotten. */
function onErasure({ value: { ids, orderId } }: { value: Erasure }, ctx: Context): void {
  const state = orderId === null ? undefined : ctx.get(states, orderId);
  if (orderId === null || !state) return;
  const isErased = (id: string | null): boolean => id !== null && ids.includes(id);
  const nameless = (id: string | null): string | null => (isErased(id) ? null : id);
  const waiting = state.waiting.map((encoded) => {
    const event = orders.codec.decode(encoded);
    return orders.codec.encode({ ...event, userId: nameless(event.userId), anonymousId: nameless(event.anonymousId) });
  });
  ctx.put(states, orderId, { ...state, shopper: nameless(state.shopper), waiting });
}

/** Books a line of a file. Its number in the file tells it from others, so no row is kept of it. */
function bookLine(event: OrderEvent, ctx: Context): void {
  const line = event.lines[0];
  if (!line) return;
  const ordinal = event.source?.ordinal ?? 0;
  const kind = line.quantity >= 0 && line.price >= 0n ? 'sale' : event.orderId.startsWith('C') ? 'cancellation' : 'adjustment';
  const sold = { ...line, amount: amountOf(line.price, line.quantity), claimed: 0 };
  sell(event, { ...sold, line: ordinal % 2 ** 31, kind, time: event.time }, ctx);
  emitPurchase(event, 'line', event.time, [sold], EVERYWHERE, ctx);
}

/** Books an order for the first time, and then the refunds and cancellations that waited for it. */
function open(key: string, before: OrderState | undefined, event: OrderEvent, ctx: Context): void {
  const state: OrderState = {
    time: event.time, shopper: event.userId ?? event.anonymousId, currency: event.currency, complete: true, confirmed: event.confirmed,
    lines: linesOf(event),
    // The message id of a claim is not noted: the shop may report under the same one, and a claim that comes twice is found out as a second order is.
    messages: event.confirmed ? remember(before?.messages ?? [], event.messageId) : (before?.messages ?? []), waiting: [], country: event.country, cartId: event.cartId, refunded: null, source: event.source,
  };
  ctx.put(states, key, state);
  const sold = state.lines.map(booked);
  sold.forEach((goods, line) => sell(event, { ...goods, line, kind: 'sale', time: event.time }, ctx));
  emitPurchase(event, 'completed', event.time, sold, event.confirmed ? EVERYWHERE : [purchases], ctx);
  for (const waiting of before?.waiting ?? []) takeBackLate(key, orders.codec.decode(waiting), ctx);
}

/** Books a refund or cancellation that waited for its order. One that cannot be booked becomes a dead letter of its own, and the order stays booked. */
function takeBackLate(key: string, event: OrderEvent, ctx: Context): void {
  const state = ctx.get(states, key)!;
  const problem = otherCurrency(state, event);
  if (!problem) return takeBack(key, state, event, ctx);
  // Once it is repaired it comes again under the same message id.
  ctx.put(states, key, { ...state, messages: state.messages.filter((id) => id !== event.messageId) });
  ctx.refuse(orders, key, event, event.messageId, problem);
}

/** Why a refund that names only a total cannot be booked: it is in another currency, and nothing is converted. Goods come back at the order's prices, whatever the refund says. */
function otherCurrency({ currency }: OrderState, { kind, orderId, lines, total, currency: named }: OrderEvent): BadEvent | undefined {
  if (kind !== 'refunded' || lines.length > 0 || total === null || named === '' || named === currency) return undefined;
  return new BadEvent('other_currency', `Order ${orderId} is in ${currency} and this refund in ${named}: nothing is converted. Say it in ${currency}, or name the products that came back.`);
}

/** @throws BadEvent where an update would change the currency of an order of which money was given back: in another currency that would be another sum */
function requireSameCurrency({ currency, refunded }: OrderState, event: OrderEvent): void {
  if (event.currency === currency || (refunded ?? 0n) === 0n) return;
  throw new BadEvent('other_currency', `Of order ${event.orderId} money was given back in ${currency}: it cannot become one in ${event.currency}, since nothing is converted.`);
}

/** Takes the shop's own report of an order that a page has claimed. Where the two differ, the claim is taken back and the order booked as reported, at `time` (ms). */
function confirm(key: string, claim: OrderState, event: OrderEvent, time: number, ctx: Context): void {
  const reported = linesOf({ ...event, confirmed: true });
  if (!saysSame(claim, event, reported, time)) return bookInstead(key, claim, event, reported, time, ctx);
  claim.lines.forEach((line, index) => makeSure(event, line, index, claim, ctx));
  const lines = claim.lines.map(sure);
  const after = { ...confirmedBy(event, claim, time), lines };
  const given = claim.refunded ?? 0n;
  if (after.shopper !== claim.shopper) {
    tellInstead(event, claim, after, given, ctx);
    // Sales of it stand on the claim's day: there what comes back of them is booked.
    return ctx.put(states, key, { ...after, time: claim.time });
  }
  ctx.put(states, key, { ...claim, lines, confirmed: true, messages: after.messages, waiting: [] });
  tellConfirmed(event, claim, claim.lines, -given, ctx);
  ctx.count('millrace_duplicates_total');
}

/** Books an order as the shop reports it, in place of a claim that says otherwise. */
function bookInstead(key: string, claim: OrderState, event: OrderEvent, reported: LedgerLine[], time: number, ctx: Context): void {
  const given = claim.refunded ?? 0n;
  const after = { ...confirmedBy(event, claim, time), lines: reported, refunded: null };
  claim.lines.forEach((line, index) => takeClaimBack(event, line, index, claim, ctx));
  if (given !== 0n) sellMoney(event, 'refund', given, claim, ctx);
  reported.forEach((line, index) => sell(event, { ...booked(line), line: index, kind: 'sale', time }, ctx, after));
  tellInstead(event, claim, after, 0n, ctx);
  ctx.put(states, key, after);
  // Refunds were booked against the claim, which may have had fewer goods: they are booked anew, against the order as reported.
  for (const refund of claim.waiting) takeBackLate(key, orders.codec.decode(refund), ctx);
}

/** Whether the shop's report of an order has the lines, the currency and, up to a day, the time of the claim. */
const saysSame = (claim: OrderState, { currency }: OrderEvent, reported: readonly LedgerLine[], time: number): boolean =>
  claim.lines.length === reported.length && Math.abs(time - claim.time) < DAY_MS && currency === claim.currency && claim.lines.every((line, i) => isLike(line, reported[i]!));

/** The state of a claimed order once the shop has reported it, at `time` (ms); its lines are still those of the claim. */
const confirmedBy = (event: OrderEvent, claim: OrderState, time: number): OrderState => ({
  ...claim, time, shopper: event.userId ?? event.anonymousId ?? claim.shopper, currency: event.currency, confirmed: true, messages: remember(claim.messages, event.messageId), waiting: [],
  country: event.country ?? claim.country, cartId: event.cartId ?? claim.cartId,
});

/** Tells whoever was told of the claim that it is undone, and all of the order in its place. `stillGiven` is the money that went back without goods, and stays so. */
function tellInstead(event: OrderEvent, claim: OrderState, after: OrderState, stillGiven: bigint, ctx: Context): void {
  const undoes = { ...event, userId: null, anonymousId: claim.shopper, cartId: claim.cartId, currency: claim.currency };
  emitPurchase(undoes, 'cancelled', event.time, claim.lines.map(booked).map(undone).filter(hasUnits), [purchases], ctx, claim.refunded ?? 0n);
  emitPurchase({ ...event, anonymousId: event.anonymousId ?? claim.shopper }, 'completed', after.time, after.lines.map(booked).filter(hasUnits), EVERYWHERE, ctx, -stillGiven);
}

/** Takes back a claimed line, as if it had never been sold and nothing of it had come back. */
function takeClaimBack(event: OrderEvent, { sku, price, claimed, ...line }: LedgerLine, index: number, claim: OrderState, ctx: Context): void {
  const of = { sku, price, line: index, time: claim.time };
  const was = { ...line, sku, price, claimed };
  sell(event, { ...of, quantity: 0 - line.quantity, amount: -worthOf(was, line.quantity), claimed: 0 - claimed, kind: 'sale' }, ctx, claim);
  if (line.returned !== 0) sell(event, { ...of, quantity: line.returned, amount: worthOf(was, line.returned), claimed: 0, kind: 'refund' }, ctx, claim);
}

/** Tells `confirmed-purchases` that an order which a page had claimed is confirmed: what is left of `lines`, and the money that went back without goods. */
function tellConfirmed(event: OrderEvent, { shopper, time, cartId }: OrderState, lines: readonly LedgerLine[], money: bigint, ctx: Context): void {
  emitPurchase({ ...event, userId: null, anonymousId: shopper, cartId }, 'completed', time, lines.map(booked).filter(hasUnits), [confirmedPurchases], ctx, money);
}

/** Tells `confirmed-purchases` that an order has changed: what it was told before is taken back, but for money that was given back and stays so. */
function tellUpdated(event: OrderEvent, state: OrderState, lines: readonly LedgerLine[], money: bigint, ctx: Context): void {
  if (event.currency === state.currency && money === 0n && worthOfAll(lines) === worthOfAll(state.lines)) return;
  emitPurchase({ ...event, userId: null, anonymousId: state.shopper, cartId: state.cartId, currency: state.currency }, 'cancelled', event.time, state.lines.map(booked).map(undone).filter(hasUnits), [confirmedPurchases], ctx);
  tellConfirmed(event, state, lines, money, ctx);
}

/** Whether two reports say the same of a line. */
const isLike = (a: LedgerLine, b: LedgerLine): boolean => a.sku === b.sku && a.quantity === b.quantity && a.price === b.price && a.discount === b.discount;

const sure = (line: LedgerLine): LedgerLine => ({ ...line, claimed: 0 });

/** The shop has reported a claimed line just as the page did: its units stay as they are, but are claims no longer. */
function makeSure(event: OrderEvent, { sku, price, claimed }: LedgerLine, line: number, state: OrderState, ctx: Context): void {
  sell(event, { sku, quantity: 0, price, amount: 0n, line, kind: 'adjustment', time: state.time, claimed: 0 - claimed }, ctx, state);
}

/**
 * Takes a later report of the whole order by the shop: the difference of each line is booked, on the day of the order. Several lines of one SKU are
 * matched in their order. In another currency it is another sale: what is left of the order is taken out of the books of the one, and sold in the other.
 */
function update(key: string, state: OrderState, event: OrderEvent, ctx: Context): void {
  requireSameCurrency(state, event);
  const after = { ...state, currency: event.currency };
  const as = { kind: event.currency === state.currency ? 'adjustment' : 'sale', time: state.time } as const;
  const wanted = new Map<string, LedgerLine[]>();
  for (const line of linesOf({ ...event, confirmed: true })) wanted.set(line.sku, [...(wanted.get(line.sku) ?? []), line]);
  const lines = state.lines.map((was, index): LedgerLine => {
    const now = wanted.get(was.sku)?.shift() ?? { ...was, quantity: 0, discount: 0n, claimed: 0 };
    // Units that the order no longer has cannot have come back.
    const line = { ...now, returned: Math.min(was.returned, Math.max(0, now.quantity)) };
    if (!isLike(line, was) || event.currency !== state.currency) {
      if (hasWorth(booked(was))) sell(event, { ...undone(booked(was)), line: index, ...as }, ctx, state);
      if (hasWorth(booked(line))) sell(event, { ...booked(line), line: index, ...as }, ctx, after);
    }
    return line;
  });
  const added = [...wanted.values()].flat();
  added.forEach((line, index) => sell(event, { ...booked(line), line: lines.length + index, ...as }, ctx, after));
  const all = [...lines, ...added];
  const refunded = keptOf(all, event, after, ctx);
  tellUpdated(event, state, all, (state.refunded ?? 0n) - refunded, ctx);
  ctx.put(states, key, { ...after, refunded, lines: all, messages: remember(state.messages, event.messageId) });
}

/** Keeps a refund or cancellation until its order comes. */
function wait(key: string, state: OrderState | undefined, event: OrderEvent, ctx: Context): void {
  const base: OrderState = state ?? {
    time: event.time, shopper: event.userId ?? event.anonymousId, currency: event.currency, complete: false, confirmed: false, lines: [],
    messages: [], waiting: [], country: null, cartId: null, refunded: null, source: null,
  };
  ctx.put(states, key, { ...base, messages: remember(base.messages, event.messageId), waiting: waitingWith(base, event) });
}

/**
 * The refunds and cancellations of an order that the shop has not reported yet, with one more.
 *
 * @throws BadEvent where too many wait already
 */
function waitingWith({ waiting: before }: OrderState, event: OrderEvent): Buffer[] {
  const waiting = [...before, orders.codec.encode(event)];
  if (waiting.length > WAITING_LIMIT || waiting.reduce((sum, { length }) => sum + length, 0) > WAITING_BYTES) {
    throw new BadEvent('too_many_waiting', `Order ${event.orderId} was not reported by the shop, and ${before.length} refunds and cancellations of it wait for it: at most ${WAITING_LIMIT} do, of ${WAITING_BYTES} bytes.`);
  }
  return waiting;
}

/** Books a refund or cancellation: of the lines that it names; of all that is left of the order where it names neither lines nor a smaller total; else of money alone. */
function takeBack(key: string, state: OrderState, event: OrderEvent, ctx: Context): void {
  const problem = otherCurrency(state, event);
  if (problem) throw problem;
  const kind: SaleKind = event.kind === 'cancelled' ? 'cancellation' : 'refund';
  const given = state.refunded ?? 0n;
  const namesNoLines = event.lines.length === 0;
  const isWhole = namesNoLines && (event.kind === 'cancelled' || event.total === null || event.total >= worthOfAll(state.lines) - given);
  const { lines, back } = isWhole ? allBack(state.lines) : unitsOfSkusBack(state.lines, event.lines);
  for (const { index, goods } of back) sell(event, { ...goods, line: index, kind, time: state.time }, ctx, state);
  // A refund of money alone (a goodwill refund) has no units. When the goods come back later, what was given back before is not given back twice.
  const money = !isWhole && namesNoLines && event.total !== null ? event.total : -tooMuch(given, lines);
  if (money !== 0n) sellMoney(event, kind, -money, state, ctx);
  ctx.put(states, key, { ...state, lines: [...lines], refunded: given + money, messages: remember(state.messages, event.messageId), waiting: state.confirmed ? [] : waitingWith(state, event) });
  if (back.length === 0 && money === 0n) return;
  const told = { ...event, userId: null, anonymousId: state.shopper, cartId: state.cartId, currency: state.currency };
  emitPurchase(told, kind === 'refund' ? 'refunded' : 'cancelled', event.time, back.map(({ goods }) => goods), state.confirmed ? EVERYWHERE : [purchases], ctx, -money);
}

/** How much of the money that was given back the order's new lines still cover. What exceeds their worth is booked back. */
function keptOf(lines: readonly LedgerLine[], event: OrderEvent, state: OrderState, ctx: Context): bigint {
  const given = state.refunded ?? 0n;
  const over = tooMuch(given, lines);
  if (over > 0n) sellMoney(event, 'adjustment', over, state, ctx);
  return given - over;
}

/** By how much the money that was given back exceeds the worth of what is left of the lines. */
function tooMuch(given: bigint, lines: readonly LedgerLine[]): bigint {
  const worth = worthOfAll(lines);
  return given <= worth ? 0n : given - (worth > 0n ? worth : 0n);
}

/** Books money without goods, on the order's first line. */
function sellMoney(event: OrderEvent, kind: SaleKind, amount: bigint, state: OrderState, ctx: Context): void {
  const line = state.lines[0];
  if (line) sell(event, { sku: line.sku, quantity: 0, price: 0n, amount, line: 0, kind, time: state.time, claimed: 0 }, ctx, state);
}

const remember = (messages: readonly string[], id: string): string[] => [...messages.filter((known) => known !== id), id].slice(-MESSAGE_LIMIT);

