/**
 * What a sequence network adds to the ranker: the same sources, the same candidates, two rankers that learn side by side,
 * one with the network's two columns (its logit, and the gap to the best candidate's) beside the usual features, one without.
 *
 * Train sessions in file order, in blocks with the sources frozen: both rankers have their lessons on a block,
 * then the network takes its steps on it, once or several times over, by vectors that have not seen it either, then the sources learn it. Each test
 * prefix is ranked by both; nothing is learned any more. The difference has a standard error over queries, which the same queries for both make small.
 */
import * as embedding from '../embedding.js';
import { FEATURES, PRIOR } from '../features.js';
import * as fusion from '../fusion.js';
import * as ranker from '../ranker.js';
import * as encoder from '../sequence-encoder.js';
import { addRank, rankingTotals, rankOf, summarize, type RankingMetrics } from './ranking-metrics.js';
import type { Observer, TestSession } from './recommendations.js';
import { clicksBefore } from './recommenders.js';

export interface Settings {
  /** The network's step size. */
  readonly rate: number;
  readonly seed: number;
  /** How often the network learns each block. */
  readonly passes: number;
  /** Sessions of a block. */
  readonly block: number;
}

export const defaults: Settings = { rate: 1e-3, seed: 1, passes: 1, block: 4_096 };
const BATCH = 128;
const K = 20;

export interface SequenceScores {
  readonly without: RankingMetrics;
  readonly with: RankingMetrics;
  readonly alone: RankingMetrics;
  /** Mean of with − without over queries, and its standard error. */
  readonly hitGain: number;
  readonly hitGainError: number;
  readonly mrrGain: number;
  readonly mrrGainError: number;
  readonly steps: number;
  readonly trainUsAnEvent: number;
  readonly queryUsMean: number;
}

interface Side {
  readonly ranker: ranker.Ranker;
  readonly scores: Float32Array;
}

