import type { Context, MovedRow } from '../../pipeline/core/consumer.js';
import { rows } from '../../pipeline/core/rows.js';
import { joinedIds } from '../../schemas/joined-ids.js';
import { erasures, userMerges } from '../../schemas/topics.js';
import type { Mention, ShopEvent } from '../../schemas/types.js';

/** Which id was said to lead to which, under the shopper to whom both do: a row each, since there is no end to devices. */
export const aliases = rows<Mention>('alias', 'Mention');

const SEPARATOR = '\u001f';
/** Ids of 256 bytes at most, of which a record holds so many with room to spare. */
const IDS_A_RECORD = 2_000;

/** The other id of an alias' row. */
export const aliasOf = (sub: string): string => sub.split(SEPARATOR)[0] ?? '';

/** Note that an id leads to a shopper by way of `to`, since when. Either may come first. */
export function noteAlias(key: string, from: string, to: string, time: number, ctx: Context): void {
  const sub = [from, to].join(SEPARATOR);
  const known = ctx.get(aliases, key, sub);
  if (from !== key && (!known || known.time > time)) ctx.put(aliases, key, { time }, sub);
}

/** Note what a login or an alias says. */
export function noteJoined(key: string, event: ShopEvent, ctx: Context): void {
  const joined = joinedIds(event);
  if (joined) noteAlias(key, joined.from, joined.to, event.time, ctx);
}

export function joinAlias({ key, sub, value }: MovedRow<Mention>, ctx: Context): void {
  const [from = '', to = ''] = sub.split(SEPARATOR);
  noteAlias(key, from, to, value.time, ctx);
}

/** An id that a page had merged into this one is another user's: an erasure of this one must not reach it. */
export function partAlias(key: string, from: string, ctx: Context): void {
  for (const { sub } of ctx.scan(aliases, key)) if (aliasOf(sub) === from) ctx.delete(aliases, key, sub);
}

/** An id that led to the erased shopper by way of one whose rows were on their way to them. */
export function forgetAlias({ key, sub, mergedAt }: MovedRow<Mention>, ctx: Context): void {
  const [from = '', to = ''] = sub.split(SEPARATOR);
  ctx.emit(userMerges, from, { mergeId: `erased@${mergedAt}`, from, to: key, time: ctx.now, erased: [key, to], fromProven: true, toProven: true, forgotten: false });
  ctx.emit(erasures, key, { ids: [from], orderId: null, time: ctx.now });
}

/** Tell those whose rows name a shopper who is erased, under whichever id: the books of their orders, ClickHouse, and where their other ids lead. */
export function tellErased(key: string, { messageId: mergeId, userId, time }: ShopEvent, orderIds: readonly string[], ctx: Context): void {
  const leads = new Map<string, string[]>();
  for (const { sub } of ctx.scan(aliases, key)) {
    const [from = '', to = ''] = sub.split(SEPARATOR);
    leads.set(from, [...(leads.get(from) ?? [key]), to]);
  }
  const ids = [...new Set([key, ...(userId === null ? [] : [userId]), ...[...leads].flat(2)])];
  const pieces = Array.from({ length: Math.ceil(ids.length / IDS_A_RECORD) }, (_, at) => ids.slice(at * IDS_A_RECORD, (at + 1) * IDS_A_RECORD));
  // The id that was asked for has led here, by whichever others.
  if (userId !== null && userId !== key) leads.set(userId, [...(leads.get(userId) ?? []), ...pieces[0]!]);
  for (const [from, to] of leads) ctx.emit(userMerges, from, { mergeId, from, to: key, time, erased: [...new Set(to)], fromProven: true, toProven: true, forgotten: false });
  for (const orderId of orderIds) for (const piece of pieces) ctx.emit(erasures, orderId, { ids: piece, orderId, time });
  for (const piece of pieces) ctx.emit(erasures, key, { ids: piece, orderId: null, time });
}
