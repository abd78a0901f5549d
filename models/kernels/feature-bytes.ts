/** Features as signed bytes, in units of 1/32: from −3.97 to 3.97, what lies beyond as the nearest of these. */
const UNIT = 1 / 32;

/** Rows of a feature matrix as bytes, [row][feature]; `x` is column-major with the given stride. */
export function quantised(x: Float32Array, stride: number, features: number, rows: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(rows.length * features);
  for (let row = 0; row < rows.length; row++) {
    for (let f = 0; f < features; f++) {
      const units = Math.round(x[f * stride + rows[row]] / UNIT);
      bytes[row * features + f] = units > 127 ? 127 : units < -127 ? -127 : units;
    }
  }
  return bytes;
}

/** `count` rows of bytes back into a matrix. */
export function unquantised(bytes: Uint8Array, count: number, x: Float32Array, stride: number): void {
  const width = bytes.length / count;
  for (let row = 0; row < count; row++) {
    for (let f = 0; f < width; f++) x[f * stride + row] = ((bytes[row * width + f] << 24) >> 24) * UNIT;
  }
}

/** Some rows of them, in the order given. */
export function rowsOf(bytes: Uint8Array, width: number, rows: readonly number[]): Uint8Array {
  const picked = new Uint8Array(rows.length * width);
  rows.forEach((row, at) => picked.set(bytes.subarray(row * width, (row + 1) * width), at * width));
  return picked;
}
