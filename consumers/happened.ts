import type { Context } from '../pipeline/core/consumer.js';

/** Clocks of two machines may differ by so much, and a writer's own records keep their order. */
const SLACK_MS = 60_000;

/**
 * A record with the times at which it happened and came: what claims to lie ahead was when it was written, as at the doors (producers/times.ts),
 * which writers of topics do not pass. Not by the task's time alone: what was written while no task ran stands before the tick that tells of it.
 */
export function happened<T extends { readonly time: number; readonly receivedAt: number }>(value: T, writtenAt: number, ctx: Context): T {
  const [time, receivedAt] = [happenedAt(value.time, writtenAt, ctx), happenedAt(value.receivedAt, writtenAt, ctx)];
  if (time === value.time && receivedAt === value.receivedAt) return value;
  ctx.count('millrace_times_clamped_total');
  return { ...value, time, receivedAt };
}

/** The time that `happened` gives, uncounted. */
export function happenedAt(time: number, writtenAt: number, ctx: Context): number {
  const latest = Math.max(ctx.time, writtenAt);
  return time <= latest + SLACK_MS || ctx.time === 0 ? time : latest;
}
