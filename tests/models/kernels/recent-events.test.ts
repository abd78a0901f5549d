import { expect, test } from 'vitest';
import { CONTEXT, contextAt, drop, ensureItems, recentEvents, remember } from '../../../models/kernels/recent-events.js';

test('when the ring is full the oldest event goes, and the counts go with it', () => {
  const events = recentEvents();
  ensureItems(events, 3);
  for (let n = 0; n < 10; n++) remember(events, Int32Array.of(), 1);
  for (let n = 0; n < 200_000 - 4; n++) remember(events, Int32Array.of(1, 2), 2);
  expect(events.length).toBe(200_000);
  expect([...events.counts]).toEqual([0, 4, 199_996]);
  const context = new Int32Array(CONTEXT);
  contextAt(events, 0, context);
  expect([...context.subarray(0, 3)]).toEqual([1, 2, -1]);
});

test('a dropped item is gone from events and contexts alike', () => {
  const events = recentEvents();
  ensureItems(events, 3);
  remember(events, Int32Array.of(2), 1);
  remember(events, Int32Array.of(1), 2);
  drop(events, Int32Array.of(2, 99));
  const context = new Int32Array(CONTEXT);
  contextAt(events, 0, context);
  expect(context[0]).toBe(-1);
  expect([...events.items.subarray(0, 2)]).toEqual([1, -1]);
  expect(events.counts[2]).toBe(0);
});
