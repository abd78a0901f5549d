import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { itemNeighbours } from '../../consumers/co-visitation.js';
import { Refusal } from '../../infra/http/problem.js';
import { recommendRequest } from '../../infra/http/requests.js';
import { GROUPS } from '../../models/explanation.js';
import * as features from '../../models/features.js';
import { MODEL } from '../../models/fusion.js';
import { reasonsFor } from '../../pipeline/serving/reasons.js';
import { interactions, recommendations, userMerges } from '../../schemas/topics.js';
import { shopOfPairs, TestShop } from './shop.js';

let shop: TestShop;
/** For tests that leave the catalogue and what was learned as they are. */
beforeAll(() => {
  shop = shopOfPairs();
});

describe('what is recommended', () => {
  test('what follows the latest click comes first, with the click as its reason', async () => {
    shop.profile('a', ['P4']);
    const { items, model } = await shop.recommend('a');
    expect(items[0]).toMatchObject({ sku: 'P5', name: 'Product P5', price: '15.00', reasons: [{ code: 'because_you_viewed', sku: 'P4' }] });
    expect(model).toBe(MODEL);
    shop.profile('a', ['P8', 'P4']);
    expect((await shop.skus('a'))[0]).toBe('P9');
  });

  test('a stranger gets what is popular, and the answer says so', async () => {
    const { items, model } = await shop.recommend('nobody');
    expect(model).toBe('trending/1');
    expect(items).toHaveLength(10);
    expect(items.every(({ reasons }) => reasons[0]!.code === 'trending')).toBe(true);
  });

  test('what nobody has touched is neither popular nor there because of a click', async () => {
    const own = shopOfPairs();
    own.product('UNTOUCHED');
    own.profile('a', ['P4']);
    for (const who of ['a', 'nobody']) {
      const { items } = await own.recommend(who, { items: ['UNTOUCHED', 'unheard-of'] });
      expect(Object.fromEntries(items.map(({ sku, reasons }) => [sku, reasons[0]!.code]))).toEqual({ UNTOUCHED: 'new', 'unheard-of': 'more' });
    }
  });

  test('a stranger on a category\'s page gets what is popular in it', async () => {
    const own = shopOfPairs();
    for (let n = 0; n < 12; n++) own.session(`fan-${n}`, ['P22']);
    own.publish();
    expect((await own.skus('nobody', { limit: 3, filter: { category: 'Category 2' } }))[0]).toBe('P22');
  });

  test('a scorer with vectors in 8 bits says nearly the same, one with half of its ranker something near', async () => {
    const small = shopOfPairs({ precision: 'int8' });
    const half = shopOfPairs({ pruned: 0.5 });
    const scores = await Promise.all([shop, small, half].map(async (one) => {
      one.profile('compressed', ['P4', 'P6']);
      const { items } = await one.recommend('compressed', { items: ['P5', 'P7', 'P20', 'P33'] });
      return new Map(items.map(({ sku, score }) => [sku, score]));
    }));
    const apart = (at: number): number => Math.max(...Array.from(scores[0]!, ([sku, score]) => Math.abs(score - scores[at]!.get(sku)!)));
    expect(apart(1)).toBeGreaterThan(0);
    expect(apart(1)).toBeLessThan(0.02);
    expect(apart(2)).toBeGreaterThan(0.02);
    expect([...scores[2]!.keys()].slice(0, 2).sort()).toEqual(['P5', 'P7']);
  });

  test('an explanation to a stranger names no clicks', async () => {
    const { items } = await shop.recommend('nobody', { explain: true, limit: 3 });
    for (const { score, contributions, reasons } of items) {
      expect(contributions!.reduce((sum, { value }) => sum + value, 0)).toBeCloseTo(score, 6);
      expect(contributions!.filter(({ part }) => /what was viewed|viewed before|visit/.test(part))).toEqual([]);
      expect(reasons.filter(({ code }) => code !== 'trending' && code !== 'popular')).toEqual([]);
    }
  });

  test('neither does a linear fit for one', async () => {
    const { items } = (await shop.scorer.score({ userId: null, anonymousId: 'nobody', trusted: false, items: ['P5'], after: null, explain: true, compare: true })) as { items: { localFit: { parts: { part: string }[] } }[] };
    expect(items[0]!.localFit.parts.map(({ part }) => part).toSorted()).toEqual(['popular', 'trending']);
    expect(items[0]!.localFit.parts.filter(({ part }) => /what was viewed|viewed before|visit/.test(part))).toEqual([]);
  });

  test('as many as asked for come, while there are so many to show', async () => {
    expect(await shop.skus('nobody', { limit: 39 })).toHaveLength(39);
    const own = shopOfPairs();
    for (let item = 40; item < 120; item++) own.product(`P${item}`);
    own.profile('a', ['P4', 'P6']);
    expect(new Set(await own.skus('a', { limit: 100 })).size).toBe(100);
    expect(await own.skus('a', { limit: 100, diversity: 0.5 })).toHaveLength(100);
  });

  test('a shop that nobody has visited shows its catalogue', async () => {
    const young = new TestShop();
    for (const sku of ['A', 'B', 'C']) young.product(sku);
    expect((await young.skus('nobody')).sort()).toEqual(['A', 'B', 'C']);
  });

  test('what was bought comes again where that is asked for, of all items and of given ones; what was dismissed does not', async () => {
    const shop = shopOfPairs();
    shop.profile('a', ['P4', 'P6'], { bought: ['P5'], dismissed: ['P7'] });
    for (const items of [null, ['P5', 'P7', 'P9']]) {
      const [without, withBought] = [await shop.skus('a', { items }), await shop.skus('a', { items, excludePurchased: false })];
      expect(without).not.toContain('P5');
      expect(withBought[0]).toBe('P5');
      expect(withBought).not.toContain('P7');
    }
  });

  test('in a shop of groceries what was bought comes unless a question says otherwise, of similar items too', async () => {
    const shop = shopOfPairs({ repurchases: true });
    shop.profile('a', ['P4', 'P6'], { bought: ['P5'] });
    expect(await shop.skus('a')).toContain('P5');
    expect(await shop.skus('a', { excludePurchased: true })).not.toContain('P5');
    const similar = shop.scorer.similar({ sku: 'P4', limit: 1, filter: null, exclude: [], to: { userId: null, anonymousId: 'a', trusted: false, placement: null, shown: true } });
    expect(similar).toMatchObject({ items: [{ sku: 'P5' }] });
  });

  test('the latest item, bought, dismissed and excluded ones, hidden, deleted and sold-out ones do not come', async () => {
    const shop = shopOfPairs();
    shop.profile('a', ['P4', 'P6'], { bought: ['P5'], dismissed: ['P7'] });
    shop.product('P8', { hidden: true });
    shop.product('P9', { deleted: true });
    shop.product('P10', { stock: 0 });
    const skus = await shop.skus('a', { limit: 100, exclude: ['P11', 'never seen'] });
    for (const gone of ['P4', 'P5', 'P7', 'P8', 'P9', 'P10', 'P11']) expect(skus).not.toContain(gone);
    expect(skus).toContain('P12');
  });

  test('where the catalogue is whole, what it does not know does not come: a page may have made it up', async () => {
    for (const [showsUnlisted, came] of [[true, true], [false, false]] as const) {
      const shop = new TestShop({ showsUnlisted });
      shop.product('P1');
      for (let visitor = 0; visitor < 40; visitor++) {
        shop.event(`v${visitor}`, 'You have won', []);
        shop.event(`v${visitor}`, 'P1', ['You have won']);
      }
      expect((await shop.skus('stranger')).includes('You have won')).toBe(came);
      shop.product('You have won');
      expect(await shop.skus('stranger')).toEqual(expect.arrayContaining(['P1', 'You have won']));
    }
  });

  test('an item deleted between learning and the answer does not come, and comes back with its stock', async () => {
    const shop = shopOfPairs();
    shop.profile('a', ['P4']);
    shop.product('P5', { deleted: true });
    expect(await shop.skus('a')).not.toContain('P5');
    shop.product('P5');
    expect((await shop.skus('a'))[0]).toBe('P5');
  });

  test('items deleted and put again in the midst of clicks: none that is deleted ever comes, and nothing throws', async () => {
    const item = fc.integer({ min: 0, max: 9 }).map((number) => `P${number}`);
    const step = fc.oneof(fc.record({ kind: fc.constant('click'), sku: item }), fc.record({ kind: fc.constantFrom('delete', 'put'), sku: item }), fc.constant({ kind: 'publish', sku: '' }));
    await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const own = new TestShop();
      const deleted = new Set<string>();
      const recent: string[] = [];
      const wrong: string[] = [];
      for (const { kind, sku } of [...steps, { kind: 'publish', sku: '' }]) {
        if (kind === 'publish') {
          own.publish();
          own.profile('a', recent.slice(0, 10));
          const asked = [{}, { explain: true }, { explore: true, diversity: 0.5, fatigue: 2 }, { items: ['P0', 'P1', 'P2', 'P3'], explain: true }];
          const shown = (await Promise.all(asked.map((fields) => own.skus('a', fields)))).flat();
          wrong.push(...shown.filter((one) => deleted.has(one)));
        } else if (kind === 'click') {
          own.event('a', sku, recent.slice(0, 10));
          recent.unshift(sku);
        } else {
          if (kind === 'delete') deleted.add(sku); else deleted.delete(sku);
          own.product(sku, { deleted: kind === 'delete' });
        }
      }
      expect(wrong).toEqual([]);
    }), { numRuns: 12 });
  });

  test('an explanation adds up to the score', async () => {
    shop.profile('a', ['P4', 'P6']);
    const { items } = await shop.recommend('a', { explain: true });
    for (const { score, contributions } of items) {
      expect(contributions!.length).toBeGreaterThan(3);
      expect(contributions!.reduce((sum, { value }) => sum + value, 0)).toBeCloseTo(score, 6);
    }
    const among = await shop.recommend('a', { explain: true, items: ['P7', 'P5', 'P30'] });
    for (const { score, contributions } of among.items) expect(contributions!.reduce((sum, { value }) => sum + value, 0)).toBeCloseTo(score, 6);
  });

  test('what counts is the visit, and only of who has done nothing yet in it what was touched before', async () => {
    const [before, now] = [shop.now - 7_200_000, shop.now];
    const recent = [...['P9', 'P8'].map((sku) => ({ sku, event: 'Product Viewed', time: now })), ...['P4', 'P4', 'P4'].map((sku) => ({ sku, event: 'Product Viewed', time: before }))];
    shop.profile('came back', [], { recent, sessionStart: now, sessions: 2, events: 5 });
    shop.profile('visit alone', ['P9', 'P8']);
    shop.profile('just here', [], { recent: recent.slice(2), sessionStart: now, sessions: 2, events: 3 });
    shop.profile('before alone', ['P4', 'P4', 'P4']);
    expect(await shop.skus('came back')).toEqual(await shop.skus('visit alone'));
    expect(await shop.skus('just here')).toEqual(await shop.skus('before alone'));
    expect(await shop.skus('came back')).not.toEqual(await shop.skus('before alone'));
  });

  test('an explanation says in words what speaks for an item, each with its share, the strongest first', async () => {
    shop.profile('a', ['P4', 'P6']);
    const { reasons, contributions } = (await shop.recommend('a', { explain: true })).items[0]!;
    expect(reasons[0]).toMatchObject({ code: 'because_you_viewed', text: 'Because you viewed Product P4' });
    expect(reasons).toContainEqual(expect.objectContaining({ code: 'often_follows', sku: 'P4', text: 'Often follows Product P4' }));
    const shares = reasons.slice(1).map(({ contribution }) => contribution!);
    expect(shares.every((share) => share > 0)).toBe(true);
    expect([...shares].sort((a, b) => b - a)).toEqual(shares);
    expect(contributions![0]!.part).toBe('an unknown item');
  });

  test('what only rounding has left of a part is no reason', () => {
    const contributions = new Float64Array(GROUPS.length);
    contributions[GROUPS.indexOf('popular')] = 1.9e-15;
    contributions[GROUPS.indexOf('trending')] = 0.001;
    const sayable = { follows: null, goesWith: null, like: null, own: null, category: null, isTrending: true, isPopular: true };
    expect(reasonsFor({ baseline: 0, contributions }, sayable).map(({ code }) => code)).toEqual(['trending']);
    expect(reasonsFor({ baseline: 0, contributions }, { ...sayable, isTrending: false })).toEqual([]);
  });

  test('explaining changes neither the items nor their scores', async () => {
    shop.profile('a', ['P4', 'P6']);
    const plain = (items: readonly { sku: string; score: number }[]): unknown => items.map(({ sku, score }) => [sku, score]);
    expect(plain((await shop.recommend('a', { explain: true })).items)).toEqual(plain((await shop.recommend('a')).items));
  });

  test('only what was viewed is said to have been viewed before', async () => {
    shop.profile('a', ['P4', 'P6', 'P8']);
    const { items } = await shop.recommend('a', { explain: true, limit: 20 });
    const viewed = items.filter(({ reasons }) => reasons.some(({ code }) => code === 'viewed_before')).map(({ sku }) => sku);
    expect(viewed.sort()).toEqual(['P6', 'P8']);
  });

  test('a known user is not told about to a caller who has not proved to be that user', async () => {
    shop.profile('u', ['P4'], { known: true });
    expect((await shop.recommend('u')).model).toBe('trending/1');
    expect((await shop.recommend('u', { trusted: true })).items[0]!.sku).toBe('P5');
  });
});

