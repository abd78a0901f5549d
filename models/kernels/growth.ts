/**
 * Arrays over dense item numbers that grow with the catalogue, which nobody knows beforehand.
 * Growth is by half, so the cost of copying stays constant per item and at most a third of the memory is unused.
 */

export function capacityFor(needed: number, current: number): number {
  if (needed <= current) return current;
  return Math.max(needed, 256, Math.ceil(current * 1.5));
}

export function grownInt32(array: Int32Array, length: number): Int32Array {
  const grown = new Int32Array(length);
  grown.set(array);
  return grown;
}

export function grownFloat32(array: Float32Array, length: number): Float32Array {
  const grown = new Float32Array(length);
  grown.set(array);
  return grown;
}

export function grownFloat64(array: Float64Array, length: number): Float64Array {
  const grown = new Float64Array(length);
  grown.set(array);
  return grown;
}

export function grownUint8(array: Uint8Array, length: number): Uint8Array {
  const grown = new Uint8Array(length);
  grown.set(array);
  return grown;
}

/** Throws on what is not a dense item number, before it could make an array as large as the number says. */
export function checkItem(item: number): void {
  if (!Number.isInteger(item) || item < 0 || item > 0x7fffffff) {
    throw new RangeError(`Item numbers are dense integers from 0 on; got ${item}.`);
  }
}
