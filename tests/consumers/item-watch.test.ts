import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { itemWatch, productRows } from '../../consumers/item-watch.js';
import { codec } from '../../schemas/codec.js';
import { catalog, deadLetters, inventory, itemInterests, supplies, triggerCandidates } from '../../schemas/topics.js';
import type { CatalogChange, InventoryChange } from '../../schemas/types.js';
import { Driver } from '../support/driver.js';
import { interestIn, DAY, MINUTE, NINE, stock } from '../support/events.js';

const listed = (sku: string, more: Partial<CatalogChange> = {}): CatalogChange => ({
  sku, op: 'upsert', name: sku, category: null, furtherCategories: [], brand: null, price: null, currency: null, url: null, imageUrl: null, hidden: false, quantity: null, availability: null, attributes: {}, time: NINE, receivedAt: NINE, ...more,
});
const waits = (driver: Driver, shopper: string, time: number, active = true): void => driver.send(itemInterests, 'P8', interestIn('P8', shopper, time, { active }));

test('a deleted product stays known as deleted, and comes back when it is put again', () => {
  const driver = new Driver([itemWatch()]);
  driver.send(catalog, 'P1', listed('P1'));
  driver.send(catalog, 'P1', listed('P1', { op: 'delete', time: NINE + 1 }));
  expect(driver.row('item-watch', productRows, 'P1')).toMatchObject({ deleted: true, name: 'P1' });
  driver.send(catalog, 'P1', listed('P1', { time: NINE + 2 }));
  expect(driver.row('item-watch', productRows, 'P1')).toMatchObject({ deleted: false });
});

test('forecasts hear of what the catalogue names for the first time, though it says nothing of its stock', () => {
  const driver = new Driver([itemWatch()]);
  driver.send(inventory, 'P1', stock('P1', 5, NINE));
  driver.send(catalog, 'P1', listed('P1', { time: NINE + 1 }));
  driver.send(catalog, 'P2', listed('P2'));
  driver.send(catalog, 'P2', listed('P2', { name: 'another', time: NINE + 1 }));
  expect(driver.read(supplies).map(({ sku, stock: units, deleted }) => [sku, units, deleted])).toEqual([['P1', 5, false], ['P1', 5, false], ['P2', null, false]]);
});

test('forecasts hear that a sale without dates begins, and that it ends', () => {
  const driver = new Driver([itemWatch()]);
  for (const [i, price] of [null, '5 EUR', '5 EUR', null].entries()) driver.send(catalog, 'P1', listed('P1', { attributes: price === null ? {} : { sale_price: price }, time: NINE + i }));
  expect(driver.read(supplies).map(({ sale }) => sale)).toEqual([null, '', null]);
});

test('forecasts hear in which category a product counts, and that it has moved', () => {
  const driver = new Driver([itemWatch()]);
  for (const [i, more] of [{ category: 'Home' }, { category: 'Home', furtherCategories: ['Sale'] }, { category: 'Toys' }, {}].entries()) driver.send(catalog, 'P1', listed('P1', { ...more, time: NINE + i }));
  expect(driver.read(supplies).map(({ category }) => category)).toEqual(['Home', 'Toys', null]);
});

test('forecasts hear that a shortage costs without end, and that nothing is said of it any more', () => {
  const driver = new Driver([itemWatch()]);
  for (const [i, cost] of [null, 'Infinity', null].entries()) driver.send(catalog, 'P1', listed('P1', { attributes: cost === null ? {} : { shortage_cost: cost, excess_cost: '1' }, time: NINE + i }));
  expect(driver.read(supplies).map(({ shortageCost }) => shortageCost)).toEqual([null, Infinity, null]);
});

test('what is on order is not on the shelf, and what is deleted takes nobody\'s place', () => {
  const driver = new Driver([itemWatch()]);
  driver.send(inventory, 'P1', { ...stock('P1', null, NINE), availability: 'on_order' });
  driver.send(catalog, 'P1', listed('P1', { attributes: { replaces: 'P0' }, time: NINE + 1 }));
  driver.send(catalog, 'P1', listed('P1', { op: 'delete', time: NINE + 2 }));
  expect(driver.read(supplies).map(({ stock: units, deleted, replaces }) => [units, deleted, replaces])).toEqual([[0, false, null], [0, false, 'P0'], [0, true, null]]);
});

