import { expect, test } from 'vitest';
import * as conformal from '../../../models/forecast/conformal.js';
import { missShare } from '../../../models/forecast/cut-days.js';
import { learnRound, type Sample } from '../../../models/forecast/judging.js';
import * as mixing from '../../../models/forecast/mixing.js';
import { negativeBinomialQuantiles, normalQuantile } from '../../../models/forecast/negative-binomial.js';
import type { Mixture } from '../../../models/forecast/sku-forecast.js';
import { SHARED } from '../../../models/forecast/totals.js';
import { randomness, uniform } from '../../../models/kernels/numbers.js';

const NINE = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];
const MEAN = 8;
const HOURS = 24;

/** Days of a shelf that is filled with about `fill` times what a usual day sells; the rate of a day strays by `stray`, as a part of it. */
function* shelfDays(stray: number, count: number, fill = 1): Generator<{ wanted: number; sold: number; onSale: number }> {
  const random = randomness(5);
  const normal = (): number => normalQuantile(uniform(random));
  for (let day = 0; day < count; day++) {
    // A gamma of this mean and deviation, by the cube of Wilson and Hilferty.
    const rate = stray > 0 ? MEAN * Math.max(0, 1 - stray ** 2 / 9 + (stray / 3) * normal()) ** 3 : MEAN;
    const stock = Math.max(1, Math.round(fill * MEAN + 0.3 * MEAN * normal()));
    let [wanted, sold, onSale] = [0, 0, 1];
    for (let hour = 0; hour < HOURS; hour++) {
      for (let left = uniform(random); left > Math.exp(-rate / HOURS); left *= uniform(random)) {
        wanted++;
        if (sold === stock) continue;
        sold++;
        if (sold === stock) onSale = (hour + 0.5) / HOURS;
      }
    }
    yield { wanted, sold, onSale };
  }
}

test.each([0, 0.3, 0.5])('of days whose rates stray by %s it says how many miss an interval, though a part of them was not seen', (stray) => {
  const deviation = Math.sqrt(MEAN + (stray * MEAN) ** 2);
  const [low, high] = [MEAN - deviation, MEAN + deviation];
  let [cut, missed, said] = [0, 0, 0];
  for (const { wanted, sold, onSale } of shelfDays(stray, 20_000)) {
    if (onSale === 1) continue;
    cut++;
    if (wanted < low || wanted > high) missed++;
    said += missShare({ sold, onSale }, MEAN, deviation, low, high);
  }
  expect(cut).toBeGreaterThan(5_000);
  expect(Math.abs(said - missed) / cut).toBeLessThan(0.015);
});

test('what was sold says the rest: more than an interval holds is a miss for certain, and of a whole day nothing is unknown', () => {
  expect(missShare({ sold: 13, onSale: 0.2 }, 8, 3, 4, 12)).toBe(1);
  expect([3, 4, 12, 13].map((sold) => missShare({ sold, onSale: 1 }, 8, 3, 4, 12))).toEqual([1, 0, 0, 1]);
  expect(missShare({ sold: 0, onSale: 0.5 }, 0, 0, 0, 0)).toBe(0);
  // The sooner it is gone, the more would have been asked for.
  const soon = [0.9, 0.6, 0.3].map((onSale) => missShare({ sold: 10, onSale }, 8, 4, 4, 12));
  expect(soon).toEqual(soon.toSorted((a, b) => a - b));
  expect(soon[2]! - soon[0]!).toBeGreaterThan(0.5);
});

const PROBABILITIES = Float64Array.from(NINE);
const untrained = (): Mixture => ({ probabilities: PROBABILITIES, mixer: mixing.init(NINE.length, [[1]]), tails: conformal.init(1, 0.8), shared: SHARED });

/** Share of the days whose demand lay inside, after some rounds of forty SKUs that are forecast as they are; `isLeftOut`: of days that are seen whole alone. */
function heldIn(stray: number, fill: number, isLeftOut: boolean): number {
  const taught = untrained();
  const quantiles = new Float64Array(NINE.length);
  negativeBinomialQuantiles(MEAN, stray ** 2, NINE, quantiles);
  let [held, count, day] = [0, 0, 0];
  let samples: Sample[] = [];
  for (const { wanted, sold, onSale } of shelfDays(stray, 16_000, fill)) {
    const { low, high } = conformal.ends(taught.tails, 0, PROBABILITIES);
    const [least, most] = [low, high].map((end) => conformal.unitsAt(end, quantiles, 0));
    if (++day > 2_000) [held, count] = [held + Number(wanted >= least! && wanted <= most!), count + 1];
    if (onSale === 1 || !isLeftOut) samples.push({ actual: sold, onSale, group: 0, scale: 4, quantiles, at: 0, mean: MEAN, far: 0.5 });
    if (day % 40 !== 0) continue;
    learnRound(taught, samples);
    samples = [];
  }
  return held / count;
}

test.each([[0, 0.8, 0.08], [0.5, 1.2, -0.04]])('where rates stray by %s and shelves hold %s days, intervals hold what was wanted; without the days that were cut they would be off by %s', (stray, fill, off) => {
  expect(Math.abs(heldIn(stray, fill, false) - 0.8)).toBeLessThan(0.03);
  expect((heldIn(stray, fill, true) - 0.8) / off).toBeGreaterThan(1);
});

test('a day that was cut teaches the interval alone, and is no score', () => {
  const taught = untrained();
  const quantiles = Float64Array.from(NINE, (p) => 16 * p);
  const sample: Sample = { group: 0, scale: 4, actual: 15, onSale: 0.5, quantiles, at: 0, mean: 8, far: 0.5 };
  const told: number[] = [];
  learnRound(taught, [sample, { ...sample, onSale: 1 }, sample], (_, i) => told.push(i));
  const whole = untrained();
  learnRound(whole, [{ ...sample, onSale: 1 }]);
  expect(told).toEqual([1]);
  expect([...taught.mixer.weights]).toEqual([...whole.mixer.weights]);
  expect(taught.shared).toEqual(whole.shared);
  expect(taught.tails.tail[0]).toBeLessThan(whole.tails.tail[0]!);
});
