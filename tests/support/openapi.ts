import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { packageRoot } from '../../schemas/files.js';

export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
}

const { components } = parse(readFileSync(join(packageRoot, 'schemas/openapi.yaml'), 'utf8')) as { components: { schemas: Record<string, Schema> } };

const typeOf = (value: unknown): string => (value === null ? 'null' : Array.isArray(value) ? 'array' : Number.isInteger(value) ? 'integer' : typeof value);

/** Where an answer is not what its schema says; a field that it does not name is one, too. */
export function differences(value: unknown, schema: Schema, at = ''): string[] {
  if (schema.$ref !== undefined) {
    const named = components.schemas[schema.$ref.replace('#/components/schemas/', '')];
    return named ? differences(value, named, at) : [`${at}: there is no ${schema.$ref}`];
  }
  const type = typeOf(value);
  const types = [schema.type].flat();
  if (!types.includes(type) && !(type === 'integer' && types.includes('number'))) return [`${at} is ${type}, not ${String(schema.type)}`];
  if (schema.enum && !schema.enum.includes(value)) return [`${at} is ${String(value)}, none of ${schema.enum.join(', ')}`];
  if (Array.isArray(value)) {
    const { items, minItems = 0, maxItems = Infinity } = schema;
    const number = value.length < minItems || value.length > maxItems ? [`${at} has ${value.length} items`] : [];
    return [...number, ...value.flatMap((one, i) => (items ? differences(one, items, `${at}[${i}]`) : [`${at}: items are not described`]))];
  }
  if (typeof value !== 'object' || value === null) return [];
  return [
    ...(schema.required ?? []).filter((name) => !(name in value)).map((name) => `${at}.${name} is missing`),
    ...Object.entries(value).flatMap(([name, one]) => {
      const described = schema.properties?.[name] ?? schema.additionalProperties;
      return described ? differences(one, described, `${at}.${name}`) : [`${at}.${name} is not described`];
    }),
  ];
}