test('what is older than what is known changes nothing', () => {
  const driver = new Driver([itemWatch()]);
  driver.send(inventory, 'P1', stock('P1', 5, NINE + MINUTE, 20_000n));
  driver.send(inventory, 'P1', stock('P1', 9, NINE, 10_000n));
  driver.send(catalog, 'P1', listed('P1', { time: NINE + MINUTE }));
  driver.send(catalog, 'P1', listed('P1', { name: 'old', time: NINE }));
  expect(driver.row('item-watch', productRows, 'P1')).toMatchObject({ stock: 5, price: 20_000n, name: 'P1' });
  expect(driver.count('millrace_outdated_total')).toBe(2);
});

test('a product is in the categories that its last upload named', () => {
  const driver = new Driver([itemWatch()]);
  driver.send(catalog, 'P1', listed('P1', { category: 'Cups', furtherCategories: ['Gifts', 'Sale'] }));
  expect(driver.row('item-watch', productRows, 'P1')).toMatchObject({ category: 'Cups', furtherCategories: ['Gifts', 'Sale'] });
  driver.send(catalog, 'P1', listed('P1', { category: 'Cups' }));
  expect(driver.row('item-watch', productRows, 'P1')).toMatchObject({ category: 'Cups', furtherCategories: [] });
});

test('the latest price stands, whether an upload or a change of price told it, and in whichever order they come', () => {
  const told = fc.record({ by: fc.constantFrom('upload', 'change'), minute: fc.integer({ min: 0, max: 60 }) });
  fc.assert(fc.property(fc.uniqueArray(told, { selector: ({ minute }) => minute, minLength: 1, maxLength: 6 }), (prices) => {
    const driver = new Driver([itemWatch()]);
    for (const { by, minute } of prices) {
      const time = NINE + minute * MINUTE;
      if (by === 'upload') driver.send(catalog, 'P1', listed('P1', { price: BigInt(minute), time }));
      else driver.send(inventory, 'P1', stock('P1', null, time, BigInt(minute)));
    }
    // An upload that names no price leaves it.
    driver.send(catalog, 'P1', listed('P1', { time: NINE + DAY }));
    expect(driver.row('item-watch', productRows, 'P1')).toMatchObject({ price: BigInt(Math.max(...prices.map(({ minute }) => minute))) });
  }), { numRuns: 50 });
});

test('a price stands in the currency that was told with it, one without in the product\'s, in whichever order they come', () => {
  const upload = listed('P1', { price: 10_000n, currency: 'USD', time: NINE });
  const change = (currency: string | null): InventoryChange => ({ ...stock('P1', null, NINE + MINUTE, 20_000n), currency });
  for (const [said, currency] of [[null, 'USD'], ['GBP', 'GBP']] as const) {
    for (const order of [1, -1]) {
      const driver = new Driver([itemWatch()]);
      const send = [() => driver.send(catalog, 'P1', upload), () => driver.send(inventory, 'P1', change(said))];
      for (const one of order === 1 ? send : send.toReversed()) one();
      expect(driver.row('item-watch', productRows, 'P1')).toMatchObject({ price: 20_000n, currency });
    }
  }
});

test('stock and a listing dated ahead are of when they were written: they keep out nothing that is told later', () => {
  const driver = new Driver([itemWatch()]);
  driver.tick(NINE);
  driver.send(inventory, 'P1', stock('P1', 5, NINE + DAY, 20_000n), NINE);
  driver.send(catalog, 'P1', listed('P1', { name: 'old', time: NINE + DAY }), NINE);
  driver.send(inventory, 'P1', stock('P1', 3, NINE + MINUTE, 10_000n));
  driver.send(catalog, 'P1', listed('P1', { name: 'new', time: NINE + MINUTE }));
  expect(driver.row('item-watch', productRows, 'P1')).toMatchObject({ stock: 3, price: 10_000n, name: 'new' });
});

test('everyone who waits is told at a restock, the earliest first, each once, however few units there are; who withdrew is not (D11 without a limit)', () => {
  const driver = new Driver([itemWatch()]);
  driver.send(inventory, 'P8', stock('P8', 0, NINE));
  ['s1', 's3', 's2', 's4'].forEach((shopper, i) => waits(driver, shopper, NINE + [3, 1, 2, 4][i]!));
  waits(driver, 's4', NINE + 5, false);
  driver.send(inventory, 'P8', stock('P8', 2, NINE + MINUTE));
  driver.send(inventory, 'P8', stock('P8', 0, NINE + 2 * MINUTE));
  driver.send(inventory, 'P8', stock('P8', 2, NINE + 3 * MINUTE));
  expect(driver.read(triggerCandidates).map(({ shopper }) => shopper)).toEqual(['s3', 's2', 's1']);
});

