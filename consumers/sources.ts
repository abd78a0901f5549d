import type { Context } from '../pipeline/core/consumer.js';
import { decodeRow, NOBODY, restOf, rowKey, rows } from '../pipeline/core/rows.js';
import type { OrderEvent, Watermark } from '../schemas/types.js';

/** The next ordinal to be taken of each file source in this partition. Its row belongs to no key, so that it never moves with a shopper. */
const watermarks = rows<Watermark>('_source', 'Watermark');
const SEPARATOR = '\u001f';

/**
 * Whether a record has been taken before, that is a line of a file, or comes from another log by an export. If not, it counts as taken now.
 * Lines of a file that come by an export are in the file's order only within each partition of the log that they come from, so each of these
 * partitions has a mark of its own.
 */
export function isRepeatOfSource({ source, restored }: Pick<OrderEvent, 'source' | 'restored'>, ctx: Context): boolean {
  if (!restored) return source !== null && (isBehind(carriedFrom(source.name), source.ordinal, ctx) || !pass(source.name, source.ordinal, ctx));
  if (!source) return !pass(restored.name, restored.ordinal, ctx);
  if (isBehind(source.name, source.ordinal, ctx) || !pass(`${carriedFrom(source.name)}${restored.name}`, source.ordinal, ctx)) return true;
  pass(carriedFrom(source.name), source.ordinal, ctx);
  return false;
}

/** Mark of the lines of a source that came by exports: when the file itself is read again, it goes on behind them. */
const carriedFrom = (source: string): string => `${source}${SEPARATOR}`;

const isBehind = (mark: string, ordinal: number, ctx: Context): boolean => ordinal < (ctx.get(watermarks, '', mark)?.next ?? 0);

/** Moves a mark beyond an ordinal. Answers false where it stands there already. */
function pass(mark: string, ordinal: number, ctx: Context): boolean {
  if (isBehind(mark, ordinal, ctx)) return false;
  ctx.put(watermarks, '', { next: ordinal + 1 }, mark);
  return true;
}

/** The ordinal below which a partition has taken all lines of a file; 0 for a file that is new to it. `get` reads the partition's rows by key. */
export function takenUpTo(source: string, get: (key: string) => Buffer | undefined): number {
  const marks = [source, carriedFrom(source)].map((mark) => get(rowKey(NOBODY, restOf(watermarks.name, mark))));
  return Math.max(...marks.map((stored) => (stored ? decodeRow(watermarks.codec, stored).next : 0)));
}
