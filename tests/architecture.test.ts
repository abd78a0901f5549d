import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '..');
const ROOMS = ['schemas', 'pipeline', 'consumers', 'producers', 'models', 'infra'];

/** What a file may import from, by the longest of these folders that holds it; and always from that folder itself. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  'schemas': [],
  'models': [],
  'pipeline/core': ['schemas'],
  'consumers': ['schemas', 'pipeline/core', 'models'],
  'producers': ['schemas', 'pipeline/core'],
  'infra': ['schemas', 'pipeline/core'],
  // Untrusted bodies become events at this door.
  'infra/http': ['schemas', 'pipeline/core', 'producers'],
  // Computes the slopes of models, by their shapes and constants.
  'infra/tensorflow': ['schemas', 'pipeline/core', 'models'],
  'pipeline': ROOMS,
};

/** Parts of one consumer, and files that several consumers share; no other consumer's file may be imported. */
const SHARED_BY_CONSUMERS = new Set(['consumers/happened', 'consumers/ids', 'consumers/consent', 'consumers/session-ids', 'consumers/sources', 'consumers/event-weights', 'consumers/item-touches', 'consumers/snapshot-bytes', 'consumers/shown-items', 'consumers/item-contents', 'consumers/known-items', 'consumers/listing', 'consumers/told-vectors']);
const PARTS_OF_CONSUMERS: Readonly<Record<string, string>> = {
  'consumers/triggers': 'consumers/marketing-triggers', 'consumers/demand': 'consumers/demand-forecasts', 'consumers/items': 'consumers/item-watch',
  'consumers/shoppers': 'consumers/shoppers', 'consumers/orders': 'consumers/order-ledger',
};

/** The one place of each package: replacing it, or pinning its private parts, touches nothing else. */
const PACKAGES: Readonly<Record<string, string>> = {
  '@clickhouse/client': 'infra/clickhouse',
  'chdb': 'infra/clickhouse',
  '@kafkajs/confluent-schema-registry': 'infra/schema-registry',
  '@tensorflow/tfjs-core': 'infra/tensorflow', '@tensorflow/tfjs-layers': 'infra/tensorflow',
  '@tensorflow/tfjs-backend-cpu': 'infra/tensorflow',
  '@tensorflow/tfjs-backend-wasm': 'infra/tensorflow',
  'avsc': 'schemas/avro.ts',
  'cli-progress': 'pipeline/cli',
  'commander': 'pipeline/cli',
  'express': 'infra/http/application.ts',
  'fastest-levenshtein': 'pipeline/misspelt-settings.ts',
  'ipaddr.js': 'infra/http/limits.ts',
  'kafkajs': 'infra/kafka-log',
  'lmdb': 'infra/table-store',
  'pino': 'infra/journal',
  'prom-client': 'infra/metrics',
  'proxy-addr': 'infra/http/limits.ts',
  'uuid': 'consumers/triggers/fire.ts',
  'zod': 'pipeline/config.ts',
};
/** What the bench measures itself against: a bare package, by definition without our adapter around it. */
const BARE_PEERS = 'pipeline/bench/peers';

interface Import {
  readonly file: string;
  readonly target: string;
}

const isWithin = (file: string, place: string): boolean => file === place || file.startsWith(`${place}/`);
/** The longest folder with a rule of its own that holds a file. */
const placeOf = (file: string): string =>
  Object.keys(MAY_IMPORT).filter((place) => isWithin(file, place)).reduce((longest, place) => (place.length > longest.length ? place : longest), '');

const files = ROOMS.flatMap((room) => readdirSync(path.join(root, room), { recursive: true, encoding: 'utf8' }).map((name) => path.posix.join(room, name)))
  .filter((file) => file.endsWith('.ts'));
const imports = files.flatMap((file): Import[] => {
  const found = readFileSync(path.join(root, file), 'utf8').matchAll(/(?:^(?:import|export)\b[^;]*?from |\bimport\(|\bcreateRequire\(import\.meta\.url\)\(|^import )'([^']+)'/gm);
  return [...found].map(([, specifier = '']) => ({
    file,
    target: specifier.startsWith('.') ? path.join(path.dirname(file), specifier).replace(/\.js$/, '.ts') : specifier,
  }));
});
const internal = imports.filter(({ target }) => ROOMS.some((room) => isWithin(target, room)));
const external = imports.filter(({ target }) => !internal.some((known) => known.target === target) && !target.startsWith('node:'));
const shown = ({ file, target }: Import): string => `${file} → ${target}`;

describe('imports', () => {
  test('were found', () => {
    expect(internal.length).toBeGreaterThan(300);
    expect(external.length).toBeGreaterThan(20);
  });

  test('point one way: schemas ← pipeline/core ← consumers, producers, infra ← the rest of pipeline', () => {
    const wrong = internal.filter(({ file, target }) => {
      const place = placeOf(file);
      return ![place, ...MAY_IMPORT[place]!].some((allowed) => isWithin(target, allowed));
    });
    expect(wrong.map(shown)).toEqual([]);
  });

  test('never lead from one consumer to another', () => {
    const ownerOf = (file: string): string => PARTS_OF_CONSUMERS[path.dirname(file)] ?? file.replace(/\.ts$/, '');
    const wrong = internal.filter(({ file, target }) =>
      isWithin(file, 'consumers') && isWithin(target, 'consumers') && ownerOf(file) !== ownerOf(target) && !SHARED_BY_CONSUMERS.has(ownerOf(target)));
    expect(wrong.map(shown)).toEqual([]);
  });

  test('of each package stand in one place', () => {
    const wrong = external.filter(({ file, target }) => !isWithin(file, BARE_PEERS) && (PACKAGES[target] === undefined || !isWithin(file, PACKAGES[target])));
    expect(wrong.map(shown)).toEqual([]);
  });
});

test.each(['pipeline/cli/millrace.ts', 'pipeline/cli/sql.ts'])('%s loads neither the server, Kafka, the tables nor TensorFlow before it knows that it needs them', (start) => {
  const loaded = new Set([start]);
  for (const file of loaded) {
    if (!files.includes(file)) continue; // a package
    const eager = readFileSync(path.join(root, file), 'utf8').matchAll(/^(?:(?:import|export)\b(?! type\b)[^;]*?from |import )'([^']+)'/gm);
    for (const [, specifier = ''] of eager) loaded.add(specifier.startsWith('.') ? path.join(path.dirname(file), specifier).replace(/\.js$/, '.ts') : specifier);
  }
  expect(loaded).toContain('commander');
  expect([...loaded].filter((name) => /^(express|kafkajs|lmdb|avsc|prom-client|@tensorflow\/.*)$/.test(name))).toEqual([]);
});

test('only pipeline/config.ts reads the environment; what starts a process may hand it on whole', () => {
  // A stack trace is wanted even where the configuration could not be read.
  const known = ['pipeline/cli/exit.ts'];
  const readers = files.filter((file) => file !== 'pipeline/config.ts' && /process\.env\s*[.[]|\} = process\.env/.test(readFileSync(path.join(root, file), 'utf8')));
  expect(readers.filter((file) => !known.includes(file))).toEqual([]);
});
