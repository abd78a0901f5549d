import type { SimulatedProduct } from './assortment.js';
import type { Random } from './random.js';

const DAY_MS = 86_400_000;
const ORDERS_A_DAY = 60;
const MOST_LINES = 4;
/** From Sunday on. */
const WEEKDAYS = [0.6, 1.2, 1.1, 1, 1, 1.3, 0.8] as const;

/** Orders of guests of the days before `until`, oldest first, as the shop's own server would report them: some items sell daily, most now and then. */
export function pastOrders(products: readonly SimulatedProduct[], days: number, until: number, random: Random): Readonly<Record<string, unknown>>[] {
  const wanted = products.map(() => 1 / (0.05 + random.uniform()));
  const today = Math.floor(until / DAY_MS);
  return Array.from({ length: days }, (_, index) => today - days + index).flatMap((day) => {
    const busy = WEEKDAYS[new Date(day * DAY_MS).getUTCDay()] * (0.8 + 0.4 * random.uniform());
    const times = Array.from({ length: Math.round(ORDERS_A_DAY * busy) }, () => day * DAY_MS + random.between(7 * 3_600, 22 * 3_600) * 1_000).sort((a, b) => a - b);
    return times.map((time, number) => pastOrder(products, wanted, time, `${day}-${number}`, random));
  });
}

function pastOrder(products: readonly SimulatedProduct[], wanted: readonly number[], time: number, number: string, random: Random): Readonly<Record<string, unknown>> {
  const lines = new Map(Array.from({ length: random.between(1, MOST_LINES) }, () => [random.weighted(wanted), random.between(1, 2)]));
  return {
    type: 'track', event: 'Order Completed', messageId: `past-${number}`, anonymousId: random.id(), timestamp: new Date(time).toISOString(),
    properties: {
      order_id: `O-past-${number}`,
      products: [...lines].map(([item, quantity]) => {
        const { sku, name, category, brand, price } = products[item];
        return { product_id: sku, sku, name, category, brand, price: Number(price), quantity };
      }),
    },
  };
}
