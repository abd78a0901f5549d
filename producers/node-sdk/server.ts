/** The server refused: what its problem document says. */
export class MillraceError extends Error {
  override readonly name = 'MillraceError';
  constructor(
    readonly status: number,
    readonly problem: { readonly detail?: string; readonly errors?: readonly { readonly path: string; readonly code: string; readonly message: string }[] },
  ) {
    super(problem.detail ?? `The server answered ${status}.`);
  }
}

export interface Answer {
  readonly status: number;
  /** From the header `Retry-After`; 0 without one. */
  readonly retryAfterMs: number;
  /** The body; `{detail}` with its beginning where it is no JSON object, and so not from Millrace. */
  readonly json: Readonly<Record<string, unknown>>;
}

/** Sends one request. Rejects where the connection breaks, and with a `TimeoutError` where the answer takes too long. */
export type Send = (method: string, path: string, body?: unknown) => Promise<Answer>;

/** Requests to the server at `url`, with a key of it; each may take `timeoutMs`. */
export function sendTo(url: string, key: string, timeoutMs: number, request: typeof fetch): Send {
  const authorization = `Basic ${Buffer.from(`${key}:`).toString('base64')}`;
  return async (method, path, body) => {
    const response = await request(url.replace(/\/$/, '') + path, {
      method,
      headers: { authorization, 'content-type': 'application/json' },
      // By itself fetch waits for five minutes.
      signal: AbortSignal.timeout(timeoutMs),
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: response.status, retryAfterMs: Number(response.headers.get('retry-after') ?? 0) * 1000, json: objectIn(await response.text()) };
  };
}

function objectIn(text: string): Readonly<Record<string, unknown>> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // Not from Millrace.
  }
  const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
  return isObject(json) ? json : { detail: text.slice(0, 200) };
}
