import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { itemNeighbours, type ItemNeighbours } from '../../consumers/co-visitation.js';
import { DISMISSAL_WEIGHT, PURCHASE_WEIGHT, WEIGHTS } from '../../consumers/event-weights.js';
import { recommender, type Recommender } from '../../consumers/recommender.js';
import { shoppers } from '../../consumers/shoppers.js';
import * as embedding from '../../models/embedding.js';
import * as features from '../../models/features.js';
import { MODEL } from '../../models/fusion.js';
import * as itemIndex from '../../models/item-index.js';
import { randomness, uniform } from '../../models/kernels/numbers.js';
import * as popularity from '../../models/popularity.js';
import * as ranker from '../../models/ranker.js';
import * as repeats from '../../models/repeats.js';
import * as visitPatterns from '../../models/visit-patterns.js';
import { clickstream, interactions, purchases, recommendations, userMerges } from '../../schemas/topics.js';
import { packageRoot } from '../../schemas/files.js';
import { shopOfPairs, type TestShop } from '../serving/shop.js';
import { Driver } from '../support/driver.js';
import { MINUTE, NINE, product, shopEvent } from '../support/events.js';

const TIME = Date.UTC(2026, 0, 7);

describe('what the learner publishes', () => {
  test('vectors that have moved, and weights when there were lessons; then nothing until something moves', () => {
    const shop = shopOfPairs();
    expect(shop.publish()).toBe(0);
    shop.session('one more', ['P0', 'P1', 'P2']);
    const changes = recommender.publishes!.changes(shop.learner, TIME);
    expect(new Set(changes.map(({ table }) => table.name))).toEqual(new Set(['item-vectors', 'recommender-models']));
  });

  test('everything that has moved is told in turn, the last items too', () => {
    const shop = shopOfPairs();
    for (let item = 0; item < 2_500; item++) shop.session(`s-${item}`, [`Q${item}`, `Q${item + 1}`]);
    const told = new Set<string>();
    for (let round = 0; round < 4; round++) for (const { key } of recommender.publishes!.changes(shop.learner, TIME)) told.add(key);
    expect(told.has('Q0')).toBe(true);
    expect(told.has('Q2499')).toBe(true);
  });

  test('an item that a scorer hears of later than of its vector has it as soon as it has a number', () => {
    const shop = shopOfPairs();
    shop.teach('P99', 'P4');
    expect(itemIndex.predict(shop.neighbours.index, 'P99')).toBe(-1);
    shop.catalogue('upsert', 'P99');
    const vectorOf = (sku: string): Float32Array | undefined => embedding.vectorOf(shop.neighbours.model.embedding, itemIndex.predict(shop.neighbours.index, sku));
    expect(vectorOf('P99')).toEqual(vectorOf('P4'));
  });

  test('a scorer ranks by the weights it was told', () => {
    const shop = shopOfPairs();
    expect(ranker.weightsOf(shop.neighbours.model.ranker)).toEqual(ranker.weightsOf(shop.learner.model.ranker));
  });
});

test('a scorer does not rank by weights for other features: a learner of another version published them', async () => {
  const shop = shopOfPairs();
  shop.profile('a', ['P4']);
  const before = await shop.skus('a', { limit: 20 });
  shop.tellWeights({ featureSet: features.SET + 1 });
  expect(await shop.skus('a', { limit: 20 })).toEqual(before);
  shop.tellWeights({});
  expect(await shop.skus('a', { limit: 20 })).not.toEqual(before);
});

describe('live quality', () => {
  test('is measured before an event is learned, and rises with what was learned', () => {
    const { learner } = shopOfPairs();
    const gauges = new Map(recommender.gauges!(learner).map(({ name, value, labels }) => [`${name} ${Object.values(labels).join(' ')}`, value]));
    expect(gauges.get(`millrace_recommender_judged_events ${MODEL}`)).toBe(120);
    expect(gauges.get(`millrace_recommender_quality ${MODEL} recall_at_20`)).toBeGreaterThan(0.7);
    expect(gauges.get(`millrace_recommender_quality ${MODEL} mrr_at_20`)).toBeGreaterThan(0.6);
    expect(gauges.get(`millrace_recommender_quality ${MODEL} ndcg_at_20`)).toBeLessThanOrEqual(1);
  });
});

