import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { itemNeighbours, type ItemNeighbours } from '../../consumers/co-visitation.js';
import { recommender } from '../../consumers/recommender.js';
import { snapshotFiles } from '../../infra/snapshots/files.js';
import { interactions } from '../../schemas/topics.js';
import type { Config } from '../config.js';
import type { FoldSurroundings } from '../core/fold.js';
import type { LogRecord } from '../core/log.js';
import { noMetrics, silentJournal } from '../core/metrics.js';
import { learnOnThread, spawnLearner } from '../learner/thread.js';
import { grownRecommender, interactionRecords, interactionStream } from './events.js';

/** How long learning holds the thread at most before requests have their turn. */
const SLICE_MS = 0.5;
const LOG = 'bench';

export interface LearningSetting {
  readonly rate: number;
  readonly items: number;
  readonly shoppers: number;
  readonly neighbours: ItemNeighbours;
  readonly config: Config;
  readonly folder: string;
}

export interface Learning {
  /** Events so far: learned by the scorer in this thread, and taken by the learner on its own. */
  learned(): { readonly scorer: number; readonly learner: number };
  stop(): Promise<void>;
}

/** Learns events at a rate, as the one process of a small shop does: what a scorer learns in this thread, what the learner does on its own. */
export async function learnAt({ rate, items, shoppers, neighbours, config, folder }: LearningSetting): Promise<Learning> {
  const events = interactionStream(Infinity, items, shoppers);
  const waiting: LogRecord[] = [];
  const began = performance.now();
  let learned = 0;
  let taken = 0;
  const timer = setInterval(() => {
    // A slice, then requests: what is owed is caught up with in the next ones.
    const sliceEnd = performance.now() + SLICE_MS;
    for (; learned < ((performance.now() - began) / 1000) * rate && performance.now() < sliceEnd; learned++) {
      const { value: event } = events.next();
      if (!event) return;
      itemNeighbours.learn(neighbours, interactions.name, event, event.shopper);
      waiting.push(...interactionRecords([event]));
    }
  }, 1);
  const log: FoldSurroundings['log'] = {
    partitions: 1,
    ranges: async () => [{ start: 0, end: Number.MAX_SAFE_INTEGER }],
    append: async (records) => records.map(({ topic, partition }, offset) => ({ topic, partition, offset })),
    reader: () => ({
      async poll(max, waitMs) {
        await delay(waitMs);
        const records = waiting.splice(0, max);
        taken += records.length;
        return records;
      },
      lag: () => waiting.length,
      close: async () => {},
    }),
  };
  // It begins as a learner that is past its first lessons.
  const snapshots = join(folder, 'snapshots');
  await snapshotFiles(snapshots, LOG).save(recommender.name, recommender.snapshot(grownRecommender()), recommender.inputs.map(({ name: topic }) => ({ topic, partition: 0, offset: 0 })));
  const stopping = new AbortController();
  const thread = spawnLearner({ fold: recommender.name, config, clock: 'wall', partitions: 1, snapshots: { directory: snapshots, log: LOG, everyMs: 60_000 } });
  const done = learnOnThread(thread, { log, metrics: noMetrics, journal: silentJournal }, stopping.signal);
  return {
    learned: () => ({ scorer: learned, learner: taken }),
    async stop() {
      clearInterval(timer);
      stopping.abort();
      await done;
    },
  };
}
