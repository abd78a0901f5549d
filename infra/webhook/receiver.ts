import { timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server } from 'node:http';
import { keyOf, signatureOf } from './endpoint.js';

/** How old a signature may be: an older one is somebody's who sends again what they have overheard. */
const YOUNGEST_MS = 300_000;
const MOST_BYTES = 1 << 20;

/** A delivery whose signature is right. */
export interface Received {
  readonly id: string;
  readonly body: string;
  /** Whether it came before, as after an answer that was lost. */
  readonly isRepeated: boolean;
}

/** What is wrong with a delivery; undefined for one that was signed with one of the secrets within five minutes of `now` (ms). */
export function problemOf(headers: IncomingHttpHeaders, body: Buffer, secrets: readonly string[], now: number): string | undefined {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': given } = headers;
  if (typeof id !== 'string' || typeof timestamp !== 'string' || typeof given !== 'string') return 'It lacks webhook-id, webhook-timestamp or webhook-signature.';
  if (!(Math.abs(now - Number(timestamp) * 1_000) < YOUNGEST_MS)) return `It was signed at ${timestamp}, more than five minutes from now.`;
  const expected = secrets.map((secret) => Buffer.from(signatureOf(keyOf(secret), id, timestamp, body)));
  const signatures = given.split(' ').map((one) => Buffer.from(one));
  return expected.some((one) => signatures.some((two) => one.length === two.length && timingSafeEqual(one, two))) ? undefined : 'It is not signed with our secret.';
}

/** A receiver of webhooks to try them out with: verifies, tells of each, and remembers ids for as long as it runs. */
export function receiver(secrets: readonly string[], told: (delivery: Received) => void, refused: (problem: string) => void): Server {
  const seen = new Set<string>();
  return createServer(async (request, response) => {
    const body = request.method === 'POST' ? await bodyOf(request).catch(() => undefined) : undefined;
    if (!body) return void response.writeHead(request.method === 'POST' ? 413 : 405, { connection: 'close' }).end();
    const problem = problemOf(request.headers, body, secrets, Date.now());
    if (problem !== undefined) {
      refused(problem);
      return void response.writeHead(401, { 'content-type': 'text/plain' }).end(`${problem}\n`);
    }
    const id = String(request.headers['webhook-id']);
    told({ id, body: body.toString(), isRepeated: seen.has(id) });
    seen.add(id);
    response.writeHead(204).end();
  });
}

/** @throws Error for a body that is longer than any trigger, or breaks off */
async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > MOST_BYTES) throw new Error('Too long.');
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}