/** What shoppers send, cleaned as in service, to the learner and to a scorer. */
function learnedFrom(events: readonly { shopper: string; event: string; sku: string; time: number }[]): { learner: Recommender; scorer: ItemNeighbours } {
  const driver = new Driver([shoppers()]);
  const [learner, scorer] = [recommender.init(), itemNeighbours.init()];
  for (const { shopper, event, sku, time } of events) driver.write(clickstream.name, shopper, clickstream.codec.encode(shopEvent(event, { anonymousId: shopper, time, products: [product(sku)] })));
  driver.run();
  for (const interaction of driver.read(interactions)) {
    recommender.learn(learner, interactions.name, interaction, interaction.shopper);
    itemNeighbours.learn(scorer, interactions.name, interaction, interaction.shopper);
  }
  return { learner, scorer };
}

describe('a click and the page it leads to', () => {
  const steps = ['Product Clicked', 'Product Viewed', 'Product Added'];
  const touches = (shopper: string, sku: string, from: number, many: number): { shopper: string; event: string; sku: string; time: number }[] =>
    steps.slice(0, many).map((event, at) => ({ shopper, event, sku, time: from + at * 1_000 }));

  test('are one touch: recall of what comes by chance is that of chance, not of what was just clicked', () => {
    const random = randomness(3);
    const events = Array.from({ length: 1_000 }, (_, n) => Array.from({ length: 3 }, (__, step) => touches(`s-${n}`, `P${Math.floor(uniform(random) * 300)}`, NINE + n * MINUTE + step * 20_000, 2)).flat()).flat();
    const { learner: { quality, model } } = learnedFrom(events);
    expect(quality.events).toBeGreaterThan(1_900);
    expect(quality.events).toBeLessThanOrEqual(2_000);
    // Twenty of 300 are 0.067.
    expect(quality.recall).toBeLessThan(0.12);
    expect(repeats.predict(model.repeats, 0)).toBeLessThan(0.05);
  });

  test('and the cart from there count as the strongest of them', () => {
    const both = [...touches('a', 'P1', NINE, 3), { shopper: 'b', event: 'Product Added', sku: 'P2', time: NINE + MINUTE }, { shopper: 'c', event: 'Product Viewed', sku: 'P3', time: NINE + MINUTE }];
    const { learner, scorer } = learnedFrom(both);
    for (const { index, model } of [learner, scorer]) {
      const share = (sku: string): number => popularity.popularShare(model.popularity, itemIndex.predict(index, sku));
      expect(share('P1')).toBeCloseTo(share('P2'), 2);
      expect(share('P1')).toBeCloseTo(2 * share('P3'), 2);
      expect(repeats.clicksOf(model.repeats, itemIndex.predict(index, 'P1'))).toBe(1);
    }
  });

  test('by a page that sends every event twice teach what they teach sent once', () => {
    const random = randomness(6);
    const once = Array.from({ length: 120 }, (_, n) => {
      const [first, second] = [0, 0].map(() => `P${Math.floor(uniform(random) * 30)}`);
      return [first!, second!, first!].map((sku, step) => ({ shopper: `s-${n}`, event: 'Product Viewed', sku, time: NINE + n * MINUTE + step * 20_000 }));
    }).flat();
    const twice = once.flatMap((event) => [event, { ...event, time: event.time + 300 }]);
    const [of, ofTwice] = [learnedFrom(once), learnedFrom(twice)];
    expect(repeats.predict(of.learner.model.repeats, 0)).toBeGreaterThan(0);
    for (const side of ['learner', 'scorer'] as const) {
      expect(repeats.snapshot(ofTwice[side].model.repeats)).toEqual(repeats.snapshot(of[side].model.repeats));
      expect(visitPatterns.snapshot(ofTwice[side].model.visitPatterns)).toEqual(visitPatterns.snapshot(of[side].model.visitPatterns));
      expect(popularity.snapshot(ofTwice[side].model.popularity)).toEqual(popularity.snapshot(of[side].model.popularity));
    }
    expect(ofTwice.learner.quality).toEqual(of.learner.quality);
  });

  test('seen again later are learned from, but not judged: no answer names what was touched last', () => {
    const { learner } = learnedFrom(Array.from({ length: 200 }, (_, n) => [0, 15 * MINUTE].map((later) => ({ shopper: `s-${n}`, event: 'Product Viewed', sku: `P${n % 20}`, time: NINE + n * 30_000 + later }))).flat());
    expect(learner.quality.events).toBe(0);
    expect(learner.model.lessons).toBe(0);
    expect(repeats.predict(learner.model.repeats, 0)).toBeGreaterThan(0.4);
  });
});

