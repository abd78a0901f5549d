/**
 * The loops of one learning step over unit rows (row-kernels.ts has their layout): a user against listed rows, each listed once.
 *
 *   z_i = row_i·u   w = weight·(softmax(scale·z − log proposal) − [target first])   G = Σ w_i·row_i
 *   tangent² = w²·(u·u − z²), squares += tangent², r = rate/√(squares + ε)
 *   row' = row·(1 + r·w·z) − r·w·u, scaled to length one
 *
 * A row is read once for its product and its length, and once to move it. Four
 * rows' coefficients are worked out at a time, so arrays are taken in whole fours: the entries behind the last row are
 * written and mean nothing.
 */
import {
  above4, add, add4, addInt4, and4, divide, divide4, float, floats4, floor4, int, ints4, kernel, larger4, largestOf4, load4, loadFloat, loadSpread4, loop,
  or4, root4, seq, shiftLeft4, shiftRight4, spread4, spreadInt4, store4, storeFloat, subtract, subtract4, sumOf4, times4,
  type Code, type Local,
} from './assembler.js';
import { AT, eachLane, entry, fetched, laneOf, LANES, MOVED, ROW, rowAt, SQUARES } from './row-kernels.js';

/** Under the root of AdaGrad: a row's first step is at most the rate divided by 0.01. */
const EPSILON = 1e-4;
const LN2 = Math.LN2;

/** out[i] = rows[ids[i]]·u, lengths[i] = the row's with itself, squares[i] = what the row has gathered */
const compare = kernel('compare', ['i32', 'i32', 'i32'], (body, ids, n, u) => {
  const [i, row] = body.locals('i32', 2);
  const value = body.local('v128');
  const [z, other, own, twin] = body.locals('v128', 4);
  return seq(fetched(body, ids, n, ROW * 4), loop(i, n.get, 1, seq(
    row.set(rowAt(ids, i)),
    eachLane((lane) => {
      const [product, square] = lane % 2 === 0 ? [z, own] : [other, twin];
      const multiplied = times4(value.get, load4(u.get, lane * 16));
      const squared = times4(value.get, value.get);
      return seq(
        value.set(laneOf(row)(lane)),
        product.set(lane < 2 ? multiplied : add4(product.get, multiplied)),
        square.set(lane < 2 ? squared : add4(square.get, squared)),
      );
    }),
    z.set(add4(z.get, other.get)),
    own.set(add4(own.get, twin.get)),
    storeFloat(entry(int(AT.out), i), sumOf4(z)),
    storeFloat(entry(int(AT.lengths), i), sumOf4(own)),
    storeFloat(entry(int(AT.squares), i), loadFloat(row.get, SQUARES * 4)),
  )));
});

/** ln of four positive floats, by the polynomial of numbers.ts in single precision. */
function logOf4(value: Local, m: Local, sum: Local): Code {
  const [first, ...rest] = [-0.025285505437947053, 0.12010025759851918, -0.27596895490594653, 0.45654040993211104, -0.7179134798411281, 1.4425272726543914];
  return seq(
    m.set(subtract4(or4(and4(value.get, spreadInt4(int(0x7fffff))), spreadInt4(int(0x3f800000))), spread4(float(1)))),
    sum.set(spread4(float(first))),
    ...rest.map((part) => sum.set(add4(times4(sum.get, m.get), spread4(float(part))))),
    value.set(floats4(addInt4(shiftRight4(value.get, 23), spreadInt4(int(-127))))),
    value.set(times4(add4(value.get, times4(m.get, sum.get)), spread4(float(LN2)))),
  );
}

/** e^x of four floats of at most 0, by the polynomial of numbers.ts in single precision; 0 where 2^−120 is not reached. */
function expOf4(value: Local, part: Local, sum: Local): Code {
  const [first, ...rest] = [0.013689455200785128, 0.05176605525529147, 0.241539608452332, 0.6930048810915914, 1];
  return seq(
    value.set(larger4(times4(value.get, spread4(float(1 / LN2))), spread4(float(-120)))),
    part.set(subtract4(value.get, floor4(value.get))),
    sum.set(spread4(float(first))),
    ...rest.map((factor) => sum.set(add4(times4(sum.get, part.get), spread4(float(factor))))),
    part.set(shiftLeft4(addInt4(ints4(floor4(value.get)), spreadInt4(int(127))), 23)),
    value.set(and4(times4(part.get, sum.get), above4(value.get, spread4(float(-120))))),
  );
}

/** weights[i] = weight·(softmax(scale·out − ln proposals)[i] − [i = 0]); behind the n-th, where `out` must be far below the rest, 0. */
const softmax = kernel('softmax', ['i32', 'f32', 'f32'], (body, n, scale, weight) => {
  const c = body.local('i32');
  const [value, m, sum, most, factor] = body.locals('v128', 5);
  const at = (base: number): Code => entry(int(base), c);
  return seq(
    most.set(spread4(float(-1e30))),
    factor.set(spread4(scale.get)),
    loop(c, n.get, 4, seq(
      value.set(load4(at(AT.proposals))),
      logOf4(value, m, sum),
      value.set(subtract4(times4(load4(at(AT.out)), factor.get), value.get)),
      most.set(larger4(most.get, value.get)),
      store4(at(AT.weights), value.get),
    )),
    factor.set(spread4(largestOf4(most))),
    most.set(spread4(float(0))),
    loop(c, n.get, 4, seq(
      value.set(subtract4(load4(at(AT.weights)), factor.get)),
      expOf4(value, m, sum),
      most.set(add4(most.get, value.get)),
      store4(at(AT.weights), value.get),
    )),
    factor.set(spread4(divide(weight.get, sumOf4(most)))),
    loop(c, n.get, 4, store4(at(AT.weights), times4(load4(at(AT.weights)), factor.get))),
    storeFloat(int(AT.weights), subtract(loadFloat(int(AT.weights)), weight.get)),
  );
});

