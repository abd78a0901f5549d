import type { Context } from '../../pipeline/core/consumer.js';

/** Clocks of two hosts, or of a shop and its visitors, agree on the time to less than this. */
export const CLOCKS_APART_MS = 60_000;

/**
 * How far (ms) the log's time is ahead of the clock by which a record was written; 0 where the two agree. The log was once told a time that
 * had not come, and now waits for it. A timer set by the record's own time would be due at once: a cart would be told as abandoned while its
 * shopper is still there.
 */
export function aheadMs(writtenAt: number, ctx: Context): number {
  const ahead = ctx.time - writtenAt;
  return ctx.clock === 'wall' && ahead > CLOCKS_APART_MS ? ahead : 0;
}
