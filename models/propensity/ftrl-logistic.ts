/**
 * Logistic regression learned online by FTRL-proximal.
 *
 *   p = σ(Σ w_i),  g = p − y for every present feature i
 *   σ_i = (√(n_i + g²) − √n_i) / α,  z_i += g − σ_i w_i,  n_i += g²
 *   w_i = 0 if |z_i| ≤ λ₁, else −(z_i − sign(z_i) λ₁) / ((β + √n_i) / α + λ₂)
 *
 * Each weight has its own rate and stays exactly zero until evidence beats λ₁, so that a hashed space of 2^18 slots stays sparse.
 * An untrained model answers ½. Inputs are slots from `hashedFeatures`. Source: McMahan et al. 2013.
 */
const ALPHA = 0.05;
const BETA = 1;
const L2 = 1;

export interface FtrlLogistic {
  /** λ₁. */
  readonly l1: number;
  readonly z: Float64Array;
  readonly n: Float64Array;
}

/** `bits`: log2 of the slots. */
export function init({ bits, l1 = 0.5 }: { bits: number; l1?: number }): FtrlLogistic {
  return { l1, z: new Float64Array(1 << bits), n: new Float64Array(1 << bits) };
}

export function predict(model: FtrlLogistic, slots: Int32Array): number {
  let score = 0;
  for (const slot of slots) score += weight(model, slot);
  return 1 / (1 + Math.exp(-Math.max(-35, Math.min(35, score))));
}

/** Learns one outcome; answers the probability given to it before. */
export function learn(model: FtrlLogistic, slots: Int32Array, happened: boolean): number {
  const p = predict(model, slots);
  const gradient = p - (happened ? 1 : 0);
  const square = gradient * gradient;
  for (const slot of slots) {
    const seen = model.n[slot] ?? 0;
    const step = (Math.sqrt(seen + square) - Math.sqrt(seen)) / ALPHA;
    model.z[slot] = (model.z[slot] ?? 0) + gradient - step * weight(model, slot);
    model.n[slot] = seen + square;
  }
  return p;
}

function weight(model: FtrlLogistic, slot: number): number {
  const z = model.z[slot] ?? 0;
  if (Math.abs(z) <= model.l1) return 0;
  const pull = z > 0 ? z - model.l1 : z + model.l1;
  return -pull / ((BETA + Math.sqrt(model.n[slot] ?? 0)) / ALPHA + L2);
}
