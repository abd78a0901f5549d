import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Answers each body with itself: what a request costs that asks for nothing. */
export const echo = (): Server => createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end(Buffer.concat(chunks)));
});

/** Listen on a free port of this machine, and answer which. */
export const listening = (server: Server): Promise<number> =>
  new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)));
