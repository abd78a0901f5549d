import { describe, expect, test } from 'vitest';
import { randomness, uniform } from '../../models/kernels/numbers.js';
import { TestShop } from './shop.js';

const DAY = 86_400_000;
const FIRST = Date.UTC(2026, 0, 6);
const ITEMS = 240;
/** Products that are viewed one after another are of the same ten. */
const groupOf = (item: number): number => Math.floor(item / 10);

/** Days of a small shop, 60 visits of five products each, and who else is there on the last of them every ten seconds. */
function daysOf(days: number, other: (shop: TestShop, time: number) => void): TestShop {
  const shop = new TestShop();
  for (let item = 0; item < ITEMS; item++) shop.product(`P${item}`);
  const random = randomness(4);
  for (let day = 0; day < days; day++) {
    let due = day === days - 1 ? FIRST + day * DAY : Infinity;
    for (let visit = 0; visit < 60; visit++) {
      const start = FIRST + day * DAY + visit * (DAY / 60);
      for (; due < start; due += 10_000) other(shop, due);
      let item = Math.floor(uniform(random) * ITEMS);
      const recent: string[] = [];
      for (let step = 0; step < 5; step++) {
        shop.event(`d${day}-${visit}`, `P${item}`, recent.slice(0, 10), { time: start + step * 30_000 });
        recent.unshift(`P${item}`);
        item = groupOf(item) * 10 + ((item + 1 + Math.floor(uniform(random) * 3)) % 10);
      }
    }
  }
  shop.publish();
  return shop;
}

/** What is told to who views a product, of all products: the first five. */
async function told(shop: TestShop): Promise<string[][]> {
  const lists: string[][] = [];
  for (let item = 0; item < ITEMS; item++) {
    shop.profile('a', [`P${item}`]);
    lists.push(await shop.skus('a', { limit: 5 }));
  }
  return lists;
}

/** A machine that reads all products in any order. */
function scraper(): (shop: TestShop, time: number) => void {
  const random = randomness(9);
  const recent: string[] = [];
  return (shop, time) => {
    const sku = `P${Math.floor(uniform(random) * ITEMS)}`;
    shop.event('scraper', sku, recent.slice(0, 10), { time });
    recent.unshift(sku);
    recent.length = Math.min(recent.length, 10);
  };
}

const shareOf = (lists: readonly string[][], isOne: (sku: string, list: number) => boolean): number =>
  lists.reduce((sum, list, at) => sum + list.filter((sku) => isOne(sku, at)).length, 0) / lists.flat().length;
const ofTheGroup = (lists: readonly string[][]): number => shareOf(lists, (sku, list) => groupOf(Number(sku.slice(1))) === groupOf(list));

test('three products that one machine views all day are among the first ten of nobody new, on the first day of a shop of 150 views', async () => {
  const shop = new TestShop();
  for (let item = 0; item < 60; item++) shop.product(`P${item}`);
  const random = randomness(1);
  let due = FIRST;
  for (let visit = 0; visit < 30; visit++) {
    const start = FIRST + visit * (DAY / 30);
    for (; due < start; due += 10_000) shop.event('machine', `P${57 + ((due / 10_000) % 3)}`, [], { time: due });
    for (let step = 0; step < 5; step++) shop.event(`v${visit}`, `P${Math.floor(61 ** uniform(random) - 1)}`, [], { time: start + step * 30_000 });
  }
  shop.publish();
  const told = await shop.skus('stranger', { limit: 10 });
  expect(told).toHaveLength(10);
  for (const sku of ['P57', 'P58', 'P59']) expect(told).not.toContain(sku);
});

describe('a small shop that a machine has read for a day', () => {
  test('tells others next to the same as before', async () => {
    const before = await told(daysOf(5, () => {}));
    const after = await told(daysOf(5, scraper()));
    expect(ofTheGroup(before)).toBeGreaterThan(0.9);
    expect(ofTheGroup(after)).toBeGreaterThan(0.95);
    expect(shareOf(after, (sku, list) => before[list]!.includes(sku))).toBeGreaterThan(0.85);
  });
});
