import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * The nearest folder that holds package.json: `folder` or one above it.
 * @throws Error where there is none
 */
export function rootAbove(folder: string): string {
  for (let at = folder; ; at = dirname(at)) {
    if (existsSync(join(at, 'package.json'))) return at;
    if (dirname(at) === at) throw new Error(`No package.json lies in ${folder} or above it: schemas, migrations and pages are found beside it, so that dist/ cannot be used alone.`);
  }
}

/** Folder that holds package.json: the same from TypeScript sources and from `dist`. */
export const packageRoot = rootAbove(dirname(fileURLToPath(import.meta.url)));

/** Avro schema of one record, as parsed JSON. */
export interface RecordSchema {
  readonly type: 'record';
  readonly name: string;
  readonly namespace: string;
  readonly doc: string;
  readonly fields: readonly { name: string; type: unknown; doc?: string; default?: unknown }[];
}

const readRecord = (path: string): RecordSchema => JSON.parse(readFileSync(path, 'utf8')) as RecordSchema;

const namesOf = (folder: string): string[] =>
  existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.avsc')).sort() : [];

/** Every current record schema under schemas/, with the file it stands in. */
export function currentSchemas(): { path: string; schema: RecordSchema }[] {
  return ['events', 'outputs', 'tables'].flatMap((folder) =>
    namesOf(join(packageRoot, 'schemas', folder)).map((name) => {
      const path = `schemas/${folder}/${name}`;
      return { path, schema: readRecord(join(packageRoot, path)) };
    }),
  );
}

/** One frozen version of a record schema: what old records on a topic were written with. */
export interface SchemaVersion {
  readonly id: number;
  readonly version: number;
  readonly schema: RecordSchema;
}

/** Frozen versions by record name, oldest first. File names are `<id>-<Name>-<version>.avsc`. */
export function frozenSchemas(folder = join(packageRoot, 'schemas/versions')): Map<string, SchemaVersion[]> {
  const versions = new Map<string, SchemaVersion[]>();
  for (const file of namesOf(folder)) {
    const [id, name, version] = file.replace('.avsc', '').split('-') as [string, string, string];
    const list = versions.get(name) ?? [];
    list.push({ id: Number(id), version: Number(version), schema: readRecord(join(folder, file)) });
    versions.set(name, list.sort((a, b) => a.version - b.version));
  }
  return versions;
}
