import { describe, expect, test } from 'vitest';
import { itemNeighboursIn } from '../../consumers/co-visitation.js';
import { recommender, recommenderIn } from '../../consumers/recommender.js';
import * as embedding from '../../models/embedding.js';
import * as itemIndex from '../../models/item-index.js';
import * as popularity from '../../models/popularity.js';
import { CatalogueSearch } from '../../pipeline/serving/catalogue-search.js';
import { shopOfPairs, TestShop } from '../serving/shop.js';

/** Deletes a product as the log, and the table that follows from it, have it; then so much comes that it is forgotten. */
function remove(shop: TestShop, sku: string): void {
  shop.product(sku, { deleted: true });
  shop.catalogue('delete', sku);
  for (let n = 0; n < 11; n++) shop.event(`passing-${n}`, 'P0', []);
}

/** A shop whose catalogue stands in the log as well. */
function listedShop(mostUnlisted?: number): TestShop {
  const shop = shopOfPairs({ mostUnlisted });
  for (let item = 0; item < 40; item++) shop.catalogue('upsert', `P${item}`);
  return shop;
}

const lengthOf = (pieces: Iterable<Uint8Array>): number => [...pieces].reduce((sum, { length }) => sum + length, 0);
const gauge = (shop: TestShop, name: string, label: string): number | undefined =>
  recommender.gauges!(shop.learner).find((one) => one.name === name && Object.values(one.labels).includes(label))?.value;

/** Items that have a link to this one. */
function linkedTo({ coVisitation: { forward, backward } }: TestShop['learner']['model'], item: number): number[] {
  return [forward, backward].flatMap(({ offset, length, ids }) => [...offset.keys()].filter((other) => ids.subarray(offset[other], offset[other]! + length[other]!).includes(item)));
}

