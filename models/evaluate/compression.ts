/**
 * What smaller memory costs in quality: one fusion, learned once, ranks the same test prefixes as it is, with its item
 * vectors in whole numbers as a scorer may keep them, and with its ranker's smallest weights gone.
 *
 * Train sessions in file order, one pass, block = 1 session; frozen while it is asked. The ranker is not taught again
 * after pruning. Differences have standard errors over queries; all variants get the same queries. Recall is that of
 * the 20 items nearest to a shopper by vectors alone, all items scanned, against single precision.
 */
import * as embedding from '../embedding.js';
import * as fusion from '../fusion.js';
import { top } from '../kernels/candidates.js';
import { MOST_IDS, rowBytes } from '../kernels/rows.js';
import { prune, sparse, bytesOf } from '../pruning.js';
import { addRank, rankingTotals, rankOf, summarize } from './ranking-metrics.js';
import type { TestSession } from './recommendations.js';
import { clicksBefore } from './recommenders.js';

const K = 20;
/** Prefixes that are asked for their nearest items. */
const ASKED = 500;

export interface CompressionScores {
  readonly variant: string;
  readonly precision: number;
  readonly mrr: number;
  /** Against the first variant, with its standard error. */
  readonly precisionLoss: number;
  readonly precisionLossError: number;
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  /** Of vectors alone, where they are what is smaller. */
  readonly recall?: number;
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
  const small = inInt8(state.embedding);
  const whole = bytesOfVectors(state.embedding);
  const asIs = ranks(state, work, queries);
  const results = [scores('as it is', asIs, asIs, whole + weights.byteLength, whole + weights.byteLength)];

  results.push({ ...scores('vectors in 8 bits', ranks({ ...state, embedding: small }, work, queries), asIs, whole, bytesOfVectors(small)), recall: recallOf(state.embedding, small, queries) });
  for (const share of shares) {
    averaged.set(weights);
    prune(averaged, share);
    results.push(scores(`ranker without its smallest ${Math.round(100 * share)} %`, ranks(state, work, queries), asIs, weights.byteLength, bytesOf(sparse(averaged))));
  }
  averaged.set(weights);
  return results;
}

/** The same vectors as a scorer of the setting int8 has them. */
function inInt8(state: embedding.Embedding): embedding.Embedding {
  const small = embedding.init({ precision: 'int8' });
  for (let item = 0; item < state.items; item++) embedding.place(small, item, embedding.vectorOf(state, item) ?? new Float32Array(embedding.DIMENSIONS));
  embedding.usePooling(small, state.pooling);
  return small;
}

const bytesOfVectors = ({ items, rows }: embedding.Embedding): number => items * rowBytes(rows.precision);

function recallOf(exact: embedding.Embedding, small: embedding.Embedding, queries: readonly { readonly prefix: Int32Array }[]): number {
  let found = 0;
  const some = queries.filter((_, at) => at % Math.ceil(queries.length / ASKED) === 0).map(({ prefix }) => clicksBefore(prefix, prefix.length));
  for (const recent of some) {
    const wanted = new Set(nearest(exact, recent));
    found += nearest(small, recent).filter((item) => wanted.has(item)).length;
  }
  return found / (some.length * Math.min(K, exact.items));
}

/** By a scan of all items, whether learned or placed. */
function nearest(state: embedding.Embedding, recent: Int32Array): Int32Array {
  const items = Int32Array.from({ length: state.items }, (_, item) => item);
  const logits = new Float32Array(items.length);
  for (let from = 0; from < items.length; from += MOST_IDS) {
    const chunk = items.subarray(from, from + MOST_IDS);
    embedding.predictMany(state, recent, chunk, chunk.length, logits.subarray(from));
  }
  const out = new Int32Array(K);
  // `top` takes positive values only.
  return out.subarray(0, top(logits.map((logit) => logit + 11), items.length, K, out));
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
