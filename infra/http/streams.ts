/** Answers that are written piece by piece, until the client goes away. */
import { readBody, utf8 } from './body.js';
import type { Exchange, House } from './exchange.js';
import { refuse } from './problem.js';

/**
 * The rows of a query, one JSON object a line.
 *
 * @throws Refusal 404 where the process has no ClickHouse
 */
export async function answerSql(house: House, { request, response }: Exchange): Promise<void> {
  const { sql } = house.deps;
  if (!sql) throw refuse(404, 'This process has no ClickHouse at hand.');
  const query = utf8(await readBody(request, 64 * 1024, house.budget));
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  response.setHeader('content-type', 'application/x-ndjson; charset=utf-8');
  for await (const row of await sql(query, gone.signal)) response.write(`${JSON.stringify(row)}\n`);
  response.end();
}

export const isStream = (answer: object): answer is AsyncGenerator<object> => Symbol.asyncIterator in answer;

/** Server-Sent Events, one JSON value each. */
export async function sendEvents(stream: AsyncGenerator<object>, { request, response }: Exchange): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
  // Who asks for the head alone waits for its end.
  if (request.method === 'HEAD') return void response.end();
  response.on('close', () => void stream.return(undefined));
  for await (const value of stream) response.write(`data: ${JSON.stringify(value)}\n\n`);
  response.end();
}
