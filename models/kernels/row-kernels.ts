/**
 * The loops over unit rows of 64 floats, four lanes at a time, that `rows.ts` runs: products, sums and one learning step.
 *
 * All addresses are bytes of one memory: a workspace of fixed size, then the rows. A row takes 68 floats, the last four
 * for the sum of its squared gradients, the path it has moved, and two spare ones; of int8 it takes 68 bytes.
 */
import {
  add, add4, addInt, divide, float, int, kernel, larger, load4, loadFloat, loadInt, loadSpread4, loop, root, seq, shift, spread4, store4,
  storeFloat, subtract, subtract4, sumOf4, times, times4, timesInt,
  type Body, type Code, type Kernel, type Local,
} from './assembler.js';
import * as int8 from './int8-rows.js';

export const DIMENSIONS = 64;
/** Floats from one row to the next. */
export const ROW = 68;
export const SQUARES = 64;
export const MOVED = 65;
const LANES = DIMENSIONS / 4;
/** Under the root of AdaGrad: a row's first step is at most the rate divided by 0.01. */
const EPSILON = 1e-4;

/** Byte addresses of the workspace; 256 entries each, and the rows behind it. */
export const AT = { ids: 0, weights: 1024, out: 2048, user: 3072, gradient: 3328, users: 3584, outs: 4352, rows: 7424 } as const;
export const MOST_IDS = 256;
export const USERS = 3;

function dotInto(a: Local, b: Local, left: (lane: number) => Code, right: (lane: number) => Code): Code {
  const parts: Code[] = [a.set(times4(left(0), right(0))), b.set(times4(left(1), right(1)))];
  for (let lane = 2; lane < LANES; lane++) {
    const sum = lane % 2 === 0 ? a : b;
    parts.push(sum.set(add4(sum.get, times4(left(lane), right(lane)))));
  }
  parts.push(a.set(add4(a.get, b.get)));
  return seq(...parts);
}

const eachLane = (write: (lane: number) => Code): Code => seq(...Array.from({ length: LANES }, (_, lane) => write(lane)));
const entry = (base: Code, i: Local): Code => addInt(base, shift(i.get, 2));
const rowAt = (ids: Local, i: Local, bytes = ROW * 4): Code => addInt(int(AT.rows), timesInt(loadInt(entry(ids.get, i)), int(bytes)));
const laneOf = (row: Local) => (lane: number): Code => load4(row.get, lane * 16);
const held = (registers: readonly Local[]) => (lane: number): Code => registers[lane].get;

function hold(body: Body, source: Local): { registers: Local[]; load: Code } {
  const registers = body.locals('v128', LANES);
  return { registers, load: eachLane((lane) => registers[lane].set(load4(source.get, lane * 16))) };
}

/** out[i] = rows[ids[i]]·u */
const dots = kernel('dots', ['i32', 'i32', 'i32', 'i32'], (body, ids, n, u, out) => {
  const [i, row] = body.locals('i32', 2);
  const [a, b] = body.locals('v128', 2);
  const { registers, load } = hold(body, u);
  return seq(load, loop(i, n.get, 1, seq(
    row.set(rowAt(ids, i)),
    dotInto(a, b, held(registers), laneOf(row)),
    storeFloat(entry(out.get, i), sumOf4(a)),
  )));
});

/** outs[k][i] = rows[ids[i]]·users[k] for three: a row is fetched once, which takes longer than the arithmetic. */
const dotsOfThree = (bytes: number, lanesOf: (row: Local) => (lane: number) => Code, scaled: (row: Local, sum: Code) => Code): Kernel =>
  kernel('dotsOfThree', ['i32', 'i32', 'i32', 'i32'], (body, ids, n, users, outs) => {
    const [i, row, out] = body.locals('i32', 3);
    const value = body.local('v128');
    const sums = body.locals('v128', USERS);
    const user = (k: number, lane: number): Code => load4(users.get, (k * DIMENSIONS + lane * 4) * 4);
    return loop(i, n.get, 1, seq(
      row.set(rowAt(ids, i, bytes)),
      out.set(entry(outs.get, i)),
      eachLane((lane) => seq(
        value.set(lanesOf(row)(lane)),
        ...sums.map((sum, k) => sum.set(lane === 0 ? times4(value.get, user(k, lane)) : add4(sum.get, times4(value.get, user(k, lane))))),
      )),
      ...sums.map((sum, k) => storeFloat(out.get, scaled(row, sumOf4(sum)), k * MOST_IDS * 4)),
    ));
  });

/** out[i] = rows[first + i]·u, for rows that lie one behind the other from an address on. */
const dotsInOrder = kernel('dotsInOrder', ['i32', 'i32', 'i32', 'i32'], (body, from, n, u, out) => {
  const [i, row] = body.locals('i32', 2);
  const [a, b] = body.locals('v128', 2);
  const { registers, load } = hold(body, u);
  return seq(load, row.set(from.get), loop(i, n.get, 1, seq(
    dotInto(a, b, held(registers), laneOf(row)),
    storeFloat(entry(out.get, i), sumOf4(a)),
    row.set(addInt(row.get, int(ROW * 4))),
  )));
});

