import { expect, test } from 'vitest';
import { inOneTime } from '../../../models/evaluate/user-order.js';
import type { UserEvent } from '../../../models/evaluate/recommendations.js';

/** A thousand users of two to six events, one after another; items tell user and place. */
const listed: UserEvent[] = Array.from({ length: 1_000 }, (_, user) => Array.from({ length: 2 + (user % 5) }, (_event, n) => ({ user, item: 10 * user + n }))).flat();

test('users listed one after another are laid side by side: each keeps the order of their events, and all are at it from beginning to end', () => {
  const { events, isSideBySide } = inOneTime(listed);
  expect(isSideBySide).toBe(true);
  expect(events.toSorted((a, b) => a.item - b.item)).toEqual(listed);
  const places: number[][] = Array.from({ length: 1_000 }, () => []);
  events.forEach(({ user }, at) => void places[user].push(at));
  places.forEach((its, user) => {
    expect(its.map((at) => events[at].item)).toEqual(its.map((_, n) => 10 * user + n));
    expect(its[its.length - 1] - its[0]).toBeGreaterThan(events.length / 3);
  });
});

test('who is listed beside whom says nothing of when they come', () => {
  const { events } = inOneTime(listed);
  const firsts = Array.from({ length: 1_000 }, (_, user) => events.findIndex((event) => event.user === user));
  const isLater = firsts.filter((at, user) => user >= 5 && at > firsts[user - 5]).length;
  expect(isLater).toBeGreaterThan(400);
  expect(isLater).toBeLessThan(600);
});

test('a file in time order is left as it is, and so are users of one event each', () => {
  for (const told of [[[0, 1], [1, 2], [0, 3]], [[0, 1], [1, 2]], [[0, 1], [0, 2]], []]) {
    const events = told.map(([user, item]) => ({ user, item }));
    expect(inOneTime(events)).toEqual({ events, isSideBySide: false });
  }
});
