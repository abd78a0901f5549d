import type { Context } from '../pipeline/core/consumer.js';
import { rows } from '../pipeline/core/rows.js';
import type { SourcePosition, Watermark } from '../schemas/types.js';

/** High-water mark of each file source in this partition: a row of no key, so that it never moves with a shopper. */
const watermarks = rows<Watermark>('_source', 'Watermark');

/** Whether a record of a file source has been taken before; if not, it counts as taken now. */
export function isRepeatOfSource(source: SourcePosition | null, ctx: Context): boolean {
  if (!source) return false;
  const next = ctx.get(watermarks, '', source.name)?.next ?? 0;
  if (source.ordinal < next) return true;
  ctx.put(watermarks, '', { next: source.ordinal + 1 }, source.name);
  return false;
}
