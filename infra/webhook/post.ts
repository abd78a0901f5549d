import { request as plainRequest, type Agent } from 'node:http';
import { request as tlsRequest } from 'node:https';

/** What is read of an answer's body, so that the connection can be used again; a longer one is cut off with it. */
const MOST_BODY_BYTES = 16_384;

/** What an endpoint said, as far as it counts. */
export interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
}

/**
 * Send one request, and follow no redirect. Answers as soon as the status is there.
 * @throws Error when there is none within `timeoutMs`, no connection, or `stop` says so; its message names no path
 */
export function post(url: URL, agent: Agent, headers: Readonly<Record<string, string>>, body: Buffer, timeoutMs: number, stop: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? tlsRequest : plainRequest;
    const sent = send(url, { method: 'POST', agent, headers: { ...headers, 'content-length': String(body.length) } }, (response) => {
      let read = 0;
      response.on('data', (chunk: Buffer) => {
        read += chunk.length;
        if (read > MOST_BODY_BYTES) response.destroy();
      });
      // What becomes of the body does not change what the status said.
      response.on('error', () => {});
      resolve({ status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'] });
    });
    const timer = setTimeout(() => sent.destroy(new Error(`no answer within ${timeoutMs / 1_000} s`)), timeoutMs);
    const cut = (): void => void sent.destroy(new Error('stopped'));
    stop.addEventListener('abort', cut, { once: true });
    sent.once('close', () => {
      clearTimeout(timer);
      stop.removeEventListener('abort', cut);
    });
    sent.on('error', (error: NodeJS.ErrnoException) => reject(new Error(error.code ?? error.message, { cause: error })));
    sent.end(body);
  });
}
