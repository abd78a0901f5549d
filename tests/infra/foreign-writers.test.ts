import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { useRegistry } from '../../infra/schema-registry/registry.js';
import { silentJournal } from '../../pipeline/core/metrics.js';
import { compile } from '../../schemas/avro.js';
import { codec } from '../../schemas/codec.js';
import type { ShopEvent } from '../../schemas/types.js';
import { product, shopEvent } from '../support/events.js';

test('what a foreign writer sends in a schema of its own is read, amounts of money too', async () => {
  const ours = codec<ShopEvent>('ShopEvent').schema;
  const theirs = { ...ours, fields: [...ours.fields, { name: 'pageTheme', type: ['null', 'string'], default: null }] };
  const registered: string[] = [];
  const server = createServer((request, response) => {
    const answer = async (): Promise<object> => {
      if (request.url === '/schemas/ids/7') return { schema: JSON.stringify(theirs) };
      if (request.method === 'GET') return { compatibilityLevel: 'BACKWARD' };
      return { id: 1_000 + registered.push(((await json(request)) as { schema: string }).schema) };
    };
    void answer().then((body) => response.writeHead(200, { 'content-type': 'application/vnd.schemaregistry.v1+json' }).end(JSON.stringify(body)));
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  onTestFinished(() => { server.closeAllConnections(); server.close(); });
  const { learnSchemas } = await useRegistry(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, silentJournal);
  await learnSchemas([7]);

  const event = shopEvent('Product Viewed', { userId: 'u1', products: [product('P1')], value: 129_900n });
  const written = Buffer.concat([Buffer.from('0000000007', 'hex'), compile(theirs).toBuffer({ ...event, pageTheme: 'dark' })]);
  expect(codec<ShopEvent>('ShopEvent').decode(written)).toMatchObject({ userId: 'u1', value: 129_900n, products: [{ sku: 'P1' }] });
});
