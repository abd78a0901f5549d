import { consumer, on, type Consumer, type Context, type Incoming } from '../pipeline/core/consumer.js';
import { BadEvent } from '../pipeline/core/errors.js';
import { rows } from '../pipeline/core/rows.js';
import { amountOf, isSum } from '../schemas/money.js';
import { confirmedPurchases, erasures, orderLedger as ledgerTable, orders, purchases, sales } from '../schemas/topics.js';
import type { Erasure, LedgerLine, OrderEvent, OrderState, SaleKind } from '../schemas/types.js';
import { happened } from './happened.js';
import { requireId, requireShopper, requireSku } from './ids.js';
import { booked, emitPurchase, EVERYWHERE, hasUnits, sell, undone, type Goods } from './orders/telling.js';
import { linesOf, worthOf, worthOfAll } from './orders/worth.js';
import { isRepeatOfSource } from './sources.js';

const MESSAGE_LIMIT = 200;
const DAY_MS = 86_400_000;
const WAITING_LIMIT = 50;
const WAITING_BYTES = 500_000;

const states = rows<OrderState>('', 'OrderState');

/**
 * The books: each order once, whoever reports it and however often; refunds and cancellations as signed sales on the day of
 * their order, never more than was paid for them; what comes before its order waits for it. Units that only a page has reported are told
 * as claimed until the shop confirms them: the books are the same, what they teach is not.
 */
export function orderLedger(): Consumer {
  return consumer({ name: 'order-ledger', table: ledgerTable, inputs: [on(orders, onOrderEvent, { keyOf: ({ orderId }) => orderId }), on(erasures, onErasure)], outputs: [purchases, confirmedPurchases, sales] });
}

