import { expect, test } from 'vitest';
import { shopOfPairs, TestShop } from './shop.js';

interface Scored {
  readonly items: readonly { readonly sku: string; readonly score: number; readonly reasons: readonly { readonly code: string; readonly sku?: string; readonly name?: string; readonly did?: string; readonly category?: string; readonly text: string; readonly evidence?: string }[]; readonly localFit?: { readonly fit: number; readonly parts: readonly object[] }; readonly contributions?: readonly { readonly part: string; readonly value: number }[] }[];
}

const score = async (shop: TestShop, anonymousId: string, items: readonly string[], explain = true): Promise<Scored> =>
  await shop.scorer.score({ userId: null, anonymousId, trusted: false, items, after: null, explain, compare: false }) as Scored;

/** The score that an explanation gives an item of which nothing is known, by item. */
const baselines = ({ items }: Scored): number[] => items.map(({ contributions }) => contributions!.find(({ part }) => part === 'an unknown item')!.value);

const sumOf = (contributions: Scored['items'][number]['contributions']): number => contributions!.reduce((sum, { value }) => sum + value, 0);

for (const who of ['a stranger', 'a shopper']) {
  test(`explained to ${who}, every item starts from what an unknown item scores in that answer, and adds up to its score`, async () => {
    const shop = shopOfPairs();
    shop.profile('a shopper', ['P4', 'P6']);
    const answers = [
      await score(shop, who, ['P5', 'P8', 'P31', 'P4', 'nothing']),
      await shop.recommend(who, { explain: true, limit: 30 }),
      await shop.recommend(who, { explain: true, items: ['P5', 'P20', 'unheard of'] }),
    ];
    for (const answer of answers) {
      const [first] = baselines(answer);
      expect(baselines(answer)).toEqual(answer.items.map(() => first));
      for (const { score: scored, contributions } of answer.items) expect(sumOf(contributions)).toBeCloseTo(scored, 9);
    }
    for (const answer of [answers[0]!, answers[2]!]) {
      const unknown = answer.items.find(({ sku }) => sku === 'nothing' || sku === 'unheard of')!;
      expect(baselines(answer)[0]).toBeCloseTo(unknown.score, 5);
    }
  });
}

test('scores of one answer compare, however many there are: two unknown items score alike, and each as among a few', async () => {
  const shop = shopOfPairs();
  shop.profile('a', ['P4', 'P6']);
  const many = [...Array.from({ length: 200 }, (_, n) => `unknown-${n}`), 'P5', 'P8', 'P31'];
  const scored = new Map((await score(shop, 'a', many, false)).items.map((item) => [item.sku, item.score]));
  for (const { sku, score: alone } of (await score(shop, 'a', ['unknown-0', 'unknown-199', 'P5', 'P8', 'P31'], false)).items) expect(scored.get(sku)).toBeCloseTo(alone, 4);
});

test('explained to a stranger, a score is made of popularity alone, as it is worked out', async () => {
  const shop = shopOfPairs();
  for (let n = 0; n < 12; n++) shop.session(`fan-${n}`, ['P22']);
  const { items } = await score(shop, 'nobody', ['P22', 'P3']);
  for (const { contributions } of items) expect(contributions!.map(({ part }) => part).toSorted()).toEqual(['an unknown item', 'popular', 'trending']);
  expect(items[0]!.sku).toBe('P22');
});

/** Two departments that nobody has been to both of, and one item in each that everybody sees. */
function departments(): TestShop {
  const shop = new TestShop();
  for (const department of ['Toys', 'Garden']) for (let n = 0; n < 12; n++) shop.product(`${department}-${n}`, { category: department });
  for (let round = 0; round < 10; round++) {
    for (const department of ['Toys', 'Garden']) for (let n = 0; n < 9; n += 3) shop.session(`s-${department}-${round}-${n}`, [n, n + 1, n + 2].map((at) => `${department}-${at}`));
  }
  for (const department of ['Toys', 'Garden']) shop.session(`once-${department}`, [9, 10].map((at) => `${department}-${at}`));
  shop.publish();
  return shop;
}

