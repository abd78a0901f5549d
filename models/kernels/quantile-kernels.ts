/**
 * The loops under what experts say of a SKU (`quantile-workspace.ts` runs them): two numbers at a time, and without a branch on what they are.
 *
 *   sort     up to 32 sizes, by counting for each how many are smaller
 *   weigh    mid-points of their cumulated weights by four memories at once, and what a unit of weight is worth between two of them
 *   chances  that there is a sale, by period
 *   hurdles  quantiles of what sells by such a chance: the place of a rank among the mid-points is found by halves
 *   begin    P(0) of negative binomials, and how they go on
 *   counts   their quantiles: for each probability, how many of the sums P(0) + … + P(y) are below it
 *
 * Numbers are rounded as a loop in JavaScript would round them. All addresses are bytes of one memory; the sizes' are fixed.
 */
import {
  addInt, and4, andInt, below, int, isZero, kernel, loadInt, loop, loopWhile, repeatWhile, select4, seq, shift, storeInt, subtractInt4, sumOfInt4, timesInt,
  type Code, type Kernel,
} from './assembler.js';
import {
  add2, addDouble, below2, belowDouble, constant2, divide2, divideDouble, double, load2, loadDouble, negative2, nothing2, spread2, store2, storeDouble,
  storeFirst, subtract2, subtractDouble, times2, timesDouble,
} from './doubles.js';
import { exponential, exponentialLessOne, logarithmOfMore } from './exponentials.js';

export const DOUBLE = 8;
const PAIR = 2 * DOUBLE;
export const MOST_SIZES = 32;
/** Memories that sizes are weighed by. */
export const MEMORIES = 4;
const BY_MEMORY = MEMORIES * DOUBLE;
/** How many sales ago a size was stands in its last bits, which a 32-bit float leaves empty: among equals the newest comes first. */
const AGES = MOST_SIZES - 1;

/** Before the first size there is one more as large, and behind the last mid-point none is reached. */
const PLACES = MOST_SIZES + 2;
const MEMORY_AT = MOST_SIZES * DOUBLE;
const UNITS_AT = MEMORY_AT + MOST_SIZES * BY_MEMORY;
const KNOTS_AT = UNITS_AT + PLACES * DOUBLE;
const SLOPES_AT = KNOTS_AT + PLACES * BY_MEMORY;
const WEIGHT_AT = SLOPES_AT + PLACES * BY_MEMORY;
const MEAN_AT = WEIGHT_AT + BY_MEMORY;
/** Sizes as they are kept; weights by how many sales ago; by memory the whole weight and the mean size; what lies behind is the caller's. */
export const AT = { keys: 0, memories: MEMORY_AT, weight: WEIGHT_AT, mean: MEAN_AT, free: MEAN_AT + BY_MEMORY } as const;

/** `end` is that of the sizes among the keys; behind it there are infinities. */
const sort = kernel('sort', ['i32'], (body, end) => {
  const key = body.local('i32');
  const [smaller, value] = body.locals('v128', 2);
  const pairs = Array.from({ length: MOST_SIZES / 2 }, (_, j) => smaller.set(subtractInt4(smaller.get, below2(load2(int(AT.keys), j * PAIR), value.get))));
  return seq(key.set(int(AT.keys)), repeatWhile(below(key.get, end.get), seq(
    value.set(spread2(loadDouble(key.get))),
    smaller.set(nothing2),
    ...pairs,
    // Both halves of a double have counted.
    storeDouble(shift(sumOfInt4(smaller), 2), loadDouble(key.get), UNITS_AT + DOUBLE),
    key.set(addInt(key.get, int(DOUBLE))),
  )));
});

