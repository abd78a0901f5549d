import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { textOf } from './pages.js';

interface Told {
  readonly id: string;
  readonly type: string;
  readonly timestamp: string;
  readonly data: Readonly<Record<string, unknown>>;
}
type TriggerOf = (headers: IncomingHttpHeaders, body: Buffer, secret: string, now?: number) => Told;

/** The receiver's half as docs/triggers.md has it: every delivery of these tests goes through it. */
const example = [...textOf('docs/triggers.md').matchAll(/^```js\n([\s\S]*?)^```$/gm)].map(([, code = '']) => code).find((code) => code.includes('export function triggerOf'));
if (example === undefined) throw new Error('docs/triggers.md shows no triggerOf.');
export const { triggerOf } = (await import(/* @vite-ignore */ `data:text/javascript,${encodeURIComponent(example)}`)) as { triggerOf: TriggerOf };

export const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

export interface Delivery extends Told {
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly at: number;
}

/** A marketing system on loopback. It answers with what `answer` says of the n-th request (from 0) and its trigger; undefined: it never does. */
export class Receiver {
  readonly deliveries: Delivery[] = [];
  mostAtOnce = 0;
  now: () => number = Date.now;
  #open = 0;
  #server: Server | undefined;

  constructor(public answer: (n: number, told: Told) => number | ((response: ServerResponse) => void) | undefined = () => 200) {}

  async listen(): Promise<this> {
    this.#server = createServer(async (request, response) => {
      this.mostAtOnce = Math.max(this.mostAtOnce, ++this.#open);
      response.on('close', () => this.#open--);
      const pieces: Buffer[] = [];
      for await (const piece of request) pieces.push(piece as Buffer);
      const body = Buffer.concat(pieces);
      const told = triggerOf(request.headers, body, secret, this.now());
      const answer = this.answer(this.deliveries.length, told);
      this.deliveries.push({ ...told, headers: request.headers, body, at: Date.now() });
      if (typeof answer === 'number') response.writeHead(answer).end();
      else answer?.(response);
    }).listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server!.address() as AddressInfo).port}/hooks/t0ken`;
  }

  get ids(): string[] {
    return this.deliveries.map(({ id }) => id);
  }

  async close(): Promise<void> {
    this.#server?.closeAllConnections();
    this.#server?.close();
    await once(this.#server!, 'close');
  }
}
