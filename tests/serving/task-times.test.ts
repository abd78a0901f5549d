import { expect, test } from 'vitest';
import { TaskTimes } from '../../pipeline/serving/task-times.js';
import { observedStores, Views } from '../../pipeline/serving/views.js';
import { memoryStore } from '../../pipeline/core/memory-store.js';
import { PROGRESS_KEY, rows } from '../../pipeline/core/rows.js';
import { userProfiles } from '../../schemas/topics.js';
import type { Progress } from '../../schemas/types.js';
import { shopOfPairs } from './shop.js';

const progress = rows<Progress>('', 'Progress');

test('a task is behind by what the clock is ahead of it, and one that has read nothing by nothing', () => {
  const stores = observedStores(() => memoryStore());
  let now = 1_000_000;
  const times = new TaskTimes(new Views(stores, 2), userProfiles, () => now);
  const reads = (time: number): void => stores.open(userProfiles.name, 1).apply([{ key: PROGRESS_KEY, value: progress.codec.encode({ offsets: {}, ticks: {}, time, applied: {}, crashes: {}, lineages: {} }) }], 1);
  reads(990_000);
  expect([times.behind(0), times.behind(1)]).toEqual([0, 10_000]);
  expect([times.readUntil(0), times.readUntil(1)]).toEqual([0, 990_000]);
  reads(999_500);
  now += 1_000;
  expect(times.behind(1)).toBe(1_500);
  reads(2_000_000);
  now += 1_000;
  expect(times.behind(1)).toBe(0);
});

test('an answer from profiles that lag is stale and says so', async () => {
  const shop = shopOfPairs();
  shop.profile('a', ['P4']);
  expect(await shop.recommend('a')).toMatchObject({ freshness: { caughtUp: true } });
  expect(await shop.recommend('a')).not.toHaveProperty('stale');
  shop.isBehind = true;
  expect(await shop.recommend('a')).toMatchObject({ stale: true, freshness: { caughtUp: false } });
});

test('an answer says whether it has seen what it was to wait for, apart from whether it is caught up; what can never come is refused', async () => {
  const shop = shopOfPairs();
  shop.profile('a', ['P4']);
  const after = (offset: number, partition = 0, topic = 'clickstream') => ({ positions: [{ topic, partition, offset }], merges: [] });
  expect((await shop.recommend('a') as unknown as { freshness: object }).freshness).not.toHaveProperty('sawAfter');
  expect(await shop.recommend('a', { after: { positions: [], merges: [] } })).toMatchObject({ freshness: { caughtUp: true, sawAfter: true } });
  const waiting = { stale: true, freshness: { caughtUp: true, sawAfter: false } };
  expect(await shop.recommend('a', { after: after(7) })).toMatchObject(waiting);
  expect(await shop.scorer.score({ userId: null, anonymousId: 'a', trusted: false, items: ['P5'], after: after(7), explain: false, compare: false })).toMatchObject(waiting);
  for (const never of [after(1_000_000), after(0, 1), after(1_000_000, 0, 'catalog')]) {
    await expect(shop.recommend('a', { after: never })).rejects.toMatchObject({ problem: { status: 400, errors: [{ path: 'after', code: 'out_of_range' }] } });
  }
});
