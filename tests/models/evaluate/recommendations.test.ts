import { expect, test } from 'vitest';
import { evaluateLeaveOneOut, evaluateSessions, testSessions, type TestQuery } from '../../../models/evaluate/recommendations.js';
import { RECOMMENDERS, recommenderNamed, type Recommender } from '../../../models/evaluate/recommenders.js';

const observer = { now: () => 0, progress: () => {} };
const clicks = (...items: number[]): Int32Array => Int32Array.from(items);
const query = (prefix: number[], target: number): TestQuery => ({ prefix: clicks(...prefix), target });

/** Always ranks items 1, 2, 3 in this order, and writes down what it was taught. */
function stub(): Recommender & { readonly learned: number[][] } {
  const learned: number[][] = [];
  return {
    learned,
    items: clicks(1, 2, 3),
    scores: Float32Array.of(3, 2, 1),
    learnBlock: (sessions) => void learned.push(...sessions.map((session) => [...session])),
    learnEvent: (recent, item) => void learned.push([...recent, item]),
    rank: () => 3,
  };
}

test('prefixes of one session are found together, longest or shortest first', () => {
  for (const order of [1, -1]) {
    const queries = [query([1, 2, 3], 4), query([1, 2], 3), query([1], 2)];
    const [session, ...rest] = testSessions(order === 1 ? queries : queries.reverse());
    expect(rest).toEqual([]);
    expect([...session.clicks]).toEqual([1, 2, 3, 4]);
    expect(session.queries).toHaveLength(3);
  }
});

test('two shoppers with the same clicks are two sessions', () => {
  expect(testSessions([query([5], 5), query([5], 5)])).toHaveLength(2);
  expect(testSessions([query([5, 5], 5), query([5], 5), query([5], 5)])).toHaveLength(2);
});

test('frozen learns the train file only; prequential learns a test session after all its prefixes', () => {
  const test = testSessions([query([1, 2], 3), query([1], 2), query([9], 1)]);
  const frozen = stub();
  evaluateSessions(frozen, [clicks(7, 8)], test, 'frozen', 20, observer);
  expect(frozen.learned).toEqual([[7, 8]]);
  const live = stub();
  const { metrics } = evaluateSessions(live, [clicks(7, 8)], test, 'prequential', 20, observer);
  expect(live.learned).toEqual([[7, 8], [1, 2, 3], [9, 1]]);
  expect(metrics.n).toBe(3);
  expect(metrics.mrr).toBeCloseTo((1 / 3 + 1 / 2 + 1) / 3, 10);
});

test('leave-one-out learns all but the last item of each user, in the order of the file', () => {
  const model = stub();
  const events = [[0, 5], [1, 6], [0, 1], [1, 7], [1, 3], [2, 9]].map(([user, item]) => ({ user, item }));
  const { metrics } = evaluateLeaveOneOut(model, events, 10, observer);
  expect(model.learned).toEqual([[5], [6], [6, 7], [9]]);
  expect(metrics.n).toBe(2);
  expect(metrics.hitRate).toBe(1);
});

test('leave-one-out teaches as it asks: all that a user has had before is refused, the item to learn aside', () => {
  const refused: boolean[][] = [];
  const model = { ...stub(), learnEvent: (_recent: Int32Array, _item: number, exclude?: (item: number) => boolean) => void refused.push([1, 2, 3].map((item) => exclude?.(item) === true)) };
  const history = [1, ...Array.from({ length: 60 }, (_, n) => 10 + n), 2, 1, 3];
  evaluateLeaveOneOut(model, history.map((item) => ({ user: 0, item })), 10, observer);
  expect(refused[0]).toEqual([false, false, false]);
  expect(refused[61]).toEqual([true, false, false]);
  expect(refused[62]).toEqual([false, true, false]);
});

test.each(RECOMMENDERS)('%s finds the one thing that always follows', (name) => {
  const model = recommenderNamed(name, true);
  const train = Array.from({ length: 300 }, (_, n) => clicks(2 * (n % 5), 2 * (n % 5) + 1, 2 * (n % 5)));
  const { metrics } = evaluateSessions(model, train, testSessions([query([2, 3], 2)]), 'frozen', 20, observer);
  expect(metrics.hitRate).toBe(1);
});

test.each(RECOMMENDERS)('%s answers before it has learned anything, and leaves out what it is told to', (name) => {
  const model = recommenderNamed(name, false);
  expect(model.rank(clicks(3))).toBeGreaterThanOrEqual(0);
  for (let n = 0; n < 60; n++) model.learnEvent(clicks(n % 6), (n + 1) % 6);
  const count = model.rank(clicks(3), (item) => item < 5);
  expect([...model.items.subarray(0, count)].every((item) => item === 5)).toBe(true);
});
