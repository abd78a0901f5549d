/**
 * Item vectors in a quarter of their memory: whole numbers of −127…127 and one scale a row.
 *
 *   q_k = round(v_k / scale),  scale = max_k |v_k| / 127          v_k ≈ scale·q_k, off by at most scale/2
 *
 * `nearest` is the exact scan over quantised rows; with `among` > limit the best are ranked anew by what `exactOf` gives,
 * which wins back what rounding lost. A row of zeros stays zeros. 68 bytes a row of 64 against 256 in single precision.
 * Source: symmetric linear quantisation (Jacob et al., CVPR 2018).
 */
import { capacityFor, checkItem, grownFloat32 } from './kernels/growth.js';
import { pack, unpack } from './kernels/snapshot.js';

const VERSION = 1;

export interface Int8Vectors {
  readonly dimensions: number;
  rows: Int8Array;
  scales: Float32Array;
  items: number;
}

export function init(dimensions: number): Int8Vectors {
  return { dimensions, rows: new Int8Array(0), scales: new Float32Array(0), items: 0 };
}

/** Writes a row. What is not finite is taken for 0. */
export function put(state: Int8Vectors, item: number, vector: ArrayLike<number>): void {
  checkItem(item);
  ensure(state, item + 1);
  const { dimensions, rows } = state;
  let most = 0;
  for (let k = 0; k < dimensions; k++) if (Number.isFinite(vector[k])) most = Math.max(most, Math.abs(vector[k]));
  const scale = most / 127;
  state.scales[item] = scale;
  for (let k = 0; k < dimensions; k++) {
    const value = vector[k];
    rows[item * dimensions + k] = scale > 0 && Number.isFinite(value) ? Math.round(value / scale) : 0;
  }
}

/** The row as it is remembered, into `out`; zeros for an unknown item. */
export function read({ rows, scales, items, dimensions }: Int8Vectors, item: number, out: Float32Array): void {
  if (!(item >= 0 && item < items)) return void out.fill(0, 0, dimensions);
  for (let k = 0; k < dimensions; k++) out[k] = rows[item * dimensions + k] * scales[item];
}

/** The product of an item's row with a vector; 0 for an unknown item. */
export function predict({ rows, scales, items, dimensions }: Int8Vectors, vector: ArrayLike<number>, item: number): number {
  if (!(item >= 0 && item < items)) return 0;
  let sum = 0;
  for (let k = 0, at = item * dimensions; k < dimensions; k++, at++) sum += rows[at] * vector[k];
  return sum * scales[item];
}

export interface Retrieval {
  readonly limit: number;
  /** How many of the quantised best are ranked anew; `limit` or less: none. */
  readonly among?: number;
  readonly exactOf?: (item: number) => number;
}

/** The items with the largest products, best first; equal ones by number. */
export function nearest(state: Int8Vectors, vector: ArrayLike<number>, { limit, among = limit, exactOf }: Retrieval): number[] {
  if (!(limit > 0)) return [];
  const wanted = Math.max(limit, among);
  const found: { item: number; product: number }[] = [];
  for (let item = 0; item < state.items; item++) {
    if (!(state.scales[item] > 0)) continue;
    const product = predict(state, vector, item);
    if (found.length === wanted && product <= found[wanted - 1].product) continue;
    let at = found.length;
    while (at > 0 && found[at - 1].product < product) at--;
    found.splice(at, 0, { item, product });
    if (found.length > wanted) found.pop();
  }
  const ranked = exactOf === undefined || among <= limit
    ? found
    : found.map(({ item }) => ({ item, product: exactOf(item) })).sort((a, b) => b.product - a.product || a.item - b.item);
  return ranked.slice(0, limit).map(({ item }) => item);
}

export function forget(state: Int8Vectors, item: number): void {
  if (!(item >= 0 && item < state.items)) return;
  state.scales[item] = 0;
  state.rows.fill(0, item * state.dimensions, (item + 1) * state.dimensions);
}

export function bytesOf({ items, dimensions }: Int8Vectors): number {
  return items * (dimensions + 4);
}

function ensure(state: Int8Vectors, items: number): void {
  if (items <= state.items) return;
  const capacity = capacityFor(items, state.scales.length);
  if (capacity > state.scales.length) {
    const rows = new Int8Array(capacity * state.dimensions);
    rows.set(state.rows);
    state.rows = rows;
    state.scales = grownFloat32(state.scales, capacity);
  }
  state.items = items;
}

export function snapshot({ dimensions, rows, scales, items }: Int8Vectors): Uint8Array {
  return pack('int8-vectors', VERSION, {
    scalars: Float64Array.of(dimensions, items),
    rows: new Uint8Array(rows.slice(0, items * dimensions).buffer),
    scales: scales.slice(0, items),
  });
}

export function restore(bytes: Uint8Array): Int8Vectors {
  const from = unpack('int8-vectors', VERSION, bytes);
  const [dimensions, items] = from.f64('scalars');
  return { dimensions, items, rows: new Int8Array(from.u8('rows').buffer), scales: from.f32('scales') };
}