/** So many bytes of sorted sizes. */
const weigh = kernel('weigh', ['i32'], (body, bytes) => {
  const [size, place, word, weights] = body.locals('i32', 4);
  const [units, more, half, endless] = body.locals('v128', 4);
  const pairs = [0, PAIR].map((of) => {
    const [sum, mean, before, at, weight] = body.locals('v128', 5);
    return { of, sum, mean, before, at, weight };
  });
  const each = (write: (pair: (typeof pairs)[number]) => Code): Code => seq(...pairs.map(write));
  return seq(
    half.set(spread2(double(0.5))),
    size.set(int(0)),
    place.set(int(BY_MEMORY)),
    repeatWhile(below(size.get, bytes.get), seq(
      word.set(loadInt(addInt(size.get, int(UNITS_AT + DOUBLE)))),
      weights.set(shift(andInt(word.get, int(AGES)), 5)),
      storeInt(addInt(size.get, int(UNITS_AT + DOUBLE)), andInt(word.get, int(~AGES))),
      more.set(spread2(loadDouble(size.get, UNITS_AT + DOUBLE))),
      // Of the first one there is no slope before it.
      [...size.get, 0x45, 0x04, 0x40, ...units.set(more.get), ...storeDouble(int(UNITS_AT), loadDouble(size.get, UNITS_AT + DOUBLE)), 0x0b],
      each(({ of, sum, mean, before, at, weight }) => seq(
        weight.set(load2(weights.get, MEMORY_AT + of)),
        at.set(add2(sum.get, times2(weight.get, half.get))),
        store2(place.get, at.get, KNOTS_AT + of),
        store2(place.get, divide2(subtract2(more.get, units.get), subtract2(at.get, before.get)), SLOPES_AT + of),
        sum.set(add2(sum.get, weight.get)),
        mean.set(add2(mean.get, times2(more.get, weight.get))),
        before.set(at.get),
      )),
      units.set(more.get),
      size.set(addInt(size.get, int(DOUBLE))),
      place.set(addInt(place.get, int(BY_MEMORY))),
    )),
    each(({ of, sum, mean }) => seq(
      store2(int(AT.weight), sum.get, of),
      store2(int(AT.mean), divide2(mean.get, sum.get), of),
      store2(place.get, nothing2, SLOPES_AT + of),
    )),
    endless.set(spread2(double(Infinity))),
    repeatWhile(below(place.get, int(PLACES * BY_MEMORY)), seq(
      each(({ of }) => store2(place.get, endless.get, KNOTS_AT + of)),
      place.set(addInt(place.get, int(BY_MEMORY))),
    )),
  );
});

/** By the memory that is so many bytes behind the first; chances and factors of `count` periods, `n` bytes of probabilities, answers `stride` bytes apart. */
const hurdles = kernel('hurdles', ['i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32'], (body, memory, chances, factors, count, probabilities, n, out, stride) => {
  const [t, p, place] = body.locals('i32', 3);
  const [sale, factor, quiet, weight, rank] = [body.local('f64'), body.local('f64'), body.local('f64'), body.local('f64'), body.local('f64')];
  const knots = (offset: number): Code => loadDouble(addInt(memory.get, place.get), KNOTS_AT + offset);
  const halves = [16, 8, 4, 2, 1, 1].map((step) => place.set(addInt(place.get, shift(belowDouble(knots(step * BY_MEMORY), rank.get), 5 + Math.log2(step)))));
  const probability = loadDouble(addInt(probabilities.get, p.get));
  const at = addInt(out.get, p.get);
  const units = loadDouble([...place.get, ...int(2), 0x76], UNITS_AT);
  const next = p.set(addInt(p.get, int(DOUBLE)));
  return loop(t, count.get, DOUBLE, seq(
    sale.set(loadDouble(addInt(chances.get, t.get))),
    factor.set(loadDouble(addInt(factors.get, t.get))),
    quiet.set(subtractDouble(double(1), sale.get)),
    weight.set(divideDouble(loadDouble(memory.get, WEIGHT_AT), sale.get)),
    p.set(int(0)),
    loopWhile(andInt(below(p.get, n.get), isZero(belowDouble(quiet.get, probability))), seq(storeDouble(at, double(0)), next)),
    loopWhile(below(p.get, n.get), seq(
      rank.set(timesDouble(subtractDouble(probability, quiet.get), weight.get)),
      place.set(int(0)),
      ...halves,
      storeDouble(at, timesDouble(addDouble(units, timesDouble(subtractDouble(rank.get, knots(0)), loadDouble(addInt(memory.get, place.get), SLOPES_AT + BY_MEMORY))), factor.get)),
      next,
    )),
    out.set(addInt(out.get, stride.get)),
  ));
});

/** By an exposure for each period: chances of a sale 1 − e^(−λ e), and factors e · ordinary / chance, where `ordinary` is the chance at e = 1. */
const chances = kernel('chances', ['f64', 'f64', 'i32', 'i32', 'i32', 'i32'], (body, lambda, ordinary, exposures, out, factors, count) => {
  const t = body.local('i32');
  const [exposure, lambdas, ordinaries, x, sale, sure] = body.locals('v128', 6);
  return seq(
    lambdas.set(negative2(spread2(lambda.get))),
    ordinaries.set(spread2(ordinary.get)),
    sure.set(below2(constant2(1e-9), ordinaries.get)),
    loop(t, count.get, PAIR, seq(
      exposure.set(load2(addInt(exposures.get, t.get))),
      x.set(times2(lambdas.get, exposure.get)),
      exponentialLessOne(body, x, sale),
      sale.set(subtract2(nothing2, sale.get)),
      store2(addInt(out.get, t.get), sale.get),
      store2(addInt(factors.get, t.get), select4(
        divide2(times2(exposure.get, ordinaries.get), sale.get), constant2(1), and4(sure.get, below2(constant2(1e-9), sale.get)),
      )),
    )),
  );
});

