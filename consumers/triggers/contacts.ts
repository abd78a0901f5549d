import type { Context, MovedRow } from '../../pipeline/core/consumer.js';
import { joinConsent } from '../consent.js';
import { rows } from '../../pipeline/core/rows.js';
import type { Interaction, Purchase, ShopperContact } from '../../schemas/types.js';

/** Consent, caps and the latest orders of a shopper. */
export const contacts = rows<ShopperContact>('', 'ShopperContact');

const ORDERED_LIMIT = 20;
/** As many as a cap may count (TRIGGER_CAP_COUNT): of fewer it would never be reached. */
const FIRED_LIMIT = 1_000;
const NOBODY: ShopperContact = { consent: null, consentAt: 0, fired: [], lastOrderAt: 0, orderedCarts: [], boughtAt: 0, timezone: null, timezoneAt: 0, newSince: 0, isVip: false, vipFor: 0 };

export const contactOf = (key: string, ctx: Context): ShopperContact => ctx.get(contacts, key) ?? NOBODY;

/** An event of an id that was merged into this one may come after the merge: what it says counts as much as what a merge brings. */
export function noteConsent(key: string, { shopper, marketingConsent, time }: Interaction, ctx: Context): void {
  const contact = contactOf(key, ctx);
  if (marketingConsent === null) {
    // A yes of before the id was known as a user's.
    if (shopper === key && contact.consent === true) ctx.put(contacts, key, { ...contact, consent: null, consentAt: 0 });
    return;
  }
  if (marketingConsent === contact.consent) return;
  const said = { said: marketingConsent, at: time };
  const own = { said: contact.consent, at: contact.consentAt };
  const counts = shopper === key ? (time < own.at ? own : said) : joinConsent(own, said, true);
  if (counts.said !== contact.consent) ctx.put(contacts, key, { ...contact, consent: counts.said, consentAt: counts.at });
}

export function noteZone(key: string, { timezone, time }: Interaction, ctx: Context): void {
  if (timezone === null) return;
  const contact = contactOf(key, ctx);
  if (timezone === contact.timezone || time < contact.timezoneAt) return;
  ctx.put(contacts, key, { ...contact, timezone, timezoneAt: time });
}

/** Whether a purchase is an order, or a line of one, and not its undoing. */
export const isOrder = (kind: Purchase['kind']): boolean => kind === 'completed' || kind === 'line';

/** An order that names its cart takes that cart; one that names none takes every cart of its shopper. */
export function noteOrder(key: string, { cartId, time }: Purchase, newSince: number, ctx: Context): void {
  const contact = contactOf(key, ctx);
  const bought = { ...contact, newSince, boughtAt: Math.max(contact.boughtAt, time) };
  if (cartId === null) ctx.put(contacts, key, { ...bought, lastOrderAt: Math.max(contact.lastOrderAt, time) });
  else ctx.put(contacts, key, { ...bought, orderedCarts: latestCarts([{ cartId, time }, ...contact.orderedCarts]) });
}

export function noteFired(key: string, at: number, ctx: Context): void {
  const contact = contactOf(key, ctx);
  ctx.put(contacts, key, { ...contact, fired: [at, ...contact.fired].slice(0, FIRED_LIMIT) });
}

/** Commutative: whichever id's row came first, the outcome is the same. */
export function joinContact({ key, value: moved, toProven }: MovedRow<ShopperContact>, ctx: Context): void {
  const standing = contactOf(key, ctx);
  const { said, at } = joinConsent({ said: standing.consent, at: standing.consentAt }, { said: moved.consent, at: moved.consentAt }, toProven);
  ctx.put(contacts, key, {
    consent: said,
    consentAt: at,
    fired: [...standing.fired, ...moved.fired].sort((a, b) => b - a).slice(0, FIRED_LIMIT),
    lastOrderAt: Math.max(standing.lastOrderAt, moved.lastOrderAt),
    orderedCarts: latestCarts([...standing.orderedCarts, ...moved.orderedCarts]),
    boughtAt: Math.max(standing.boughtAt, moved.boughtAt),
    newSince: newSinceOfBoth(standing, moved),
    isVip: standing.isVip || moved.isVip,
    vipFor: Math.max(standing.vipFor, moved.vipFor),
    ...laterZone(standing, moved),
  });
}

/** What is kept of a visitor whom nobody has seen since `time` (ms). Who has come back meanwhile has said it again, or is a customer. */
export function forgetContact(key: string, time: number, ctx: Context): void {
  const contact = ctx.get(contacts, key);
  if (contact && contact.boughtAt === 0 && Math.max(contact.consentAt, contact.timezoneAt) <= time) ctx.delete(contacts, key);
}

/** Since when two ids are one new customer: each of them that has ordered is yet to be welcomed. */
function newSinceOfBoth(one: ShopperContact, other: ShopperContact): number {
  if (one.boughtAt === 0) return other.newSince;
  return other.boughtAt === 0 ? one.newSince : Math.min(one.newSince, other.newSince);
}

const laterZone = (one: ShopperContact, other: ShopperContact): Pick<ShopperContact, 'timezone' | 'timezoneAt'> => {
  const { timezone, timezoneAt } = other.timezoneAt > one.timezoneAt || (other.timezoneAt === one.timezoneAt && (other.timezone ?? '') > (one.timezone ?? '')) ? other : one;
  return { timezone, timezoneAt };
};

const latestCarts = (ordered: ShopperContact['orderedCarts']): ShopperContact['orderedCarts'] => {
  const latest = new Map<string, number>();
  for (const { cartId, time } of ordered) latest.set(cartId, Math.max(latest.get(cartId) ?? 0, time));
  return [...latest].map(([cartId, time]) => ({ cartId, time })).sort((a, b) => b.time - a.time || (a.cartId < b.cartId ? -1 : 1)).slice(0, ORDERED_LIMIT);
};