export function evaluateSequenceFeature(
  train: readonly Int32Array[], test: readonly TestSession[], slopesOf: encoder.SlopesOf, { rate, seed, passes, block: blockSize }: Settings, { now, progress }: Observer,
): SequenceScores {
  const state = fusion.init({ seed });
  const work = fusion.workspace();
  const network = encoder.init({ rate, seed });
  const vectorOf = (item: number): Float32Array | undefined => embedding.vectorOf(state.embedding, item);
  const side = (extra: number): Side => ({ ranker: ranker.init(FEATURES.length + extra, PRIOR, { seed }), scores: new Float32Array(ranker.STRIDE) });
  const plain = side(0);
  const richer = side(2);
  const alone = new Float32Array(ranker.STRIDE);
  const user = new Float32Array(embedding.DIMENSIONS);
  const counts = new Map<number, number>();
  let events = 0;
  let queryUs = 0;
  let queries = 0;

  /** Candidates after these clicks, with their features in both rankers; returns how many. */
  const gather = (recent: Int32Array): number => {
    const count = fusion.rank(state, recent, work);
    const { x } = state.ranker;
    plain.ranker.x.set(x);
    richer.ranker.x.set(x);
    const began = now();
    encoder.predict(network, recent, vectorOf, user);
    let best = -Infinity;
    for (let c = 0; c < count; c++) {
      const vector = vectorOf(work.items[c]);
      alone[c] = vector === undefined ? 0 : encoder.SCALE * dot(user, vector);
      best = Math.max(best, alone[c]);
    }
    const logit = FEATURES.length * ranker.STRIDE;
    for (let c = 0; c < count; c++) {
      richer.ranker.x[logit + c] = alone[c] * 0.2;
      richer.ranker.x[logit + ranker.STRIDE + c] = (alone[c] - best) * 0.2;
    }
    queryUs += now() - began;
    queries++;
    return count;
  };

  let trainUs = 0;
  let lastLoss = Number.NaN;
  for (let from = 0; from < train.length; from += blockSize) {
    const block = train.slice(from, from + blockSize);
    const pairs = block.flatMap((session) => Array.from({ length: session.length - 1 }, (_, at) => ({ recent: clicksBefore(session, at + 1), item: session[at + 1] })));
    for (const { recent, item } of pairs) {
      const count = gather(recent);
      const target = work.items.subarray(0, count).indexOf(item);
      if (target < 0) continue;
      ranker.learn(plain.ranker, count, target);
      ranker.learn(richer.ranker, count, target);
    }
    const began = now();
    // What nobody has clicked yet cannot be told from anything. Pairs a stride apart: a batch must not hold one session's clicks.
    const usable = pairs.filter(({ recent, item }) => counts.has(item) && counts.has(recent[0]));
    const stride = Math.floor(usable.length / BATCH);
    for (let at = 0; at < stride * passes; at++) {
      // Each pass puts other pairs together.
      const pass = Math.floor(at / stride);
      const batch = batchOf(Array.from({ length: BATCH }, (_, n) => usable[(n * stride + at + pass * n) % usable.length]), vectorOf, (item) => (counts.get(item) ?? 1) / events);
      lastLoss = encoder.learn(network, batch, slopesOf);
    }
    trainUs += now() - began;
    for (const session of block) {
      session.forEach((item, at) => {
        fusion.learnSources(state, clicksBefore(session, at), item);
        counts.set(item, (counts.get(item) ?? 0) + 1);
        events++;
      });
    }
    progress(`Learned ${events} events; ${network.steps} steps${network.steps === 0 ? '' : `, loss ${lastLoss.toFixed(3)}, ${(trainUs / 1000 / network.steps).toFixed(1)} ms a step`}.`);
  }
  queryUs = 0;
  queries = 0;
  const totals = { without: rankingTotals(K), with: rankingTotals(K), alone: rankingTotals(K) };
  const hitGain = gains();
  const mrrGain = gains();
  for (const { prefix, target } of test.flatMap((session) => session.queries)) {
    const count = gather(clicksBefore(prefix, prefix.length));
    ranker.predict(plain.ranker, count, plain.scores);
    ranker.predict(richer.ranker, count, richer.scores);
    const without = rankOf(target, work.items, plain.scores, count);
    const withIt = rankOf(target, work.items, richer.scores, count);
    addRank(totals.without, without);
    addRank(totals.with, withIt);
    addRank(totals.alone, rankOf(target, work.items, alone, count));
    hitGain.add(hit(withIt) - hit(without));
    mrrGain.add(hit(withIt) / Math.max(1, withIt) - hit(without) / Math.max(1, without));
  }
  return {
    without: summarize(totals.without, 0), with: summarize(totals.with, 0), alone: summarize(totals.alone, 0),
    hitGain: hitGain.mean(), hitGainError: hitGain.error(), mrrGain: mrrGain.mean(), mrrGainError: mrrGain.error(),
    steps: network.steps, trainUsAnEvent: trainUs / Math.max(1, events), queryUsMean: queryUs / Math.max(1, queries),
  };
}

const hit = (rank: number): number => (rank >= 1 && rank <= K ? 1 : 0);

function batchOf(pairs: readonly { recent: Int32Array; item: number }[], vectorOf: (item: number) => Float32Array | undefined, shareOf: (item: number) => number): encoder.Batch {
  const D = embedding.DIMENSIONS;
  const clicks = new Float32Array(pairs.length * encoder.CLICKS * D);
  const isClick = new Float32Array(pairs.length * encoder.CLICKS);
  const targets = new Float32Array(pairs.length * D);
  pairs.forEach(({ recent, item }, n) => {
    recent.subarray(0, encoder.CLICKS).forEach((click, j) => {
      const vector = vectorOf(click);
      if (vector === undefined) return;
      clicks.set(vector, (n * encoder.CLICKS + j) * D);
      isClick[n * encoder.CLICKS + j] = 1;
    });
    const vector = vectorOf(item);
    if (vector !== undefined) targets.set(vector, n * D);
  });
  return {
    sequences: pairs.length, clicks, isClick, targets, targetItems: Int32Array.from(pairs, ({ item }) => item),
    logShares: Float32Array.from(pairs, ({ item }) => Math.log(shareOf(item))),
  };
}

function gains(): { add(value: number): void; mean(): number; error(): number } {
  let n = 0, sum = 0, squares = 0;
  return {
    add(value) {
      n++;
      sum += value;
      squares += value * value;
    },
    mean: () => (n > 0 ? sum / n : 0),
    error: () => (n > 1 ? Math.sqrt(Math.max(0, squares / n - (sum / n) ** 2) / n) : 0),
  };
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let d = 0; d < a.length; d++) sum += a[d] * b[d];
  return sum;
}