/**
 * Of a walk: mean and dispersion; P(0), factor and shape of its steps and whether the shape grows, which follow from them; units a count; and the
 * address of its quantiles. Walk by walk, each of these in an array of its own, all of which are equally long.
 */
export const WALK = { mean: 0, dispersion: 1, mass: 2, success: 3, shape: 4, growth: 5, unit: 6, out: 7, length: 8 } as const;
/** A sum that has not reached its probability by then is in a tail that doubles cannot see. */
export const MOST_STEPS = 100_000;
/** A walk ends before certainty. */
export const MOST_PROBABILITY = 1 - 1e-9;
/** Excess variance of which nothing is seen beside Poisson's. */
export const POISSON = 1e-9;

/** What follows from mean and dispersion; arrays are `apart` bytes from each other. */
const begin = kernel('begin', ['i32', 'i32', 'i32'], (body, walks, count, apart) => {
  const i = body.local('i32');
  const [mean, dispersion, excess, logarithm, mass, poisson] = body.locals('v128', 6);
  const of = (field: keyof typeof WALK): Code => addInt(addInt(walks.get, i.get), timesInt(apart.get, int(WALK[field])));
  return loop(i, count.get, PAIR, seq(
    mean.set(load2(of('mean'))),
    dispersion.set(load2(of('dispersion'))),
    excess.set(times2(dispersion.get, mean.get)),
    poisson.set(below2(excess.get, constant2(POISSON))),
    logarithmOfMore(body, excess, logarithm),
    logarithm.set(negative2(select4(mean.get, divide2(logarithm.get, dispersion.get), poisson.get))),
    exponential(body, logarithm, mass),
    store2(of('mass'), mass.get),
    store2(of('success'), select4(mean.get, divide2(excess.get, add2(constant2(1), excess.get)), poisson.get)),
    store2(of('shape'), select4(constant2(1), divide2(constant2(1), dispersion.get), poisson.get)),
    store2(of('growth'), select4(nothing2, constant2(1), poisson.get)),
  ));
});

/** Takes the walks that have begun, at `n` probabilities. */
function counts(n: number): Kernel {
  return kernel('counts', ['i32', 'i32', 'i32', 'i32'], (body, walks, end, apart, probabilities) => {
    const [mass, success, shape, growth, count, sum, before, last] = Array.from({ length: 8 }, () => body.local('f64'));
    const [one, sums, unit] = body.locals('v128', 3);
    const wanted = body.locals('v128', Math.ceil(n / 2));
    const reached = body.locals('v128', wanted.length);
    const at = (field: keyof typeof WALK): Code => addInt(walks.get, timesInt(apart.get, int(WALK[field])));
    const of = (field: keyof typeof WALK): Code => loadDouble(at(field));
    const out = (j: number): Code => (2 * j + 1 < n ? store2 : storeFirst)(loadInt(at('out')), times2(reached[j].get, unit.get), j * PAIR);
    return seq(
      one.set(spread2(double(1))),
      ...wanted.map((pair, j) => pair.set(load2(probabilities.get, j * PAIR))),
      last.set(loadDouble(probabilities.get, (n - 1) * DOUBLE)),
      repeatWhile(below(walks.get, end.get), seq(
        mass.set(of('mass')), success.set(of('success')), shape.set(of('shape')), growth.set(of('growth')), unit.set(spread2(of('unit'))),
        count.set(double(0)),
        sum.set(mass.get),
        ...reached.map((pair) => pair.set(nothing2)),
        repeatWhile(andInt(belowDouble(before.get, last.get), belowDouble(count.get, double(MOST_STEPS))), seq(
          sums.set(spread2(sum.get)),
          ...reached.map((pair, j) => pair.set(add2(pair.get, and4(below2(sums.get, wanted[j].get), one.get)))),
          mass.set(timesDouble(mass.get, divideDouble(timesDouble(success.get, addDouble(shape.get, timesDouble(count.get, growth.get))), addDouble(count.get, double(1))))),
          count.set(addDouble(count.get, double(1))),
          before.set(sum.get),
          sum.set(addDouble(sum.get, mass.get)),
        )),
        ...reached.map((_, j) => out(j)),
        walks.set(addInt(walks.get, int(DOUBLE))),
      )),
    );
  });
}

/** All of them, for so many probabilities. */
export const quantileKernels = (n: number): Kernel[] => [sort, weigh, chances, hurdles, begin, counts(n)];
export const QUANTILE_KERNELS = ['sort', 'weigh', 'chances', 'hurdles', 'begin', 'counts'] as const;