test('who asked under two ids that a login joins has waited since the first time, and is told once', () => {
  for (const [early, late] of [['a1', 'u1'], ['u1', 'a1']] as const) {
    const driver = new Driver([itemWatch()]);
    for (const [minute, shopper] of [early, 'other', late].entries()) waits(driver, shopper, NINE + minute * MINUTE);
    driver.send(itemInterests, 'P8', interestIn('P8', 'u1', NINE, { former: 'a1' }));
    driver.send(inventory, 'P8', stock('P8', 5, NINE + 3 * MINUTE));
    expect(driver.read(triggerCandidates).map(({ shopper }) => shopper)).toEqual(['u1', 'other']);
  }
});

test('who asked before a restock and is heard after it is told of it; not who asked after it, of what was never away, or more than a day ago', () => {
  const driver = new Driver([itemWatch()]);
  driver.tick(NINE);
  driver.send(inventory, 'P9', stock('P9', 5, NINE));
  driver.send(inventory, 'P8', stock('P8', 0, NINE));
  driver.send(inventory, 'P8', stock('P8', 5, NINE + MINUTE));
  waits(driver, 'early', NINE + MINUTE - 1);
  waits(driver, 'late', NINE + MINUTE);
  waits(driver, 'long ago', NINE - DAY);
  driver.send(itemInterests, 'P9', interestIn('P9', 'other', NINE - 1));
  driver.send(inventory, 'P8', stock('P8', 0, NINE + 2 * MINUTE));
  waits(driver, 'too late', NINE + 30_000);
  expect(driver.read(triggerCandidates)).toMatchObject([{ shopper: 'early', kind: 'back_in_stock', causeId: 'P8#1', time: NINE + MINUTE, stock: 5 }]);
  driver.send(inventory, 'P8', stock('P8', 5, NINE + 3 * MINUTE));
  expect(driver.read(triggerCandidates).map(({ shopper }) => shopper)).toEqual(['early', 'long ago', 'too late', 'late']);
});

test('who asks again, or withdraws before their turn and asks again, waits from then on and is told once', () => {
  const driver = new Driver([itemWatch()]);
  driver.send(inventory, 'P8', stock('P8', 0, NINE));
  for (const [shopper, second, active] of [['s1', 0, true], ['s2', 1, true], ['s3', 2, true], ['s1', 3, true], ['s2', 4, false], ['s2', 5, true], ['s4', 5, true], ['s3', 6, false], ['s3', 7, false]] as const) waits(driver, shopper, NINE + second * 1_000, active);
  driver.send(inventory, 'P8', stock('P8', 2, NINE + MINUTE));
  expect(driver.read(triggerCandidates).map(({ shopper }) => shopper)).toEqual(['s1', 's2', 's4']);
  expect(driver.dump('item-watch').filter((row) => /turn|watcher/.test(row))).toEqual([]);
});

test('a feed that speaks in words: sold out, on order, back; nobody is told of an order that can be placed', () => {
  const driver = new Driver([itemWatch()]);
  const says = (quantity: number | null, availability: CatalogChange['availability'], minute: number): unknown => {
    driver.send(catalog, 'P8', listed('P8', { quantity, availability, time: NINE + minute * MINUTE }));
    return driver.row('item-watch', productRows, 'P8');
  };
  says(null, 'in_stock', 0);
  waits(driver, 's1', NINE);
  expect(says(null, 'in_stock', 1)).toMatchObject({ stock: null, onOrder: false, restocks: 0 });
  expect(says(0, null, 2)).toMatchObject({ stock: 0 });
  expect(says(null, 'on_order', 3)).toMatchObject({ stock: null, onOrder: true });
  expect(driver.read(triggerCandidates)).toEqual([]);
  expect(says(null, 'in_stock', 4)).toMatchObject({ stock: null, onOrder: false, restocks: 1 });
  expect(driver.read(triggerCandidates)).toMatchObject([{ shopper: 's1', stock: null }]);
  expect(says(7, 'in_stock', 5)).toMatchObject({ stock: 7 });
  expect(says(null, null, 6)).toMatchObject({ stock: 7 });
});

