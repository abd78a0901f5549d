/**
 * Progressive evaluation of recommenders.
 *
 * Sessions: learn the train sessions in file order, in one pass, then rank all items after each test prefix; the target
 * is the next click. *Frozen* never learns again; *prequential* learns each test session once all its prefixes are
 * scored. Leave-one-out: learn all but the last item of each user in the order given, then rank what the user has not had.
 * A target that is not ranked is a miss, and ties count against the recommender.
 */
import { addRank, addShown, rankingTotals, rankOf, summarize, type RankingMetrics } from './ranking-metrics.js';
import { clicksBefore, KEPT_CLICKS, type Recommender } from './recommenders.js';

export type Mode = 'frozen' | 'prequential';

export interface TestQuery {
  readonly prefix: Int32Array;
  readonly target: number;
}

/** A test session: what was asked of it, and the whole of it to learn from. */
export interface TestSession {
  readonly queries: readonly TestQuery[];
  readonly clicks: Int32Array;
}

export interface Observer {
  /** Microseconds from any origin. */
  readonly now: () => number;
  readonly progress: (sentence: string) => void;
}

/** What became of each query, in the order asked. */
export interface Asked {
  /** Rank of the target; 0 is not ranked. */
  readonly ranks: Int32Array;
  /** Clicks that were known. */
  readonly lengths: Int32Array;
  readonly microseconds: Float64Array;
}

export interface SessionScores {
  readonly metrics: RankingMetrics;
  readonly asked: Asked;
  /** An event's: with the ranker's lessons, and of the sources alone. */
  readonly updateUsMean: number;
  readonly sourcesUsMean: number;
  readonly queryUsP50: number;
  readonly queryUsP99: number;
  readonly trainEvents: number;
  readonly items: number;
}

/**
 * Sessions between two looks at the sources. A ranker that will serve frozen must learn how sources look that are some
 * thousand sessions old; one that learns on must see them fresh.
 */
const FROZEN_BLOCK = 4_096;

/** Sessions that the ranker learns from before the sources do. Of a small file a thirtieth, or its ranker would never see sources that know anything. */
export const blockOf = (mode: Mode, sessions: number): number => (mode === 'frozen' ? Math.max(1, Math.min(FROZEN_BLOCK, Math.floor(sessions / 30))) : 1);

/** Groups prefixes of one session, which stand together, longest or shortest first. */
export function testSessions(queries: readonly TestQuery[]): TestSession[] {
  const sessions: { queries: TestQuery[]; clicks: Int32Array }[] = [];
  for (const query of queries) {
    const clicks = Int32Array.from([...query.prefix, query.target]);
    const last = sessions.at(-1);
    // Equal sequences are two shoppers with the same clicks, not one: no session holds the same prefix twice.
    if (last !== undefined && clicks.length < last.clicks.length && startsWith(last.clicks, clicks) && isFresh(last.queries, query)) {
      last.queries.push(query);
    } else if (last !== undefined && clicks.length > last.clicks.length && startsWith(clicks, last.clicks)) {
      last.queries.push(query);
      last.clicks = clicks;
    } else {
      sessions.push({ queries: [query], clicks });
    }
  }
  return sessions;
}

function startsWith(whole: Int32Array, part: Int32Array): boolean {
  return part.every((item, at) => whole[at] === item);
}

function isFresh(queries: readonly TestQuery[], query: TestQuery): boolean {
  return queries.every(({ prefix }) => prefix.length !== query.prefix.length);
}

export function evaluateSessions(
  recommender: Recommender, train: readonly Int32Array[], test: readonly TestSession[], mode: Mode, k: number, { now, progress }: Observer,
): SessionScores {
  const counts = countItems(train);
  const trainEvents = train.reduce((sum, session) => sum + session.length, 0);
  const block = blockOf(mode, train.length);
  let rankingUs = 0;
  let sourcesUs = 0;
  let learnedEvents = 0;
  const learn = (sessions: readonly Int32Array[]): void => {
    const began = now();
    recommender.learnRanking?.(sessions);
    const ranked = now();
    recommender.learnBlock(sessions);
    rankingUs += ranked - began;
    sourcesUs += now() - ranked;
    for (const session of sessions) learnedEvents += session.length;
  };
  let told = 0;
  for (let at = 0; at < train.length; at += block) {
    learn(train.slice(at, at + block));
    if (learnedEvents - told >= 100_000) {
      told = learnedEvents;
      progress(`Learned ${learnedEvents} of ${trainEvents} events.`);
    }
  }
  const totals = rankingTotals(k);
  const asked = blankAsked(test.reduce((sum, { queries }) => sum + queries.length, 0));
  for (const session of test) {
    for (const { prefix, target } of session.queries) {
      const recent = clicksBefore(prefix, prefix.length);
      const began = now();
      const count = recommender.rank(recent);
      asked.microseconds[totals.n] = now() - began;
      asked.lengths[totals.n] = prefix.length;
      const { items, scores } = recommender;
      addRank(totals, (asked.ranks[totals.n] = rankOf(target, items, scores, count)));
      for (const item of best(items, scores, count, k)) addShown(totals, item, (counts.get(item) ?? 0) / trainEvents);
      if (totals.n % 5_000 === 0) progress(`Ranked after ${totals.n} prefixes.`);
    }
    if (mode === 'prequential') learn([session.clicks]);
  }
  const durations = asked.microseconds.toSorted();
  return {
    metrics: summarize(totals, counts.size),
    asked,
    updateUsMean: learnedEvents > 0 ? (rankingUs + sourcesUs) / learnedEvents : 0,
    sourcesUsMean: learnedEvents > 0 ? sourcesUs / learnedEvents : 0,
    queryUsP50: quantile(durations, 0.5),
    queryUsP99: quantile(durations, 0.99),
    trainEvents,
    items: counts.size,
  };
}

