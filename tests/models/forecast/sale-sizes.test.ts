import fc from 'fast-check';
import { expect, test } from 'vitest';
import { init, learn, type Bank } from '../../../models/forecast/expert-bank.js';
import { ALL, ask, EXPERTS } from '../../../models/forecast/expert-quantiles.js';
import { workspaceOf, type Workspace } from '../../../models/forecast/quantile-workspace.js';
import { BRISK, LONGEST, SHORT, weighSizes, weightsBySale } from '../../../models/forecast/sale-sizes.js';
import { MEMORIES } from '../../../models/kernels/quantile-kernels.js';

const NINE = Float64Array.of(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9);
/** With some that lie beyond the middle of the smallest and of the largest size. */
const TWELVE = Float64Array.of(0.01, ...NINE, 0.97, 0.999);

/** The row of a SKU that sold so much in each of these periods. */
function sold(units: readonly number[]): Bank {
  const bank = init(1, 7);
  units.forEach((each, period) => learn(bank, 0, each, 1, period % 7));
  return bank;
}

/** Its sizes weighed, for periods of these chances and factors. */
function weighed(bank: Bank, probabilities: Float64Array, chances: readonly number[], factors: readonly number[]): Workspace & { readonly count: number } {
  const workspace = workspaceOf(probabilities, chances.length, EXPERTS.length, 6);
  const count = weighSizes(bank, 0, workspace);
  workspace.chances.set(chances);
  workspace.factors.set(factors);
  return { ...workspace, count };
}

const quantilesOf = ({ quantiles }: Workspace, n: number, period: number): number[] => [...quantiles.subarray(period * EXPERTS.length * n, period * EXPERTS.length * n + n)];

test('a SKU that always sells three has three at every quantile that is no zero', () => {
  const workspace = weighed(sold(Array.from({ length: 60 }, () => 3)), NINE, [0.45, 1], [1, 2]);
  expect(workspace.mean[BRISK]).toBeCloseTo(3, 5);
  workspace.hurdles(BRISK, 0, 2);
  const said = [0, 1].flatMap((period) => quantilesOf(workspace, 9, period));
  expect(said.map((q) => Number(q.toFixed(5)))).toEqual([0, 0, 0, 0, 0, 3, 3, 3, 3, 6, 6, 6, 6, 6, 6, 6, 6, 6]);
});

test('between the mid-points of their weights sizes are interpolated', () => {
  // Of a weight of 1.85 the newer one, four, has 1 with its middle at 0.5, the older one 0.85 with its middle at 1.425; sold every day, sizes are what was sold.
  const workspace = weighed(sold([8, 4]), Float64Array.of(0.5 / 1.85, 0.9625 / 1.85, 1.425 / 1.85), [1], [1]);
  workspace.hurdles(SHORT, 0, 1);
  const [low = NaN, middle = NaN, high = NaN] = quantilesOf(workspace, 3, 0);
  expect(high / low).toBeCloseTo(2, 1);
  expect(middle).toBeCloseTo((low + high) / 2, 9);
  expect(workspace.mean[SHORT]).toBeCloseTo((low + 0.85 * high) / 1.85, 9);
});

test('a SKU that never sold has zeros, whatever its chance, and whoever was asked before it', () => {
  const question = { periods: [{ exposure: 1, phase: 0, ahead: 1 }], probabilities: NINE, asked: ALL };
  expect(Math.max(...ask(sold([3, 4, 5, 6, 7]), 0, question).quantiles)).toBeGreaterThan(0);
  const { quantiles, means } = ask(init(1, 7), 0, question);
  expect([...quantiles.subarray(0, EXPERTS.length * 9), ...means.subarray(0, EXPERTS.length)].every((units) => units === 0)).toBe(true);
});

test('sizes are sorted, weighed and searched as a loop would, however many there are', () => {
  const size = fc.oneof(fc.constantFrom(1, 2, 3), fc.double({ min: 1e-3, max: 1e6, noNaN: true }));
  const chance = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(fc.property(fc.array(size, { minLength: 1, maxLength: 120, size: 'max' }), chance, fc.integer({ min: SHORT, max: LONGEST }), (units, sale, memory) => {
    const workspace = weighed(sold(units), TWELVE, [sale], [1.7]);
    workspace.hurdles(memory, 0, 1);
    expect(quantilesOf(workspace, TWELVE.length, 0)).toEqual(plainly(workspace, memory, sale));
  }));
});

/** The same of the sizes that the workspace was given, by sorting and one after the other. */
function plainly(workspace: Workspace & { readonly count: number }, memory: number, sale: number): number[] {
  const weights = weightsBySale().filter((_, i) => i % MEMORIES === memory);
  const sizes = Array.from(workspace.keys.subarray(0, workspace.count), (key, age) => ({ units: Math.fround(key), weight: weights[age]! })).sort((a, b) => a.units - b.units);
  let [sum, before, units] = [0, 0, sizes[0]!.units];
  const knots = sizes.map(({ units: more, weight }) => {
    const at = sum + weight / 2;
    const knot = { at, units: more, slope: (more - units) / (at - before) };
    [sum, before, units] = [sum + weight, at, more];
    return knot;
  });
  return Array.from(TWELVE, (p) => {
    if (!(p > 1 - sale)) return 0;
    const rank = (p - (1 - sale)) * (sum / sale);
    const next = knots.findIndex(({ at }) => at >= rank);
    const last = next === 0 ? { at: 0, units: sizes[0]!.units } : knots.at(next < 0 ? -1 : next - 1)!;
    return (last.units + (rank - last.at) * (next < 0 ? 0 : knots[next]!.slope)) * 1.7;
  });
}

test('an expert says the same whoever else is asked', () => {
  const days = fc.array(fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 40 })), { minLength: 20, maxLength: 120 });
  const periods = [1, 6, 9].map((ahead) => ({ exposure: 0.8 + ahead / 20, phase: ahead % 7, ahead }));
  fc.assert(fc.property(days, fc.subarray([...ALL], { minLength: 1 }), (units, asked) => {
    const bank = sold(units);
    const answers = (experts: readonly number[]): number[] => [...ask(bank, 0, { periods, probabilities: NINE, asked: experts }).quantiles.subarray(0, periods.length * EXPERTS.length * 9)];
    const [all, some] = [answers(ALL), answers(asked)];
    const of = (said: readonly number[]): number[] => said.filter((_, i) => asked.includes(Math.floor(i / 9) % EXPERTS.length));
    expect(of(some)).toEqual(of(all));
  }));
});