describe('a deleted product', () => {
  test('leaves learner and scorer: number, counts, links and vector, the published one as well', async () => {
    const shop = listedShop();
    const numbers = [shop.learner, shop.neighbours].map(({ index }) => itemIndex.predict(index, 'P5'));
    expect(linkedTo(shop.learner.model, numbers[0]!).length).toBeGreaterThan(0);
    remove(shop, 'P5');
    [shop.learner, shop.neighbours].forEach(({ index, model }, at) => {
      const item = numbers[at]!;
      expect(itemIndex.predict(index, 'P5')).toBe(-1);
      expect(popularity.popularShare(model.popularity, item)).toBe(0);
      expect(linkedTo(model, item)).toEqual([]);
      expect(model.coVisitation.forward.length[item]).toBe(0);
    });
    expect([...embedding.vectorOf(shop.neighbours.model.embedding, numbers[1]!)!].every((value) => value === 0)).toBe(true);
    const told = recommender.publishes!.changes(shop.learner, 0);
    expect(told.filter(({ value }) => value === null).map(({ key }) => key)).toEqual(['P5']);
    shop.profile('a', ['P4']);
    expect(await shop.skus('a', { limit: 50 })).not.toContain('P5');
  });

  test('leaves all lists at once, and those that are left as they stood: what it said of them is forgotten later', async () => {
    const shop = shopOfPairs({ keptDeleted: 100 });
    for (let item = 0; item < 40; item++) shop.catalogue('upsert', `P${item}`);
    shop.profile('a', ['P4', 'P11', 'P5']);
    const before = await shop.skus('a', { limit: 30 });
    for (const gone of before.slice(1, 4)) {
      shop.product(gone, { deleted: true });
      shop.catalogue('delete', gone);
    }
    const kept = before.filter((sku) => !before.slice(1, 4).includes(sku));
    expect((await shop.skus('a', { limit: 30 })).slice(0, kept.length)).toEqual(kept);
    const forgotten = (): number[] => [shop.learner, shop.neighbours].map(({ known }) => known.deleted);
    for (let n = 0; n < 97; n++) shop.event(`passing-${n}`, 'P0', []);
    expect(forgotten()).toEqual([0, 0]);
    for (let n = 97; n < 99; n++) shop.event(`passing-${n}`, 'P0', []);
    expect(forgotten()).toEqual([3, 3]);
  });

  test('is told apart from one that never was, though nothing is left of it but its row', async () => {
    const shop = listedShop();
    remove(shop, 'P5');
    const scored = await shop.scorer.score({ userId: null, anonymousId: 'a', trusted: false, items: ['P5', 'P6', 'never'], after: null, explain: false, compare: false });
    expect(scored).toMatchObject({ deleted: ['P5'], unknown: ['never'] });
    expect(await shop.skus('a', { items: ['P5', 'P6', 'never'] })).toEqual(['P6', 'never']);
    expect([shop.items.nameOf('P5'), shop.items.isNamed('P5'), shop.items.isNamed('never')]).toEqual(['Product P5', true, false]);
  });

  test('whose page is still opened is not shown', async () => {
    const shop = listedShop();
    remove(shop, 'P5');
    for (let round = 0; round < 5; round++) shop.session(`late-${round}`, ['P4', 'P5']);
    shop.publish();
    shop.profile('a', ['P4']);
    expect(shop.items.number('P5')).toBeGreaterThanOrEqual(0);
    expect(await shop.skus('a', { limit: 50 })).not.toContain('P5');
  });

  test('that comes back begins anew, and is found again', async () => {
    const shop = listedShop();
    remove(shop, 'P5');
    shop.product('P5', { category: 'Category 1' });
    shop.catalogue('upsert', 'P5');
    expect(popularity.popularShare(shop.learner.model.popularity, itemIndex.predict(shop.learner.index, 'P5'))).toBe(0);
    expect(await shop.skus('a', { filter: { category: ['Category 1'] }, limit: 20 })).toContain('P5');
    for (let round = 0; round < 5; round++) shop.session(`again-${round}`, ['P4', 'P5']);
    shop.profile('a', ['P4']);
    expect((await shop.skus('a', { limit: 3 }))).toContain('P5');
  });

  test('gives its number to another, which has nothing of it', async () => {
    const shop = listedShop();
    shop.profile('a', ['P4']);
    expect((await shop.skus('a'))[0]).toBe('P5');
    const number = shop.items.number('P5');
    remove(shop, 'P5');
    shop.event('somebody', 'elsewhere', []);
    expect(shop.items.number('elsewhere')).toBe(number);
    // The 2-hop sums that were kept for P4 name the number.
    expect((await shop.skus('a'))[0]).not.toBe('elsewhere');
    expect([shop.items.name(number), shop.items.category(number), shop.items.mayShow(number), shop.items.isKnown(number)]).toEqual([null, null, true, false]);
    const { items } = await shop.recommend('b', { items: ['elsewhere'] });
    expect(items.map(({ sku, name }) => [sku, name])).toEqual([['elsewhere', null]]);
  });

  test('gives its number to a new product, which is not among the popular ones for it', () => {
    const shop = shopOfPairs({}, 45);
    for (let item = 0; item < 40; item++) shop.catalogue('upsert', `P${item}`);
    const search = new CatalogueSearch(shop.neighbours.model, shop.items);
    const found = (): string[] => Array.from(search.more(new Int32Array(0), 40, { isRefused: (item) => !shop.items.mayShow(item), listed: () => undefined }), (item) => shop.items.sku(item));
    for (let n = 0; n < 8; n++) shop.event(`fan-${n}`, 'P5', []);
    expect(found()[0]).toBe('P5');
    const number = shop.items.number('P5');
    remove(shop, 'P5');
    shop.product('P99');
    shop.catalogue('upsert', 'P99');
    expect(shop.items.number('P99')).toBe(number);
    expect(found().at(-1)).toBe('P99');
  });

  test('gives its number to another at once, and not what was near to it', () => {
    const shop = listedShop();
    const search = new CatalogueSearch(shop.neighbours.model, shop.items);
    const all = { isRefused: () => false, listed: () => undefined };
    const nearest = (sku: string): string[] => Array.from(search.nearest(shop.items.number(sku), 2, all), (item) => shop.items.sku(item)).sort();
    const point = (sku: string, dimension: number): boolean => embedding.place(shop.neighbours.model.embedding, shop.items.number(sku), new Float32Array(64).with(dimension, 1));
    for (let item = 0; item < 40; item++) point(`P${item}`, item >> 1);
    expect(nearest('P4')).toEqual(['P4', 'P5']);
    const number = shop.items.number('P4');
    remove(shop, 'P4');
    shop.product('P99');
    shop.catalogue('upsert', 'P99');
    expect(shop.items.number('P99')).toBe(number);
    point('P99', 10);
    expect(nearest('P99')).toHaveLength(2);
    expect(nearest('P99')).not.toContain('P5');
  });

  test('of a large shop is remembered for a quarter as many records as it has products', () => {
    const shop = new TestShop();
    for (let item = 0; item < 400; item++) shop.catalogue('upsert', `P${item}`);
    shop.catalogue('delete', 'P5');
    for (let n = 0; n < 99; n++) shop.event(`s-${n}`, 'P0', []);
    expect([shop.learner, shop.neighbours].map(({ index }) => itemIndex.predict(index, 'P5') >= 0)).toEqual([true, true]);
    for (let n = 0; n < 2; n++) shop.event(`t-${n}`, 'P0', []);
    expect([shop.learner, shop.neighbours].map(({ index }) => itemIndex.predict(index, 'P5'))).toEqual([-1, -1]);
  });

  test('deleted in an old part of the log only, which the table has long passed, stays in the shop', async () => {
    const shop = listedShop();
    shop.catalogue('delete', 'P5');
    for (let n = 0; n < 11; n++) shop.event(`passing-${n}`, 'P0', []);
    expect(shop.neighbours.known.deleted).toBe(1);
    expect(shop.items.number('P5')).toBeGreaterThanOrEqual(0);
    expect(await shop.skus('a', { filter: { category: ['Category 1'] }, limit: 20 })).toContain('P5');
  });

  test('of which the log tells sooner than the table is forgotten, a few records later', async () => {
    const shop = listedShop();
    shop.catalogue('delete', 'P5');
    shop.product('P5', { deleted: true });
    for (let n = 0; n < 10; n++) shop.event(`s-${n}`, 'P0', []);
    expect(shop.items.number('P5')).toBe(-1);
    shop.profile('a', ['P4']);
    expect(await shop.skus('a', { limit: 50 })).not.toContain('P5');
  });

  test('and hundreds that follow it in turn leave no more behind than there were at once', () => {
    const shop = listedShop();
    const sizes: number[] = [];
    for (let season = 0; season < 20; season++) {
      for (let item = 0; item < 20; item++) shop.catalogue('upsert', `S${season}-${item}`);
      for (let round = 0; round < 5; round++) shop.session(`v-${season}-${round}`, Array.from({ length: 10 }, (_, item) => `S${season}-${(item + round) % 20}`));
      for (let item = 0; item < 20; item++) shop.catalogue('delete', `S${season}-${item}`);
      sizes.push(itemIndex.size(shop.learner.index), itemIndex.size(shop.neighbours.index));
    }
    expect(Math.max(...sizes)).toBeLessThanOrEqual(40 + 2 * 20);
    expect(gauge(shop, 'millrace_recommender_forgotten_items', 'deleted')).toBeGreaterThan(360);
  });
});

