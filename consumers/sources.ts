import type { Context } from '../pipeline/core/consumer.js';
import { decodeRow, NOBODY, restOf, rowKey, rows } from '../pipeline/core/rows.js';
import type { OrderEvent, Watermark } from '../schemas/types.js';

/** High-water mark of each file source in this partition: a row of no key, so that it never moves with a shopper. */
const watermarks = rows<Watermark>('_source', 'Watermark');
const SEPARATOR = '\u001f';

/**
 * Whether a record of a file source, or one that was carried over from another log, has been taken before; if not, it counts as taken now.
 * Lines of a file that were carried over come partition by partition of that log, and in the file's order within each alone.
 */
export function isRepeatOfSource({ source, restored }: Pick<OrderEvent, 'source' | 'restored'>, ctx: Context): boolean {
  if (!restored) return source !== null && (isBehind(carriedFrom(source.name), source.ordinal, ctx) || !pass(source.name, source.ordinal, ctx));
  if (!source) return !pass(restored.name, restored.ordinal, ctx);
  if (isBehind(source.name, source.ordinal, ctx) || !pass(`${carriedFrom(source.name)}${restored.name}`, source.ordinal, ctx)) return true;
  pass(carriedFrom(source.name), source.ordinal, ctx);
  return false;
}

/** Mark of the lines of a source that came with any log: the file itself, read again, goes on behind them. */
const carriedFrom = (source: string): string => `${source}${SEPARATOR}`;

const isBehind = (mark: string, ordinal: number, ctx: Context): boolean => ordinal < (ctx.get(watermarks, '', mark)?.next ?? 0);

/** Moves a mark beyond an ordinal. Answers false where it stands there already. */
function pass(mark: string, ordinal: number, ctx: Context): boolean {
  if (isBehind(mark, ordinal, ctx)) return false;
  ctx.put(watermarks, '', { next: ordinal + 1 }, mark);
  return true;
}

/** The ordinal below which all lines of a file have been taken by a partition, whose rows `get` answers by their keys; 0 for a file that is new to it. */
export function takenUpTo(source: string, get: (key: string) => Buffer | undefined): number {
  const marks = [source, carriedFrom(source)].map((mark) => get(rowKey(NOBODY, restOf(watermarks.name, mark))));
  return Math.max(...marks.map((stored) => (stored ? decodeRow(watermarks.codec, stored).next : 0)));
}
