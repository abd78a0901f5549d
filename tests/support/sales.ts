import type { Sale, Supply } from '../../schemas/types.js';

/** A line of an order, or what came back of one where the quantity is negative. */
export const sale = (sku: string, quantity: number, time: number): Sale => ({
  sku, orderId: 'O', line: 0, kind: quantity < 0 ? 'refund' : 'sale', time, reportedAt: time, receivedAt: time, quantity, price: 10_000n, amount: 0n, currency: 'EUR', shopper: null, country: null, source: null, claimed: 0,
});

export const supply = (sku: string, stock: number | null, time: number, more: Partial<Supply> = {}): Supply => ({
  sku, time, stock, deleted: false, onOrder: null, leadTimeDays: null, leadTimeDeviationDays: null, reviewDays: null, serviceLevel: null, shortageCost: null,
  excessCost: null, packSize: null, minimumUnits: null, policy: null, coverDays: null, sellUntil: null, discontinued: false, replaces: null, sale: null, category: null, ...more,
});