describe('SKUs that no catalogue has', () => {
  test('are bounded, whoever names them: what is popular stays, and the shop’s own', () => {
    const shop = listedShop(100);
    for (let n = 0; n < 3; n++) shop.session(`fan-${n}`, ['hidden hit', 'P0']);
    let bytes = 0;
    for (let n = 0; n < 1_500; n++) {
      shop.event(`machine-${n}`, `made-up-${n}`, []);
      if (n === 500) bytes = lengthOf(recommender.snapshot(shop.learner));
    }
    for (const { index } of [shop.learner, shop.neighbours]) {
      expect(itemIndex.unlisted(index)).toBeLessThanOrEqual(100);
      expect(itemIndex.size(index)).toBeLessThanOrEqual(141);
      expect(itemIndex.predict(index, 'hidden hit')).toBeGreaterThanOrEqual(0);
      for (let item = 0; item < 40; item++) expect(itemIndex.predict(index, `P${item}`)).toBeGreaterThanOrEqual(0);
    }
    // The latest 200,000 events are kept for replays, 44 bytes each, and for a day who taught of what, 20.
    expect(lengthOf(recommender.snapshot(shop.learner))).toBeLessThan(bytes + 1_000 * (45 + 20) + 3_000);
    expect(gauge(shop, 'millrace_recommender_items', 'no')).toBeLessThanOrEqual(100);
    expect(gauge(shop, 'millrace_recommender_forgotten_items', 'crowded_out')).toBeGreaterThan(1_300);
  });

  test('are a shop’s own where no catalogue is ever sent: below the bound nothing is forgotten', async () => {
    const shop = new TestShop();
    for (let round = 0; round < 20; round++) for (let item = 0; item < 40; item += 2) shop.session(`s-${round}-${item}`, [`Q${item}`, `Q${item + 1}`]);
    shop.publish();
    expect(itemIndex.size(shop.neighbours.index)).toBe(40);
    shop.profile('a', ['Q4']);
    expect((await shop.skus('a'))[0]).toBe('Q5');
  });
});

test('learning goes on from a snapshot as if it had never stopped, numbers that were given back included', () => {
  const options = { mostUnlisted: 30, keptDeleted: 0 };
  const folds = [recommenderIn(options), itemNeighboursIn(options)] as const;
  const live = (restartAt: number): Buffer[] => {
    const shop = new TestShop(options);
    for (let item = 0; item < 40; item++) shop.catalogue('upsert', `P${item}`);
    for (let n = 0; n < 400; n++) {
      if (n === restartAt) {
        Object.assign(shop.learner, folds[0].restore([...folds[0].snapshot(shop.learner)]));
        Object.assign(shop.neighbours, folds[1].restore([...folds[1].snapshot(shop.neighbours)]));
      }
      if (n % 50 === 20) shop.catalogue('delete', `P${n % 40}`);
      shop.event(`s-${n % 90}`, n % 3 === 0 ? `P${n % 40}` : `made-up-${n % 97}`, n % 2 === 0 ? [`P${n % 7}`] : [`made-up-${(n + 1) % 97}`]);
    }
    expect(shop.learner.known.crowdedOut).toBeGreaterThan(10);
    return [Buffer.concat([...folds[0].snapshot(shop.learner)]), Buffer.concat([...folds[1].snapshot(shop.neighbours)])];
  };
  const never = live(-1);
  for (const at of [0, 21, 133, 250, 399]) for (const [which, bytes] of live(at).entries()) expect(Buffer.compare(bytes, never[which]!), `${which} stopped at ${at}`).toBe(0);
});
