import { expect, test } from 'vitest';
import { UnreadableSnapshot, pack, unpack } from '../../../models/kernels/snapshot.js';

const columns = { names: Uint8Array.of(1, 2, 3), weights: Float32Array.of(0.5, -1), scalars: Float64Array.of(Math.PI) };

test('columns of every width come back as they were, from any alignment', () => {
  const bytes = pack('thing', 2, columns);
  const shifted = new Uint8Array(bytes.length + 3);
  shifted.set(bytes, 3);
  const read = unpack('thing', 2, shifted.subarray(3));
  expect(read.u8('names')).toEqual(columns.names);
  expect(read.f32('weights')).toEqual(columns.weights);
  expect(read.f64('scalars')).toEqual(columns.scalars);
});

test('what was read belongs to the reader: writing to it leaves the bytes alone', () => {
  const bytes = pack('thing', 2, columns);
  const before = Uint8Array.from(bytes);
  unpack('thing', 2, bytes).f32('weights')[0] = 99;
  expect(bytes).toEqual(before);
});

test('an older version, another kind, a missing column and half a file are each refused by name', () => {
  const bytes = pack('thing', 1, columns);
  expect(() => unpack('thing', 2, bytes)).toThrow('The thing snapshot has version 1; this code reads version 2.');
  expect(() => unpack('other', 1, bytes)).toThrow(UnreadableSnapshot);
  expect(() => unpack('thing', 1, bytes).i32('names')).toThrow('no i32 column names');
  expect(() => unpack('thing', 1, bytes.subarray(0, bytes.length - 8))).toThrow(/ends inside/);
  expect(() => unpack('thing', 1, bytes.subarray(0, 12))).toThrow(/ends inside its heading/);
});
