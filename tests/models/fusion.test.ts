import { beforeAll, expect, test } from 'vitest';
import * as transitionEvidence from '../../models/transition-evidence.js';
import * as fusion from '../../models/fusion.js';
import { randomness, uniform } from '../../models/kernels/numbers.js';

const work = fusion.workspace();
const after = (...items: number[]): Int32Array => Int32Array.from(items);
const top = (state: fusion.Fusion, recent: Int32Array, limit = 10, exclude?: (item: number) => boolean): number[] =>
  Array.from(fusion.predict(state, recent, work, exclude === undefined ? { limit } : { limit, exclude }).items);

/** Sessions along rings of ten items: after item n comes n + 1 of the same ring, mostly. */
function rings(sessions: number): fusion.Fusion {
  const state = fusion.init({ firstLessons: 1_500, lessonShare: 0.1 });
  const random = randomness(5);
  for (let n = 0; n < sessions; n++) {
    const ring = 10 * Math.floor(uniform(random) * 20);
    let place = Math.floor(uniform(random) * 10);
    const recent: number[] = [];
    for (let click = 0; click < 5; click++) {
      fusion.learn(state, Int32Array.from(recent), ring + place, work);
      recent.unshift(ring + place);
      place = uniform(random) < 0.8 ? (place + 1) % 10 : Math.floor(uniform(random) * 10);
    }
  }
  return state;
}

let trained: fusion.Fusion;
beforeAll(() => {
  trained = rings(1_500);
});

test('what usually comes next is recommended first', () => {
  let right = 0;
  for (let item = 0; item < 200; item++) {
    const next = 10 * Math.floor(item / 10) + ((item + 1) % 10);
    if (top(trained, after(item), 3).includes(next)) right++;
  }
  expect(right).toBeGreaterThan(180);
});

test('where only the last two clicks together say what comes next, it is recommended first', () => {
  const state = fusion.init();
  const random = randomness(3);
  const pairs = [[1, 3, 10], [2, 3, 20], [1, 4, 20], [2, 4, 10]] as const;
  for (let n = 0; n < 600; n++) {
    const [before, latest, next] = pairs[Math.floor(uniform(random) * 4)]!;
    fusion.learn(state, after(before), latest, work);
    fusion.learn(state, after(latest, before), uniform(random) < 0.8 ? next : 30, work);
  }
  for (const [before, latest, next] of pairs) expect(top(state, after(latest, before), 1)).toEqual([next]);
});

test('scores fall along the list, and no item comes twice', () => {
  const { items, scores } = fusion.predict(trained, after(3, 2), work, { limit: 20 });
  expect(items).toHaveLength(20);
  expect(Array.from(scores)).toEqual(Array.from(scores).sort((a, b) => b - a));
  expect(new Set(items).size).toBe(20);
});

test('the click that speaks most for an item is named as its reason', () => {
  expect([...transitionEvidence.because(trained.coVisitation, after(150, 3), after(4, 9_999, 3, 151))]).toEqual([3, -1, -1, 150]);
  expect([...transitionEvidence.because(trained.coVisitation, after(-1, 99_999), after(4))]).toEqual([-1]);
});

test('an excluded item never appears, whatever the filter leaves', () => {
  expect(top(trained, after(3), 50, (item) => item % 2 === 0).every((item) => item % 2 === 1)).toBe(true);
  expect(top(trained, after(3), 50, () => true)).toEqual([]);
});

test('under a filter evidence is looked through further, and the nearest of what passes join where it names few', () => {
  const isRare = (item: number): boolean => item % 19 === 0;
  const ask = (within?: () => Int32Array): number[] => [...fusion.predict(trained, after(3, 40, 77, 120, 165), work, { limit: 128, exclude: (item) => !isRare(item), within }).items];
  const nearest = Int32Array.from([...Array(200).keys()].filter(isRare));
  expect(ask(() => nearest)).toEqual(expect.arrayContaining([...nearest].filter((item) => item !== 0)));
  expect(ask(() => new Int32Array(0)).length).toBeGreaterThanOrEqual(ask().length);
  expect(ask(() => Int32Array.of(20, 21)).every(isRare)).toBe(true);
});

test('without clicks, or with unknown ones, what is popular is recommended', () => {
  expect(top(trained, after(), 5)).toHaveLength(5);
  expect(top(trained, after(123_456, -7), 5)).toHaveLength(5);
  expect(top(fusion.init(), after(), 5)).toEqual([]);
});