test.each([{ op: 'delete' }, { hidden: true }] as const)('nobody is told of a restock of what is not to be had (%j); who waits is told once it is shown again and there', (away) => {
  const driver = new Driver([itemWatch()]);
  const has = (quantity: number, minute: number): void => driver.send(inventory, 'P8', stock('P8', quantity, NINE + minute * MINUTE));
  const shown = (minute: number, more: Partial<CatalogChange> = {}): void => driver.send(catalog, 'P8', listed('P8', { time: NINE + minute * MINUTE, ...more }));
  const told = (): unknown[] => driver.read(triggerCandidates).map(({ shopper, causeId, time }) => [shopper, causeId, (time - NINE) / MINUTE]);
  shown(0, { quantity: 0 });
  waits(driver, 's1', NINE);
  shown(1, away);
  has(5, 2);
  has(0, 3);
  shown(4);
  expect(told()).toEqual([]);
  shown(5, away);
  has(3, 6);
  expect(told()).toEqual([]);
  shown(7);
  expect(told()).toEqual([['s1', 'P8#3', 7]]);
  waits(driver, 's2', NINE + 8 * MINUTE);
  shown(8);
  expect(told()).toHaveLength(1);
  shown(9, away);
  shown(10, { availability: 'in_stock' });
  expect(told()).toEqual([['s1', 'P8#3', 7], ['s2', 'P8#4', 10]]);
});

test('what is shown again with a stock that it had not is one restock: as many are told at once as of any', () => {
  const driver = new Driver([itemWatch()]);
  driver.tick(NINE);
  driver.send(catalog, 'P8', listed('P8', { hidden: true, quantity: 0 }));
  for (let i = 0; i < 1_200; i++) driver.write(itemInterests.name, 'P8', itemInterests.codec.encode(interestIn('P8', `s${i}`, NINE + i)));
  driver.run();
  driver.send(catalog, 'P8', listed('P8', { quantity: 5, time: NINE + MINUTE }));
  expect(driver.read(triggerCandidates)).toHaveLength(1_000);
  driver.tick(NINE + 2 * MINUTE);
  expect(driver.read(triggerCandidates)).toHaveLength(1_200);
  expect(driver.row('item-watch', productRows, 'P8')).toMatchObject({ stock: 5, restocks: 1 });
});

test('what is shown again with a stock that nobody knows is back where the feed says so, and otherwise not', () => {
  const driver = new Driver([itemWatch()]);
  const shown = (minute: number, more: Partial<CatalogChange> = {}): void => driver.send(catalog, 'P8', listed('P8', { time: NINE + minute * MINUTE, ...more }));
  shown(0, { hidden: true });
  waits(driver, 's1', NINE);
  shown(1);
  shown(2, { hidden: true });
  shown(3, { availability: 'on_order' });
  shown(4, { hidden: true, availability: 'in_stock' });
  expect(driver.read(triggerCandidates)).toEqual([]);
  shown(5, { availability: 'in_stock' });
  expect(driver.read(triggerCandidates)).toMatchObject([{ shopper: 's1', stock: null }]);
});

test.each(['restock', 'drop of price'])('a %s is told to a thousand a tick, so that no commit is larger', (news) => {
  const driver = new Driver([itemWatch({ priceDropPercent: 10 })]);
  driver.tick(NINE);
  driver.send(inventory, 'P8', stock('P8', news === 'restock' ? 0 : 5, NINE, 200_000n));
  const kind = news === 'restock' ? 'back_in_stock' : 'wanted';
  for (let i = 0; i < 2_500; i++) driver.write(itemInterests.name, 'P8', itemInterests.codec.encode(interestIn('P8', `s${i}`, NINE + i, { kind })));
  driver.run();
  const told = (): number => driver.read(triggerCandidates).filter((candidate) => candidate.kind !== 'item_info').length;
  driver.send(inventory, 'P8', stock('P8', 5, NINE + 10, 100_000n));
  const counts = [told()];
  for (const seconds of [1, 2, 3]) {
    driver.tick(NINE + seconds * 1_000);
    counts.push(told());
  }
  expect(counts).toEqual([1_000, 2_000, 2_500, 2_500]);
});

