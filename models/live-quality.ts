/**
 * Live quality: how well the recommender ranked what came next, before it learned it (progressive validation).
 *
 *   rank r of the next item (0: not among the candidates), hit = 0 < r ≤ 20
 *   recall@20 = mean hit    MRR@20 = mean hit/r    NDCG@20 = mean hit/log2(1 + r)    over the last ~2,000 events
 *
 * The mean is an exponential one with the window 2,000; before that many events it is a plain one. Untrained: 0 of 0.
 * Source: prequential evaluation (Gama, Sebastião & Rodrigues, 2013).
 */
import { log2 } from './kernels/numbers.js';
import { pack, unpack } from './kernels/snapshot.js';

const WINDOW = 2_000;
const CUT = 20;
const VERSION = 1;

export interface LiveQuality {
  recall: number;
  reciprocal: number;
  gain: number;
  events: number;
}

export function init(): LiveQuality {
  return { recall: 0, reciprocal: 0, gain: 0, events: 0 };
}

export function predict({ recall, reciprocal, gain }: LiveQuality): { recall_at_20: number; mrr_at_20: number; ndcg_at_20: number } {
  return { recall_at_20: recall, mrr_at_20: reciprocal, ndcg_at_20: gain };
}

/** One event whose item stood at a rank (0: nowhere). */
export function learn(state: LiveQuality, rank: number): void {
  const share = 1 / Math.min(WINDOW, ++state.events);
  const isHit = rank > 0 && rank <= CUT;
  state.recall += share * ((isHit ? 1 : 0) - state.recall);
  state.reciprocal += share * ((isHit ? 1 / rank : 0) - state.reciprocal);
  state.gain += share * ((isHit ? 1 / log2(1 + rank) : 0) - state.gain);
}

export function snapshot({ recall, reciprocal, gain, events }: LiveQuality): Uint8Array {
  return pack('live-quality', VERSION, { scalars: Float64Array.of(recall, reciprocal, gain, events) });
}

export function restore(bytes: Uint8Array): LiveQuality {
  const [recall, reciprocal, gain, events] = unpack('live-quality', VERSION, bytes).f64('scalars');
  return { recall, reciprocal, gain, events };
}
