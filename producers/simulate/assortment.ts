import type { Random } from './random.js';

/** A row for `PUT /v1/products`. Currency is left to the shop's own. */
export interface SimulatedProduct {
  readonly sku: string;
  readonly name: string;
  readonly category: string;
  readonly brand: string;
  /** Decimal, two places. */
  readonly price: string;
  readonly quantity: number;
  readonly url: string;
  /** A picture without a file: an emoji on a coloured card. */
  readonly attributes: { readonly emoji: string; readonly colour: string };
}

interface Category {
  readonly name: string;
  readonly hue: number;
  /** Price range in whole units of the currency. */
  readonly from: number;
  readonly to: number;
  readonly nouns: readonly (readonly [noun: string, emoji: string])[];
  /** The category that is bought along with this one. */
  readonly goesWith: number;
}

export const categories: readonly Category[] = [
  { name: 'Running', hue: 14, from: 19, to: 149, goesWith: 1, nouns: [['Trail Shoe', '👟'], ['Road Shoe', '👟'], ['Running Shorts', '🩳'], ['Running Socks', '🧦'], ['Sports Watch', '⌚']] },
  { name: 'Outdoor', hue: 128, from: 25, to: 320, goesWith: 0, nouns: [['Tent', '⛺'], ['Daypack', '🎒'], ['Hiking Boot', '🥾'], ['Head Torch', '🔦'], ['Rain Jacket', '🧥']] },
  { name: 'Coffee', hue: 28, from: 8, to: 240, goesWith: 3, nouns: [['Espresso Beans', '☕'], ['Filter Coffee', '☕'], ['Hand Grinder', '⚙️'], ['Teapot', '🫖'], ['Travel Cup', '🥤']] },
  { name: 'Kitchen', hue: 50, from: 9, to: 180, goesWith: 2, nouns: [['Frying Pan', '🍳'], ['Chef Knife', '🔪'], ['Mixing Bowl', '🥣'], ['Cutlery Set', '🍴'], ['Chopsticks', '🥢']] },
  { name: 'Audio', hue: 262, from: 29, to: 399, goesWith: 5, nouns: [['Headphones', '🎧'], ['Radio', '📻'], ['Studio Microphone', '🎙️'], ['Speaker', '🔊'], ['Record', '💿']] },
  { name: 'Desk', hue: 212, from: 6, to: 260, goesWith: 4, nouns: [['Desk Lamp', '💡'], ['Keyboard', '⌨️'], ['Notebook', '📓'], ['Fountain Pen', '🖋️'], ['Paper Clips', '📎']] },
  { name: 'Plants', hue: 98, from: 5, to: 89, goesWith: 7, nouns: [['Cactus', '🌵'], ['Seedling', '🌱'], ['Herb Pot', '🌿'], ['Tulips', '🌷'], ['House Palm', '🌴']] },
  { name: 'Home', hue: 340, from: 9, to: 210, goesWith: 6, nouns: [['Candle', '🕯️'], ['Armchair', '🪑'], ['Basket', '🧺'], ['Soap', '🧼'], ['Picture Frame', '🖼️']] },
  { name: 'Games', hue: 286, from: 7, to: 99, goesWith: 9, nouns: [['Dice Set', '🎲'], ['Puzzle', '🧩'], ['Game Pad', '🎮'], ['Dart Set', '🎯'], ['Card Deck', '🃏']] },
  { name: 'Kids', hue: 186, from: 6, to: 79, goesWith: 8, nouns: [['Teddy Bear', '🧸'], ['Kite', '🪁'], ['Crayons', '🖍️'], ['Toy Train', '🚂'], ['Yo-yo', '🪀']] },
];

export const brands = ['Alderwick', 'Bramble', 'Corvane', 'Dunmere', 'Eskdale', 'Fernhill', 'Greyling', 'Harrow', 'Isolde', 'Juniper'] as const;

const LINES = ['Classic', 'Light', 'Pro', 'Mini', 'North', 'Studio', 'Everyday', 'Heritage', 'Nova', 'Plain', 'Grand', 'Swift'] as const;

/** What the shop sells. Categories take turns, so that any number of items has some of each. */
export function assortment(items: number, random: Random): SimulatedProduct[] {
  const taken = new Set<string>();
  return Array.from({ length: items }, (_, index) => {
    const category = categories[index % categories.length];
    const [noun, emoji] = category.nouns[Math.floor(index / categories.length) % category.nouns.length];
    const brand = random.pick(brands);
    const name = nameOf(noun, random, taken);
    const sku = `${category.name.slice(0, 3).toUpperCase()}-${String(index + 1).padStart(4, '0')}`;
    const share = random.uniform() ** 2;
    return {
      sku,
      name,
      category: category.name,
      brand,
      price: (Math.round(category.from + (category.to - category.from) * share) - 0.1).toFixed(2),
      // Every twelfth is sold out when the story begins: somebody will ask for it.
      quantity: index % 12 === 7 ? 0 : random.between(5, 40),
      url: `/shop#${sku}`,
      attributes: { emoji, colour: `hsl(${(category.hue + random.between(-12, 12) + 360) % 360} 62% ${random.between(80, 88)}%)` },
    };
  });
}

function nameOf(noun: string, random: Random, taken: Set<string>): string {
  const first = random.below(LINES.length);
  for (let step = 0; ; step++) {
    const generation = Math.floor(step / LINES.length);
    const name = `${LINES[(first + step) % LINES.length]} ${noun}${generation === 0 ? '' : ` ${generation + 1}`}`;
    if (taken.has(name)) continue;
    taken.add(name);
    return name;
  }
}
