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
/** The logit, and its gap to the best candidate's; scaled to the size of the other features. */
const NETWORK_COLUMNS = 2;
const COLUMN_SCALE = 0.2;

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

/** Learns the train sessions block by block, then ranks each prefix of the test sessions by both rankers. */
export function evaluateSequenceFeature(
  train: readonly Int32Array[], test: readonly TestSession[], slopesOf: encoder.SlopesOf, settings: Settings, { now, progress }: Observer,
): SequenceScores {
  const contest = new Contest(slopesOf, settings, now);
  for (let from = 0; from < train.length; from += settings.block) {
    contest.learn(train.slice(from, from + settings.block));
    progress(contest.progress());
  }
  const gathered = contest.gatherUs;
  const totals = { without: rankingTotals(K), with: rankingTotals(K), alone: rankingTotals(K) };
  const hitGain = gains();
  const mrrGain = gains();
  const queries = test.flatMap((session) => session.queries);
  for (const { prefix, target } of queries) {
    const rank = contest.ranksOf(target, clicksBefore(prefix, prefix.length));
    addRank(totals.without, rank.without);
    addRank(totals.with, rank.with);
    addRank(totals.alone, rank.alone);
    hitGain.add(hit(rank.with) - hit(rank.without));
    mrrGain.add(hit(rank.with) / Math.max(1, rank.with) - hit(rank.without) / Math.max(1, rank.without));
  }
  return {
    without: summarize(totals.without, 0), with: summarize(totals.with, 0), alone: summarize(totals.alone, 0),
    hitGain: hitGain.mean(), hitGainError: hitGain.error(), mrrGain: mrrGain.mean(), mrrGainError: mrrGain.error(),
    steps: contest.steps, trainUsAnEvent: contest.trainUs / Math.max(1, contest.events), queryUsMean: (contest.gatherUs - gathered) / Math.max(1, queries.length),
  };
}

interface Side {
  readonly ranker: ranker.Ranker;
  readonly scores: Float32Array;
}

/** An item and the clicks before it, the latest first. */
interface Pair {
  readonly recent: Int32Array;
  readonly item: number;
}

/** The sources with their candidates, the network, and the two rankers that order these candidates. */
class Contest {
  readonly #slopesOf: encoder.SlopesOf;
  readonly #settings: Settings;
  readonly #now: () => number;
  readonly #sources: fusion.Fusion;
  readonly #network: encoder.SequenceEncoder;
  readonly #without: Side;
  readonly #with: Side;
  readonly #work = fusion.workspace();
  /** The network's logit of each candidate. */
  readonly #alone = new Float32Array(ranker.STRIDE);
  readonly #user = new Float32Array(embedding.DIMENSIONS);
  /** Clicks learned, by item and together. */
  readonly #counts = new Map<number, number>();
  #events = 0;
  #loss = Number.NaN;
  #trainUs = 0;
  #gatherUs = 0;

  constructor(slopesOf: encoder.SlopesOf, settings: Settings, now: () => number) {
    const { seed, rate } = settings;
    const side = (extra: number): Side => ({ ranker: ranker.init(FEATURES.length + extra, PRIOR, { seed }), scores: new Float32Array(ranker.STRIDE) });
    this.#slopesOf = slopesOf;
    this.#settings = settings;
    this.#now = now;
    this.#sources = fusion.init({ seed });
    this.#network = encoder.init({ rate, seed });
    this.#without = side(0);
    this.#with = side(NETWORK_COLUMNS);
  }

