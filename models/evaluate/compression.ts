/**
 * What smaller memory costs in quality: one fusion, learned once, ranks the same test prefixes as it is, with its item
 * vectors in whole numbers (read back, so that all else stays as it is), and with its ranker's smallest weights gone.
 *
 * Train sessions in file order, one pass, block = 1 session; frozen while it is asked. The ranker is not taught again
 * after pruning. Differences have standard errors over queries; all variants get the same queries.
 */
import * as embedding from '../embedding.js';
import * as fusion from '../fusion.js';
import * as int8 from '../int8-vectors.js';
import { prune, sparse, bytesOf } from '../pruning.js';
import { addRank, rankingTotals, rankOf, summarize } from './ranking-metrics.js';
import type { TestSession } from './recommendations.js';
import { clicksBefore } from './recommenders.js';

const K = 20;

export interface CompressionScores {
  readonly variant: string;
  readonly precision: number;
  readonly mrr: number;
  /** Against the first variant, with its standard error. */
  readonly precisionLoss: number;
  readonly precisionLossError: number;
  readonly bytesBefore: number;
  readonly bytesAfter: number;
}

export function evaluateCompression(train: readonly Int32Array[], test: readonly TestSession[], shares: readonly number[], progress: (sentence: string) => void): CompressionScores[] {
  const state = fusion.init();
  const work = fusion.workspace();
  let events = 0;
  for (const session of train) {
    session.forEach((item, at) => fusion.learn(state, clicksBefore(session, at), item, work));
    events += session.length;
    if (events % 50_000 < session.length) progress(`Learned ${events} events.`);
  }
  const queries = test.flatMap((session) => session.queries);
  const { averaged } = state.ranker.network;
  const weights = averaged.slice();
  const vectors = vectorsOf(state.embedding);
  const whole = vectors.length * embedding.DIMENSIONS * 4;
  const asIs = ranks(state, work, queries);
  const results = [scores('as it is', asIs, asIs, whole + weights.byteLength, whole + weights.byteLength)];

  const small = int8.init(embedding.DIMENSIONS);
  vectors.forEach((vector, item) => int8.put(small, item, vector));
  vectors.forEach((vector, item) => int8.read(small, item, embedding.vectorOf(state.embedding, item) ?? vector));
  results.push(scores('vectors in 8 bits', ranks(state, work, queries), asIs, whole, int8.bytesOf(small)));
  vectors.forEach((vector, item) => embedding.vectorOf(state.embedding, item)?.set(vector));

  for (const share of shares) {
    averaged.set(weights);
    prune(averaged, share);
    results.push(scores(`ranker without its smallest ${Math.round(100 * share)} %`, ranks(state, work, queries), asIs, weights.byteLength, bytesOf(sparse(averaged))));
  }
  averaged.set(weights);
  return results;
}

function vectorsOf(state: embedding.Embedding): Float32Array[] {
  const vectors: Float32Array[] = [];
  for (let item = 0; item < state.items; item++) vectors.push((embedding.vectorOf(state, item) ?? new Float32Array(embedding.DIMENSIONS)).slice());
  return vectors;
}

function ranks(state: fusion.Fusion, work: fusion.Workspace, queries: readonly { readonly prefix: Int32Array; readonly target: number }[]): number[] {
  return queries.map(({ prefix, target }) => {
    const count = fusion.rank(state, clicksBefore(prefix, prefix.length), work);
    return rankOf(target, work.items, work.scores, count);
  });
}

function scores(variant: string, own: readonly number[], asIs: readonly number[], bytesBefore: number, bytesAfter: number): CompressionScores {
  const totals = rankingTotals(K);
  for (const rank of own) addRank(totals, rank);
  const { hitRate, mrr } = summarize(totals, 0);
  const losses = own.map((rank, at) => hit(asIs[at]) - hit(rank));
  const mean = losses.reduce((sum, loss) => sum + loss, 0) / Math.max(1, losses.length);
  const spread = losses.reduce((sum, loss) => sum + (loss - mean) ** 2, 0) / Math.max(1, losses.length);
  return { variant, precision: hitRate, mrr, precisionLoss: mean, precisionLossError: Math.sqrt(spread / Math.max(1, losses.length)), bytesBefore, bytesAfter };
}

const hit = (rank: number): number => (rank >= 1 && rank <= K ? 1 : 0);