describe('what a request may wish', () => {
  const answered = async (from: TestShop, fields: object): Promise<void> => {
    await from.recommend('a', { limit: 5, placement: 'home', ...fields });
    itemNeighbours.learn(from.neighbours, recommendations.name, from.told.at(-1), 'a');
  };

  test('diversity: other categories come in, the best item stays first', async () => {
    shop.profile('a', ['P4', 'P8', 'P12']);
    const [close, wide] = [await shop.skus('a', { limit: 6 }), await shop.skus('a', { limit: 6, diversity: 0.9 })];
    const categories = (skus: readonly string[]): number => new Set(skus.map((sku) => Number(sku.slice(1)) % 4)).size;
    expect(wide[0]).toBe(close[0]);
    expect(wide).toHaveLength(6);
    expect(categories(wide)).toBeGreaterThanOrEqual(categories(close));
    expect(wide).not.toEqual(close);
  });

  test('fatigue: what was shown again and again without a click gives way, and comes back with a click; explained, it still adds up', async () => {
    const own = shopOfPairs();
    own.profile('a', ['P4']);
    const [first] = await own.skus('a');
    for (let n = 0; n < 200; n++) await answered(own, {});
    expect((await own.skus('a', { fatigue: 5 }))[0]).not.toBe(first);
    expect((await own.skus('a'))[0]).toBe(first);
    const tired = (await own.recommend('a', { fatigue: 5, explain: true, limit: 100 })).items.find(({ sku }) => sku === first)!;
    expect(tired.contributions).toContainEqual({ part: 'shown in vain', value: expect.closeTo(-5 * Math.log(201), 1) });
    expect(tired.contributions!.reduce((sum, { value }) => sum + value, 0)).toBeCloseTo(tired.score, 5);
    const happens = (event: string): void => itemNeighbours.learn(own.neighbours, interactions.name, { ...own.lastEvent, shopper: 'a', event, products: [{ sku: first!, price: null, quantity: null, position: null }] }, 'a');
    // Being one of a list once more is no interest.
    happens('Product List Viewed');
    expect((await own.skus('a', { fatigue: 5 }))[0]).not.toBe(first);
    happens('Recommendation Clicked');
    expect((await own.skus('a', { fatigue: 5 }))[0]).toBe(first);
  });

  test.each([[10, 1], [50, 1], [20, 2]])('fatigue: lists of %d, %d at a time, asked again and again, begin with another item each time, however many others ask', async (limit, lists) => {
    const own = new TestShop();
    for (let item = 0; item < 120; item++) own.product(`P${item}`);
    for (let round = 0; round < 4; round++) for (let item = 0; item < 120; item++) own.session(`s-${round}-${item}`, [`P${item}`, `P${(item * 7 + round * 31) % 120}`]);
    own.publish();
    own.profile('a', ['P4']);
    const firsts = new Set<string>();
    let others = 0;
    for (let asked = 0; asked < 9; asked++) {
      const skus: string[] = [];
      for (let list = 0; list < lists; list++) {
        skus.push(...await own.skus('a', { limit, fatigue: 5, exclude: skus }));
        itemNeighbours.learn(own.neighbours, recommendations.name, own.told.at(-1)!, 'a');
      }
      firsts.add(skus[0]!);
      for (let n = 0; n < 2_000; n++) itemNeighbours.learn(own.neighbours, recommendations.name, { ...own.told.at(-1)!, shopper: `other-${others++}` }, '');
    }
    expect(firsts.size).toBeGreaterThan(4);
  });

  test('fatigue: what was shown in vain before a login counts after it', async () => {
    const own = shopOfPairs();
    for (const id of ['a', 'user']) own.profile(id, ['P4']);
    const [first] = await own.skus('user', { fatigue: 5 });
    for (let asked = 0; asked < 9; asked++) {
      await own.recommend('a');
      itemNeighbours.learn(own.neighbours, recommendations.name, own.told.at(-1)!, 'a');
    }
    expect((await own.skus('user', { fatigue: 5 }))[0]).toBe(first);
    itemNeighbours.learn(own.neighbours, userMerges.name, { mergeId: 'm', from: 'a', to: 'user', time: own.now, erased: [] }, 'a');
    expect((await own.skus('user', { fatigue: 5 }))[0]).not.toBe(first);
  });

  test('explore: the last place tries items, with a propensity that the log is told, and learns which are clicked', async () => {
    const own = shopOfPairs();
    own.profile('a', ['P4']);
    const tried = new Set<string>();
    for (let n = 0; n < 30; n++) {
      await answered(own, { explore: true });
      const { items } = own.told.at(-1)!;
      expect(items.slice(0, 4).every(({ propensity }) => propensity === 1)).toBe(true);
      expect(items[4]!.propensity).toBeLessThan(1);
      expect(items[4]!.propensity).toBeGreaterThan(0);
      tried.add(items[4]!.sku);
    }
    expect(tried.size).toBeGreaterThan(5);
    const favourite = own.told.at(-1)!.items[4]!.sku;
    const told = own.told.at(-1)!;
    // Clicks that go on with a view, so that they leave the ranking as it is.
    for (let n = 0; n < 20; n++) {
      const shopper = `one of many ${n}`;
      itemNeighbours.learn(own.neighbours, recommendations.name, { ...told, shopper, items: [told.items[4]!] }, shopper);
      itemNeighbours.learn(own.neighbours, interactions.name, { ...own.lastEvent, shopper, event: 'Recommendation Clicked', continues: 'Product Viewed', recommendationId: told.recommendationId, products: [{ sku: favourite, price: null, quantity: null, position: null }] }, shopper);
    }
    const again = (await own.recommend('a', { limit: 5, placement: 'home', explore: true })).items[4]!;
    expect(again).toMatchObject({ sku: favourite, propensity: expect.closeTo(1, 1) });
  });

  test('explore: an item that nobody has touched gets its chance', async () => {
    const own = shopOfPairs();
    own.product('brand new');
    own.profile('a', ['P4']);
    const shown = new Set<string>();
    for (let n = 0; n < 60; n++) for (const sku of await own.skus('a', { limit: 2, explore: true })) shown.add(sku);
    expect(shown.has('brand new')).toBe(true);
    expect(await own.skus('a', { limit: 1 })).toEqual(['P5']);
  });

  test.each([['diversity', 1.5], ['diversity', 'much'], ['fatigue', -1], ['fatigue', Number.NaN], ['explore', 'yes']])('%s of %j is refused by name', (name, value) => {
    expect(() => recommendRequest({ anonymousId: 'a', [name]: value })).toThrow(expect.objectContaining({ problem: expect.objectContaining({ status: 400, errors: [expect.objectContaining({ path: name })] }) }));
  });
});

