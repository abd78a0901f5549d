import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip, inflate } from 'node:zlib';
import { refuse } from './problem.js';

const unpackers = { gzip: promisify(gunzip), deflate: promisify(inflate) };

/** Types under which JSON comes: beacons of pages on another origin can only send text/plain. */
const JSON_TYPES = /^(application\/(json|[\w.-]+\+json|x-ndjson|octet-stream)|text\/plain)\s*(;|$)/i;

/** Bytes of bodies held in memory at once, over all requests: beyond it new ones are told to come back. */
export class BodyBudget {
  #held = 0;
  constructor(readonly maxBytes: number) {}

  /** @throws Refusal 503 */
  take(bytes: number): void {
    if (this.#held + bytes > this.maxBytes) throw refuse(503, 'Too many requests are being read at once.', 1);
    this.#held += bytes;
  }

  give(bytes: number): void {
    this.#held -= bytes;
  }
}

const tooLarge = (maxBytes: number) => refuse(413, `A body may have ${maxBytes} bytes here.`);

/** @throws Refusal 413 from the announced length, before a byte of the body is read. */
export function checkLength(request: IncomingMessage, maxBytes: number): void {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
}

/** The body's bytes as they came. @throws Refusal 413, 503 */
async function receive(request: IncomingMessage, maxBytes: number, budget: BodyBudget): Promise<Buffer> {
  checkLength(request, maxBytes);
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    await new Promise<void>((resolve, reject) => {
      request.on('data', (chunk: Buffer) => {
        try {
          budget.take(chunk.length);
          size += chunk.length;
          if (size > maxBytes) throw tooLarge(maxBytes);
          chunks.push(chunk);
        } catch (refusal) {
          request.removeAllListeners('data');
          reject(refusal);
        }
      });
      request.on('end', resolve);
      // A page that was left, or a chunk of no length: the client's doing, not a fault that somebody must look at.
      request.on('error', () => reject(refuse(400, 'The request ended early.')));
      // Every request closes; an error made for each of them, with its stack, cost as much as reading the body.
      request.on('close', () => {
        if (!request.complete) reject(refuse(400, 'The request ended early.'));
      });
    });
  } finally {
    budget.give(size);
  }
  return chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
}

/** How a body is packed; names are written in any case, and x-gzip is gzip. */
export function encodingOf(request: IncomingMessage): string {
  const encoding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  return encoding === 'x-gzip' ? 'gzip' : encoding;
}

/** Bytes of another charset are either no UTF-8 or, worse, another text in it. @throws Refusal 415 */
export function checkCharset(request: IncomingMessage): void {
  const charset = /;\s*charset\s*=\s*["']?([^\s"';]+)/i.exec(request.headers['content-type'] ?? '')?.[1];
  if (charset !== undefined && !/^(utf-?8|(us-)?ascii)$/i.test(charset)) throw refuse(415, `Send UTF-8: the content-type names the charset ${JSON.stringify(charset.slice(0, 40))}.`);
}

/** @throws Refusal 413, 415, 503, 400 when it cannot be unpacked */
export async function readBody(request: IncomingMessage, maxBytes: number, budget: BodyBudget): Promise<Buffer> {
  checkCharset(request);
  const packed = await receive(request, maxBytes, budget);
  const encoding = encodingOf(request);
  if (encoding === 'identity') return packed;
  if (encoding !== 'gzip' && encoding !== 'deflate') throw refuse(415, 'A body may be packed with gzip or deflate.');
  try {
    // The limit holds for what comes out: some bytes of gzip unpack to a gigabyte.
    return await unpackers[encoding](packed, { maxOutputLength: maxBytes });
  } catch (cause) {
    throw (cause as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE' ? tooLarge(maxBytes) : refuse(400, `The body is not valid ${encoding}.`);
  }
}

/** @throws Refusal 415 */
export function checkType(request: IncomingMessage): void {
  const type = request.headers['content-type'];
  if (type !== undefined && type !== '' && !JSON_TYPES.test(type)) throw refuse(415, 'Send JSON, as application/json or text/plain.');
}

/** Text of a body. Wrong bytes would silently become U+FFFD, and two different ids the same one. @throws Refusal 400 */
export function utf8(bytes: Buffer): string {
  if (!isUtf8(bytes)) throw refuse(400, 'The body is not UTF-8.');
  return bytes.toString();
}

/** Text of JSON without a byte order mark: .NET and PowerShell write one, which nobody would see in a message about it. @throws Refusal 400 */
export const jsonText = (bytes: Buffer): string => utf8(bytes).replace(/^\uFEFF/, '');

/** @throws Refusal 400 */
export function parseJson(bytes: Buffer): unknown {
  const text = jsonText(bytes);
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw refuse(400, bytes.length === 0 ? 'The body is empty: send JSON.' : `The body is not JSON: ${(error as Error).message.slice(0, 160)}.`);
  }
}

/** The JSON of a request's body. @throws Refusal */
export async function readJson(request: IncomingMessage, maxBytes: number, budget: BodyBudget): Promise<unknown> {
  checkType(request);
  return parseJson(await readBody(request, maxBytes, budget));
}
