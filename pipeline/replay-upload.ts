import { ConfigError, Unavailable } from './core/errors.js';
import type { NewRecord } from './core/log.js';
import { WITHIN_MS } from './in-step.js';

/** A server that takes a batch for longer has lost it: it holds history back, and then says why it does not take it. */
const ANSWER_WITHIN_MS = WITHIN_MS + 30_000;

/** Sends batches of a file source over HTTP; the server recognises a repetition by (source, ordinal). @throws ConfigError */
export function uploader(url: string, source: string, adminToken: string | undefined): { partitions: number; send(records: readonly NewRecord[]): Promise<void>; finish(): Promise<void>; stop(): Promise<void> } {
  if (adminToken === undefined) throw new ConfigError(['--url needs an admin token: set ADMIN_TOKENS.']);
  if (!/^https?:\/\//.test(url) || !URL.canParse(url)) throw new ConfigError([`--url must be an address such as http://localhost:8080, not "${url}".`]);
  return {
    // The server finds the home partition by itself.
    partitions: 1,
    async send(records) {
      const named = records.flatMap(({ topic, key, value }) => (value === null ? [] : [{ topic, key, value: value.toString('base64') }]));
      await post(`${url.replace(/\/$/, '')}/v1/sources/${encodeURIComponent(source)}`, adminToken, { records: named });
    },
    finish: async () => {},
    stop: async () => {},
  };
}

async function post(url: string, token: string, body: object): Promise<void> {
  const response = await fetch(url, { method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' }, body: JSON.stringify(body), signal: AbortSignal.timeout(ANSWER_WITHIN_MS) })
    .catch((cause: unknown) => { throw new Unavailable(`${url} does not answer${reasonOf(cause)}.`, { cause }); });
  if (response.ok) return;
  const detail = sentencesOf(await response.text()).slice(0, 500);
  if (response.status >= 500 || response.status === 429) throw new Unavailable(`${url} answers ${response.status}: ${detail}`);
  throw new Error(`${url} answers ${response.status}: ${detail}`);
}

/** What a person reads of an RFC 9457 problem; any other answer as it came. */
function sentencesOf(text: string): string {
  try {
    const { detail, errors = [] } = JSON.parse(text) as { detail?: string; errors?: readonly { path: string; message: string }[] };
    return detail === undefined ? text : [detail, ...errors.map(({ path, message }) => `${path}: ${message}`)].filter((sentence, at, all) => all.indexOf(sentence) === at).join(' ');
  } catch {
    return text;
  }
}

/** ` (ECONNREFUSED)` and the like, which tells a wrong port from a wrong name. */
function reasonOf(failure: unknown): string {
  const cause = failure instanceof Error ? failure.cause : undefined;
  return cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : '';
}
