import { expect, test } from 'vitest';
import { addInt, assemble, instantiate, int, kernel, loop, newMemory, seq, type Body, type Code, type Local } from '../../../models/kernels/assembler.js';
import { load2, store2 } from '../../../models/kernels/doubles.js';
import { exponential, exponentialLessOne, logarithmOfMore } from '../../../models/kernels/exponentials.js';
import { randomness, uniform } from '../../../models/kernels/numbers.js';

const COUNT = 40_000;

/** What a kernel answers of these values. */
function answers(write: (body: Body, x: Local, out: Local) => Code, values: readonly number[]): Float64Array {
  const memory = newMemory(Math.ceil((values.length * 8) / 65_536));
  const each = kernel('each', ['i32'], (body, end) => {
    const at = body.local('i32');
    const [x, out] = body.locals('v128', 2);
    return loop(at, end.get, 16, seq(x.set(load2(addInt(at.get, int(0)))), write(body, x, out), store2(at.get, out.get)));
  });
  const all = new Float64Array(memory.buffer, 0, values.length);
  all.set(values);
  instantiate(assemble([each]), memory, ['each']).each(values.length * 8);
  return all;
}

/** Values of every size between 10^from and 10^to, and some others. */
function sizes(from: number, to: number, others: readonly number[]): number[] {
  const random = randomness(5);
  return [...others, ...Array.from({ length: COUNT - others.length }, () => 10 ** (from + (to - from) * uniform(random)))];
}

/** In units of the last place. */
const offBy = (found: number, right: number): number => Math.abs(found - right) / Math.max(Number.MIN_VALUE, Math.abs(right) * 2 ** -53);

test.each([
  ['e^x', exponential, Math.exp, sizes(-20, 2.8, [0, 0.34657359, 0.3465736, 1.0397207, 1.0397208, 1, 700]).map((x) => -x)],
  ['e^x − 1', exponentialLessOne, Math.expm1, sizes(-20, 2.8, [0, 0.34657359, 0.3465736, 1.0397207, 1.0397208, 1, 39, 1e9]).map((x) => -x)],
  ['ln(1 + x)', logarithmOfMore, Math.log1p, sizes(-20, 12, [0, 0.41421356, 0.4142136, 1, 1 + 1e-7, 3 - 1e-7, 3, 7, 2 ** -29, 2 ** -30])],
])('%s is that of the engine', (_, write, ofEngine, values) => {
  const found = answers(write, values);
  expect(values.filter((x, i) => !(offBy(found[i], ofEngine(x)) <= 4))).toEqual([]);
});
