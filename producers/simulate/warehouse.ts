import type { SimulatedProduct } from './assortment.js';
import type { Random } from './random.js';

export interface StockChange {
  readonly sku: string;
  readonly quantity: number;
}

/** Stock that orders take and deliveries bring back. */
export interface Warehouse {
  readonly stock: (item: number) => number;
  /** Take up to so many units; answers how many there were. */
  readonly take: (item: number, units: number, time: number) => number;
  /** The next change that nobody has been told of, deliveries due by `time` included. */
  readonly change: (time: number) => StockChange | undefined;
}

export function warehouse(products: readonly SimulatedProduct[], random: Random): Warehouse {
  const stock = products.map(({ quantity }) => quantity);
  const untold: number[] = [];
  const deliveries = new Map<number, number>();
  let opened = false;

  const order = (item: number, time: number): void => {
    deliveries.set(item, time + random.between(25, 75) * 1_000);
  };
  const deliver = (time: number): void => {
    for (const [item, due] of deliveries) {
      if (due > time) continue;
      deliveries.delete(item);
      stock[item] = random.between(6, 24);
      untold.push(item);
    }
  };
  return {
    stock: (item) => stock[item],
    take: (item, units, time) => {
      const taken = Math.min(units, stock[item]);
      if (taken === 0) return 0;
      stock[item] -= taken;
      untold.push(item);
      if (stock[item] === 0) order(item, time);
      return taken;
    },
    change: (time) => {
      if (!opened) {
        opened = true;
        stock.forEach((units, item) => {
          if (units === 0) order(item, time);
        });
      }
      deliver(time);
      const item = untold.shift();
      return item === undefined ? undefined : { sku: products[item].sku, quantity: stock[item] };
    },
  };
}
