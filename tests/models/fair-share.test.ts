import fc from 'fast-check';
import { expect, test } from 'vitest';
import * as fairShare from '../../models/fair-share.js';

const HOUR = 3_600_000;

const taken = (state: fairShare.FairShare, key: string, events: number, from = 0, stepMs = 1): number => {
  let count = 0;
  for (let n = 0; n < events; n++) if (fairShare.learn(state, key, from + n * stepMs)) count++;
  return count;
};

/** Events of others, each somebody else, evenly from a time to another one. */
function crowd(state: fairShare.FairShare, events: number, from: number, until: number): void {
  for (let n = 0; n < events; n++) fairShare.learn(state, `one of many ${from} ${n}`, from + (n * (until - from)) / events);
}

test('by time alone a burst is taken, then what time gives back', () => {
  const state = fairShare.init(fairShare.byTime(60, 10_000));
  expect(taken(state, 'machine', 1_000)).toBe(60);
  expect(taken(state, 'machine', 1_000, 100_000)).toBe(10);
  expect(fairShare.predict(state, 'machine', 10_000_000)).toBe(60);
});

test('a visit counts whole, then one of twenty that the shop is taught; a week gives all back', () => {
  const state = fairShare.init();
  expect(taken(state, 'machine', 1_000)).toBe(60);
  crowd(state, 200, HOUR, 2 * HOUR);
  expect(taken(state, 'machine', 1_000, 2 * HOUR)).toBe(10);
  expect(fairShare.predict(state, 'machine', 9 * 24 * HOUR)).toBe(60);
});

test('of a day that a small shop is taught, a machine that never rests is a visit and a twentieth', () => {
  const state = fairShare.init();
  let count = 0;
  for (let n = 0; n < 8_640; n++) {
    if (n % 18 === 0) fairShare.learn(state, `one of many ${n}`, n * 10_000);
    if (fairShare.learn(state, 'machine', n * 10_000)) count++;
  }
  expect(count).toBeGreaterThanOrEqual(60);
  expect(count).toBeLessThan(60 + 480 / 20 + 60 / 7 + 10);
});

test('who browses at a human pace in a shop that is busy is never held back', () => {
  const state = fairShare.init();
  for (let n = 0; n < 2_000; n++) {
    crowd(state, 20, n * 10_000, (n + 1) * 10_000);
    expect(fairShare.learn(state, 'shopper', (n + 1) * 10_000)).toBe(true);
  }
});

test.each([10, 100, 500])('once a day is once a day also among %d others a second', (aSecond) => {
  const state = fairShare.init(fairShare.byTime(1, 24 * HOUR));
  let count = 0;
  for (let second = 0; second < 500_000 / aSecond; second += 10) {
    crowd(state, aSecond * 10, second * 1_000, (second + 10) * 1_000);
    if (fairShare.learn(state, 'machine', second * 1_000)) count++;
  }
  // A few while the table is small.
  expect(count).toBeLessThanOrEqual(3);
  expect(state.owner.length).toBeLessThanOrEqual(fairShare.defaults.most);
});

test('who waits until more others have come than there are levels is one of so many', () => {
  const state = fairShare.init({ ...fairShare.byTime(1, 24 * HOUR), most: 1_024 });
  const waits = (others: number): boolean => {
    crowd(state, others, state.taken, state.taken + 1);
    return fairShare.learn(state, 'machine', state.taken);
  };
  fairShare.learn(state, 'machine', 0);
  for (let n = 0; n < 50; n++) expect(waits(128)).toBe(false);
  expect(waits(100_000)).toBe(true);
  expect(state.owner.length).toBe(1_024);
});

test('a clock that was ahead, for however long, takes nothing away once it is right again; events a little out of order give nothing back', () => {
  for (const ahead of [3_600_000, 86_400_000, 3e12]) {
    const state = fairShare.init(fairShare.byTime(60, 10_000));
    expect(taken(state, 'machine', 1_000, ahead)).toBe(60);
    expect(taken(state, 'machine', 1_000)).toBe(60);
    expect(taken(state, 'machine', 1_000, 100_000)).toBe(10);
  }
  const state = fairShare.init();
  expect(taken(state, 'machine', 1_000, 590_000)).toBe(60);
  expect(taken(state, 'machine', 1_000)).toBe(0);
});

test('events out of order give nothing twice, and a snapshot goes on where it stood', () => {
  fc.assert(fc.property(fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: 0, max: 1_000_000 })), { maxLength: 300 }), (events) => {
    const state = fairShare.init({ burst: 3, most: 1_024 });
    for (const [key, time] of events) fairShare.learn(state, key, time);
    const again = fairShare.restore(fairShare.snapshot(state));
    for (const key of ['a', 'b', 'c']) {
      expect(fairShare.predict(again, key, 500_000)).toBe(fairShare.predict(state, key, 500_000));
      expect(fairShare.predict(state, key, 500_000)).toBeLessThanOrEqual(3);
    }
  }));
});
