/**
 * e^x, e^x − 1 and ln(1 + x) of two doubles at a time, as the code of kernels.
 *
 * They are those of fdlibm, step by step: same tables, same order, so that they answer what `Math.exp`, `Math.expm1` and `Math.log1p` do to the
 * last bit in today's engine, and what they do today in any later one. What fdlibm tells apart by branches is told apart by masks, within what
 * is asked here: x of −700 to 0 of the first, up to 0 of the second, and from 0 on of the third.
 * Source: fdlibm 5.3 (Sun Microsystems 1993), e_exp.c, s_expm1.c and s_log1p.c.
 */
import { and4, or4, select4, seq, type Body, type Code, type Local } from './assembler.js';
import {
  add2, addBits2, below2, bits2, constant2, divide2, larger2, negative2, nothing2, shiftLeft2, shiftRight2, subtract2, times2, whole2,
} from './doubles.js';

const one = constant2(1);
const half = constant2(0.5);
const LN2_HIGH = constant2(6.93147180369123816490e-01);
const LN2_LOW = constant2(1.90821492927058770002e-10);
/** Adding it leaves a small whole number in the last bits. */
const WHOLE = constant2(1.5 * 2 ** 52);
/** Half of ln 2, in its first 32 bits: below it nothing is taken from x. */
const NEAR = bits2(0x3fd62e43);

/** c0 + x (c1 + x (c2 + …)) */
const polynomial = (x: Local, [first, ...others]: readonly number[]): Code =>
  others.length === 0 ? constant2(first) : add2(constant2(first), times2(x.get, polynomial(x, others)));

/** x ≤ 0 as k ln 2 + (high − low), high − low at most half of ln 2 in size. */
function reduce(x: Local, { k, high, low }: Record<'k' | 'high' | 'low', Local>): Code {
  return seq(
    k.set(select4(nothing2, whole2(subtract2(times2(constant2(1.44269504088896338700), x.get), half)), below2(negative2(x.get), NEAR))),
    high.set(subtract2(x.get, times2(k.get, LN2_HIGH))),
    low.set(times2(k.get, LN2_LOW)),
  );
}

const powerOfTwo = (k: Local): Code => addBits2(shiftLeft2(add2(k.get, WHOLE), 52), bits2(0x3ff00000));

const localsOf = <Name extends string>(body: Body, ...names: readonly Name[]): Record<Name, Local> =>
  Object.fromEntries(names.map((name) => [name, body.local('v128')])) as Record<Name, Local>;

/** Puts e^x into `out`, −700 ≤ x ≤ 0. */
export function exponential(body: Body, x: Local, out: Local): Code {
  const { k, high, low, rest, square, c } = localsOf(body, 'k', 'high', 'low', 'rest', 'square', 'c');
  return seq(
    reduce(x, { k, high, low }),
    rest.set(subtract2(high.get, low.get)),
    square.set(times2(rest.get, rest.get)),
    c.set(subtract2(rest.get, times2(square.get, polynomial(square, [
      1.66666666666666019037e-01, -2.77777777770155933842e-03, 6.61375632143793436117e-05, -1.65339022054652515390e-06, 4.13813679705723846039e-08,
    ])))),
    c.set(divide2(times2(rest.get, c.get), subtract2(constant2(2), c.get))),
    square.set(times2(subtract2(one, subtract2(subtract2(low.get, c.get), high.get)), powerOfTwo(k))),
    out.set(select4(add2(one, x.get), square.get, below2(negative2(x.get), constant2(2 ** -28)))),
  );
}