test('a long queue is told some at a time, and nobody is left out or told twice', () => {
  const driver = new Driver([itemWatch()]);
  driver.tick(NINE);
  driver.send(inventory, 'P8', stock('P8', 0, NINE));
  for (let i = 0; i < 2_500; i++) driver.write(itemInterests.name, 'P8', itemInterests.codec.encode(interestIn('P8', `s${i}`, NINE + i)));
  driver.run();
  const reads = vi.spyOn(codec('ItemWatcher'), 'decode');
  driver.send(inventory, 'P8', stock('P8', 2, NINE + MINUTE));
  for (let i = 1; i < 5; i++) {
    expect(driver.read(triggerCandidates)).toHaveLength(Math.min(i * 1_000, 2_500));
    driver.tick(NINE + i * MINUTE);
  }
  expect(driver.read(triggerCandidates).map(({ shopper }) => shopper)).toEqual(Array.from({ length: 2_500 }, (_, i) => `s${i}`));
  // Each is read at their turn, and once to see that there is a next one: not all who are left at each tick.
  expect(reads.mock.calls.length).toBeLessThanOrEqual(2_510);
  reads.mockRestore();
});

test.each([['sold out', 0, null], ['on order', null, 'on_order']] as const)('who has not had their turn when the item is sold out again is not told of it, and waits for the next restock (D11) (%s)', (_, quantity, availability) => {
  const driver = new Driver([itemWatch()]);
  driver.tick(NINE);
  const has = (quantity: number, minute: number): void => driver.send(inventory, 'P8', stock('P8', quantity, NINE + minute * MINUTE));
  has(0, 0);
  for (let i = 0; i < 1_200; i++) driver.write(itemInterests.name, 'P8', itemInterests.codec.encode(interestIn('P8', `s${i}`, NINE + i)));
  driver.run();
  has(2, 1);
  driver.send(inventory, 'P8', { ...stock('P8', quantity, NINE + 2 * MINUTE), availability });
  driver.tick(NINE + 3 * MINUTE);
  expect(driver.read(triggerCandidates)).toHaveLength(1_000);
  has(1, 4);
  expect(driver.read(triggerCandidates).slice(1_000).map(({ shopper }) => shopper)).toEqual(Array.from({ length: 200 }, (_, i) => `s${1_000 + i}`));
});

test('a SKU with a space around it, written to a topic, is refused by name: it would be a second product', () => {
  const driver = new Driver([itemWatch()]);
  driver.send(catalog, 'P1 ', listed('P1 '));
  driver.send(inventory, ' P1', stock(' P1', 5, NINE));
  driver.send(catalog, 'p 1', listed('p 1'));
  expect(driver.read(deadLetters).map(({ code, message }) => [code, message])).toEqual([
    ['bad_id', 'sku cannot be used: "P1 " begins or ends with a space.'], ['bad_id', 'sku cannot be used: " P1" begins or ends with a space.'],
  ]);
  expect(driver.row('item-watch', productRows, 'p 1')).toMatchObject({ name: 'p 1' });
});

test('terms of ordering that cannot be, written to the topic, are refused by name as over HTTP, and what was known stays', () => {
  const driver = new Driver([itemWatch()]);
  driver.send(catalog, 'P1', listed('P1', { attributes: { lead_time_days: '3', reorder_policy: 'newsvendor' } }));
  driver.send(catalog, 'P1', listed('P1', { name: 'later', attributes: { lead_time_days: 'soon', reorder_policy: 'weekly' }, time: NINE + 1 }));
  expect(driver.read(deadLetters)).toMatchObject([{ code: 'bad_ordering', message: 'P1 cannot be ordered so. lead_time_days: This must be a number from 0 to 3650. reorder_policy: This must be one of periodic, reorder-point, newsvendor.' }]);
  expect(driver.row('item-watch', productRows, 'P1')).toMatchObject({ name: 'P1', attributes: { lead_time_days: '3' } });
  driver.send(catalog, 'P1', listed('P1', { op: 'delete', attributes: { reorder_policy: 'weekly' }, time: NINE + 2 }));
  expect(driver.row('item-watch', productRows, 'P1')).toMatchObject({ deleted: true });
});

test.each([1.1e12, -1.1e12, NaN, Infinity])('a stock of %s, written to a topic, is refused as over HTTP, and what was known stays', (quantity) => {
  const driver = new Driver([itemWatch()]);
  driver.send(inventory, 'P1', stock('P1', 1e12, NINE));
  driver.send(inventory, 'P1', stock('P1', quantity, NINE + 1, 20_000n));
  driver.send(catalog, 'P1', listed('P1', { quantity, time: NINE + 1 }));
  expect(driver.read(deadLetters).map(({ code, message }) => [code, message])).toEqual(Array.from({ length: 2 }, () => ['bad_quantity', `quantity of P1 is ${quantity} units: a stock must not exceed 10^12 in either direction.`]));
  expect(driver.row('item-watch', productRows, 'P1')).toMatchObject({ stock: 1e12, price: null, name: null });
});