test('what a shopper bought or dismissed before is learned from when it is touched again, but no answer is judged by it: none names it', () => {
  const learned = [false, true].map((refused) => {
    const shop = shopOfPairs();
    const before = { events: shop.learner.quality.events, lessons: shop.learner.model.lessons, share: popularity.popularShare(shop.learner.model.popularity, itemIndex.predict(shop.learner.index, 'P5')) };
    for (let n = 0; n < 10; n++) shop.event(`again-${n}`, 'P5', ['P4'], { refused });
    const { quality, model, index } = shop.learner;
    return { judged: quality.events - before.events, lessons: model.lessons - before.lessons, isMorePopular: popularity.popularShare(model.popularity, itemIndex.predict(index, 'P5')) > before.share };
  });
  expect(learned).toEqual([{ judged: 10, lessons: 10, isMorePopular: true }, { judged: 0, lessons: 0, isMorePopular: true }]);
});

describe('what comes back and what is dismissed', () => {
  const popularityOf = (shop: TestShop, sku: string): number[] => [shop.learner, shop.neighbours].map(({ index, model }) => popularity.popularShare(model.popularity, itemIndex.predict(index, sku)));

  test.each(['refunded', 'cancelled'] as const)('an order that is %s takes back what it gave, with its last unit; once', (kind) => {
    const shop = shopOfPairs();
    const before = popularityOf(shop, 'P7');
    shop.purchase('a', ['P7'], { orderId: 'o-7', quantity: 3 });
    const bought = popularityOf(shop, 'P7');
    expect(bought[0]!).toBeGreaterThan(before[0]! * 1.2);
    shop.purchase('a', ['P7'], { orderId: 'o-7', kind, quantity: -2 });
    expect(popularityOf(shop, 'P7')).toEqual(bought);
    for (let again = 0; again < 3; again++) shop.purchase('a', ['P7'], { orderId: 'o-7', kind, quantity: -1 });
    for (const [at, share] of popularityOf(shop, 'P7').entries()) expect(share).toBeCloseTo(before[at]!, 4);
  });

  test('refunds of orders that nobody knows, or that taught nothing, take nothing', () => {
    const shop = shopOfPairs();
    const time = Date.UTC(2026, 0, 6);
    shop.purchase('a', Array.from({ length: 100 }, (_, n) => `X${n}`), { time });
    shop.purchase('a', ['P7'], { orderId: 'o-7', time });
    const before = popularityOf(shop, 'P7');
    shop.purchase('a', ['P7'], { orderId: 'o-7', kind: 'refunded', quantity: -1 });
    shop.purchase('b', ['P7'], { orderId: 'o-8', kind: 'refunded', quantity: -1 });
    expect(popularityOf(shop, 'P7')).toEqual(before);
  });

  test('a dismissal takes a view from what is popular; a thousand of one shopper take two', () => {
    const shop = shopOfPairs();
    const before = popularityOf(shop, 'P7');
    const time = Date.UTC(2026, 0, 6);
    for (let n = 0; n < 1_000; n++) shop.event('a', 'P7', [], { event: n % 2 ? 'Recommendation Dismissed' : 'Product Recommendation Dismissed', time, receivedAt: time });
    // Each item was viewed six times.
    for (const [at, share] of popularityOf(shop, 'P7').entries()) expect(share / before[at]!).toBeCloseTo(4 / 6, 1);
  });

  test('of each event the page says what it weighs', () => {
    const page = readFileSync(path.join(packageRoot, 'docs/event-weights.md'), 'utf8');
    const said = Object.fromEntries([...page.matchAll(/^\| `([^`]+)` \| ([\d.]+) \|/gm)].map(([, event, weight]) => [event, Number(weight)]));
    expect(said).toEqual(Object.fromEntries(WEIGHTS));
    expect(page).toContain(`each product once) | ${PURCHASE_WEIGHT} |`);
    expect(page).toContain(`| refund, cancellation | −${PURCHASE_WEIGHT} |`);
    expect(page).toContain(`\`Product Recommendation Dismissed\` | −${DISMISSAL_WEIGHT} |`);
  });
});

