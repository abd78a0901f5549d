import type { Context } from '../pipeline/core/consumer.js';

/** Clocks of two machines may differ by so much, and a writer's own records keep their order. */
const SLACK_MS = 60_000;

/**
 * The record with times that can be right: a time that lies ahead of now is replaced by the time of writing. The collector does the same
 * (producers/times.ts), but whoever writes to a topic directly does not pass it. Now is not the task's time alone: a record that was written
 * while no task ran comes before the tick that says so.
 */
export function happened<T extends { readonly time: number; readonly receivedAt: number }>(value: T, writtenAt: number, ctx: Context): T {
  const [time, receivedAt] = [happenedAt(value.time, writtenAt, ctx), happenedAt(value.receivedAt, writtenAt, ctx)];
  if (time === value.time && receivedAt === value.receivedAt) return value;
  ctx.count('millrace_times_clamped_total');
  return { ...value, time, receivedAt };
}

/** One time, as `happened` corrects it, without counting the correction. */
export function happenedAt(time: number, writtenAt: number, ctx: Context): number {
  const latest = Math.max(ctx.time, writtenAt);
  return time <= latest + SLACK_MS || ctx.time === 0 ? time : latest;
}
