/**
 * Arithmetic that gives the same bits on every machine.
 *
 * `Math.log`, `Math.exp` and `Math.pow` may differ in the last bit between engines, and a learner that replays the
 * same events must end in the same bytes. These use only +, ×, ÷, sqrt and the layout of a float, which are exact.
 */

const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

/** log2(x) for a positive normal float, absolute error below 3e-6. Zero and less give −127. */
export function log2(x: number): number {
  if (!(x > 1.2e-38)) return -127;
  float[0] = x;
  const raw = bits[0];
  const exponent = (raw >> 23) - 127;
  bits[0] = (raw & 0x7fffff) | 0x3f800000;
  const m = float[0] - 1;
  return exponent + m * (1.4425272726543914 + m * (-0.7179134798411281 + m * (0.45654040993211104
    + m * (-0.27596895490594653 + m * (0.12010025759851918 + m * -0.025285505437947053)))));
}

/** Natural logarithm by `log2`. */
export function log(x: number): number {
  return log2(x) * 0.6931471805599453;
}

/** 2^x, relative error below 5e-6; 0 below −120, and capped at 2^120 so that no sum becomes infinite. */
export function exp2(x: number): number {
  if (!(x > -120)) return 0;
  const capped = x > 120 ? 120 : x;
  const whole = Math.floor(capped);
  const part = capped - whole;
  bits[0] = (whole + 127) << 23;
  return float[0] * (1 + part * (0.6930048810915914 + part * (0.241539608452332
    + part * (0.05176605525529147 + part * 0.013689455200785128))));
}

/** e^x by `exp2`. */
export function exp(x: number): number {
  return exp2(x * 1.4426950408889634);
}

/** base^power for a positive base. */
export function power(base: number, exponent: number): number {
  return exp2(exponent * log2(base));
}

/** A seeded generator: one word of state, which belongs to the model and its snapshot. */
export type Randomness = Uint32Array;

export function randomness(seed: number): Randomness {
  // Zero is the one state from which xorshift never leaves.
  return Uint32Array.of((Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) >>> 0) || 1);
}

/** Uniform in [0, 1), by xorshift32. */
export function uniform(random: Randomness): number {
  const state = after(random[0]);
  random[0] = state;
  return (state >>> 0) / 4294967296;
}

/** Fills places `from` to `end` − 1 of `out` with entries of the first `count` ≥ 1 of `list`, each drawn by one `uniform`. */
export function drawInto(out: Int32Array, from: number, end: number, list: Int32Array, count: number, random: Randomness): void {
  // Not written back for each: the next one would wait for it.
  let state = random[0];
  for (let n = from; n < end; n++) {
    state = after(state);
    out[n] = list[((state >>> 0) / 4294967296 * count) | 0];
  }
  random[0] = state;
}

function after(state: number): number {
  let s = state;
  s ^= s << 13;
  s ^= s >>> 17;
  return s ^ (s << 5);
}
