import type { Log, NewRecord } from '../core/log.js';
import type { Journal, Metrics } from '../core/metrics.js';
import { toldOnce } from '../core/told-once.js';

/** Each append delays the clicks that come meanwhile. */
const TELL_MS = 100;
/** Answers that the log has not taken yet, some 20 MB: a log that does not answer must not fill the memory. */
const MOST_UNTOLD = 10_000;

export interface ToldAnswers {
  /** Tell of an answer soon; a request never waits for it. */
  tell(record: NewRecord): void;
  /** Tell the rest, and wait until the log has all or has refused it. */
  stop(): Promise<void>;
}

/** Tells the log of served recommendations, a moment's at a time. Beyond what it may hold, answers are left untold, and counted. */
export function toldAnswers(log: Pick<Log, 'append'>, metrics: Metrics, journal: Journal): ToldAnswers {
  let pending: NewRecord[] = [];
  let untold = 0;
  const said = toldOnce(journal, {}, 'Recommendations served were not told to the log.', 'Recommendations served are told to the log again.');
  let timer: NodeJS.Timeout | undefined;
  const underWay = new Set<Promise<void>>();

  async function append(records: readonly NewRecord[]): Promise<void> {
    try {
      await log.append(records);
      said.worked();
    } catch (error) {
      metrics.count('millrace_recommendations_untold_total', {}, records.length);
      said.failed((error as Error).message, { count: records.length });
    }
    untold -= records.length;
  }

  function flush(): void {
    clearTimeout(timer);
    if (pending.length === 0) return;
    const told = append(pending).finally(() => underWay.delete(told));
    underWay.add(told);
    pending = [];
  }

  return {
    tell(record) {
      if (untold >= MOST_UNTOLD) return metrics.count('millrace_recommendations_untold_total');
      untold++;
      if (pending.push(record) === 1) timer = setTimeout(flush, TELL_MS);
    },
    async stop() {
      flush();
      await Promise.all(underWay);
    },
  };
}
