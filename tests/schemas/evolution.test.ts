import path from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import type { Codec } from '../../schemas/codec.js';
import { incompatibilities } from '../../schemas/generate.js';

/** A record with a history, which no production record needs to have: a note was taken away, two fields came with defaults. */
const HISTORY = path.join(import.meta.dirname, 'versions');

vi.doMock('../../schemas/files.js', async (original) => {
  const files = await original<typeof import('../../schemas/files.js')>();
  return { ...files, frozenSchemas: (folder = HISTORY) => files.frozenSchemas(folder) };
});

interface Parcel {
  readonly id: string;
  readonly grams: number;
  readonly insured: boolean;
  readonly stops: readonly string[];
}

/** Version 1 of {id: 'p', grams: 0.5, note: 'ring'}, as it lies on a topic. */
const OLD = Buffer.from(['00', '00000001', '0270', '000000000000e03f', '02', '0872696e67'].join(''), 'hex');

describe('a record with two versions', async () => {
  const { codec } = await import('../../schemas/codec.js');
  const { frozenSchemas } = await import('../../schemas/files.js');
  const { compile } = await import('../../schemas/avro.js');
  const parcels: Codec<Parcel> = codec('Parcel');
  const [first, second] = frozenSchemas().get('Parcel')!.map(({ schema }) => schema);

  test('is read as it was written with the first: what it lacks has the default, what is gone is left out', () => {
    expect(parcels.decode(OLD)).toEqual({ id: 'p', grams: 0.5, insured: false, stops: [] });
  });

  test('is written with the second, under its id', () => {
    const bytes = parcels.encode({ id: 'p', grams: 0.5, insured: true, stops: ['Bath'] });
    expect([parcels.id, bytes.readInt32BE(1)]).toEqual([2, 2]);
    expect(parcels.decode(bytes)).toEqual({ id: 'p', grams: 0.5, insured: true, stops: ['Bath'] });
  });

  test('of the second can be read by who knows the first, as during a rolling upgrade', () => {
    const reader = compile(first!);
    const body = parcels.encode({ id: 'p', grams: 0.5, insured: true, stops: ['Bath'] }).subarray(5);
    expect({ ...reader.fromBuffer(body, reader.createResolver(compile(second!))) as object }).toEqual({ id: 'p', grams: 0.5, note: null });
  });

  test('may have a third only if every reader follows it', () => {
    const third = (fields: typeof second.fields): string[] => [first!, second!].flatMap((older) => incompatibilities(older, { ...second!, fields }));
    expect(third([...second!.fields, { name: 'fragile', type: 'boolean', doc: 'Fragile.', default: false }])).toEqual([]);
    expect(third(second!.fields.filter(({ name }) => name !== 'stops'))).toEqual([]);
    expect(third([...second!.fields, { name: 'fragile', type: 'boolean', doc: 'Fragile.' }])).toHaveLength(2);
    expect(third(second!.fields.map((field) => (field.name === 'grams' ? { ...field, type: 'string' } : field)))).toHaveLength(4);
  });
});