describe('what was shown', () => {
  const shown = async (shop = shopOfPairs()): Promise<{ shop: typeof shop; id: string; skus: readonly string[] }> => {
    shop.profile('a', ['P4']);
    const answer = await shop.recommend('a', { limit: 5 });
    recommender.learn(shop.learner, recommendations.name, shop.told[0], 'a');
    return { shop, id: answer.recommendationId, skus: answer.items.map(({ sku }) => sku) };
  };

  test('teaches the ranker when somebody chooses from it, once a stage', async () => {
    const { shop, id, skus } = await shown();
    const choose = (event: string, recommendationId: string | null): number => {
      shop.event('a', skus[2]!, [], { event, recommendationId });
      return shop.learner.chosen;
    };
    expect(choose('Product Viewed', null)).toBe(0);
    expect(choose('Recommendation Clicked', id)).toBe(1);
    expect(choose('Recommendation Clicked', id)).toBe(1);
    // A cart that names no list counts for the one it was clicked in.
    expect(choose('Product Added', null)).toBe(2);
    recommender.learn(shop.learner, purchases.name, {
      shopper: 'a', orderId: 'o', kind: 'completed', time: Date.UTC(2026, 0, 5, 12), receivedAt: 0, currency: 'EUR', revenue: 0n, lines: [{ sku: skus[2]!, quantity: 1, price: 0n }], cartId: null, recommendationId: null, source: null,
    }, 'a');
    expect(shop.learner.chosen).toBe(3);
  });

  test('is what the shop says of it: clicks teach as much as from answers of those items in that order', async () => {
    const taughtBy = async (confirms: boolean): Promise<Float32Array> => {
      const shop = shopOfPairs();
      const order = [3, 0, 2];
      for (let n = 0; n < 8; n++) {
        const shopper = `u${n}`;
        shop.profile(shopper, ['P4']);
        await shop.recommend(shopper, { limit: 5 });
        const told = shop.told.at(-1)!;
        const width = told.features.length / told.items.length;
        const products = order.map((place) => ({ sku: told.items[place]!.sku, price: null, quantity: null, position: null, name: null }));
        const short = { ...told, items: order.map((place) => told.items[place]!), features: Buffer.concat(order.map((place) => told.features.subarray(place * width, (place + 1) * width))) };
        recommender.learn(shop.learner, recommendations.name, confirms ? told : short, shopper);
        if (confirms) shop.event(shopper, '', [], { event: 'Recommendations Served', recommendationId: told.recommendationId, products });
        shop.event(shopper, products[n % 3]!.sku, [], { event: 'Recommendation Clicked', recommendationId: told.recommendationId });
      }
      expect(shop.learner.chosen).toBe(8);
      return ranker.weightsOf(shop.learner.model.ranker);
    };
    expect(await taughtBy(true)).toEqual(await taughtBy(false));
  });

  test('teaches nothing by a click that names no list, though the item was put into the cart from one', async () => {
    const { shop, id, skus } = await shown();
    shop.event('a', skus[2]!, [], { event: 'Product Added', recommendationId: id });
    expect(shop.learner.chosen).toBe(1);
    shop.event('a', skus[2]!, [], { event: 'Recommendation Clicked', recommendationId: null });
    expect(shop.learner.chosen).toBe(1);
  });

  test('teaches as much where a click is read before what it was shown in: they come by two topics', async () => {
    const [after, before] = [shopOfPairs(), shopOfPairs()];
    for (const shop of [after, before]) {
      for (let n = 0; n < 8; n++) {
        shop.profile(`u${n}`, ['P4']);
        const { recommendationId, items } = await shop.recommend(`u${n}`, { limit: 5 });
        const learnList = (): void => recommender.learn(shop.learner, recommendations.name, shop.told.at(-1), `u${n}`);
        if (shop === after) learnList();
        shop.event(`u${n}`, items[n % 5]!.sku, [], { event: 'Recommendation Clicked', recommendationId });
        if (shop === before) learnList();
      }
    }
    expect(before.learner.chosen).toBe(8);
    expect(ranker.weightsOf(before.learner.model.ranker)).toEqual(ranker.weightsOf(after.learner.model.ranker));
  });

  test('first teaches little where the first place is looked at most: it was put into carts for its place', async () => {
    const learnedOf = async (exponent: number): Promise<number> => {
      const shop = shopOfPairs();
      shop.learner.position.set('', { ...shop.learner.position.get('')!, exponent });
      shop.profile('a', ['P4']);
      const first = (items: readonly { sku: string; score: number }[]): number => items[0]!.score - items[1]!.score;
      const before = first((await shop.recommend('a', { limit: 5 })).items);
      for (let n = 0; n < 120; n++) {
        recommender.learn(shop.learner, recommendations.name, { ...shop.told[0]!, recommendationId: `r${n}`, shopper: `u${n}` }, `u${n}`);
        shop.event(`u${n}`, shop.told[0]!.items[0]!.sku, [], { event: 'Product Added', recommendationId: `r${n}` });
      }
      expect(shop.learner.chosen).toBe(120);
      shop.publish();
      const { items } = await shop.recommend('a', { items: shop.told[0]!.items.map(({ sku }) => sku), limit: 5 });
      return first(items) - before;
    };
    expect(await learnedOf(2)).toBeLessThan(await learnedOf(0) - 0.1);
  });

  test('is the shopper\'s after login, too', async () => {
    const { shop, id, skus } = await shown();
    shop.event('a', skus[2]!, [], { event: 'Recommendation Clicked', recommendationId: id });
    expect(shop.learner.chosen).toBe(1);
    recommender.learn(shop.learner, userMerges.name, { mergeId: 'm', from: 'a', to: 'user', time: TIME, erased: [] }, 'a');
    shop.purchase('user', [skus[2]!], { time: shop.now + 3_600_000 });
    expect(shop.learner.chosen).toBe(2);
  });

  test('to a shopper who asks 42,000 times takes nothing from others, and it is said what is remembered', async () => {
    const { shop, id, skus } = await shown();
    const told = shop.told[0]!;
    for (let n = 0; n < 42_000; n++) recommender.learn(shop.learner, recommendations.name, { ...told, recommendationId: `flood-${n}`, shopper: 'flood' }, 'flood');
    shop.event('a', skus[2]!, [], { event: 'Recommendation Clicked', recommendationId: id });
    expect(shop.learner.chosen).toBe(1);
    const gauges = new Map(recommender.gauges!(shop.learner).map(({ name, value, labels }) => [`${name} ${Object.values(labels).join(' ')}`, value]));
    expect(gauges.get('millrace_recommender_lists waiting')).toBe(64);
    expect(gauges.get('millrace_recommender_lists chosen')).toBe(1);
    expect(gauges.get('millrace_recommender_lists_dropped waiting shopper')).toBe(42_000 - 64);
    expect(gauges.get('millrace_recommender_lists_dropped waiting memory')).toBe(0);
  });

  test('and not chosen for a day is forgotten', async () => {
    const { shop, id, skus } = await shown();
    shop.event('a', skus[2]!, [], { event: 'Recommendation Clicked', recommendationId: id, time: TIME });
    expect(shop.learner.chosen).toBe(0);
  });

  test('changes what is ranked first: who always chooses the tenth gets it further up', async () => {
    const shop = shopOfPairs();
    shop.profile('a', ['P4']);
    const places = async (): Promise<string[]> => shop.skus('a', { limit: 20, exclude: ['P5'] });
    const last = (await places())[9]!;
    for (let round = 0; round < 200; round++, shop.now += 10_000) {
      const answer = await shop.recommend('a', { limit: 20, exclude: ['P5'] });
      recommender.learn(shop.learner, recommendations.name, shop.told.at(-1), 'a');
      // Without clicks before it, the event teaches the ranker nothing but by the list.
      shop.event(`chooser-${round}`, last, [], { event: 'Recommendation Clicked', recommendationId: answer.recommendationId });
      if (round % 20 === 0) shop.publish();
    }
    shop.publish();
    expect(shop.learner.chosen).toBeGreaterThan(20);
    expect((await places()).indexOf(last)).toBeLessThan(5);
  });

  test('to a shopper who is erased is dropped', async () => {
    const { shop } = await shown();
    expect(shop.learner.shown.waiting.size).toBe(1);
    shop.event('a', 'P1', [], { event: 'User Erased' });
    expect(shop.learner.shown.waiting.size).toBe(0);
  });

  test('by a model of other features teaches nothing', async () => {
    const shop = shopOfPairs();
    shop.profile('a', ['P4']);
    await shop.recommend('a');
    recommender.learn(shop.learner, recommendations.name, { ...shop.told[0]!, featureSet: `${features.SET}-other` }, 'a');
    expect(shop.learner.shown.waiting.size).toBe(0);
  });
});

describe('snapshots', () => {
  test('of learner and scorer continue where they stood', () => {
    const shop = shopOfPairs();
    const learner = recommender.restore([...recommender.snapshot(shop.learner)]);
    const neighbours = itemNeighbours.restore([...itemNeighbours.snapshot(shop.neighbours)]);
    expect(Buffer.compare(Buffer.concat([...recommender.snapshot(learner)]), Buffer.concat([...recommender.snapshot(shop.learner)]))).toBe(0);
    expect(Buffer.compare(Buffer.concat([...itemNeighbours.snapshot(neighbours)]), Buffer.concat([...itemNeighbours.snapshot(shop.neighbours)]))).toBe(0);
  });

  test('of an older version are refused with a sentence, upon which the log is learned anew', () => {
    expect(() => recommender.restore([Buffer.from('an older form')])).toThrow(/parts/);
    const pieces = [...itemNeighbours.snapshot(shopOfPairs().neighbours)].map((piece) => Buffer.from(piece));
    const older = pieces.find((piece) => piece.includes('"version":3'))!;
    older.write('"version":1', older.indexOf('"version":3'));
    expect(() => itemNeighbours.restore(pieces)).toThrow(/version 1/);
  });
});
