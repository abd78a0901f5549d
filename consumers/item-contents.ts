import * as tower from '../models/content-tower.js';
import * as embedding from '../models/embedding.js';
import type * as fusion from '../models/fusion.js';
import * as itemIndex from '../models/item-index.js';
import * as repeats from '../models/repeats.js';
import { categoriesOf } from '../schemas/categories.js';
import { priceIn } from '../schemas/money.js';
import type { CatalogChange } from '../schemas/types.js';
import { learnListing, type TakesOver } from './listing.js';
import { joinBytes, splitBytes } from './snapshot-bytes.js';

/** The vector of an item with fewer clicks is mostly chance, and no example to learn from. */
const LEAST_CLICKS = 5;
const LEAST_EXAMPLES = 50;
const MOST_EXAMPLES = 20_000;
const STEPS = 300;
/** The tower is taught again once there are so many times as many events. */
const GROWTH = 1.2;
/** So many items get their vectors before other work has its turn. */
const SLICE = 500;

/** The words of each item's catalogue entry, and the content tower: a network that makes a vector from them. */
export interface ItemContents {
  tower: tower.ContentTower;
  /** By item number. */
  readonly tokens: Map<number, Int32Array>;
  /** Events that had been learned when the tower was last taught. */
  taughtAt: number;
}

/** Teaches a tower for `steps` steps, while events go on being learned, and answers the taught one. */
export type TeachTower = (state: tower.ContentTower, examples: readonly tower.Example[], steps: number) => Promise<tower.ContentTower>;

export const noContents = (): ItemContents => ({ tower: tower.init(), tokens: new Map(), taughtAt: 0 });

/**
 * Learns that a product was listed or deleted. Its price counts only in the shop's `currency`. Once the tower is taught, a product that nobody has
 * touched gets its vector at once.
 */
export function learnContent(contents: ItemContents, index: itemIndex.ItemIndex, model: fusion.Fusion, change: CatalogChange, currency: string, takesOver: TakesOver = () => {}): void {
  const { op, sku, name, category, brand } = change;
  if (op === 'delete') contents.tokens.delete(itemIndex.numberOf(index, sku));
  learnListing(index, model, change, (taken, own) => {
    const says = contents.tokens.get(own);
    if (says) contents.tokens.set(taken, says);
    contents.tokens.delete(own);
    takesOver(taken, own);
  });
  if (op === 'delete') return;
  const item = itemIndex.numberOf(index, sku);
  contents.tokens.set(item, tower.tokensOf({ title: name, category, categories: categoriesOf(change), brand, price: priceIn(currency, change) }));
  if (contents.taughtAt > 0) tell(contents, model.embedding, item);
}

export function forgetContents({ tokens }: ItemContents, items: Int32Array): void {
  for (const item of items) tokens.delete(item);
}

/** Teaches the tower, if there are enough examples and much is new, and then gives untouched items their vectors. Answers whether it did. */
export async function study(contents: ItemContents, model: fusion.Fusion, events: number, teach: TeachTower): Promise<boolean> {
  if (contents.taughtAt > 0 && events < GROWTH * contents.taughtAt) return false;
  const examples = examplesOf(contents, model);
  if (examples.length < LEAST_EXAMPLES) return false;
  contents.tower = await teach(contents.tower, examples, STEPS);
  contents.taughtAt = events;
  let told = 0;
  for (const item of contents.tokens.keys()) {
    tell(contents, model.embedding, item);
    // Lets events be learned in between.
    if (++told % SLICE === 0) await new Promise((resolve) => { setImmediate(resolve); });
  }
  return true;
}

const said = new Float32Array(embedding.DIMENSIONS);

function tell({ tower: state, tokens }: ItemContents, vectors: embedding.Embedding, item: number): void {
  tower.predict(state, tokens.get(item) ?? new Int32Array(0), said);
  embedding.seed(vectors, item, said);
}

function examplesOf({ tokens }: ItemContents, model: fusion.Fusion): tower.Example[] {
  const examples: tower.Example[] = [];
  for (const [item, itsTokens] of tokens) {
    const clicks = repeats.clicksOf(model.repeats, item);
    const vector = clicks >= LEAST_CLICKS && itsTokens.length > 0 ? embedding.vectorOf(model.embedding, item) : undefined;
    if (vector) examples.push({ tokens: itsTokens, vector: vector.slice(), clicks });
  }
  // Of a very large catalogue only the latest products: more would not be worth the time.
  return examples.slice(-MOST_EXAMPLES);
}

export function contentsSnapshot({ tower: state, tokens, taughtAt }: ItemContents): Uint8Array {
  const items = Int32Array.from(tokens.keys());
  const lengths = Int32Array.from(tokens.values(), (list) => list.length);
  const slots = Uint16Array.from([...tokens.values()].flatMap((list) => [...list]));
  return joinBytes([
    taughtAt > 0 ? tower.snapshot(state) : new Uint8Array(0), bytesOf(items), bytesOf(lengths), bytesOf(slots), Buffer.from(String(taughtAt)),
  ]);
}

export function restoreContents(bytes: Uint8Array): ItemContents {
  // Copies, so that they are aligned.
  const [state, items, lengths, slots, taughtAt] = splitBytes(bytes, 5).map((part) => Uint8Array.from(part));
  const all = Int32Array.from(new Uint16Array(slots!.buffer));
  const counts = new Int32Array(lengths!.buffer);
  const tokens = new Map<number, Int32Array>();
  let at = 0;
  new Int32Array(items!.buffer).forEach((item, n) => {
    tokens.set(item, all.slice(at, at += counts[n]!));
  });
  return { tower: state!.length > 0 ? tower.restore(state!) : tower.init(), tokens, taughtAt: Number(Buffer.from(taughtAt!).toString()) };
}

const bytesOf = (values: Int32Array | Uint16Array): Uint8Array => new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
