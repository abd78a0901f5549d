/**
 * One step of the embedding (embedding.ts has its equation): an event against its negatives.
 *
 * The target stands first among the rows that are looked at, the negatives behind it. The gradient for the clicks is
 * taken before any row moves; every row moves along the sphere's tangent.
 */
import type { Embedding } from './embedding.js';
import { drawInto } from './kernels/numbers.js';
import { CONTEXT } from './kernels/recent-events.js';
import * as rows from './kernels/rows.js';

const { DIMENSIONS } = rows;
export const SCALE = 10;
const RECENT_SHARE = 0.7;

/** The known clicks of a context, each item once, and by place of the context where its item stands among them. */
const context = new Int32Array(CONTEXT);
const standing = new Int32Array(CONTEXT);
const times = new Uint8Array(rows.MOST_IDS);

/** Unit vector of the latest clicks, as many as there are weights but `most`, into the workspace's `user`, and the length it had. */
export function loadUser(state: Embedding, recent: Int32Array, pooling = state.pooling, most = pooling.length): number {
  const { ids, weights } = state.rows;
  let clicks = 0;
  for (let j = 0; j < recent.length && j < most; j++) {
    const item = recent[j];
    if (item < 0 || item >= state.items) continue;
    ids[clicks] = item;
    weights[clicks++] = pooling[j];
  }
  rows.sumIntoUser(state.rows, clicks);
  return rows.normaliseUser(state.rows);
}

export function step(state: Embedding, recent: Int32Array, item: number, weight: number): void {
  const { rows: table, settings } = state;
  const clicks = knownContext(state, recent);
  if (clicks === 0 || isClicked(item, clicks)) return;
  loadContext(state, clicks);
  rows.sumIntoUser(table, clicks);
  const length = rows.normaliseUser(table);
  if (length < 1e-6) return;
  const listed = drawNegatives(state, item, Math.min(settings.negatives, rows.MOST_IDS - 1));
  rows.stepAgainstUser(table, listed, length, SCALE, weight, settings.rate);
  // The context rows see the user's gradient as it was before the target and negatives moved.
  loadContext(state, clicks);
  rows.stepAgainstGradient(table, clicks, settings.rate);
  learnPooling(state);
}

/** The context's rows and their weights into the workspace: the sum of p_j where an item was clicked several times. */
function loadContext({ rows: { ids, weights }, pooling }: Embedding, clicks: number): void {
  for (let k = 0; k < clicks; k++) {
    ids[k] = context[k];
    weights[k] = 0;
  }
  for (let j = 0; j < CONTEXT; j++) if (standing[j] >= 0) weights[standing[j]] += pooling[j];
}

function learnPooling({ rows: { out }, pooling, poolingSquares }: Embedding): void {
  // p_0 stays 1: only the ratios matter to a direction.
  for (let j = 1; j < CONTEXT; j++) {
    if (standing[j] < 0) continue;
    const slope = out[standing[j]];
    poolingSquares[j] += slope * slope;
    pooling[j] -= (0.02 * slope) / Math.sqrt(poolingSquares[j] + 1);
  }
}

/** The known clicks of `recent` into `context`; returns how many different ones there are. */
function knownContext(state: Embedding, recent: Int32Array): number {
  let clicks = 0;
  for (let j = 0; j < CONTEXT; j++) {
    const item = j < recent.length ? recent[j] : -1;
    standing[j] = -1;
    if (item < 0 || item >= state.items) continue;
    let k = 0;
    while (k < clicks && context[k] !== item) k++;
    if (k === clicks) context[clicks++] = item;
    standing[j] = k;
  }
  return clicks;
}

function isClicked(item: number, clicks: number): boolean {
  for (let k = 0; k < clicks; k++) if (context[k] === item) return true;
  return false;
}

/**
 * Lists the target and what was drawn against it, each item once, with how often they are proposed in so many draws: an
 * item drawn twice counts twice. The target itself is no negative: it would be pushed from where the loss pulls it.
 * Returns how many are listed.
 */
function drawNegatives(state: Embedding, target: number, negatives: number): number {
  const { ids, proposals } = state.rows;
  const { counts, length } = state.recent;
  const fromRecent = drawBehind(ids, state, negatives);
  places.fill(0);
  ids[0] = target;
  times[0] = 1;
  let listed = 1;
  for (let n = 1; n <= negatives; n++) {
    const drawn = ids[n];
    if (drawn === target || drawn < 0) continue;
    let place = drawn & (PLACES - 1);
    while (places[place] !== 0 && ids[places[place]] !== drawn) place = (place + 1) & (PLACES - 1);
    const at = places[place];
    if (at !== 0) {
      times[at]++;
      continue;
    }
    places[place] = listed;
    ids[listed] = drawn;
    times[listed++] = 1;
  }
  const ofRecent = fromRecent / Math.max(1, length);
  const ofSeen = (negatives - fromRecent) / state.seen.count;
  for (let i = 0; i < listed; i++) proposals[i] = (ofRecent * counts[ids[i]] + ofSeen) / times[i];
  return listed;
}

/**
 * Draws behind the first id; returns how many of the draws were from the recent events. It does nothing else in its loops:
 * what is drawn is far from the processor, and so comes side by side.
 */
function drawBehind(ids: Int32Array, { random, recent, seen: { list, count } }: Embedding, negatives: number): number {
  const { items, length } = recent;
  const fromRecent = length > 0 ? Math.round(RECENT_SHARE * negatives) : 0;
  drawInto(ids, 1, fromRecent + 1, items, length, random);
  drawInto(ids, fromRecent + 1, negatives + 1, list, count, random);
  return fromRecent;
}

/** By the last bits of an item: its place in the list, 0 for none. */
const PLACES = 1_024;
const places = new Uint8Array(PLACES);

export function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let k = 0; k < DIMENSIONS; k++) sum += a[k] * b[k];
  return sum;
}

/** Scales to length one and returns the length it had; a zero vector stays zero. */
export function normalize(vector: Float32Array): number {
  const length = Math.sqrt(dot(vector, vector));
  if (!(length > 1e-12)) return 0;
  for (let k = 0; k < DIMENSIONS; k++) vector[k] /= length;
  return length;
}