/** out = Σ_i weights[i]·rows[ids[i]] */
const weightedSum = kernel('weightedSum', ['i32', 'i32', 'i32', 'i32'], (body, ids, n, weights, out) => {
  const [i, row] = body.locals('i32', 2);
  const weight = body.local('v128');
  const sums = body.locals('v128', LANES);
  return seq(
    eachLane((lane) => sums[lane].set(spread4(float(0)))),
    loop(i, n.get, 1, seq(
      row.set(rowAt(ids, i)),
      weight.set(loadSpread4(entry(weights.get, i))),
      eachLane((lane) => sums[lane].set(add4(sums[lane].get, times4(weight.get, laneOf(row)(lane))))),
    )),
    eachLane((lane) => store4(out.get, sums[lane].get, lane * 16)),
  );
});

/**
 * rows[ids[i]] take one AdaGrad step against the gradient g[i]·u, along the sphere; out[i] = rows[ids[i]]·u before it.
 *   tangent² = g²·(u·u − z²), squares += tangent², r = rate/√(squares + ε)
 *   row' = row·(1 + r·g·z) − r·g·u, scaled to length one
 * The new length comes from row·row, z and u·u without another pass. It must start from the true row·row: taking the row
 * for a unit row doubles its rounding error at each step, and a row that lies near u is infinite within a few dozen.
 */
const descend = kernel('descend', ['i32', 'i32', 'i32', 'i32', 'i32', 'f32'], (body, ids, n, u, g, out, rate) => {
  const [i, row] = body.locals('i32', 2);
  const [a, b] = body.locals('v128', 2);
  const [uu, rr, z, gi, tangent, r, keep, take, length] = body.locals('f32', 9);
  const { registers, load } = hold(body, u);
  return seq(
    load,
    dotInto(a, b, held(registers), held(registers)),
    uu.set(sumOf4(a)),
    loop(i, n.get, 1, seq(
      row.set(rowAt(ids, i)),
      dotInto(a, b, held(registers), laneOf(row)),
      z.set(sumOf4(a)),
      storeFloat(entry(out.get, i), z.get),
      dotInto(a, b, laneOf(row), laneOf(row)),
      rr.set(sumOf4(a)),
      gi.set(loadFloat(entry(g.get, i))),
      tangent.set(times(times(gi.get, gi.get), larger(float(0), subtract(uu.get, times(z.get, z.get))))),
      r.set(add(loadFloat(row.get, SQUARES * 4), tangent.get)),
      storeFloat(row.get, r.get, SQUARES * 4),
      r.set(divide(rate.get, root(add(r.get, float(EPSILON))))),
      storeFloat(row.get, add(loadFloat(row.get, MOVED * 4), times(r.get, root(tangent.get))), MOVED * 4),
      take.set(times(r.get, gi.get)),
      keep.set(add(float(1), times(take.get, z.get))),
      length.set(root(larger(float(1e-12), add(
        subtract(times(times(keep.get, keep.get), rr.get), times(float(2), times(times(keep.get, take.get), z.get))),
        times(times(take.get, take.get), uu.get),
      )))),
      a.set(spread4(divide(keep.get, length.get))),
      b.set(spread4(divide(take.get, length.get))),
      eachLane((lane) => store4(row.get, subtract4(times4(a.get, laneOf(row)(lane)), times4(b.get, registers[lane].get)), lane * 16)),
    )),
  );
});

/** `dots` and `weightedSum` of int8 rows: the scale is put on last and first. */
const dots8 = kernel('dots', ['i32', 'i32', 'i32', 'i32'], (body, ids, n, u, out) => {
  const [i, row] = body.locals('i32', 2);
  const [a, b] = body.locals('v128', 2);
  const { registers, load } = hold(body, u);
  return seq(load, loop(i, n.get, 1, seq(
    row.set(rowAt(ids, i, int8.ROW_BYTES)),
    dotInto(a, b, held(registers), int8.laneOf(row)),
    storeFloat(entry(out.get, i), times(sumOf4(a), loadFloat(row.get, int8.SCALE_AT))),
  )));
});

const weightedSum8 = kernel('weightedSum', ['i32', 'i32', 'i32', 'i32'], (body, ids, n, weights, out) => {
  const [i, row] = body.locals('i32', 2);
  const weight = body.local('v128');
  const sums = body.locals('v128', LANES);
  return seq(
    eachLane((lane) => sums[lane].set(spread4(float(0)))),
    loop(i, n.get, 1, seq(
      row.set(rowAt(ids, i, int8.ROW_BYTES)),
      weight.set(spread4(times(loadFloat(entry(weights.get, i)), loadFloat(row.get, int8.SCALE_AT)))),
      eachLane((lane) => sums[lane].set(add4(sums[lane].get, times4(weight.get, int8.laneOf(row)(lane))))),
    )),
    eachLane((lane) => store4(out.get, sums[lane].get, lane * 16)),
  );
});

/** What rows of single precision can do, and what rows of int8 can. */
export const KERNELS = [dots, dotsOfThree(ROW * 4, laneOf, (_, sum) => sum), weightedSum, dotsInOrder, descend];
export const KERNELS8 = [dots8, dotsOfThree(int8.ROW_BYTES, int8.laneOf, (row, sum) => times(sum, loadFloat(row.get, int8.SCALE_AT))), weightedSum8];
