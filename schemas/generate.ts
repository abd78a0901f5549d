/**
 * Keeps what is derived from schemas/**.avsc in step: frozen versions with their static ids (schemas/versions)
 * and the TypeScript types (schemas/types.ts). With `--check` nothing is written and drift ends with exit code 1.
 */
import { mkdirSync, readFileSync, writeFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { compile } from './avro.js';
import { currentSchemas, frozenSchemas, packageRoot, type RecordSchema } from './files.js';

type Avro = string | Avro[] | { type: Avro; name?: string; fields?: readonly { name: string; type: Avro; doc?: string }[]; items?: Avro; values?: Avro; symbols?: string[]; logicalType?: string; doc?: string };

const PRIMITIVES: Record<string, string> = { string: 'string', boolean: 'boolean', int: 'number', long: 'number', float: 'number', double: 'number', bytes: 'Buffer', null: 'null' };

/** TypeScript declarations of all records, one interface a record; two records of one name must be equal. */
export function typesOf(schemas: readonly RecordSchema[]): string {
  const declared = new Map<string, string>();
  const declare = (name: string, text: string): string => {
    const known = declared.get(name);
    if (known !== undefined && known !== text) throw new Error(`Two schemas define ${name} differently.`);
    declared.set(name, text);
    return name;
  };
  const typeOf = (avro: Avro): string => {
    if (typeof avro === 'string') return PRIMITIVES[avro] ?? avro;
    if (Array.isArray(avro)) return avro.map(typeOf).join(' | ');
    if (avro.logicalType === 'decimal') return 'bigint';
    if (avro.type === 'array') return `readonly ${/[ |]/.test(typeOf(avro.items!)) ? `(${typeOf(avro.items!)})` : typeOf(avro.items!)}[]`;
    if (avro.type === 'map') return `Readonly<Record<string, ${typeOf(avro.values!)}>>`;
    if (avro.type === 'enum') return declare(avro.name!, `export type ${avro.name} = ${avro.symbols!.map((symbol) => `'${symbol}'`).join(' | ')};\n`);
    if (avro.type === 'record') {
      const fields = avro.fields!.map((field) => `  /** ${field.doc} */\n  readonly ${field.name}: ${typeOf(field.type)};\n`);
      return declare(avro.name!, `/** ${avro.doc} */\nexport interface ${avro.name} {\n${fields.join('')}}\n`);
    }
    return typeOf(avro.type);
  };
  for (const schema of schemas) typeOf(schema as unknown as Avro);
  return `// Made by "npm run schemas" from schemas/**/*.avsc. Do not edit.\n\n${[...declared.values()].join('\n')}`;
}

/** Problems that a new version of a schema would cause: it must be readable both ways. */
export function incompatibilities(older: RecordSchema, newer: RecordSchema): string[] {
  const problems: string[] = [];
  const attempt = (reader: RecordSchema, writer: RecordSchema, what: string): void => {
    try {
      compile(reader).createResolver(compile(writer));
    } catch (error) {
      problems.push(`${newer.name}: ${what} (${(error as Error).message})`);
    }
  };
  attempt(newer, older, 'new readers cannot read old records');
  attempt(older, newer, 'old readers cannot read new records');
  return problems;
}

function main(check: boolean): void {
  const current = currentSchemas();
  const frozen = frozenSchemas();
  const problems: string[] = [];
  const write = (path: string, text: string): void => {
    const full = join(packageRoot, path);
    if (existsSync(full) && readFileSync(full, 'utf8') === text) return;
    if (check) problems.push(`${path} does not follow from the schemas; run "npm run schemas".`);
    else writeFileSync(full, text);
  };
  mkdirSync(join(packageRoot, 'schemas/versions'), { recursive: true });
  let nextId = Math.max(0, ...[...frozen.values()].flat().map(({ id }) => id)) + 1;
  for (const { schema } of current) {
    const versions = frozen.get(schema.name) ?? [];
    const latest = versions.at(-1);
    if (latest && JSON.stringify(latest.schema) === JSON.stringify(schema)) continue;
    problems.push(...versions.flatMap((version) => incompatibilities(version.schema, schema)));
    const name = `${String(nextId++).padStart(4, '0')}-${schema.name}-${(latest?.version ?? 0) + 1}.avsc`;
    write(`schemas/versions/${name}`, `${JSON.stringify(schema, null, 1)}\n`);
  }
  write('schemas/types.ts', typesOf(current.map(({ schema }) => schema)));
  for (const problem of problems) process.stderr.write(`${problem}\n`);
  if (problems.length > 0) process.exitCode = 1;
}

if (process.argv[1]?.match(/generate\.[jt]s$/)) main(process.argv.includes('--check'));
