import type { ServerResponse } from 'node:http';

/** Answers whose head is made and whose body waits for the end of this turn of the event loop. */
const finished: { readonly response: ServerResponse; readonly body: string }[] = [];

/**
 * Answer with JSON. Answers that are ready in one turn of the event loop are written together at its end: a write that wakes
 * a waiting process, or its idle processor, costs as much as the work for the answer, and the writes right after it do not.
 */
export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const body = JSON.stringify(value);
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'content-length': Buffer.byteLength(body) });
  if (finished.length === 0) setImmediate(writeFinished);
  finished.push({ response, body });
}

function writeFinished(): void {
  for (const { response, body } of finished.splice(0)) response.end(body);
}