describe('filters', () => {
  test('by several categories, a price range, stock and an attribute at once', async () => {
    const filter = { category: ['Category 0', 'Category 2'], price: { min: '12.00', max: 30 }, inStock: true, 'attributes.colour': 'red' };
    expect((await shop.skus('nobody', { limit: 100, filter })).sort()).toEqual(['P10', 'P12', 'P14', 'P16', 'P18', 'P2', 'P20', 'P4', 'P6', 'P8']);
  });

  test('one that few items pass finds all of them, however little speaks for them', async () => {
    shop.product('odd one', { category: 'Curiosities' });
    shop.profile('a', ['P4']);
    expect(await shop.skus('a', { filter: { category: 'Curiosities' } })).toEqual(['odd one']);
    expect(await shop.skus('a', { filter: { name: ['Product P39', 'Product P38'] } })).toHaveLength(2);
  });

  test('one by category finds a product in any of its categories and above them, once, for as long as it is in them', async () => {
    const own = new TestShop();
    own.product('cup', { category: 'Home > Kitchen > Cups', furtherCategories: ['Gifts', 'Sale'] });
    own.product('pot', { category: 'Home > Kitchen > Pots' });
    own.product('card', { category: 'Gifts' });
    const found = async (category: string | string[]): Promise<string[]> => (await own.skus('a', { filter: { category } })).sort();
    for (const category of ['Gifts', 'Home', ['Sale', 'Gifts']]) expect(await found(category)).toContain('cup');
    expect(await Promise.all(['Home', 'Home > Kitchen', 'Home > Kitchen > Cups', 'Kitchen'].map(found))).toEqual([['cup', 'pot'], ['cup', 'pot'], ['cup'], []]);
    expect(await found(['Sale', 'Gifts', 'Home'])).toEqual(['card', 'cup', 'pot']);
    own.product('cup', { category: 'Gifts', furtherCategories: ['Home'] });
    expect(await Promise.all(['Sale', 'Home', 'Home > Kitchen', 'Gifts'].map(found))).toEqual([[], ['cup', 'pot'], ['pot'], ['card', 'cup']]);
  });

  test('one by attribute finds a product by any of its values', async () => {
    const own = new TestShop();
    own.product('shirt', { attributes: { size: '["S","M"]', colour: 'red' } });
    own.product('coat', { attributes: { size: 'M' } });
    const found = async (filter: object): Promise<string[]> => (await own.skus('a', { filter })).sort();
    expect(await found({ 'attributes.size': 'S' })).toEqual(['shirt']);
    expect(await found({ 'attributes.size': ['S', 'M'] })).toEqual(['coat', 'shirt']);
    expect(await found({ 'attributes.size': 'M', 'attributes.colour': 'red' })).toEqual(['shirt']);
    expect(await found({ 'attributes.size': '["S","M"]' })).toEqual([]);
    own.product('shirt', { attributes: { size: '["L","M"]' } });
    expect(await found({ 'attributes.size': 'S' })).toEqual([]);
    expect(await found({ 'attributes.size': 'M' })).toEqual(['coat', 'shirt']);
  });

  test('one that nothing satisfies gives an empty list', async () => {
    shop.profile('a', ['P4']);
    expect(await shop.skus('a', { filter: { category: 'No such category' } })).toEqual([]);
    expect(await shop.skus('a', { filter: { category: [] } })).toEqual([]);
    expect(await shop.skus('a', { filter: { 'attributes.constructor': 'x' } })).toEqual([]);
    expect(await shop.skus('a', { filter: { price: { min: 1_000_000 } } })).toEqual([]);
    expect(await shop.skus('a', { exclude: Array.from({ length: 40 }, (_, item) => `P${item}`), filter: { category: ['Category 0', 'Category 1'] } })).toEqual([]);
  });

  test('an item without a price is in no price range', async () => {
    shop.product('priceless', { price: null });
    expect(await shop.skus('a', { limit: 100, filter: { price: { min: '-1' } } })).not.toContain('priceless');
    expect(await shop.skus('a', { filter: { price: {}, name: 'Product priceless' } })).toEqual([]);
  });

  test('a price in another currency than the shop\'s is an unknown one', async () => {
    const own = new TestShop();
    own.product('dollars', { price: 120_000n, currency: 'USD' });
    own.product('euros', { price: 120_000n });
    own.product('unsaid', { price: 120_000n, currency: null });
    expect((await own.skus('a', { filter: { price: { min: 5, max: 20 } } })).sort()).toEqual(['euros', 'unsaid']);
    const { items } = await own.recommend('a', { filter: { category: 'Kitchen' } });
    expect(Object.fromEntries(items.map(({ sku, price }) => [sku, price]))).toEqual({ dollars: null, euros: '12.00', unsaid: '12.00' });
  });

  test.each([
    [{ colour: 'red' }, 'filter.colour'], [{ price: 5 }, 'filter.price'], [{ price: null }, 'filter.price'], [{ price: { min: 'NaN' } }, 'filter.price.min'],
    [{ price: { least: 1 } }, 'filter.price'], [{ category: [null] }, 'filter.category'], [{ inStock: 'yes' }, 'filter.inStock'], [{ price: { min: 50, max: '10' } }, 'filter.price'],
  ])('%j is refused and names %s', async (filter, path) => {
    const refusal = await shop.recommend('a', { filter }).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(Refusal);
    expect((refusal as Refusal).problem).toMatchObject({ status: 400, errors: [{ path }] });
  });
});

