/**
 * Kernels over columns of features, four candidates at a time: what is the same arithmetic for each of them.
 *
 * Columns are given by their byte addresses and taken in whole fours.
 */
import { add4, addInt, int, kernel, load4, loadSpread4, loop, seq, shift, spread4, store4, times4, type Code, type Local } from './assembler.js';

const entry = (base: Local, c: Local): Code => addInt(base.get, shift(c.get, 2));

/** to = from·factor + offset */
const affine = kernel('affine', ['i32', 'i32', 'i32', 'f32', 'f32'], (body, from, to, n, factor, offset) => {
  const c = body.local('i32');
  const [by, plus] = body.locals('v128', 2);
  return seq(
    by.set(spread4(factor.get)),
    plus.set(spread4(offset.get)),
    loop(c, n.get, 4, store4(entry(to, c), add4(times4(load4(entry(from, c)), by.get), plus.get))),
  );
});

/** to = from + other·factor */
const combine = kernel('combine', ['i32', 'i32', 'i32', 'i32', 'f32'], (body, from, other, to, n, factor) => {
  const c = body.local('i32');
  const by = body.local('v128');
  return seq(
    by.set(spread4(factor.get)),
    loop(c, n.get, 4, store4(entry(to, c), add4(load4(entry(from, c)), times4(load4(entry(other, c)), by.get)))),
  );
});

/** Fills `many` columns of a stride from `to` on, each with the float at its place behind `from`. */
export const repeat = (stride: number) => kernel('repeat', ['i32', 'i32', 'i32', 'i32'], (body, from, to, many, n) => {
  const [k, c, value, column] = body.locals('i32', 4);
  const lanes = body.local('v128');
  return seq(
    value.set(from.get),
    column.set(to.get),
    loop(k, many.get, 1, seq(
      lanes.set(loadSpread4(value.get)),
      loop(c, n.get, 4, store4(entry(column, c), lanes.get)),
      value.set(addInt(value.get, int(4))),
      column.set(addInt(column.get, int(stride))),
    )),
  );
});

export const FEATURE_KERNELS = [affine, combine];
