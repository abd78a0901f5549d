import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { itemNeighbours } from '../../consumers/co-visitation.js';
import { learnListing } from '../../consumers/listing.js';
import { recommender } from '../../consumers/recommender.js';
import * as embedding from '../../models/embedding.js';
import * as categories from '../../models/categories.js';
import * as itemIndex from '../../models/item-index.js';
import * as popularity from '../../models/popularity.js';
import { catalog, itemVectors } from '../../schemas/topics.js';
import type { CatalogChange } from '../../schemas/types.js';
import { shopOfPairs, type TestShop } from '../serving/shop.js';

/** A shop whose catalogue stands in the log as well. */
function listedShop(keptDeleted = 100): TestShop {
  const shop = shopOfPairs({ keptDeleted });
  for (let item = 0; item < 40; item++) shop.catalogue('upsert', `P${item}`);
  return shop;
}

function put(shop: TestShop, sku: string, replaces?: string): void {
  const attributes: Record<string, string> = replaces === undefined ? {} : { replaces };
  shop.product(sku, { attributes });
  shop.catalogue('upsert', sku, attributes);
}

function remove(shop: TestShop, sku: string): void {
  shop.product(sku, { deleted: true });
  shop.catalogue('delete', sku);
}

const pass = (shop: TestShop, records: number): void => {
  for (let n = 0; n < records; n++) shop.event(`passing-${n}`, 'P0', []);
};
const vectorOf = ({ index, model }: TestShop['learner'], sku: string): number[] => [...embedding.vectorOf(model.embedding, itemIndex.predict(index, sku))!];

describe('a product that replaces a deleted one goes on from what was learned of it', () => {
  const orders: Readonly<Record<string, (shop: TestShop) => void>> = {
    'told before it is deleted': (shop) => { put(shop, 'N5', 'P5'); remove(shop, 'P5'); },
    'told after it is deleted': (shop) => { remove(shop, 'P5'); put(shop, 'N5', 'P5'); },
    'told as two changes of the log, of which the table knows both': (shop) => {
      shop.product('N5', { attributes: { replaces: 'P5' } });
      shop.product('P5', { deleted: true });
      shop.catalogue('upsert', 'N5', { replaces: 'P5' });
      shop.catalogue('delete', 'P5');
    },
    'told to the log before the table knows': (shop) => {
      shop.catalogue('upsert', 'N5', { replaces: 'P5' });
      shop.catalogue('delete', 'P5');
      shop.product('P5');
      shop.product('N5', { attributes: { replaces: 'P5' } });
      shop.product('P5', { deleted: true });
    },
  };
  test.each(Object.entries(orders))('%s', async (_, relaunch) => {
    const shop = listedShop();
    shop.profile('viewer', ['P4']);
    expect((await shop.skus('viewer'))[0]).toBe('P5');
    const before = [...vectorOf(shop.learner, 'P5')];
    relaunch(shop);
    expect((await shop.skus('viewer', { limit: 50 })).filter((sku) => sku === 'N5' || sku === 'P5')).toEqual(['N5']);
    expect((await shop.skus('viewer'))[0]).toBe('N5');
    expect(vectorOf(shop.learner, 'N5')).toEqual(before);
    expect(shop.items.name(shop.items.number('N5'))).toBe('Product N5');
    // What was clicked and bought by its old name speaks for it.
    shop.profile('old name', ['P5']);
    shop.profile('new name', ['N5']);
    const { items } = await shop.recommend('old name', { limit: 50 });
    expect(items.map(({ sku, score }) => [sku, score])).toEqual((await shop.recommend('new name', { limit: 50 })).items.map(({ sku, score }) => [sku, score]));
    shop.profile('owner', ['P4'], { bought: ['P5'] });
    expect(await shop.skus('owner', { limit: 50 })).not.toContain('N5');
    // The old one itself is none that may be shown.
    expect(await shop.skus('viewer', { items: ['P5', 'N5', 'P6'] })).toEqual(['N5', 'P6']);
    expect([shop.items.wasDeleted('P5'), shop.items.nameOf('P5')]).toEqual([true, 'Product P5']);
    pass(shop, 110);
    expect(shop.learner.known.deleted).toBe(1);
    shop.publish();
    expect((await shop.skus('viewer'))[0]).toBe('N5');
    expect((await shop.skus('old name', { limit: 50 }))).toEqual(await shop.skus('new name', { limit: 50 }));
  });

  test('its vector is published by its own SKU, and that of the old one taken back', () => {
    const shop = listedShop();
    put(shop, 'N5', 'P5');
    remove(shop, 'P5');
    const told = recommender.publishes!.changes(shop.learner, 0).filter(({ key }) => key === 'N5');
    expect(told.map(({ value }) => [...new Float32Array(new Uint8Array(itemVectors.codec.decode(value!).vector).buffer)])).toEqual([vectorOf(shop.learner, 'N5')]);
    pass(shop, 110);
    expect(recommender.publishes!.changes(shop.learner, 0).filter(({ value }) => value === null).map(({ key }) => key)).toEqual(['P5']);
  });

  test('what is told of the old one later does, too, in learner and scorer', () => {
    const shop = listedShop();
    put(shop, 'N5', 'P5');
    remove(shop, 'P5');
    pass(shop, 110);
    const sharesOf = (): number[] => [shop.learner, shop.neighbours].map(({ index, model }) => popularity.popularShare(model.popularity, itemIndex.predict(index, 'N5')));
    const before = sharesOf();
    for (let n = 0; n < 5; n++) shop.session(`late-${n}`, ['P4', 'P5']);
    sharesOf().forEach((share, at) => expect(share).toBeGreaterThan(before[at]!));
  });

  test('by way of another one, and after a restart in between', async () => {
    const shop = listedShop();
    put(shop, 'M5', 'P5');
    remove(shop, 'P5');
    put(shop, 'N5', 'M5');
    const again = recommender.restore([...recommender.snapshot(shop.learner)]);
    const copy = itemNeighbours.restore([...itemNeighbours.snapshot(shop.neighbours)]);
    remove(shop, 'M5');
    const gone = { ...deletion, sku: 'M5' };
    recommender.learn(again, catalog.name, gone, 'M5');
    itemNeighbours.learn(copy, catalog.name, gone, 'M5');
    const number = itemIndex.predict(shop.learner.index, 'N5');
    for (const { index } of [again, copy]) expect(['P5', 'M5', 'N5'].map((sku) => itemIndex.predict(index, sku))).toEqual([number, number, number]);
    shop.profile('viewer', ['P4']);
    expect((await shop.skus('viewer'))[0]).toBe('N5');
  });
});

