import type { Context, Due, Incoming } from '../../pipeline/core/consumer.js';
import { formatMoney, isIn } from '../../schemas/money.js';
import { heldNews } from '../../schemas/topics.js';
import type { ItemInfo, TriggerCandidate } from '../../schemas/types.js';
import { fire, rule, type TriggerPolicy } from './fire.js';
import { held, hold, unhold } from './held.js';
import { itemInfos, know, productOf } from './items.js';

const PRICE_DROP = rule('price_drop');
const BACK_IN_STOCK = rule('back_in_stock');

/** So long after an erasure item-watch may have news that happened before it hears that its shopper is gone: its inputs are in step but for this. */
const UNHEARD_MS = 5_000;

/** Rules by what item-watch has to tell of items that a shopper waits for or wants. In quiet hours it waits until `wakesAt`, and is told then if it still is news. */
export function newsRules(options: TriggerPolicy & { readonly currency: string }, wakesAt: (key: string, ctx: Context) => number) {
  return { tell, release };

  function tell({ key, value: candidate }: Incoming<TriggerCandidate>, ctx: Context): void {
    const { kind, sku, name, stock, time, causeId } = candidate;
    if (ctx.wasErased(key, time - UNHEARD_MS)) return;
    const { toldRestock = null, toldDrop = null } = ctx.get(itemInfos, key, sku) ?? {};
    const known = { ...infoOf(candidate), toldRestock, toldDrop };
    know(key, sku, known, ctx);
    if (kind === 'item_info') return;
    const wakes = wakesAt(key, ctx);
    if (wakes > ctx.time) return ctx.schedule('held', key, wakes, hold(key, candidate, ctx));
    // Quiet hours end over ten minutes: what still waits for that is older news of the same.
    unhold(key, candidate, ctx);
    const told = kind === 'back_in_stock' ? 'toldRestock' : 'toldDrop';
    // Told before, to another id of the same shopper.
    if (known[told] === causeId) return;
    know(key, sku, { ...known, [told]: causeId }, ctx);
    const reason = kind === 'back_in_stock' ? `${name ?? sku} is back in stock (${stock ?? 'some'} units).` : `${name ?? sku} costs ${spoken(candidate.price, candidate)} now, ${spoken(candidate.previousPrice, candidate)} before.`;
    fire({ rule: kind === 'back_in_stock' ? BACK_IN_STOCK : PRICE_DROP, shopper: key, causeId, causedAt: time, at: Math.max(ctx.now, time), reason, products: [productOf(key, { sku, quantity: null, price: null }, ctx)] }, options, ctx);
  }

  /** Quiet hours are over: whether it still is news is known where wishes, prices and stock are, and comes back from there. */
  function release({ key, sub }: Due, ctx: Context): void {
    const candidate = ctx.get(held, key, sub);
    if (!candidate) return;
    ctx.delete(held, key, sub);
    ctx.emit(heldNews, key, candidate);
  }

  function infoOf({ name, url, stock, time, price, currency }: TriggerCandidate): Omit<ItemInfo, 'toldRestock' | 'toldDrop'> {
    return { name, url, price: isIn(options.currency, currency) ? price : null, stock, time };
  }

  function spoken(price: bigint | null, { currency }: TriggerCandidate): string {
    return price === null ? 'nothing known' : `${formatMoney(price)} ${currency ?? options.currency}`;
  }
}