  get steps(): number { return this.#network.steps; }
  get events(): number { return this.#events; }
  /** Time of the network's steps, in µs. */
  get trainUs(): number { return this.#trainUs; }
  /** Time of the network's columns, in µs. */
  get gatherUs(): number { return this.#gatherUs; }

  progress(): string {
    const { steps } = this;
    return `Learned ${this.#events} events; ${steps} steps${steps === 0 ? '' : `, loss ${this.#loss.toFixed(3)}, ${(this.#trainUs / 1000 / steps).toFixed(1)} ms a step`}.`;
  }

  /** The rankers learn a block first, then the network, the sources last: each by what the ones behind it knew before the block. */
  learn(block: readonly Int32Array[]): void {
    const pairs = block.flatMap((session) => Array.from({ length: session.length - 1 }, (_, at) => ({ recent: clicksBefore(session, at + 1), item: session[at + 1] })));
    for (const pair of pairs) this.#teachRankers(pair);
    const began = this.#now();
    this.#trainNetwork(pairs);
    this.#trainUs += this.#now() - began;
    for (const session of block) session.forEach((item, at) => this.#teachSources(item, clicksBefore(session, at)));
  }

  /** Where the target comes among the candidates after these clicks, by each ranker and by the network's logit alone. */
  ranksOf(target: number, recent: Int32Array): Readonly<Record<'without' | 'with' | 'alone', number>> {
    const count = this.#gather(recent);
    const rankBy = (scores: Float32Array): number => rankOf(target, this.#work.items, scores, count);
    for (const side of [this.#without, this.#with]) ranker.predict(side.ranker, count, side.scores);
    return { without: rankBy(this.#without.scores), with: rankBy(this.#with.scores), alone: rankBy(this.#alone) };
  }

  #teachRankers({ recent, item }: Pair): void {
    const count = this.#gather(recent);
    const target = this.#work.items.subarray(0, count).indexOf(item);
    if (target < 0) return;
    for (const side of [this.#without, this.#with]) ranker.learn(side.ranker, count, target);
  }

  #trainNetwork(pairs: readonly Pair[]): void {
    // What nobody has clicked yet cannot be told from anything.
    const usable = pairs.filter(({ recent, item }) => this.#counts.has(item) && this.#counts.has(recent[0]));
    // Pairs of a batch are a stride apart: it must not hold one session's clicks.
    const stride = Math.floor(usable.length / BATCH);
    for (let at = 0; at < stride * this.#settings.passes; at++) {
      // Each pass puts other pairs together.
      const pass = Math.floor(at / stride);
      const batch = Array.from({ length: BATCH }, (_, n) => usable[(n * stride + at + pass * n) % usable.length]);
      this.#loss = encoder.learn(this.#network, batchOf(batch, this.#vectorOf, (item) => (this.#counts.get(item) ?? 1) / this.#events), this.#slopesOf);
    }
  }

  #teachSources(item: number, recent: Int32Array): void {
    fusion.learnSources(this.#sources, recent, item);
    this.#counts.set(item, (this.#counts.get(item) ?? 0) + 1);
    this.#events++;
  }

  /** Finds the candidates after these clicks, and puts their features into both rankers. Returns how many there are. */
  #gather(recent: Int32Array): number {
    const count = fusion.rank(this.#sources, recent, this.#work);
    const { x } = this.#sources.ranker;
    this.#without.ranker.x.set(x);
    this.#with.ranker.x.set(x);
    const began = this.#now();
    encoder.predict(this.#network, recent, this.#vectorOf, this.#user);
    let best = -Infinity;
    for (let c = 0; c < count; c++) {
      const vector = this.#vectorOf(this.#work.items[c]);
      this.#alone[c] = vector === undefined ? 0 : encoder.SCALE * dot(this.#user, vector);
      best = Math.max(best, this.#alone[c]);
    }
    const logit = FEATURES.length * ranker.STRIDE;
    for (let c = 0; c < count; c++) {
      this.#with.ranker.x[logit + c] = this.#alone[c] * COLUMN_SCALE;
      this.#with.ranker.x[logit + ranker.STRIDE + c] = (this.#alone[c] - best) * COLUMN_SCALE;
    }
    this.#gatherUs += this.#now() - began;
    return count;
  }

  readonly #vectorOf = (item: number): Float32Array | undefined => embedding.vectorOf(this.#sources.embedding, item);
}

const hit = (rank: number): number => (rank >= 1 && rank <= K ? 1 : 0);

function batchOf(pairs: readonly Pair[], vectorOf: (item: number) => Float32Array | undefined, shareOf: (item: number) => number): encoder.Batch {
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