describe('odd requests', () => {
  test.each([0, -1, 10_000, 1.5, '10', null].filter((limit) => limit !== null))('a limit of %j is refused by name', (limit) => {
    expect(() => recommendRequest({ anonymousId: 'a', limit })).toThrow(expect.objectContaining({ problem: expect.objectContaining({ status: 400, errors: [expect.objectContaining({ path: 'limit' })] }) }));
  });

  test('items that nobody knows are scored as what they are: numbers, and named as unknown', async () => {
    shop.profile('a', ['P4']);
    const { items, unknown } = await shop.scorer.score({ userId: null, anonymousId: 'a', trusted: false, items: ['nothing', 'P5', 'P30'], after: null, explain: true, compare: false }) as { items: { sku: string; score: number; reasons: object[] }[]; unknown: string[] };
    expect(items.map(({ sku }) => sku)[0]).toBe('P5');
    expect(items.every(({ score }) => Number.isFinite(score))).toBe(true);
    expect(unknown).toEqual(['nothing']);
    const reasons = items.find(({ sku }) => sku === 'nothing')!.reasons;
    expect(reasons[0]).toEqual({ code: 'more', text: 'More from the shop' });
    shop.product('just listed');
    const fresh = await shop.scorer.score({ userId: null, anonymousId: 'a', trusted: false, items: ['just listed'], after: null, explain: true, compare: false });
    expect(fresh).toMatchObject({ items: [{ reasons: [{ code: 'new', text: 'Be the first to see it' }] }] });
  });

  test('items that were taken out of the catalogue are scored, and named as deleted', async () => {
    const own = shopOfPairs();
    own.product('P5', { deleted: true });
    const scored = async (): Promise<unknown> => own.scorer.score({ userId: null, anonymousId: 'a', trusted: false, items: ['P5', 'nothing', 'P30'], after: null, explain: false, compare: false });
    expect(await scored()).toMatchObject({ items: [expect.anything(), expect.anything(), expect.anything()], unknown: ['nothing'], deleted: ['P5'] });
    own.product('P5');
    expect(await scored()).toMatchObject({ deleted: [] });
  });

  test('a score says which model it is of, as a recommendation does', async () => {
    shop.profile('a', ['P4']);
    const modelOf = async (anonymousId: string): Promise<unknown> =>
      (await shop.scorer.score({ userId: null, anonymousId, trusted: false, items: ['P5'], after: null, explain: false, compare: false }) as { model: string }).model;
    expect([await modelOf('a'), await modelOf('nobody')]).toEqual([(await shop.recommend('a')).model, (await shop.recommend('nobody')).model]);
    expect(await modelOf('nobody')).toBe('trending/1');
  });

  test('a linear fit beside an explanation says the same of what speaks most', async () => {
    shop.profile('a', ['P4', 'P6']);
    interface Compared { readonly contributions: { readonly part: string; readonly value: number }[]; readonly localFit: { readonly fit: number; readonly parts: { readonly part: string; readonly value: number }[] } }
    const { items } = (await shop.scorer.score({ userId: null, anonymousId: 'a', trusted: false, items: ['P5'], after: null, explain: true, compare: true })) as { items: Compared[] };
    const { contributions, localFit } = items[0]!;
    // The first contribution is the unknown item's score, which is no part of it.
    expect(localFit.parts[0]!.part).toBe(contributions[1]!.part);
    expect(localFit.parts[0]!.value / contributions[1]!.value).toBeCloseTo(1, 0);
    expect(localFit.fit).toBeGreaterThan(0.9);
    expect(localFit.fit).toBeLessThanOrEqual(1);
  });

  test('more items than the model takes at once are all ranked', async () => {
    const asked = [...Array.from({ length: 300 }, (_, at) => `unknown-${at}`), 'P5'];
    shop.profile('a', ['P4']);
    expect((await shop.skus('a', { items: asked, limit: 100 }))[0]).toBe('P5');
    expect(await shop.skus('a', { items: [] })).toEqual([]);
  });

  test('similar items of an unknown item are refused, of a known one they are what goes with it', () => {
    expect(() => shop.scorer.similar({ sku: 'nothing', limit: 3, filter: null, exclude: [] })).toThrow(Refusal);
    const { items } = shop.scorer.similar({ sku: 'P4', limit: 3, filter: null, exclude: [] }) as { items: { sku: string; reasons: object[] }[] };
    expect(items[0]).toMatchObject({ sku: 'P5', reasons: [{ code: 'similar_to', sku: 'P4' }] });
  });

  test.each([0, 1, 3])('items that are all equal, %d views of each, make a whole list of numbers, whatever is wished, and the same one each time', async (views) => {
    const shop = new TestShop();
    const equal = Array.from({ length: 40 }, (_, n) => `E${n}`);
    for (const sku of equal) shop.product(sku, { name: 'Same' });
    for (const sku of Array.from({ length: views }, () => equal).flat()) shop.event(`${sku}-viewer`, sku, []);
    shop.publish();
    shop.profile('a', ['E7']);
    for (const who of ['a', 'nobody']) {
      const wishes = { limit: 10, explain: true, diversity: 1, filter: { category: 'Kitchen' } };
      const { items } = await shop.recommend(who, wishes);
      expect(new Set(items.map(({ sku }) => sku)).size).toBe(10);
      expect(items.every(({ score, contributions }) => [score, ...contributions!.map(({ value }) => value)].every(Number.isFinite))).toBe(true);
      expect(await shop.skus(who, wishes)).toEqual(items.map(({ sku }) => sku));
      expect(await shop.skus(who, { ...wishes, fatigue: 5, explore: true })).toHaveLength(10);
    }
  });

  test('one item viewed a thousand times over gives an answer of numbers', async () => {
    const shop = shopOfPairs();
    for (let view = 0; view < 1_000; view++) shop.event(`bored-${view % 30}`, 'P4', Array.from({ length: 10 }, () => 'P4'));
    shop.publish();
    shop.profile('a', Array.from({ length: 50 }, () => 'P4'));
    const { items } = await shop.recommend('a');
    expect(items[0]!.sku).toBe('P5');
    expect(items.every(({ score }) => Number.isFinite(score))).toBe(true);
  });
});