/** One event a line of the file: a user and an item, as dense numbers. */
export interface UserEvent {
  readonly user: number;
  readonly item: number;
}

export interface LeaveOneOutScores {
  readonly metrics: RankingMetrics;
  readonly asked: Asked;
  readonly queryUsP50: number;
  readonly queryUsP99: number;
  readonly items: number;
  /** Users whose last item is one they had before, and which is therefore left out: misses. */
  readonly hadBefore: number;
}

export function evaluateLeaveOneOut(recommender: Recommender, events: readonly UserEvent[], k: number, { now, progress }: Observer): LeaveOneOutScores {
  const lengths = new Map<number, number>();
  for (const { user } of events) lengths.set(user, (lengths.get(user) ?? 0) + 1);
  const histories = new Map<number, number[]>();
  const hadBy = new Map<number, Set<number>>();
  const targets: UserEvent[] = [];
  const counts = new Map<number, number>();
  let learned = 0;
  for (const event of events) {
    const history = histories.get(event.user) ?? [];
    histories.set(event.user, history);
    counts.set(event.item, counts.get(event.item) ?? 0);
    // A user of a single event has nothing to be asked from: the event is learned.
    if (history.length + 1 === lengths.get(event.user) && history.length > 0) {
      targets.push(event);
      continue;
    }
    const had = hadBy.get(event.user) ?? new Set<number>();
    hadBy.set(event.user, had);
    // As it will be asked: what the user has had is no candidate, this item aside.
    recommender.learnEvent(latestOf(history), event.item, (other) => other !== event.item && had.has(other));
    history.push(event.item);
    had.add(event.item);
    counts.set(event.item, (counts.get(event.item) ?? 0) + 1);
    if (++learned % 100_000 === 0) progress(`Learned ${learned} of ${events.length} events.`);
  }
  const totals = rankingTotals(k);
  const asked = blankAsked(targets.length);
  let hadBefore = 0;
  for (const { user, item } of targets) {
    const history = histories.get(user) ?? [];
    const had = hadBy.get(user) ?? new Set<number>();
    if (had.has(item)) hadBefore++;
    const recent = latestOf(history);
    const began = now();
    const count = recommender.rank(recent, (other) => had.has(other));
    asked.microseconds[totals.n] = now() - began;
    asked.lengths[totals.n] = history.length;
    const { items, scores } = recommender;
    addRank(totals, (asked.ranks[totals.n] = rankOf(item, items, scores, count)));
    for (const shown of best(items, scores, count, k)) addShown(totals, shown, (counts.get(shown) ?? 0) / Math.max(1, learned));
    if (totals.n % 5_000 === 0) progress(`Ranked for ${totals.n} of ${targets.length} users.`);
  }
  const durations = asked.microseconds.toSorted();
  return { metrics: summarize(totals, counts.size), asked, queryUsP50: quantile(durations, 0.5), queryUsP99: quantile(durations, 0.99), items: counts.size, hadBefore };
}

/** The last clicks of a history, latest first. */
function latestOf(history: readonly number[]): Int32Array {
  return Int32Array.from(history.slice(-KEPT_CLICKS)).reverse();
}

function blankAsked(queries: number): Asked {
  return { ranks: new Int32Array(queries), lengths: new Int32Array(queries), microseconds: new Float64Array(queries) };
}

function countItems(sessions: readonly Int32Array[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const session of sessions) for (const item of session) counts.set(item, (counts.get(item) ?? 0) + 1);
  return counts;
}

/** The first k items by score. */
function best(items: Int32Array, scores: Float32Array, count: number, k: number): number[] {
  const found: number[] = [];
  for (let i = 0; i < count; i++) {
    if (found.length === k && !(scores[i] > scores[found[k - 1]])) continue;
    let at = found.length;
    while (at > 0 && scores[found[at - 1]] < scores[i]) at--;
    found.splice(at, 0, i);
    if (found.length > k) found.pop();
  }
  return found.map((at) => items[at]);
}

function quantile(sorted: Float64Array, q: number): number {
  return sorted.length === 0 ? 0 : sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))];
}
