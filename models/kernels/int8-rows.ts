/**
 * Kernels over rows of 64 whole numbers of −127…127 and one scale each: a quarter of the memory of `rows.ts`, to read only.
 *
 *   q_k = round(v_k / scale),  scale = max_k |v_k| / 127          v_k ≈ scale·q_k, off by at most scale/2
 *
 * A row takes 68 bytes: 64 numbers, then the scale in single precision. A row of zeros stays zeros.
 * Source: symmetric linear quantisation (Jacob et al., CVPR 2018).
 */
import { widened4 } from './assembler.js';
import type { Code, Local } from './assembler.js';

/** Bytes from one row to the next, and where the scale stands. */
export const ROW_BYTES = 68;
export const SCALE_AT = 64;

/** Four numbers of a row as floats, not yet scaled. */
export const laneOf = (row: Local) => (lane: number): Code => widened4(row.get, lane * 4);

/** Writes a row at a byte offset. What is not finite is taken for 0. */
export function write(bytes: Int8Array, scales: Float32Array, item: number, vector: Float32Array): void {
  let most = 0;
  for (let k = 0; k < SCALE_AT; k++) if (Number.isFinite(vector[k])) most = Math.max(most, Math.abs(vector[k]));
  const scale = most / 127;
  scales[scaleOf(item)] = scale;
  for (let k = 0; k < SCALE_AT; k++) {
    bytes[item * ROW_BYTES + k] = scale > 0 && Number.isFinite(vector[k]) ? Math.round(vector[k] / scale) : 0;
  }
}

/** The row as it is remembered. */
export function read(bytes: Int8Array, scales: Float32Array, item: number): Float32Array {
  return Float32Array.from({ length: SCALE_AT }, (_, k) => bytes[item * ROW_BYTES + k] * scales[scaleOf(item)]);
}

/** The scale's place among the floats that the rows lie over. */
const scaleOf = (item: number): number => (item * ROW_BYTES + SCALE_AT) / 4;