test('a reason names a click only where something lies between the two, and says what', async () => {
  const shop = departments();
  shop.profile('a', ['Toys-0', 'Toys-3']);
  const all = ['Toys-1', 'Toys-4', 'Toys-7', 'Garden-0', 'Garden-1', 'Garden-10', 'Toys-0', 'Toys-11'];
  for (const { items } of [await score(shop, 'a', all), await score(shop, 'a', all, false), await shop.recommend('a', { limit: 24 }), await shop.recommend('a', { items: all })]) {
    const reasonOf = (sku: string): object | undefined => items.find((item) => item.sku === sku)?.reasons[0];
    expect(reasonOf('Toys-1')).toEqual({ code: 'because_you_viewed', sku: 'Toys-0', name: 'Product Toys-0', text: 'Because you viewed Product Toys-0', evidence: 'transition' });
    expect(reasonOf('Toys-4')).toMatchObject({ sku: 'Toys-3' });
    for (const { sku, reasons } of items.filter((item) => item.sku.startsWith('Garden'))) {
      for (const reason of reasons) expect({ sku, ...reason }).not.toHaveProperty('evidence');
      expect(['trending', 'popular', 'more', 'new']).toContain(reasons[0]!.code);
    }
  }
});

for (const [event, code, did, text, before] of [
  ['Product Clicked', 'because_you_viewed', 'viewed', 'Because you viewed Product Toys-0', 'You viewed this before'],
  ['Product Added', 'because_you_added', 'added', 'Because you put Product Toys-0 into your cart', 'You had this in your cart'],
  ['Product Removed', 'because_you_added', 'added', 'Because you put Product Toys-0 into your cart', 'You had this in your cart'],
  ['Product Added to Wishlist', 'because_you_wished', 'wished', 'Because you put Product Toys-0 on your wish list', 'You put this on your wish list'],
  ['Product Shared', 'because_you_shared', 'shared', 'Because you shared Product Toys-0', 'You shared this before'],
  ['Product Reviewed', 'because_you_reviewed', 'reviewed', 'Because you reviewed Product Toys-0', 'You reviewed this before'],
] as const) {
  test(`a reason says what was done with the product: ${event}`, async () => {
    const shop = departments();
    shop.profile('a', ['Toys-0'], { recent: [{ sku: 'Toys-0', event, time: shop.now }] });
    const { items } = await score(shop, 'a', ['Toys-1']);
    expect(items[0]!.reasons[0]).toEqual({ code, sku: 'Toys-0', name: 'Product Toys-0', text, evidence: 'transition' });
    const own = (await score(shop, 'a', ['Toys-0'])).items[0]!.reasons;
    expect(own[0]).toEqual({ code: 'viewed_before', sku: 'Toys-0', did, text: before });
    for (const { text: said } of own) expect(said === before || !said.startsWith('You ')).toBe(true);
  });
}

test('a reason says by code and names all that its sentence does: a shop writes it in a language of its own', async () => {
  const shop = departments();
  shop.profile('a', ['Toys-0', 'Toys-3']);
  const { items } = await shop.recommend('a', { limit: 24, explain: true }) as Scored;
  const reasons = items.flatMap((item) => item.reasons);
  const sentences: Readonly<Record<string, (name: string) => string>> = {
    because_you_viewed: (name) => `Because you viewed ${name}`, often_follows: (name) => `Often follows ${name}`, goes_with: (name) => `Goes with ${name}`, similar_to: (name) => `Similar to ${name}`,
    trending: () => 'Popular right now', popular: () => 'Popular lately', new: () => 'Be the first to see it', more: (name) => `More in ${name}`, viewed_before: (done) => `You ${done} this before`,
  };
  for (const { code, name, did, category, text } of reasons) expect(text).toBe(sentences[code]!(name ?? did ?? category ?? ''));
  expect(new Set(reasons.map(({ code }) => code)).size).toBeGreaterThan(4);
});

test('a linear fit stands beside the explanation of recommended items, of given ones and of those that are tired, where it is asked for', async () => {
  const shop = departments();
  shop.profile('a', ['Toys-0', 'Toys-3']);
  for (const fields of [{}, { items: ['Toys-1', 'Garden-0'] }, { fatigue: 2, diversity: 0.3 }]) {
    const { items } = await shop.recommend('a', { limit: 4, explain: true, compare: true, ...fields }) as Scored;
    for (const { localFit } of items) {
      expect(localFit!.fit).toBeGreaterThan(0);
      expect(localFit!.fit).toBeLessThanOrEqual(1);
      expect(localFit!.parts.length).toBeGreaterThan(2);
    }
    expect((await shop.recommend('a', { limit: 4, explain: true, ...fields })).items[0]).not.toHaveProperty('localFit');
  }
});

