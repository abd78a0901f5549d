/** The recommenders that can be evaluated by name, each as learning from sessions and ranking after some clicks. */
import * as categories from '../categories.js';
import * as coVisitation from '../co-visitation.js';
import * as embedding from '../embedding.js';
import * as fusion from '../fusion.js';
import { begin, scratch, slot, type Scratch } from '../kernels/candidates.js';
import * as popularity from '../popularity.js';
import * as sessionKnn from '../session-knn.js';
import * as twoHop from '../two-hop.js';

/** Clicks that a recommender looks back at, and how many a caller keeps. */
export const KEPT_CLICKS = 50;

export interface Recommender {
  /** Learns how to rank from sessions (oldest click first), by what it knew before them. */
  learnRanking?(sessions: readonly Int32Array[]): void;
  /** Learns what goes with what from the same sessions, once the ranking has been learned. */
  learnBlock(sessions: readonly Int32Array[]): void;
  /** Learns one event after the clicks `recent` (latest first), by one to whom the excluded items are not to be recommended. */
  learnEvent(recent: Int32Array, item: number, exclude?: (item: number) => boolean): void;
  /** Ranks what comes next: `items` and `scores` up to the returned count, in no order. */
  rank(recent: Int32Array, exclude?: (item: number) => boolean): number;
  readonly items: Int32Array;
  readonly scores: Float32Array;
}

export const RECOMMENDERS = ['fusion', 'transitions', 'two-hop', 'session-knn', 'embedding', 'popularity', 'own-items'] as const;
export type RecommenderName = (typeof RECOMMENDERS)[number];

/** `repeats`: whether items the shopper has already clicked may be the answer. `categoryOf` is what the shop says of its items. */
export function recommenderNamed(name: RecommenderName, repeats: boolean, categoryOf: ReadonlyMap<number, string> = new Map()): Recommender {
  switch (name) {
    case 'fusion':
      return fusionRecommender(repeats, categoryOf);
    case 'transitions':
      return transitions();
    case 'two-hop':
      return hops();
    case 'session-knn':
      return nearest();
    case 'embedding':
      return embedded();
    case 'popularity':
      return popular();
    case 'own-items':
      return own();
  }
}

/** The clicks before place `end` of a session, latest first. */
export function clicksBefore(session: Int32Array, end: number): Int32Array {
  return session.slice(Math.max(0, end - KEPT_CLICKS), end).reverse();
}

type EventLearner = (recent: Int32Array, item: number) => void;

function eachEvent(learnEvent: EventLearner): (sessions: readonly Int32Array[]) => void {
  return (sessions) => {
    for (const session of sessions) {
      for (let at = 0; at < session.length; at++) learnEvent(clicksBefore(session, at), session[at]);
    }
  };
}

function fusionRecommender(repeats: boolean, categoryOf: ReadonlyMap<number, string>): Recommender {
  const state = fusion.init({ repeats });
  for (const [item, category] of categoryOf) categories.learn(state.categories, item, category);
  const work = fusion.workspace();
  return {
    items: work.items,
    scores: work.scores,
    learnRanking: eachEvent((recent, item) => void fusion.learnRanking(state, recent, item, work)),
    learnBlock: eachEvent((recent, item) => fusion.learnSources(state, recent, item)),
    learnEvent: (recent, item, exclude) => fusion.learn(state, recent, item, work, 1, { exclude }),
    rank: (recent, exclude) => fusion.rank(state, recent, work, { exclude }),
  };
}

/** A recommender that scores into a scratch column. */
function scratchRecommender(
  learnEvent: EventLearner, gather: (recent: Int32Array, space: Scratch) => void, column: (space: Scratch) => Float32Array,
): Recommender {
  const space = scratch();
  const items = new Int32Array(space.items.length);
  const scores = new Float32Array(space.items.length);
  return {
    items,
    scores,
    learnBlock: eachEvent(learnEvent),
    learnEvent,
    rank(recent, exclude) {
      gather(recent, space);
      const values = column(space);
      let count = 0;
      for (let at = 0; at < space.slots; at++) {
        if (!(values[at] > 0) || exclude?.(space.items[at]) === true) continue;
        items[count] = space.items[at];
        scores[count++] = values[at];
      }
      return count;
    },
  };
}

function transitions(): Recommender {
  const state = coVisitation.init();
  return scratchRecommender(
    (recent, item) => coVisitation.learn(state, recent, item),
    (recent, space) => {
      begin(space);
      coVisitation.gather(state, recent, space);
      for (let at = 0; at < space.slots; at++) space.forward[at] += 0.5 * space.backward[at];
    },
    (space) => space.forward,
  );
}

function hops(): Recommender {
  const state = coVisitation.init();
  return scratchRecommender(
    (recent, item) => coVisitation.learn(state, recent, item),
    (recent, space) => {
      begin(space);
      twoHop.gather(state, recent, space);
    },
    (space) => space.hop,
  );
}

/** Learns sessions as wholes: of a single event it only remembers the clicks before it and the event. */
function nearest(): Recommender {
  const state = sessionKnn.init();
  const base = scratchRecommender(
    (recent, item) => sessionKnn.learn(state, Int32Array.from([...recent.slice(0, 1), item])),
    (recent, space) => sessionKnn.predict(state, recent, space),
    (space) => space.forward,
  );
  return {
    ...base,
    learnBlock(sessions) {
      for (const session of sessions) sessionKnn.learn(state, session);
    },
  };
}

function own(): Recommender {
  let items = 0;
  const grow = (item: number): void => {
    if (item >= items) items = item + 1;
  };
  return scratchRecommender(
    (_recent, item) => grow(item),
    (recent, space) => {
      for (const item of recent) grow(item);
      begin(space);
      for (let j = recent.length - 1; j >= 0; j--) space.forward[slot(space, recent[j])] = recent.length - j;
    },
    (space) => space.forward,
  );
}

/** Every item with a click, by the embedding alone. */
function embedded(): Recommender {
  const state = embedding.init();
  const user = new Float32Array(embedding.DIMENSIONS);
  const found = { items: new Int32Array(0), scores: new Float32Array(0) };
  const learnEvent: EventLearner = (recent, item) => embedding.learn(state, recent, item);
  return {
    get items() {
      return found.items;
    },
    get scores() {
      return found.scores;
    },
    learnBlock: eachEvent(learnEvent),
    learnEvent,
    rank(recent, exclude) {
      if (found.items.length < state.seen.count) {
        found.items = new Int32Array(state.seen.list.length);
        found.scores = new Float32Array(state.seen.list.length);
      }
      embedding.userVector(state, recent, user);
      let count = 0;
      for (let i = 0; i < state.seen.count; i++) {
        const item = state.seen.list[i];
        if (exclude?.(item) === true) continue;
        found.items[count] = item;
        found.scores[count++] = embedding.predict(state, user, item);
      }
      return count;
    },
  };
}

function popular(): Recommender {
  const state = popularity.init();
  const items = new Int32Array(1_000);
  const scores = new Float32Array(1_000);
  const learnEvent: EventLearner = (_recent, item) => popularity.learn(state, item);
  return {
    items,
    scores,
    learnBlock: eachEvent(learnEvent),
    learnEvent,
    rank(_recent, exclude) {
      let count = 0;
      for (const { item, share } of popularity.predict(state, 'popular', exclude === undefined ? 64 : items.length)) {
        if (exclude?.(item) === true) continue;
        items[count] = item;
        scores[count++] = share;
      }
      return count;
    },
  };
}
