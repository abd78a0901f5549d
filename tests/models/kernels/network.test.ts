import { expect, test } from 'vitest';
import { affine, combine, descend, network, repeatAlong, STRIDE } from '../../../models/kernels/network.js';
import { randomness, uniform } from '../../../models/kernels/numbers.js';

const random = randomness(9);
const drawn = (length: number): number[] => Array.from({ length }, () => uniform(random) - 0.5);

test('columns are scaled, combined and filled as in plain arithmetic, and others stay as they are', () => {
  const net = network(12);
  const before = Float32Array.from(drawn(12 * STRIDE));
  net.x.set(before);
  affine(net, 0, 2 * STRIDE, 8, 3, 0.5);
  combine(net, STRIDE, 0, 3 * STRIDE, 12, -2.5);
  repeatAlong(net, [7, -1, 0.25], 5 * STRIDE, 100);
  net.x.forEach((value, place) => {
    const [column, c] = [Math.floor(place / STRIDE), place % STRIDE];
    const expected = column === 2 && c < 8 ? 3 * before[c]! + 0.5
      : column === 3 && c < 12 ? before[STRIDE + c]! - 2.5 * before[c]!
      : column >= 5 && column < 8 && c < 100 ? [7, -1, 0.25][column - 5]! : before[place]!;
    expect(value).toBeCloseTo(expected, 5);
  });
});

test('a column may be scaled in its place', () => {
  const net = network(2);
  net.x.set([1, 2, 3, 4]);
  affine(net, 0, 0, 4, 2, 1);
  expect([...net.x.subarray(0, 5)]).toEqual([3, 5, 7, 9, 0]);
});

test('a step of Adam is that of plain arithmetic, and leaves no gradient', () => {
  const net = network(5);
  net.weights.set(drawn(net.weights.length));
  const expected = Float64Array.from(net.weights);
  const means = new Float64Array(expected.length);
  const squares = new Float64Array(expected.length);
  const averaged = new Float64Array(expected.length);
  for (let step = 0; step < 5; step++) {
    const gradient = drawn(net.weights.length);
    net.gradient.set(gradient);
    descend(net, 4, 0.01, 0.5);
    gradient.forEach((sum, i) => {
      const g = sum / 4;
      means[i]! += 0.1 * (g - means[i]!);
      squares[i]! += 0.001 * (g * g - squares[i]!);
      expected[i]! -= (0.01 * means[i]!) / (Math.sqrt(squares[i]!) + 1e-8);
      averaged[i]! += 0.5 * (expected[i]! - averaged[i]!);
    });
  }
  net.weights.forEach((weight, i) => expect(weight).toBeCloseTo(expected[i]!, 4));
  net.averaged.forEach((weight, i) => expect(weight).toBeCloseTo(averaged[i]!, 4));
  expect(net.gradient.every((slope) => slope === 0)).toBe(true);
});