test('what is seen less than others is not said to be popular', async () => {
  const shop = departments();
  const { items } = await score(shop, 'nobody', ['Garden-1', 'Garden-10', 'Garden-11']);
  const first = (sku: string): object => items.find((item) => item.sku === sku)!.reasons[0]!;
  expect(first('Garden-1')).toMatchObject({ code: 'trending' });
  expect(first('Garden-10')).toEqual({ code: 'more', category: 'Garden', text: 'More in Garden' });
  expect(first('Garden-11')).toMatchObject({ code: 'new' });
  for (const { reasons } of items.filter(({ sku }) => sku === 'Garden-10')) expect(reasons.map(({ code }) => code)).toEqual(['more']);
});

test('what is reached by way of a third item names the click from which it is reached', async () => {
  const shop = departments();
  // Toys-8 is seen after Toys-2 by nobody, and both with Toys-6.
  for (let round = 0; round < 3; round++) shop.session(`bridge-${round}`, ['Toys-2', 'Toys-6']);
  shop.publish();
  shop.profile('a', ['Garden-4', 'Toys-2']);
  const { items } = await score(shop, 'a', ['Toys-8']);
  expect(items[0]!.reasons[0]).toMatchObject({ code: 'because_you_viewed', sku: 'Toys-2', evidence: 'two_hop' });
});

test('what followed once or twice is not said to follow often', async () => {
  const shop = departments();
  shop.profile('a', ['Toys-9']);
  const codes = async (): Promise<string[]> => (await score(shop, 'a', ['Toys-10'])).items[0]!.reasons.map(({ code }) => code);
  expect(await codes()).not.toContain('often_follows');
  shop.session('again', ['Toys-9', 'Toys-10']);
  expect(await codes()).not.toContain('often_follows');
  shop.session('and again', ['Toys-9', 'Toys-10']);
  expect(await codes()).toContain('often_follows');
});

test('often is more often than chance: what everybody sees at some time is not said to follow often what it followed once', async () => {
  const shop = departments();
  for (let n = 0; n < 60; n++) shop.session(`poster-${n}`, ['Garden-0']);
  shop.session('by chance', ['Toys-0', 'Garden-0']);
  shop.publish();
  shop.profile('a', ['Toys-0']);
  const { items } = await score(shop, 'a', ['Toys-1', 'Garden-0']);
  const codes = (sku: string): string[] => items.find((item) => item.sku === sku)!.reasons.map(({ code }) => code);
  expect(codes('Toys-1')).toContain('often_follows');
  expect(codes('Garden-0')).not.toContain('often_follows');
});

test('a shop whose shoppers stay in a category: what they have not joined yet stands before the rest, and its explanation says so', async () => {
  const shop = new TestShop();
  const [categories, each] = [['Toys', 'Garden', 'Kitchen', 'Books'], 40];
  for (const category of categories) {
    for (let n = 0; n < each; n++) {
      shop.product(`${category}-${n}`, { category });
      shop.catalogue('upsert', `${category}-${n}`, {}, { category });
    }
  }
  // Each visit joins two of a category that no other visit joins; the last two of each are viewed alone.
  for (let n = 0; n < 76; n++) for (const category of categories) shop.session(`s-${category}-${n}`, [n % 38, (n * 7 + 1 + Math.floor(n / 38) * 3) % 38].map((at) => `${category}-${at}`));
  for (const category of categories) for (const n of [38, 39]) for (let who = 0; who < 4; who++) shop.session(`alone-${category}-${n}-${who}`, [`${category}-${n}`]);
  shop.publish();
  shop.profile('a', ['Toys-38']);
  const { items } = await score(shop, 'a', ['Toys-39', 'Garden-39', 'Kitchen-39', 'Books-39', 'nothing']);
  expect(items[0]!.sku).toBe('Toys-39');
  const [alike, other] = ['Toys-39', 'Garden-39'].map((sku) => items.find((item) => item.sku === sku)!);
  expect(alike!.score).toBeGreaterThan(other!.score + 0.2);
  expect(alike!.reasons).toContainEqual({ code: 'more', category: 'Toys', text: 'More in Toys', contribution: expect.any(Number) });
  expect(alike!.contributions!.find(({ part }) => part === 'of a category that was viewed')!.value).toBeGreaterThan(0.05);
  for (const { reasons } of items.slice(1)) expect(reasons.filter(({ code }) => code === 'more').every((reason) => !('contribution' in reason))).toBe(true);
  for (const { score: scored, contributions } of items) expect(sumOf(contributions)).toBeCloseTo(scored, 8);
  expect(new Set(baselines({ items })).size).toBe(1);
});