describe('nothing is handed on', () => {
  const viewer = async (shop: TestShop): Promise<string[]> => {
    shop.profile('viewer', ['P4']);
    return shop.skus('viewer', { limit: 50 });
  };

  test('while the old one is sold', async () => {
    const shop = listedShop();
    put(shop, 'N5', 'P5');
    expect((await viewer(shop))[0]).toBe('P5');
    expect(shop.items.number('N5')).not.toBe(shop.items.number('P5'));
  });

  test('to one that takes it back, or to one that is deleted itself', () => {
    for (const change of [(shop: TestShop) => put(shop, 'N5'), (shop: TestShop) => remove(shop, 'N5')]) {
      const shop = listedShop();
      put(shop, 'N5', 'P5');
      change(shop);
      remove(shop, 'P5');
      expect(shop.items.number('N5')).not.toBe(shop.items.number('P5'));
    }
  });

  test('to one that has been touched as much: it keeps what is known of it', () => {
    const shop = listedShop();
    put(shop, 'P7', 'P5');
    const [old, own] = [shop.items.number('P5'), shop.items.number('P7')];
    for (let n = 0; n < 9; n++) shop.event(`own-${n}`, 'P7', []);
    remove(shop, 'P5');
    expect(['P5', 'P7'].map((sku) => shop.items.number(sku))).toEqual([old, own]);
  });

  test('for good: an old one that is sold again is itself, and begins anew', async () => {
    const shop = listedShop();
    put(shop, 'N5', 'P5');
    remove(shop, 'P5');
    put(shop, 'P5');
    expect(shop.items.number('P5')).not.toBe(shop.items.number('N5'));
    expect((await viewer(shop))[0]).toBe('N5');
    expect(await shop.skus('viewer', { items: ['P5', 'N5'] })).toEqual(['N5', 'P5']);
  });
});

const deletion: CatalogChange = {
  sku: 'A', op: 'delete', name: null, category: null, furtherCategories: [], brand: null, price: null, currency: null, url: null, imageUrl: null, hidden: false, quantity: null, availability: null, attributes: {}, time: 0, receivedAt: 0,
};

test('whatever a catalogue says, names lead to one number each, numbers have one name and its category, and a restart changes nothing', () => {
  const sku = fc.constantFrom('A', 'B', 'C', 'D');
  const step = fc.oneof(
    fc.record({ kind: fc.constant('upsert' as const), sku, replaces: fc.option(sku) }), fc.record({ kind: fc.constantFrom('delete' as const, 'click' as const, 'forget' as const, 'restart' as const), sku, replaces: fc.constant(null) }),
  );
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const popular = popularity.init();
    const [live, other] = [{ index: itemIndex.init(), categories: categories.init() }, { index: itemIndex.init(), categories: categories.init() }];
    const says = new Map<string, string>();
    for (const [at, { kind, sku: one, replaces }] of steps.entries()) {
      const category = `category ${at}`;
      if (kind === 'upsert') says.set(one, category);
      if (kind === 'delete') says.delete(one);
      if (kind === 'restart') other.index = itemIndex.restore(itemIndex.snapshot(other.index));
      for (const { index, categories: named } of [live, other]) {
        if (kind === 'upsert' || kind === 'delete') learnListing(index, { popularity: popular, categories: named }, { ...deletion, category, op: kind, sku: one, attributes: replaces === null ? {} : { replaces } });
        if (kind === 'click') itemIndex.learn(index, one);
        if (kind === 'forget') categories.forget(named, Int32Array.from(itemIndex.droppedItems(index)));
        if (kind === 'forget') itemIndex.forget(index, Int32Array.from(itemIndex.droppedItems(index)));
      }
      if (kind === 'click') popularity.learn(popular, itemIndex.predict(live.index, one), 1);
      const { index } = live;
      const standing = (wanted: number): number => [...index.numbers.values()].filter((item) => index.standing[item] === wanted).length;
      for (const [name, item] of index.numbers) expect(itemIndex.skuOf(index, item)).toBe(name);
      expect([index.listed, index.dropped]).toEqual([standing(1), standing(2)]);
      for (const [name, said] of says) {
        categories.learn(live.categories, 9, said);
        expect(live.categories.numbers[itemIndex.numberOf(index, name)]).toBe(live.categories.numbers[9]);
      }
      for (const name of ['A', 'B', 'C', 'D']) expect(itemIndex.predict(other.index, name)).toBe(itemIndex.predict(index, name));
    }
    expect(itemIndex.snapshot(other.index)).toEqual(itemIndex.snapshot(live.index));
  }));
});