test('a limit of 0, −1, 10,000 or NaN is answered', () => {
  for (const limit of [0, -1, Number.NaN]) expect(top(trained, after(3), limit)).toEqual([]);
  expect(top(trained, after(3), 10_000).length).toBeGreaterThan(10);
});

test('the very next answer reflects the click just made', () => {
  const state = fusion.restore([...fusion.snapshot(trained)]);
  for (let n = 0; n < 30; n++) fusion.learn(state, after(3), 177, work);
  expect(top(state, after(3), 3)).toContain(177);
  expect(top(trained, after(3), 3)).not.toContain(177);
});

test('one bot that clicks one item a thousand times does not move what others see first', () => {
  const state = fusion.restore([...fusion.snapshot(trained)]);
  const recent: number[] = [];
  for (let n = 0; n < 1_000; n++) {
    fusion.learn(state, Int32Array.from(recent), 199, work);
    recent.unshift(199);
    if (recent.length > 50) recent.pop();
  }
  expect(top(state, after(3), 1)).toEqual([4]);
});

test('what all want now is a candidate after clicks that never led to it, and who takes it teaches so', () => {
  const before = fusion.restore([...fusion.snapshot(trained)]);
  const state = { ...before, settings: { ...before.settings, lessonShare: 1 } };
  for (let n = 0; n < 500; n++) fusion.learn(state, after(), 1_000, work);
  // One click of each ring: so much evidence that nothing need fill up the list.
  const clicks = Int32Array.from({ length: 20 }, (_, ring) => 10 * ring + 3);
  expect(top(state, clicks, 128).length).toBeGreaterThan(100);
  expect(top(state, clicks, 128)).toContain(1_000);
  expect(fusion.learnRanking(state, clicks, 1_000, work)).toBeGreaterThan(0);
});

test('a shopper who looks at something nobody has seen may be shown it again', () => {
  expect(top(trained, after(3, 5_000), 100)).toContain(5_000);
});

test('given items are scored in their order, unknown ones included and finite', () => {
  const count = fusion.scoreItems(trained, after(3), after(4, 150, 987_654, -1), work);
  expect(count).toBe(4);
  expect(work.scores.subarray(0, 4).every(Number.isFinite)).toBe(true);
  expect(work.scores[0]).toBeGreaterThan(work.scores[1]);
  expect(Array.from(work.items.subarray(0, 2))).toEqual([4, 150]);
});

test('where nobody buys twice, own clicks are never candidates', () => {
  const state = fusion.init({ repeats: false });
  for (let n = 0; n < 50; n++) {
    fusion.learn(state, after(), 1, work);
    fusion.learn(state, after(1), 1, work);
    fusion.learn(state, after(1), 2, work);
  }
  expect(top(state, after(1))).toEqual([2]);
});

test('a snapshot whose ranker has other features is refused by name', () => {
  const pieces = [...fusion.snapshot(trained)];
  expect(pieces).toHaveLength(fusion.PIECES);
  const foreign = Buffer.from(pieces.pop()!);
  foreign.write('"kind":"rancor"', foreign.indexOf('"kind":"ranker"'), 'latin1');
  expect(() => fusion.restore([...pieces, foreign])).toThrow(/rancor/);
});

test('an item that nobody has touched since the stream was scaled down again and again has scores, and takes none from others', () => {
  const state = fusion.init({ firstLessons: 2_000 });
  const walk = (from: number, items: number): void => {
    for (let n = 0; n < 300; n++) fusion.learn(state, after(from + (n % items)), from + ((n + 1) % items), work);
  };
  walk(0, 6);
  const fresh = top(state, after(21, 20), 5);
  for (let scaling = 0; scaling < 8; scaling++) {
    state.coVisitation.age = 41;
    walk(20, 6);
  }
  expect(fresh).toHaveLength(5);
  for (const recent of [after(3), after(3, 2), after(21, 3), after(3, 21)]) {
    const { items, scores } = fusion.predict(state, recent, work, { limit: 20 });
    expect(items.length).toBeGreaterThan(5);
    expect([...scores].every((score) => Number.isFinite(score))).toBe(true);
    expect(Number.isFinite(fusion.learnRanking(state, recent, 22, work) || 0)).toBe(true);
  }
  // What is so old says nothing beside a click that does.
  expect(top(state, after(3, 21), 3)).toContain(22);
  walk(0, 6);
  expect(top(state, after(3), 6)).toContain(4);
});