describe('what the log is told', () => {
  test('answers carry what the ranker saw, up to ten a second and six a minute of one shopper', async () => {
    const shop = shopOfPairs();
    const inFull = (): string[] => shop.told.splice(0).filter(({ features }) => features.length > 0).map(({ shopper }) => shopper);
    for (let id = 0; id < 100; id++) shop.profile(`s${id}`, ['P4']);
    await shop.recommend('s0', { placement: 'home', limit: 5 });
    expect(shop.told[0]).toMatchObject({ placement: 'home', model: MODEL, featureSet: features.SET, shopper: 's0' });
    expect(shop.told[0]!.features.length % 5).toBe(0);
    inFull();
    for (let n = 0; n < 1_000; n++, shop.now += 10) await shop.recommend(`s${n % 100}`, { limit: 5 });
    const shoppers = inFull();
    expect(shoppers.length).toBeGreaterThan(95);
    expect(shoppers.length).toBeLessThanOrEqual(110);
    for (let n = 0; n < 1_000; n++, shop.now += 10) await shop.recommend(n % 10 === 0 ? `s${n / 10}` : 'asks all day', { limit: 5 });
    const turns = inFull();
    expect(turns.length).toBeGreaterThan(95);
    expect(turns.filter((shopper) => shopper === 'asks all day').length).toBeLessThan(12);
  });
});
