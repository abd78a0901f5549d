import { expect, test } from 'vitest';
import { itemNeighbours } from '../../consumers/co-visitation.js';
import { contentsSnapshot, learnContent, noContents, restoreContents, study, type TeachTower } from '../../consumers/item-contents.js';
import { recommender, recommenderIn } from '../../consumers/recommender.js';
import * as tower from '../../models/content-tower.js';
import * as embedding from '../../models/embedding.js';
import * as fusion from '../../models/fusion.js';
import * as itemIndex from '../../models/item-index.js';
import { randomness, uniform } from '../../models/kernels/numbers.js';
import * as repeats from '../../models/repeats.js';
import { catalog } from '../../schemas/topics.js';
import type { CatalogChange } from '../../schemas/types.js';
import { plainSlopes } from '../support/tower-slopes.js';

const change = (sku: string, name: string, fields: Partial<CatalogChange> = {}): CatalogChange => ({
  sku, op: 'upsert', name, category: null, furtherCategories: [], brand: null, price: 100_000n, currency: 'EUR', url: null, imageUrl: null, hidden: false, quantity: null, availability: null,
  attributes: {}, time: 0, receivedAt: 0, ...fields,
});

/** In plain numbers, and fewer steps than asked for. */
const teach: TeachTower = (state, examples) => {
  const taught = tower.restore(tower.snapshot({ ...state, settings: { ...state.settings, batch: 32 } }));
  tower.teach(taught, examples, plainSlopes, (steps) => steps < 10);
  return Promise.resolve(taught);
};

/** Two kinds of items, each viewed after its own kind. */
function kinds(): { index: itemIndex.ItemIndex; model: fusion.Fusion; contents: ReturnType<typeof noContents> } {
  const index = itemIndex.init();
  const model = fusion.init();
  const contents = noContents();
  for (let item = 0; item < 60; item++) learnContent(contents, index, model, change(`P${item}`, `${item % 2 === 0 ? 'Tent' : 'Teapot'} No ${item}`), 'EUR');
  const random = randomness(5);
  const anyOf = (kind: number): number => 2 * Math.floor(uniform(random) * 30) + kind;
  for (let n = 0; n < 3_000; n++) fusion.learnSources(model, Int32Array.of(anyOf(n % 2)), anyOf(n % 2));
  return { index, model, contents };
}

const cosine = (a: Float32Array | undefined, b: Float32Array | undefined): number => (a && b ? a.reduce((sum, value, d) => sum + value * b[d]!, 0) : Number.NaN);

test('with a taught tower, a new product lies with its kind before anybody has seen it', async () => {
  const { index, model, contents } = kinds();
  expect(await study(contents, model, 3_000, teach)).toBe(true);
  learnContent(contents, index, model, change('new', 'Tent No 99'), 'EUR');
  const vector = embedding.vectorOf(model.embedding, itemIndex.predict(index, 'new'));
  const near = (kind: number): number => Array.from({ length: 30 }, (_, n) => cosine(vector, embedding.vectorOf(model.embedding, 2 * n + kind))).reduce((a, b) => a + b) / 30;
  expect(near(0)).toBeGreaterThan(near(1) + 0.2);
  expect(embedding.driftOf(model.embedding, itemIndex.predict(index, 'new'))).toBeGreaterThan(1);
});

test('a price in another currency than the shop\'s says as much as none', () => {
  const [index, contents] = [itemIndex.init(), noContents()];
  const tokens = (sku: string, fields: Partial<CatalogChange>): Int32Array | undefined => {
    learnContent(contents, index, fusion.init(), change(sku, 'Tent', fields), 'EUR');
    return contents.tokens.get(itemIndex.predict(index, sku));
  };
  const none = tokens('none', { price: null });
  expect(tokens('dollars', { currency: 'USD' })).toEqual(none);
  expect(tokens('unsaid', { currency: null })).toEqual(tokens('euros', {}));
  expect(tokens('euros', {})!.length).toBeGreaterThan(none!.length);
});

test('what clicks have taught is not told over', async () => {
  const { model, contents } = kinds();
  const before = embedding.vectorOf(model.embedding, 4)?.slice();
  await study(contents, model, 3_000, teach);
  expect(embedding.vectorOf(model.embedding, 4)).toEqual(before);
});

test('it is taught again only when a fifth more has happened, and not at all of a handful of items', async () => {
  const { model, contents } = kinds();
  await study(contents, model, 3_000, teach);
  expect(await study(contents, model, 3_500, teach)).toBe(false);
  expect(await study(contents, model, 3_700, teach)).toBe(true);
  expect(await study(noContents(), model, 3_000, teach)).toBe(false);
});

test('of a catalogue larger than is worth the time the latest products are taught', async () => {
  const [index, model, contents] = [itemIndex.init(), fusion.init(), noContents()];
  for (let item = 0; item < 20_002; item++) {
    learnContent(contents, index, model, change(`P${item}`, `Tent No ${item}`), 'EUR');
    embedding.seed(model.embedding, item, new Float32Array(embedding.DIMENSIONS).fill(1));
    for (let click = 0; click < 5; click++) repeats.learn(model.repeats, new Int32Array(0), item);
  }
  let taught: readonly tower.Example[] = [];
  // What it would tell of 20,000 products takes long.
  await expect(study(contents, model, 3_000, (_, examples) => {
    taught = examples;
    return Promise.reject(new Error('seen enough'));
  })).rejects.toThrow('seen enough');
  expect(taught).toHaveLength(20_000);
  expect([taught[0]!.tokens, taught.at(-1)!.tokens]).toEqual([contents.tokens.get(2), contents.tokens.get(20_001)]);
});

test('a restored learner knows the same contents, and a product taken out is forgotten', async () => {
  const { index, model, contents } = kinds();
  await study(contents, model, 3_000, teach);
  learnContent(contents, index, model, change('P3', '', { op: 'delete' }), 'EUR');
  const again = restoreContents(contentsSnapshot(contents));
  expect(again.tokens).toEqual(contents.tokens);
  expect(again.tokens.has(3)).toBe(false);
  expect(again.taughtAt).toBe(3_000);
  expect(Buffer.compare(tower.snapshot(again.tower), tower.snapshot(contents.tower))).toBe(0);
  expect(restoreContents(contentsSnapshot(noContents())).tower.steps).toBe(0);
});

test('the learner reads the catalogue, and looks for lessons beside the events', async () => {
  const fold = recommenderIn({ teach });
  const state = fold.init();
  fold.learn(state, catalog.name, change('P1', 'Tent'), 'P1');
  expect(state.contents.tokens.size).toBe(1);
  expect(await fold.study?.run(state)).toBe(false);
  expect(fold.restore([...fold.snapshot(state)]).contents.tokens.size).toBe(1);
  expect(recommender.study).toBeUndefined();
});

test('learner and scorer know what category a product is of, the one that is told last, and after a restart too', () => {
  const learner = recommender.init();
  const scorer = itemNeighbours.init();
  for (const [sku, category] of [['P1', 'Tents'], ['P2', 'Pots'], ['P1', 'Pots'], ['P3', null]] as const) {
    const told = change(sku, 'Thing', { category });
    recommender.learn(learner, catalog.name, told, sku);
    itemNeighbours.learn(scorer, catalog.name, told, sku);
  }
  for (const { model } of [learner, scorer, recommender.restore([...recommender.snapshot(learner)]), itemNeighbours.restore([...itemNeighbours.snapshot(scorer)])]) {
    const [first, second, third] = model.categories.numbers;
    expect(first).toBe(second);
    expect(first).toBeGreaterThan(0);
    expect(third).toBe(0);
  }
});
