import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import path from 'node:path';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { silentJournal } from '../../pipeline/core/metrics.js';

vi.doMock('../../schemas/files.js', async (original) => {
  const files = await original<typeof import('../../schemas/files.js')>();
  return { ...files, frozenSchemas: (folder = path.join(import.meta.dirname, '../schemas/versions')) => files.frozenSchemas(folder) };
});

/** What a registry with Confluent's API answers to those who register: an id a schema, from 501 on. Answers its address and what was registered. */
async function registry(): Promise<{ url: string; registered: string[] }> {
  const registered: string[] = [];
  const server = createServer((request, response) => {
    const answer = async (): Promise<object> => {
      if (request.method === 'GET') return { compatibilityLevel: 'BACKWARD' };
      const { schema } = (await json(request)) as { schema: string };
      const at = registered.indexOf(schema);
      return { id: 501 + (at < 0 ? registered.push(schema) - 1 : at) };
    };
    void answer().then((body) => response.writeHead(200, { 'content-type': 'application/vnd.schemaregistry.v1+json' }).end(JSON.stringify(body)));
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, registered };
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
