import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { currentSchemas, frozenSchemas, packageRoot, type RecordSchema } from '../../schemas/files.js';
import { incompatibilities, typesOf } from '../../schemas/generate.js';

const current = currentSchemas();
const frozen = frozenSchemas();

const withFields = (change: (fields: RecordSchema['fields']) => RecordSchema['fields']): RecordSchema => ({ ...sale, fields: change(sale.fields) });
const sale = current.find(({ schema }) => schema.name === 'Sale')!.schema;

describe('a change of schema', () => {
  test('that adds a field with a default, or takes one with a default away, is readable both ways', () => {
    const added = withFields((fields) => [...fields, { name: 'channel', type: ['null', 'string'], doc: 'Channel.', default: null }]);
    expect(incompatibilities(sale, added)).toEqual([]);
    expect(incompatibilities(added, sale)).toEqual([]);
  });

  test('that adds a field without a default, or makes one another type, is not', () => {
    expect(incompatibilities(sale, withFields((fields) => [...fields, { name: 'channel', type: 'string', doc: 'Channel.' }]))).toHaveLength(1);
    expect(incompatibilities(sale, withFields((fields) => fields.filter(({ name }) => name !== 'sku')))).toHaveLength(1);
    const retyped = withFields((fields) => fields.map((field) => (field.name === 'sku' ? { ...field, type: 'long' } : field)));
    expect(incompatibilities(sale, retyped)).toHaveLength(2);
  });

  test('that was made is: every version of a record can be read by every other', () => {
    const pairs = [...frozen.values()].flatMap((versions) => versions.flatMap((older, index) => versions.slice(index + 1).map((newer) => incompatibilities(older.schema, newer.schema))));
    expect(pairs.flat()).toEqual([]);
  });
});

describe('what is derived from the schemas', () => {
  test('has a frozen version equal to each current schema', () => {
    for (const { schema } of current) expect(frozen.get(schema.name)?.at(-1)?.schema).toEqual(schema);
    expect([...frozen.keys()].toSorted()).toEqual(current.map(({ schema }) => schema.name).toSorted());
  });

  test('numbers each version once, and the versions of a record without a gap', () => {
    const versions = [...frozen.values()].flat();
    expect(new Set(versions.map(({ id }) => id)).size).toBe(versions.length);
    for (const list of frozen.values()) expect(list.map(({ version }) => version)).toEqual(list.map((_, index) => index + 1));
    for (const list of frozen.values()) expect(list.map(({ id }) => id)).toEqual(list.map(({ id }) => id).toSorted((a, b) => a - b));
  });

  test('are the types in schemas/types.ts', () => {
    expect(readFileSync(path.join(packageRoot, 'schemas/types.ts'), 'utf8')).toBe(typesOf(current.map(({ schema }) => schema)));
  });
});
