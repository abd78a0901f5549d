import fc from 'fast-check';
import { expect, test } from 'vitest';
import { barPlot, linePlot, percent, ticks } from '../../pipeline/reports/plots.js';

const axes = { x: 'k', y: 'share', showY: percent };

test('ticks are few, round, and reach over the largest value', () => {
  expect(ticks(0, 0.42, 5)).toEqual([0, 0.1, 0.2, 0.3, 0.4, 0.5]);
  expect(ticks(0, 80, 5)).toEqual([0, 20, 40, 60, 80]);
  fc.assert(fc.property(fc.double({ min: 1e-6, max: 1e9, noNaN: true }), (high) => {
    const found = ticks(0, high, 5);
    expect(found.length).toBeLessThan(9);
    expect(found.at(-1)! / high).toBeGreaterThan(1 - 1e-9);
  }));
});

test('no plot holds a number that is none, whatever its values', () => {
  const values = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 30 });
  fc.assert(fc.property(values, (ys) => {
    const points = ys.map((y, x) => ({ x, y }));
    expect(linePlot([{ name: 'a', isMain: true, points }], axes)).not.toMatch(/NaN|Infinity/);
    expect(barPlot(ys.map((value, at) => ({ label: String(at), value })), axes)).not.toMatch(/NaN|Infinity/);
  }));
});

test('each bar is named below it, and where many stand beside each other as many as there is room for', () => {
  const below = (labels: readonly string[]): string[] =>
    [...barPlot(labels.map((label) => ({ label, value: 0.5 })), axes).matchAll(/<text [^>]*y="217" text-anchor="middle">([^<]*)</g)].map(([, text]) => text!);
  expect(below(['1', '2', '3 to 5'])).toEqual(['1', '2', '3 to 5']);
  expect(below(Array.from({ length: 20 }, (_, rank) => String(rank + 1)))).toEqual(['1', '3', '5', '7', '9', '11', '13', '15', '17', '19']);
});

test('lines are cut where the axis ends, at their crossings, and nothing is drawn above', () => {
  const at = (...ys: number[]) => ys.map((y, x) => ({ x, y }));
  const plot = linePlot([{ name: 'flat', isMain: true, points: at(1, 1, 1, 1) }, { name: 'wild', isMain: false, points: at(0, 100, 0, 100) }], { ...axes, most: 2 });
  const drawn = [...plot.matchAll(/<path d="([^"]*)" class="s1/g)].map(([, path]) => path!);
  expect(drawn.map((path) => [...path.matchAll(/M/g)].length)).toEqual([2]);
  const heights = [...plot.matchAll(/[ML][\d.]+ ([\d.-]+)/g)].map(([, y]) => Number(y));
  expect(Math.min(...heights)).toBeGreaterThanOrEqual(12);
  expect(plot).toContain('>200 %<');
  expect(plot).not.toContain('10000 %');
  expect(linePlot([{ name: 'all above', isMain: false, points: at(9, 9) }, { name: 'in', isMain: true, points: at(1, 1) }], { ...axes, most: 2 })).not.toMatch(/NaN|Infinity|undefined/);
});

test('names cannot break out of the page', () => {
  expect(linePlot([{ name: '<script>"', isMain: true, points: [{ x: 1, y: 1 }] }], axes)).not.toContain('<script>');
});