function onOrderEvent({ key, value, writtenAt }: Incoming<OrderEvent>, ctx: Context): void {
  const event = happened(value, writtenAt, ctx);
  requireId('orderId', event.orderId);
  const shopper = event.userId ?? event.anonymousId;
  if (shopper !== null) requireShopper(event.userId === null ? 'anonymousId' : 'userId', shopper);
  for (const { sku } of event.lines) requireSku(sku);
  if (isRepeatOfSource(event, ctx)) return ctx.count('millrace_duplicates_total');
  if (!isSum(event.lines)) throw new BadEvent('amount_out_of_range', `The lines of order ${event.orderId} are worth more than can be written down.`);
  if (event.kind === 'line') return bookLine(event, ctx);
  if (event.lines.length === 0 && (event.kind === 'completed' || event.kind === 'updated')) {
    // Taken as the whole order, it would keep out the report that has the lines, or take back all of what was sold.
    throw new BadEvent('no_lines', `Order ${event.orderId} names no products: nothing of it can be booked.`);
  }
  const state = ctx.get(states, key);
  // Of a claim the shop's own report is news under the page's message id, too: both may make it from the order's.
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

/** The order stays, whose it was is forgotten. */
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

/** A line of a file: the source's ordinal is its identity, so nothing is kept of it. */
function bookLine(event: OrderEvent, ctx: Context): void {
  const line = event.lines[0];
  if (!line) return;
  const ordinal = event.source?.ordinal ?? 0;
  const kind = line.quantity >= 0 && line.price >= 0n ? 'sale' : event.orderId.startsWith('C') ? 'cancellation' : 'adjustment';
  const sold = { ...line, amount: amountOf(line.price, line.quantity), claimed: 0 };
  sell(event, { ...sold, line: ordinal % 2 ** 31, kind, time: event.time }, ctx);
  emitPurchase(event, 'line', event.time, [sold], EVERYWHERE, ctx);
}

function open(key: string, before: OrderState | undefined, event: OrderEvent, ctx: Context): void {
  const state: OrderState = {
    time: event.time, shopper: event.userId ?? event.anonymousId, currency: event.currency, complete: true, confirmed: event.confirmed,
    lines: linesOf(event),
    // A page may claim under the id of the shop's later report: it repeats itself as a second order does.
    messages: event.confirmed ? remember(before?.messages ?? [], event.messageId) : (before?.messages ?? []), waiting: [], country: event.country, cartId: event.cartId, refunded: null, source: event.source,
  };
  ctx.put(states, key, state);
  const sold = state.lines.map(booked);
  sold.forEach((goods, line) => sell(event, { ...goods, line, kind: 'sale', time: event.time }, ctx));
  emitPurchase(event, 'completed', event.time, sold, event.confirmed ? EVERYWHERE : [purchases], ctx);
  for (const waiting of before?.waiting ?? []) takeBackLate(key, orders.codec.decode(waiting), ctx);
}

/** What waited for its order. One that cannot be booked is set aside by itself: the order is none the worse for it. */
function takeBackLate(key: string, event: OrderEvent, ctx: Context): void {
  const state = ctx.get(states, key)!;
  const problem = otherCurrency(state, event);
  if (!problem) return takeBack(key, state, event, ctx);
  // Put right it comes under the same id.
  ctx.put(states, key, { ...state, messages: state.messages.filter((id) => id !== event.messageId) });
  ctx.refuse(orders, key, event, event.messageId, problem);
}

/** Why a refund by its total cannot be booked: nothing is converted. Goods have the order's prices, whatever the refund names. */
function otherCurrency({ currency }: OrderState, { kind, orderId, lines, total, currency: named }: OrderEvent): BadEvent | undefined {
  if (kind !== 'refunded' || lines.length > 0 || total === null || named === '' || named === currency) return undefined;
  return new BadEvent('other_currency', `Order ${orderId} is in ${currency} and this refund in ${named}: nothing is converted. Say it in ${currency}, or name the products that came back.`);
}

/** An order of which money has been given back keeps its currency: in another one it would be another sum. */
function requireSameCurrency({ currency, refunded }: OrderState, event: OrderEvent): void {
  if (event.currency === currency || (refunded ?? 0n) === 0n) return;
  throw new BadEvent('other_currency', `Of order ${event.orderId} money was given back in ${currency}: it cannot become one in ${event.currency}, since nothing is converted.`);
}

/** The shop's own report of what a page has claimed, an order of `time`: where they differ, the claim is taken back and the order booked as reported. */
function confirm(key: string, claim: OrderState, event: OrderEvent, time: number, ctx: Context): void {
  const shopper = event.userId ?? event.anonymousId ?? claim.shopper;
  const messages = remember(claim.messages, event.messageId);
  const reported = linesOf({ ...event, confirmed: true });
  const isSame = claim.lines.length === reported.length && Math.abs(time - claim.time) < DAY_MS && event.currency === claim.currency
    && claim.lines.every((line, i) => isLike(line, reported[i]!));
  const given = claim.refunded ?? 0n;
  if (isSame) claim.lines.forEach((line, index) => makeSure(event, line, index, claim, ctx));
  if (isSame && shopper === claim.shopper) {
    ctx.put(states, key, { ...claim, lines: claim.lines.map(sure), confirmed: true, messages, waiting: [] });
    tellConfirmed(event, claim, claim.lines, -given, ctx);
    return ctx.count('millrace_duplicates_total');
  }
  const lines = isSame ? claim.lines.map(sure) : reported;
  const order: OrderState = {
    ...claim, time, shopper, currency: event.currency, confirmed: true, messages, waiting: [], country: event.country ?? claim.country, cartId: event.cartId ?? claim.cartId,
    lines, refunded: isSame ? claim.refunded : null,
  };
  const [back, sold] = [claim.lines.map(booked).map(undone), lines.map(booked)];
  if (!isSame) {
    claim.lines.forEach((line, index) => takeClaimBack(event, line, index, claim, ctx));
    if (given !== 0n) sellMoney(event, 'refund', given, claim, ctx);
    sold.forEach((goods, line) => sell(event, { ...goods, line, kind: 'sale', time }, ctx, order));
  }
  emitPurchase({ ...event, userId: null, anonymousId: claim.shopper, cartId: claim.cartId, currency: claim.currency }, 'cancelled', event.time, back.filter(hasUnits), [purchases], ctx, given);
  emitPurchase({ ...event, anonymousId: event.anonymousId ?? claim.shopper }, 'completed', time, sold.filter(hasUnits), EVERYWHERE, ctx, isSame ? -given : 0n);
  ctx.put(states, key, order);
  // A claim may lack what came back, or the units of it: of what is booked in its place that comes back anew.
  if (!isSame) for (const refund of claim.waiting) takeBackLate(key, orders.codec.decode(refund), ctx);
}

/** A claimed line was never sold, and nothing came back of it. */
function takeClaimBack(event: OrderEvent, { sku, price, claimed, ...line }: LedgerLine, index: number, claim: OrderState, ctx: Context): void {
  const of = { sku, price, line: index, time: claim.time };
  const was = { ...line, sku, price, claimed };
  sell(event, { ...of, quantity: 0 - line.quantity, amount: -worthOf(was, line.quantity), claimed: 0 - claimed, kind: 'sale' }, ctx, claim);
  if (line.returned !== 0) sell(event, { ...of, quantity: line.returned, amount: worthOf(was, line.returned), claimed: 0, kind: 'refund' }, ctx, claim);
}

/** An order that a page has claimed is the shop's, with what is left of `lines`, and money that went back without goods. */
function tellConfirmed(event: OrderEvent, { shopper, time, cartId }: OrderState, lines: readonly LedgerLine[], money: bigint, ctx: Context): void {
  emitPurchase({ ...event, userId: null, anonymousId: shopper, cartId }, 'completed', time, lines.map(booked).filter(hasUnits), [confirmedPurchases], ctx, money);
}

/** The same of an order that the shop reports anew: what was told of it is taken back, but for money that is not booked back. */
function tellUpdated(event: OrderEvent, state: OrderState, lines: readonly LedgerLine[], money: bigint, ctx: Context): void {
  if (event.currency === state.currency && money === 0n && worthOfAll(lines) === worthOfAll(state.lines)) return;
  emitPurchase({ ...event, userId: null, anonymousId: state.shopper, cartId: state.cartId, currency: state.currency }, 'cancelled', event.time, state.lines.map(booked).map(undone).filter(hasUnits), [confirmedPurchases], ctx);
  tellConfirmed(event, state, lines, money, ctx);
}

/** Whether two reports say the same of a line. */
const isLike = (a: LedgerLine, b: LedgerLine): boolean => a.sku === b.sku && a.quantity === b.quantity && a.price === b.price && a.discount === b.discount;

const sure = (line: LedgerLine): LedgerLine => ({ ...line, claimed: 0 });

/** A claimed line as the shop has reported it, too: no unit more or less, but none is a claim any more. */
function makeSure(event: OrderEvent, { sku, price, claimed }: LedgerLine, line: number, state: OrderState, ctx: Context): void {
  sell(event, { sku, quantity: 0, price, amount: 0n, line, kind: 'adjustment', time: state.time, claimed: 0 - claimed }, ctx, state);
}

/** A later report of the whole order by the shop: the difference of each line is booked on the order's day. Lines of one SKU follow each other. */
function update(key: string, state: OrderState, event: OrderEvent, ctx: Context): void {
  requireSameCurrency(state, event);
  const after = { ...state, currency: event.currency };
  const as = { kind: 'adjustment', time: state.time } as const;
  const wanted = new Map<string, LedgerLine[]>();
  for (const line of linesOf({ ...event, confirmed: true })) wanted.set(line.sku, [...(wanted.get(line.sku) ?? []), line]);
  const lines = state.lines.map((was, index): LedgerLine => {
    const now = wanted.get(was.sku)?.shift() ?? { ...was, quantity: 0, discount: 0n, claimed: 0 };
    // What came back of units that the order no longer has did not come back of it.
    const line = { ...now, returned: Math.min(was.returned, Math.max(0, now.quantity)) };
    if (!isLike(line, was) || event.currency !== state.currency) {
      sell(event, { ...undone(booked(was)), line: index, ...as }, ctx, state);
      sell(event, { ...booked(line), line: index, ...as }, ctx, after);
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

function wait(key: string, state: OrderState | undefined, event: OrderEvent, ctx: Context): void {
  const base: OrderState = state ?? {
    time: event.time, shopper: event.userId ?? event.anonymousId, currency: event.currency, complete: false, confirmed: false, lines: [],
    messages: [], waiting: [], country: null, cartId: null, refunded: null, source: null,
  };
  ctx.put(states, key, { ...base, messages: remember(base.messages, event.messageId), waiting: waitingWith(base, event) });
}

/** What the shop has said of an order that it has not reported itself, yet. */
function waitingWith({ waiting: before }: OrderState, event: OrderEvent): Buffer[] {
  const waiting = [...before, orders.codec.encode(event)];
  if (waiting.length > WAITING_LIMIT || waiting.reduce((sum, { length }) => sum + length, 0) > WAITING_BYTES) {
    throw new BadEvent('too_many_waiting', `Order ${event.orderId} was not reported by the shop, and ${before.length} refunds and cancellations of it wait for it: at most ${WAITING_LIMIT} do, of ${WAITING_BYTES} bytes.`);
  }
  return waiting;
}

/** A refund or cancellation: units by line where lines are named, all that is left where neither lines nor a smaller total are. */
function takeBack(key: string, state: OrderState, event: OrderEvent, ctx: Context): void {
  const problem = otherCurrency(state, event);
  if (problem) throw problem;
  const kind: SaleKind = event.kind === 'cancelled' ? 'cancellation' : 'refund';
  const given = state.refunded ?? 0n;
  const left = worthOfAll(state.lines) - given;
  const whole = event.lines.length === 0 && (event.kind === 'cancelled' || event.total === null || event.total >= left);
  const returned = state.lines.map((line) => ({ ...line }));
  const back: Goods[] = [];
  const giveBack = (index: number, units: number): void => {
    const line = returned[index]!;
    const quantity = Math.min(units, line.quantity - line.returned);
    if (quantity <= 0) return;
    const claimed = Math.min(quantity, line.claimed);
    returned[index] = { ...line, returned: line.returned + quantity, claimed: line.claimed - claimed };
    const goods = { sku: line.sku, quantity: -quantity, price: line.price, amount: worthOf(line, line.returned) - worthOf(line, line.returned + quantity), claimed: 0 - claimed };
    back.push(goods);
    sell(event, { ...goods, line: index, kind, time: state.time }, ctx, state);
  };
  if (whole) state.lines.forEach((line, index) => giveBack(index, line.quantity));
  for (const { sku, quantity } of event.lines) {
    let units = Math.abs(quantity);
    state.lines.forEach((line, index) => {
      if (line.sku !== sku) return;
      const before = returned[index]!.returned;
      giveBack(index, units);
      units -= returned[index]!.returned - before;
    });
  }
  const isMoney = !whole && event.lines.length === 0 && event.total !== null;
  // Money without goods (a goodwill refund) has no units; what was given back so is not given back again with the goods.
  const money = isMoney ? event.total! : -tooMuch(given, returned);
  if (money !== 0n) sellMoney(event, kind, -money, state, ctx);
  ctx.put(states, key, { ...state, lines: returned, refunded: given + money, messages: remember(state.messages, event.messageId), waiting: state.confirmed ? [] : waitingWith(state, event) });
  if (back.length > 0 || money !== 0n) emitPurchase({ ...event, userId: null, anonymousId: state.shopper, cartId: state.cartId, currency: state.currency }, kind === 'refund' ? 'refunded' : 'cancelled', event.time, back, state.confirmed ? EVERYWHERE : [purchases], ctx, -money);
}

/** The money given back that lines, told anew, still stand for; what is more is booked back. */
function keptOf(lines: readonly LedgerLine[], event: OrderEvent, state: OrderState, ctx: Context): bigint {
  const given = state.refunded ?? 0n;
  const over = tooMuch(given, lines);
  if (over > 0n) sellMoney(event, 'adjustment', over, state, ctx);
  return given - over;
}

/** How much of the money given back is more than what is left of lines. */
function tooMuch(given: bigint, lines: readonly LedgerLine[]): bigint {
  const worth = worthOfAll(lines);
  return given <= worth ? 0n : given - (worth > 0n ? worth : 0n);
}

/** Money without goods, on the order's first line. */
function sellMoney(event: OrderEvent, kind: SaleKind, amount: bigint, state: OrderState, ctx: Context): void {
  const line = state.lines[0];
  if (line) sell(event, { sku: line.sku, quantity: 0, price: 0n, amount, line: 0, kind, time: state.time, claimed: 0 }, ctx, state);
}

const remember = (messages: readonly string[], id: string): string[] => [...messages.filter((known) => known !== id), id].slice(-MESSAGE_LIMIT);

