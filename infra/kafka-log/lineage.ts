import type { Lost } from '../../pipeline/core/errors.js';
import type { OffsetRange } from '../../pipeline/core/log.js';
import type { Connection } from './connection.js';
import { NO_SUCH_EPOCH } from './hand-made.js';

/**
 * Of which log a position is: of one topic that is deleted and made again, or of a partition that has lost its end and got other records in its
 * place, the same offset means something else.
 */
export interface Lineage {
  /** '' where the cluster gives none. */
  readonly topicId: string;
  /** Leader epoch of what was read last; -1 while nothing was. */
  epoch: number;
}

export const lineageText = ({ topicId, epoch }: Lineage): string => `${topicId}:${epoch}`;

/** undefined for what no version wrote. */
export function parseLineage(text: string | undefined): Lineage | undefined {
  const [, topicId, epoch] = /^([0-9a-f]*):(-1|\d+)$/.exec(text ?? '') ?? [];
  return topicId === undefined ? undefined : { topicId, epoch: Number(epoch) };
}

/** Where a reader stands. */
export interface Standing {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** undefined where it was not kept. */
  readonly was: Lineage | undefined;
}

/**
 * What a reader that stood at `offset` has lost in the log as it is. `epochEnd`: where the records of the epoch that it read last end now
 * (undefined where it knows of none).
 */
export function lostBy({ topic, partition, offset, was }: Standing, topicId: string, { start, end }: OffsetRange, epochEnd: number | undefined): Lost | undefined {
  const lost = (next: number, problem: string): Lost => ({ topic, partition, offset, next, problem });
  const place = `${topic}, partition ${partition}`;
  if (was && was.topicId !== '' && topicId !== '' && was.topicId !== topicId) {
    return lost(start, `Offset ${offset} of ${place}, is of a topic that was deleted: the one of that name was made after it, and has [${start}, ${end}).`);
  }
  if (offset < start) return lost(start, `Offset ${offset} of ${place}, lies outside the log, which has [${start}, ${end}).`);
  if (epochEnd !== undefined && epochEnd !== NO_SUCH_EPOCH && epochEnd < offset) {
    return lost(Math.max(start, epochEnd), `Offset ${offset} of ${place}, is not what was read up to there: the log has lost its end from ${epochEnd} on, and other records took its place. It has [${start}, ${end}).`);
  }
  if (offset > end) return lost(end, `Offset ${offset} of ${place}, lies outside the log, which has [${start}, ${end}).`);
  if (epochEnd === NO_SUCH_EPOCH) return lost(offset, `Offset ${offset} of ${place}, is not what was read up to there: the log is an older copy, which has [${start}, ${end}).`);
  return undefined;
}

/** What readers have lost in the log as it is, what there is now, and of which topics: both in the order asked. @throws Unavailable */
export async function compared(connection: Pick<Connection, 'describe' | 'ranges' | 'epochEnds'>, standings: readonly Standing[]): Promise<{ lost: Lost[]; ranges: OffsetRange[]; topicIds: string[] }> {
  // The ids first: of a topic that is made again meanwhile the old id is kept, and told from the new one later.
  const topics = await connection.describe([...new Set(standings.map(({ topic }) => topic))]);
  const topicIds = standings.map(({ topic }) => topics.get(topic)?.id ?? '');
  const ranges = await connection.ranges(standings);
  const ends = new Map<Standing, number>();
  const known = standings.flatMap((standing, i) => {
    const { topic, partition, was } = standing;
    return was && was.epoch >= 0 && was.topicId === topicIds[i] ? [{ standing, topic, partition, epoch: was.epoch }] : [];
  });
  if (known.length > 0) for (const [i, end] of (await connection.epochEnds(known)).entries()) ends.set(known[i].standing, end);
  const lost = standings.flatMap((standing, i) => lostBy(standing, topicIds[i], ranges[i], ends.get(standing)) ?? []);
  return { lost, ranges, topicIds };
}
