import { expect, test, vi } from 'vitest';
import { inSlices, partsOf } from '../../pipeline/core/slices.js';

// Time passes where work is done and nowhere else: what other processes take of a machine changes nothing.
let time = 0;
vi.spyOn(performance, 'now').mockImplementation(() => time);
const spin = (ms: number): void => void (time += ms);

/** Others on this thread, each of whose turns takes so long, until they are stopped; answers how many they had. */
function others(turnMs: number): () => number {
  let turns = 0;
  let isOver = false;
  const turn = (): void => {
    if (isOver) return;
    turns++;
    spin(turnMs);
    setImmediate(turn);
  };
  setImmediate(turn);
  return () => {
    isOver = true;
    return turns;
  };
}

test('whoever else wants the thread has it within half a millisecond or so', async () => {
  const stop = others(0);
  let done = 0;
  await inSlices(Array.from({ length: 100 }), () => {
    spin(0.5);
    done++;
  });
  expect(done).toBe(100);
  expect(stop()).toBeGreaterThan(20);
});

test('of many who have a backlog one has a slice at a time, and others a turn behind each', async () => {
  let sinceTurn = 0;
  let isOver = false;
  const between: number[] = [];
  const turn = (): void => {
    between.push(sinceTurn);
    sinceTurn = 0;
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  const backlog = (): Promise<void> => inSlices(Array.from({ length: 50 }), () => {
    sinceTurn++;
    spin(0.25);
  });
  await Promise.all(Array.from({ length: 20 }, backlog));
  isOver = true;
  // Two or three pieces a slice: twenty slices in a row were fifty, and ever more, since each was longer for the others'.
  const busy = between.filter((pieces) => pieces > 0).sort((a, b) => a - b);
  expect(busy[busy.length >> 1]).toBeLessThan(15);
  expect(busy.length).toBeGreaterThan(20);
});

test('where others want all there is, a backlog has a sixth of the time', async () => {
  const stop = others(10);
  await inSlices(Array.from({ length: 500 }), () => spin(0.2));
  // 100 ms in slices of a fifth of what others take; half a millisecond at a time would be two seconds of theirs.
  const turns = stop();
  expect(turns).toBeGreaterThan(10);
  expect(turns).toBeLessThan(120);
});

test('whoever had no processor for long does not take long for it', async () => {
  const stop = others(100);
  await inSlices(Array.from({ length: 60 }), () => spin(0.5));
  // 30 ms of work: a fifth of 100 ms at a time would be two turns.
  expect(stop()).toBeGreaterThan(5);
});

test('pieces are done in order, none of them before it is asked for, up to the one that ends it', async () => {
  const done: number[] = [];
  await inSlices(partsOf([1, 2, 3, 4, 5, 6, 7], 2), (part) => {
    done.push(...part);
    return !part.includes(5);
  });
  expect(done).toEqual([1, 2, 3, 4, 5, 6]);
  await inSlices(partsOf([], 2), () => expect.unreachable());
});
