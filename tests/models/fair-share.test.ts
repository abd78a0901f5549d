import fc from 'fast-check';
import { expect, test } from 'vitest';
import * as fairShare from '../../models/fair-share.js';

const taken = (state: fairShare.FairShare, key: string, events: number, from = 0, stepMs = 1): number => {
  let count = 0;
  for (let n = 0; n < events; n++) if (fairShare.learn(state, key, from + n * stepMs)) count++;
  return count;
};

test('a burst is taken, then what time gives back', () => {
  const state = fairShare.init();
  expect(taken(state, 'machine', 1_000)).toBe(60);
  expect(taken(state, 'machine', 1_000, 100_000)).toBe(10);
  expect(fairShare.predict(state, 'machine', 10_000_000)).toBe(60);
});

test('who browses at a human pace is never held back', () => {
  expect(taken(fairShare.init(), 'shopper', 2_000, 0, 10_000)).toBe(2_000);
});

test('a crowd cannot hide a machine: it gets little more than its share', () => {
  const state = fairShare.init({ slots: 64 });
  let count = 0;
  for (let n = 0; n < 20_000; n++) {
    if (fairShare.learn(state, 'machine', n)) count++;
    if (n % 20 === 0) fairShare.learn(state, `one of many ${n}`, n);
  }
  expect(count).toBeLessThan(300);
});

test('a clock that was ahead, for however long, takes nothing away once it is right again; events a little out of order give nothing back', () => {
  for (const ahead of [3_600_000, 86_400_000, 3e12]) {
    const state = fairShare.init();
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
    const state = fairShare.init({ burst: 3, slots: 2 });
    for (const [key, time] of events) fairShare.learn(state, key, time);
    const again = fairShare.restore(fairShare.snapshot(state));
    for (const key of ['a', 'b', 'c']) {
      expect(fairShare.predict(again, key, 500_000)).toBe(fairShare.predict(state, key, 500_000));
      expect(fairShare.predict(state, key, 500_000)).toBeLessThanOrEqual(3);
    }
  }));
});
