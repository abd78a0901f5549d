import fc from 'fast-check';
import { expect, test } from 'vitest';
import { JsonLines } from '../../pipeline/core/json-lines.js';
import type { Row } from '../../pipeline/core/row-sink.js';

function written(rows: readonly Row[]): string {
  const lines = new JsonLines();
  for (const row of rows) lines.add(row);
  const bytes = Buffer.concat(lines.pieces());
  expect(lines.length).toBe(bytes.length);
  return bytes.toString();
}

const byStringify = (rows: readonly Row[]): string => rows.map((row) => `${JSON.stringify(Object.values(row))}\n`).join('');

test('lines are what JSON.stringify says of the values, whatever they are', () => {
  const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constantFrom('"', '\\', '\n', '\u007f', '\ud800', 'Zoë', '日本', ''));
  const value = fc.oneof(text, fc.jsonValue(), fc.double(), fc.integer(), fc.constantFrom(-0, 1e21, 1e-7, Number.NaN, Infinity, undefined));
  const row = fc.array(fc.oneof(value, fc.array(value), fc.array(fc.array(value)))).map((values): Row => Object.fromEntries(values.map((one, at) => [`c${at}`, one])));
  fc.assert(fc.property(fc.array(row), (rows) => {
    expect(written(rows)).toBe(byStringify(rows));
  }));
});

test('lines go on from piece to piece, and one text may be larger than a piece', () => {
  const rows = Array.from({ length: 3_000 }, (_, at) => ({ at, text: 'x'.repeat(at % 100), list: [at, null, 'ü'] }));
  const all = [...rows, { text: 'y'.repeat(200_000) }, { text: 'é'.repeat(100_000) }, ...rows];
  expect(written(all)).toBe(byStringify(all));
});
