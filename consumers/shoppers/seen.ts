import { hash } from 'node:crypto';
import type { Context, MovedRow } from '../../pipeline/core/consumer.js';
import { rows } from '../../pipeline/core/rows.js';
import type { SeenMessages, ShopEvent } from '../../schemas/types.js';

/** Messages of a shopper that came within a day. */
export const seenMessages = rows<SeenMessages>('seen', 'SeenMessages');

/** For so long after its receipt (ms) a message is known again. */
const SEEN_MS = 24 * 3_600_000;
const SEEN_LIMIT = 500;
/** Eight bytes of the message id's hash, four of its receipt in seconds. */
const SEEN_BYTES = 12;
const MOST_SECONDS = 2 ** 32 - 1;

/** Have a shopper looked after in a day: where rows of them begin, not with each event. */
export const watch = (key: string, time: number, ctx: Context): void => ctx.schedule('unseen', key, time + SEEN_MS);

/** Whether a message was taken before; one that was not is noted. */
export function isRepeat(key: string, { messageId, receivedAt, time }: ShopEvent, ctx: Context): boolean {
  const entry = seenEntry(messageId, receivedAt);
  const row = ctx.get(seenMessages, key);
  if (!row) watch(key, time, ctx);
  const known = row?.hashes ?? Buffer.alloc(0);
  const [low, high] = [entry.readUInt32LE(0), entry.readUInt32LE(4)];
  const oldest = (receivedAt - SEEN_MS) / 1000;
  // A busy shopper has hundreds of entries at every event: they are compared in place and kept as whole stretches.
  const kept: Buffer[] = [entry];
  let room = SEEN_LIMIT - 1;
  let from = 0;
  let at = 0;
  for (; at < known.length && room > 0; at += SEEN_BYTES) {
    if (known.readUInt32LE(at + 8) < oldest) {
      if (at > from) kept.push(known.subarray(from, at));
      from = at + SEEN_BYTES;
      continue;
    }
    if (known.readUInt32LE(at) === low && known.readUInt32LE(at + 4) === high) return true;
    room--;
  }
  if (at > from) kept.push(known.subarray(from, at));
  ctx.put(seenMessages, key, { hashes: Buffer.concat(kept) });
  return false;
}

function seenEntry(messageId: string, receivedAt: number): Buffer {
  const entry = Buffer.allocUnsafe(SEEN_BYTES);
  // Not by createHash: its object costs an eighth of the whole event.
  entry.write(hash('md5', messageId, 'hex').slice(0, 16), 'hex');
  entry.writeUInt32LE(Math.min(MOST_SECONDS, Math.max(0, Math.floor(receivedAt / 1000))), 8);
  return entry;
}

export function joinSeen({ key, value }: MovedRow<SeenMessages>, ctx: Context): void {
  const standing = ctx.get(seenMessages, key)?.hashes ?? Buffer.alloc(0);
  ctx.put(seenMessages, key, { hashes: Buffer.concat([standing, value.hashes]).subarray(0, SEEN_LIMIT * SEEN_BYTES) });
}

/** Until when (ms) a shopper's messages are known again; 0 where none is noted. */
export function seenUntil(key: string, ctx: Context): number {
  const known = ctx.get(seenMessages, key)?.hashes;
  if (!known) return 0;
  let newest = 0;
  for (let at = 0; at < known.length; at += SEEN_BYTES) newest = Math.max(newest, known.readUInt32LE(at + 8));
  return (newest + 1) * 1_000 + SEEN_MS;
}
