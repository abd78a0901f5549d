import * as fusion from '../../models/fusion.js';
import { cpuSeconds, figure, median, type Bench } from './bench.js';
import { EXPONENT, interactionStream } from './events.js';

const ITEMS = 40_000;
const SHOPPERS = 2_000;
/** Events before the first that counts, each item among them. */
const WARMED = 120_000;
const ROUND = 10_000;
const ROUNDS_A_SECOND = 2;
const FEWEST_ROUNDS = 3;

interface Lesson {
  readonly item: number;
  readonly recent: Int32Array;
}

/** What one event costs a model: its counts, all its sources, and the ranker's lesson on top, as it comes to a learner past its first events. */
export const update: Bench = {
  name: 'update',
  about: 'What an event costs the recommender in process: counts only; all sources, the embedding among them; with the ranker\'s lessons, too.',
  needs: [],
  async run({ seconds }) {
    const rounds = Math.max(FEWEST_ROUNDS, Math.round(seconds * ROUNDS_A_SECOND));
    const events = lessons(WARMED + rounds * ROUND);
    const work = fusion.workspace();
    const kinds = [
      { name: 'update counts only', state: fusion.init(), learn: fusion.learnCounts },
      { name: 'update all sources', state: fusion.init(), learn: fusion.learnSources },
      { name: 'update with lessons', state: grown(), learn: (state: fusion.Fusion, recent: Int32Array, item: number) => fusion.learn(state, recent, item, work) },
    ].map((kind) => ({ ...kind, took: [] as number[] }));
    for (const { learn, state } of kinds) for (let at = 0; at < WARMED; at++) learn(state, events[at].recent, events[at].item);
    for (let round = 0; round < rounds; round++) {
      const slice = events.slice(WARMED + round * ROUND, WARMED + (round + 1) * ROUND);
      for (const { learn, state, took } of kinds) {
        const began = cpuSeconds();
        for (const { recent, item } of slice) learn(state, recent, item);
        took.push(((cpuSeconds() - began) / ROUND) * 1e6);
      }
    }
    const conditions = { items: ITEMS, shoppers: SHOPPERS, events: events.length, zipf_exponent: EXPONENT, rounds, model: fusion.MODEL, lesson_share: fusion.defaults.lessonShare };
    return kinds.map(({ name, took }) => figure(name, median(took), null, 'µs CPU an event', conditions));
  },
};

/** A model that has given its first lessons, which all events give. */
function grown(): fusion.Fusion {
  const state = fusion.init();
  state.lessons = state.settings.firstLessons;
  return state;
}

function lessons(count: number): Lesson[] {
  const number = (sku: string): number => Number(sku.slice('sku-'.length));
  return Array.from(interactionStream(count, ITEMS, SHOPPERS), ({ products, recent }) => ({ item: number(products[0].sku), recent: Int32Array.from(recent, number) }));
}
