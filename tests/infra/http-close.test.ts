import { Agent, request, type IncomingMessage } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { basic, BROWSER, startHttp } from './http-server.js';

/** A question of a client that keeps its connection, as proxies and SDKs do. */
const asked = (port: number, agent: Agent): Promise<IncomingMessage> => new Promise((resolve, reject) => {
  request({ port, host: '127.0.0.1', agent, method: 'POST', path: '/v1/track', headers: { ...basic(BROWSER), 'content-type': 'application/json' } }, (response) => {
    response.resume().on('end', () => resolve(response));
  }).on('error', reject).end(JSON.stringify({ userId: 'u', event: 'X' }));
});

test('an end answers what is under way, says that the connection ends with it, and waits for nobody who keeps theirs', async () => {
  let written = (): void => {};
  const durable = new Promise<void>((resolve) => { written = resolve; });
  let isUnderWay = false;
  const http = await startHttp({
    accept: async (records) => {
      isUnderWay = true;
      await durable;
      return records.map(({ topic, partition }) => ({ topic, partition, offset: 0 }));
    },
  });
  const agent = new Agent({ keepAlive: true });
  onTestFinished(() => agent.destroy());
  const answer = asked(http.port, agent);
  await expect.poll(() => isUnderWay).toBe(true);
  const began = performance.now();
  const closed = http.server.close();
  written();
  const { statusCode, headers } = await answer;
  expect([statusCode, headers.connection]).toEqual([200, 'close']);
  await closed;
  // After five seconds whoever is still there is cut off.
  expect(performance.now() - began).toBeLessThan(4_000);
});

test('clients that ask again and again on connections of theirs are told to go, and none of their requests is cut off', async () => {
  const http = await startHttp();
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  onTestFinished(() => agent.destroy());
  let answered = 0;
  const untilToldToGo = async (): Promise<string> => {
    for (;;) {
      const { headers } = await asked(http.port, agent);
      answered++;
      if (headers.connection === 'close') return 'told';
    }
  };
  const ends = Promise.allSettled([untilToldToGo(), untilToldToGo(), untilToldToGo(), untilToldToGo()]);
  await expect.poll(() => answered).toBeGreaterThan(20);
  await http.server.close();
  expect((await ends).map((end) => (end.status === 'fulfilled' ? end.value : String(end.reason)))).toEqual(['told', 'told', 'told', 'told']);
});
