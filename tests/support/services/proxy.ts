import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';

/** A TCP door in front of a server, for the faults that killing the server cannot make. */
export interface FaultyProxy {
  /** Its address, as http:// whatever it carries. */
  url: string;
  /** The server does the next `count` requests, and the client never learns it: its connection breaks instead. */
  loseAnswers(count: number): void;
  /** Open connections break, half of them by a reset; new ones are taken. */
  cut(): void;
  /** From now on connections are refused and open ones broken, until `open`. */
  close(): Promise<void>;
  open(): Promise<void>;
  stop(): Promise<void>;
}

export async function faultyProxy(target: string): Promise<FaultyProxy> {
  const { hostname, port: targetPort } = new URL(target);
  const sockets = new Set<Socket>();
  let toLose = 0;
  const server = createServer((client) => {
    const upstream = connect(Number(targetPort), hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
      socket.on('error', () => socket.destroy());
    }
    client.pipe(upstream);
    upstream.on('data', (chunk) => {
      if (toLose > 0) {
        toLose -= 1;
        client.resetAndDestroy();
      } else {
        client.write(chunk);
      }
    });
    upstream.on('end', () => client.end());
  });
  const listen = (port: number) =>
    new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
  const close = async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  await listen(0);
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('A TCP server has a port.');
  const { port } = address;
  return {
    url: `http://127.0.0.1:${port}`,
    loseAnswers: (count) => {
      toLose = count;
    },
    cut: () => {
      for (const socket of sockets) if (Math.random() < 0.5) socket.resetAndDestroy(); else socket.end();
    },
    close,
    open: () => listen(port),
    stop: close,
  };
}
