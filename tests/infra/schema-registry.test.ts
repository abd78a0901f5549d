import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import path from 'node:path';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { ConfigError, Unavailable } from '../../pipeline/core/errors.js';
import { silentJournal } from '../../pipeline/core/metrics.js';

vi.doMock('../../schemas/files.js', async (original) => {
  const files = await original<typeof import('../../schemas/files.js')>();
  return { ...files, frozenSchemas: (folder = path.join(import.meta.dirname, '../schemas/versions')) => files.frozenSchemas(folder) };
});

interface Registry {
  readonly url: string;
  readonly registered: string[];
  readonly asked: () => number;
  close(): Promise<void>;
}

/**
 * What a registry with Confluent's API answers to those who register: an id a schema, from 501 on. To the first `conflicts` of them it
 * says 409, as Apicurio does to all but one of those that come at once. By id it knows `foreign` ones.
 */
async function registry({ conflicts = 0, foreign = {}, status = 200, key }: { conflicts?: number; foreign?: Record<string, object | string>; status?: number; key?: string } = {}): Promise<Registry> {
  const registered: string[] = [];
  let refusals = conflicts;
  let requests = 0;
  const server = createServer((request, response) => {
    requests++;
    const answer = async (): Promise<[number, object]> => {
      const [, asked] = /^\/schemas\/ids\/(\d+)/.exec(request.url ?? '') ?? [];
      if (key !== undefined && request.headers.authorization !== `Basic ${Buffer.from(key).toString('base64')}`) return [401, { error_code: 40101, message: 'Unauthorized' }];
      const found = asked === undefined ? undefined : foreign[asked];
      if (asked !== undefined) return found !== undefined ? [status, { schema: typeof found === 'string' ? found : JSON.stringify(found) }] : [404, { error_code: 40403, message: 'Schema not found' }];
      if (request.method === 'GET') return [200, { compatibilityLevel: 'BACKWARD' }];
      const { schema } = (await json(request)) as { schema: string };
      if (refusals-- > 0) return [409, { error_code: 409, message: 'An artifact with this ID already exists.' }];
      const at = registered.indexOf(schema);
      return [200, { id: 501 + (at < 0 ? registered.push(schema) - 1 : at) }];
    };
    void answer().then(([status, body]) => response.writeHead(status, { 'content-type': 'application/vnd.schemaregistry.v1+json' }).end(JSON.stringify(body)));
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  const close = (): Promise<void> => new Promise((resolve) => { server.close(() => resolve()); server.closeAllConnections(); });
  onTestFinished(close);
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, registered, asked: () => requests, close };
}

test('rows that an earlier version wrote with the id of a registry stay readable', async () => {
  const { useRegistry } = await import('../../infra/schema-registry/registry.js');
  const { codec } = await import('../../schemas/codec.js');
  const { url, registered } = await registry();
  await useRegistry(url, silentJournal);
  expect(registered.map((schema) => (JSON.parse(schema) as { fields: { name: string }[] }).fields.map(({ name }) => name))).toEqual([['id', 'grams', 'note'], ['id', 'grams', 'insured', 'stops']]);
  const parcels = codec<object>('Parcel');
  expect(parcels.id).toBe(502);
  // Version 1 of {id: 'p', grams: 0.5, note: null}, under the id that the registry had given it.
  expect(parcels.decode(Buffer.from(['00', '000001f5', '0270', '000000000000e03f', '00'].join(''), 'hex'))).toEqual({ id: 'p', grams: 0.5, insured: false, stops: [] });
});

test('processes that start at once with a fresh registry all get its ids, though it calls all but one of them a conflict', async () => {
  const { useRegistry } = await import('../../infra/schema-registry/registry.js');
  const { url, registered } = await registry({ conflicts: 1 });
  await useRegistry(url, silentJournal);
  expect(registered).toHaveLength(2);
});

test('a registry that refuses a schema each time is a matter of configuration', async () => {
  const { useRegistry } = await import('../../infra/schema-registry/registry.js');
  const { url } = await registry({ conflicts: Infinity });
  await expect(useRegistry(url, silentJournal)).rejects.toThrow(ConfigError);
});

test('a registry that is away is waited for: it is no fault of the configuration', async () => {
  const { useRegistry } = await import('../../infra/schema-registry/registry.js');
  const { url, close } = await registry();
  await close();
  const refusal = useRegistry(`${url}/apis/ccompat/v7`, silentJournal);
  await expect(refusal).rejects.toThrow(Unavailable);
  await expect(refusal).rejects.toThrow(`The schema registry does not answer at ${url}: connect ECONNREFUSED`);
});

test('records in a schema that nobody knows are dead letters; while the registry is away they wait', async () => {
  const { useRegistry } = await import('../../infra/schema-registry/registry.js');
  const { url, close } = await registry();
  const { learnSchemas } = await useRegistry(url, silentJournal);
  const warnings: string[] = [];
  const { learnSchemas: told } = await useRegistry(url, { ...silentJournal, warn: (_, message) => void warnings.push(message) });
  await told([77]);
  expect(warnings).toEqual(['The registry has no such schema; its records become dead letters.']);
  await close();
  await expect(learnSchemas([78])).rejects.toThrow(Unavailable);
});

test.each([
  ['Protobuf', 'syntax = "proto3"; message Parcel { string id = 1; }'], ['a bare type', '"string"'], ['a union', '["null", "string"]'],
  ['JSON Schema', '{"type": "object"}'], ['a record that needs another', '{"type": "record", "name": "Parcel", "fields": [{"name": "id", "type": "other.Id"}]}'],
])('records in a schema that is no Avro record of ours are dead letters, and stop nothing: %s', async (_, schema) => {
  vi.resetModules();
  const { useRegistry } = await import('../../infra/schema-registry/registry.js');
  const { codec, knowsSchema } = await import('../../schemas/codec.js');
  // A file of ours has this number, too.
  const { url } = await registry({ foreign: { 2: schema } });
  const warnings: object[] = [];
  const { learnSchemas } = await useRegistry(url, { ...silentJournal, warn: (fields) => void warnings.push(fields) });
  await learnSchemas([2]);
  expect(warnings).toMatchObject([{ id: 2 }]);
  expect(knowsSchema(2)).toBe(true);
  expect(() => codec('Parcel').decode(Buffer.from('0000000002027000', 'hex'))).toThrow('Schema id 2 is a ForeignSchema, not a Parcel.');
});

test.each([401, 429])('a registry that does not want to be asked now (%i) is waited for', async (status) => {
  const { useRegistry } = await import('../../infra/schema-registry/registry.js');
  const { url } = await registry({ foreign: { 77: {} }, status });
  const { learnSchemas } = await useRegistry(url, silentJournal);
  await expect(learnSchemas([77])).rejects.toThrow(new Unavailable(`The schema registry at ${url} answers with status ${status}.`));
});

test('the user of a registry may stand in its URL, and is told to nobody', async () => {
  vi.resetModules();
  const { useRegistry } = await import('../../infra/schema-registry/registry.js');
  const { knowsSchema } = await import('../../schemas/codec.js');
  const { url, asked, close } = await registry({ key: 'shop:se/cret', foreign: { 77: { type: 'record', name: 'Parcel', fields: [] } } });
  const named = url.replace('//', '//shop:se%2Fcret@');
  const { learnSchemas } = await useRegistry(named, silentJournal);
  await learnSchemas([77]);
  expect(knowsSchema(77)).toBe(true);
  const before = asked();
  const refusal = await useRegistry(named.replace('cret', 'crets'), silentJournal).catch((error: unknown) => error);
  expect(refusal).toMatchObject({ name: 'ConfigError' });
  expect(asked()).toBe(before + 1);
  await close();
  const absence = await useRegistry(named, silentJournal).catch((error: unknown) => error);
  expect([String(refusal), String(absence)].join()).not.toMatch(/cret/);
});

test('an id is what the registry says, also where a file of ours has that number; one that it does not know is the file’s', async () => {
  vi.resetModules();
  const { useRegistry } = await import('../../infra/schema-registry/registry.js');
  const { codec, knowsSchema } = await import('../../schemas/codec.js');
  // Files 1 and 2 are a parcel as it was and as it is; to this registry 2 is how another team writes one.
  const field = (name: string, type: string): object => ({ name, type });
  const { url } = await registry({ foreign: { 2: { type: 'record', name: 'Parcel', namespace: 'millrace', fields: [field('grams', 'double'), field('id', 'string')] } } });
  const { learnSchemas } = await useRegistry(url, silentJournal);
  expect([knowsSchema(1), knowsSchema(2)]).toEqual([false, false]);
  await learnSchemas([1, 2]);
  const parcels = codec<object>('Parcel');
  const parcel = { id: 'p', grams: 0.5, insured: false, stops: [] };
  expect(parcels.decode(Buffer.from(['00', '00000002', '000000000000e03f', '0270'].join(''), 'hex'))).toEqual(parcel);
  expect(parcels.decode(Buffer.from(['00', '00000001', '0270', '000000000000e03f', '00'].join(''), 'hex'))).toEqual(parcel);
});