/** By `out`, `lengths`, `squares` and `weights`: keep[i] and take[i], with which row' = keep·row − take·u; new squares; the path to go into `lengths`. */
const coefficients = kernel('coefficients', ['i32', 'i32', 'f32'], (body, n, u, rate) => {
  const c = body.local('i32');
  const [uu, z, g, tangent, r, keep, length] = body.locals('v128', 7);
  const at = (base: number): Code => entry(int(base), c);
  return seq(
    uu.set(spread4(float(0))),
    eachLane((lane) => uu.set(add4(uu.get, times4(load4(u.get, lane * 16), load4(u.get, lane * 16))))),
    uu.set(spread4(sumOf4(uu))),
    loop(c, n.get, 4, seq(
      z.set(load4(at(AT.out))),
      g.set(load4(at(AT.weights))),
      tangent.set(times4(times4(g.get, g.get), larger4(spread4(float(0)), subtract4(uu.get, times4(z.get, z.get))))),
      r.set(add4(load4(at(AT.squares)), tangent.get)),
      store4(at(AT.squares), r.get),
      r.set(divide4(spread4(rate.get), root4(add4(r.get, spread4(float(EPSILON)))))),
      g.set(times4(r.get, g.get)),
      keep.set(add4(spread4(float(1)), times4(g.get, z.get))),
      // Of the true length of the row: taking it for one doubles its rounding error at each step, and a row that lies near u is infinite within a few dozen.
      length.set(subtract4(times4(times4(keep.get, keep.get), load4(at(AT.lengths))), times4(spread4(float(2)), times4(times4(keep.get, g.get), z.get)))),
      length.set(root4(larger4(spread4(float(1e-12)), add4(length.get, times4(times4(g.get, g.get), uu.get))))),
      store4(at(AT.lengths), times4(r.get, root4(tangent.get))),
      store4(at(AT.keep), divide4(keep.get, length.get)),
      store4(at(AT.take), divide4(g.get, length.get)),
    )),
  );
});

/** to = Σ weights[i]·rows[ids[i]] as they were; then each row is moved. Half of the dimensions at a time, whose sums fit into registers. */
const move = kernel('move', ['i32', 'i32', 'i32', 'i32'], (body, ids, n, u, to) => {
  const [i, row] = body.locals('i32', 2);
  const [value, weight, keep, take] = body.locals('v128', 4);
  const sums = body.locals('v128', LANES / 2);
  const half = (from: number): Code => seq(
    ...sums.map((sum) => sum.set(spread4(float(0)))),
    loop(i, n.get, 1, seq(
      row.set(rowAt(ids, i)),
      weight.set(loadSpread4(entry(int(AT.weights), i))),
      keep.set(loadSpread4(entry(int(AT.keep), i))),
      take.set(loadSpread4(entry(int(AT.take), i))),
      ...sums.map((sum, k) => seq(
        value.set(laneOf(row)(from + k)),
        sum.set(add4(sum.get, times4(weight.get, value.get))),
        store4(row.get, subtract4(times4(keep.get, value.get), times4(take.get, load4(u.get, (from + k) * 16))), (from + k) * 16),
      )),
    )),
    ...sums.map((sum, k) => store4(to.get, sum.get, (from + k) * 16)),
  );
  return seq(
    half(0),
    half(LANES / 2),
    loop(i, n.get, 1, seq(
      row.set(rowAt(ids, i)),
      storeFloat(row.get, loadFloat(entry(int(AT.squares), i)), SQUARES * 4),
      storeFloat(row.get, add(loadFloat(row.get, MOVED * 4), loadFloat(entry(int(AT.lengths), i))), MOVED * 4),
    )),
  );
});

/** gradient = (gradient − (gradient·u)·u)/length: the part that turns a vector which had that length before it was scaled to u */
const project = kernel('project', ['i32', 'i32', 'f32'], (body, gradient, u, length) => {
  const [a, factor] = body.locals('v128', 2);
  const lanes = body.locals('v128', LANES);
  return seq(
    a.set(spread4(float(0))),
    eachLane((lane) => seq(lanes[lane].set(load4(gradient.get, lane * 16)), a.set(add4(a.get, times4(lanes[lane].get, load4(u.get, lane * 16)))))),
    a.set(spread4(sumOf4(a))),
    factor.set(spread4(length.get)),
    eachLane((lane) => store4(gradient.get, divide4(subtract4(lanes[lane].get, times4(a.get, load4(u.get, lane * 16))), factor.get), lane * 16)),
  );
});

export const STEP_KERNELS = [compare, softmax, coefficients, move, project];