/** Puts e^x − 1 into `out`, x ≤ 0. */
export function exponentialLessOne(body: Body, x: Local, out: Local): Code {
  const { k, high, low, rest, c, halfRest, squares, r, t, e } = localsOf(body, 'k', 'high', 'low', 'rest', 'c', 'halfRest', 'squares', 'r', 't', 'e');
  return seq(
    // Further down it is −1.
    out.set(larger2(x.get, constant2(-700))),
    reduce(out, { k, high, low }),
    rest.set(subtract2(high.get, low.get)),
    c.set(subtract2(subtract2(high.get, rest.get), low.get)),
    halfRest.set(times2(half, rest.get)),
    squares.set(times2(rest.get, halfRest.get)),
    r.set(polynomial(squares, [
      1, -3.33333333333331316428e-02, 1.58730158725481460165e-03, -7.93650757867487942473e-05, 4.00821782732936239552e-06, -2.01099218183624371326e-07,
    ])),
    t.set(subtract2(constant2(3), times2(r.get, halfRest.get))),
    e.set(times2(squares.get, divide2(subtract2(r.get, t.get), subtract2(constant2(6), times2(rest.get, t.get))))),
    e.set(subtract2(subtract2(times2(rest.get, subtract2(e.get, c.get)), c.get), squares.get)),
    rest.set(subtract2(rest.get, e.get)),
    out.set(subtract2(times2(add2(one, rest.get), powerOfTwo(k)), one)),
    out.set(select4(subtract2(times2(half, rest.get), half), out.get, below2(constant2(-1.5), k.get))),
    out.set(select4(rest.get, out.get, below2(constant2(-0.5), k.get))),
  );
}

/** Puts ln(1 + x) into `out`, 0 ≤ x < 2^53. */
export function logarithmOfMore(body: Body, x: Local, out: Local): Code {
  const { u, k, c, f, near, s, z, hfsq, low } = localsOf(body, 'u', 'k', 'c', 'f', 'near', 's', 'z', 'hfsq', 'low');
  const upper = bits2(0x43300000);
  return seq(
    // 1 + x = 2^k u, u between the roots of 1/2 and 2; c is what adding 1 cost.
    u.set(add2(one, x.get)),
    k.set(subtract2(subtract2(or4(shiftRight2(u.get, 52), upper), constant2(2 ** 52)), constant2(1023))),
    c.set(divide2(select4(subtract2(one, subtract2(u.get, x.get)), subtract2(x.get, subtract2(u.get, one)), below2(nothing2, k.get)), u.get)),
    u.set(or4(and4(u.get, bits2(0x000fffff, 0xffffffff)), bits2(0x3ff00000))),
    near.set(below2(u.get, bits2(0x3ff6a09e))),
    k.set(select4(k.get, add2(k.get, one), near.get)),
    u.set(select4(u.get, times2(u.get, half), near.get)),
    near.set(below2(x.get, bits2(0x3fda827a))),
    k.set(select4(nothing2, k.get, near.get)),
    c.set(select4(nothing2, c.get, near.get)),
    f.set(select4(x.get, subtract2(u.get, one), near.get)),
    hfsq.set(times2(times2(half, f.get), f.get)),
    s.set(divide2(f.get, add2(constant2(2), f.get))),
    z.set(times2(s.get, s.get)),
    low.set(add2(times2(k.get, LN2_LOW), c.get)),
    out.set(subtract2(hfsq.get, add2(times2(s.get, add2(hfsq.get, times2(z.get, polynomial(z, [
      6.666666666666735130e-01, 3.999999999940941908e-01, 2.857142874366239149e-01, 2.222219843214978396e-01, 1.818357216161805012e-01,
      1.531383769920937332e-01, 1.479819860511658591e-01,
    ])))), low.get))),
    // Beside a power of two two terms are enough, and for next to nothing one.
    z.set(subtract2(times2(hfsq.get, subtract2(one, times2(constant2(2 / 3), f.get))), low.get)),
    near.set(and4(and4(below2(f.get, constant2(2 ** -20)), below2(constant2(-3 * 2 ** -21 - 2 ** -60), f.get)), below2(half, k.get))),
    out.set(select4(z.get, out.get, near.get)),
    out.set(select4(hfsq.get, out.get, below2(x.get, constant2(2 ** -29)))),
    out.set(subtract2(times2(k.get, LN2_HIGH), subtract2(out.get, f.get))),
  );
}
