/**
 * Experts mixed online by pinball loss: Bernstein online aggregation with a slow forgetting.
 *
 *   g_k = mean over samples of (1[y ≤ q̂] − p) (q_k − q̂) / scale     (linearised pinball loss of expert k against the mixture q̂)
 *   L_k ← δ L_k + g_k + η_k g_k²,   V_k ← δ V_k + g_k²,   η_k = min(ηmax, √(ln K / V_k)),   w_k ∝ π_k η_k e^(−η_k L_k)
 *
 * One set of weights for each (group, probability); groups are demand classes, so that a SKU with ten sales is mixed by what
 * thousands like it have taught. Untrained, the weights are the prior. Losses are in units of the SKU's own scale (no unit).
 * Source: Wintenberger 2017 (BOA).
 */
export interface Mixer {
  readonly experts: number;
  readonly probabilities: number;
  /** Group × probability × expert, like the rest. */
  readonly prior: Float64Array;
  readonly loss: Float64Array;
  readonly variance: Float64Array;
  readonly weights: Float64Array;
}

const FORGETTING = 0.985;
const MAX_RATE = 40;

/** A prior for each group; its weights need not add up to 1. */
export function init(probabilities: number, priors: readonly (readonly number[])[]): Mixer {
  const experts = priors[0]?.length ?? 0;
  const prior = Float64Array.from(priors.flatMap((ofGroup) => {
    const total = ofGroup.reduce((sum, weight) => sum + weight, 0);
    const shares = ofGroup.map((weight) => weight / total);
    return Array.from({ length: probabilities }, () => shares).flat();
  }));
  return { experts, probabilities, prior, loss: new Float64Array(prior.length), variance: new Float64Array(prior.length), weights: prior.slice() };
}

/** Writes a group's weights of these experts to `into` from `at` on: expert × probability, as quantiles are. */
export function weightsOf({ experts, probabilities, weights }: Mixer, group: number, asked: readonly number[], into: Float64Array, at = 0): void {
  for (let p = 0; p < probabilities; p++) {
    const from = (group * probabilities + p) * experts;
    for (let i = 0; i < asked.length; i++) into[at + i * probabilities + p] = weights[from + asked[i]!]!;
  }
}

/** `gradients[k]` is the mean linearised loss of expert k over the samples of one round. */
export function learn(mixer: Mixer, group: number, probability: number, gradients: Float64Array): void {
  const { experts, loss, variance, weights, prior } = mixer;
  const at = (group * mixer.probabilities + probability) * experts;
  const share = Math.log(experts);
  let best = Infinity;
  for (let k = 0; k < experts; k++) {
    const g = gradients[k] ?? 0;
    const v = FORGETTING * (variance[at + k] ?? 0) + g * g;
    variance[at + k] = v;
    const rate = rateOf(v, share);
    loss[at + k] = FORGETTING * (loss[at + k] ?? 0) + g + rate * g * g;
    best = Math.min(best, rate * (loss[at + k] ?? 0));
    weights[at + k] = rate;
  }
  let total = 0;
  for (let k = 0; k < experts; k++) {
    const rate = weights[at + k]!;
    const weight = (prior[at + k] ?? 0) * rate * Math.exp(best - rate * (loss[at + k] ?? 0));
    weights[at + k] = weight;
    total += weight;
  }
  for (let k = 0; k < experts; k++) weights[at + k] = (weights[at + k] ?? 0) / total;
}

function rateOf(variance: number, share: number): number {
  return variance > 0 ? Math.min(MAX_RATE, Math.sqrt(share / variance)) : MAX_RATE;
}
