import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http';
import type { FieldError } from '../../producers/fields.js';

/** A problem document (RFC 9457) as the client gets it. */
export interface Problem {
  readonly status: number;
  /** A sentence for a person. */
  readonly detail: string;
  /** Every wrong field. */
  readonly errors?: readonly FieldError[] | undefined;
  readonly retryAfterSeconds?: number | undefined;
  /** Methods that the address takes. */
  readonly allow?: readonly string[] | undefined;
  /** Further members of the document. */
  readonly more?: Readonly<Record<string, unknown>> | undefined;
}

/** The request is refused. Any door may throw it, whatever is behind the door: it becomes the answer. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  constructor(readonly problem: Problem, options?: ErrorOptions) {
    super(problem.detail, options);
  }
}

export const badRequest = (errors: readonly FieldError[], more?: Problem['more']): Refusal =>
  new Refusal({ status: 400, detail: errors.length === 1 ? `${errors[0].path || 'The body'}: ${errors[0].message}` : `${errors.length} fields are wrong.`, errors, more });

export const refuse = (status: number, detail: string, retryAfterSeconds?: number): Refusal =>
  new Refusal({ status, detail, retryAfterSeconds });

/** A known address, asked by another method than those it takes. */
export function wrongMethod(methods: readonly string[], { method = '' }: IncomingMessage): Refusal {
  return new Refusal({ status: 405, detail: `This takes ${methods.filter((name) => name !== 'HEAD').join(' or ')}, not ${method}.`, allow: methods });
}

/** The header `Allow` of an address that takes these methods. */
export const allowHeader = (methods: readonly string[]): string => [...methods, 'OPTIONS'].join(', ');

export function sendProblem(response: ServerResponse, requestId: string, problem: Problem): void {
  writeProblem(response, requestId, problem);
  if (!response.destroyed) response.end();
}

/** Write all of the answer without ending it: the client can read it, and its connection stays until the caller ends it. */
export function writeProblem(response: ServerResponse, requestId: string, { status, detail, errors, retryAfterSeconds, allow, more }: Problem): void {
  if (response.headersSent) return void response.destroy();
  if (retryAfterSeconds !== undefined) response.setHeader('retry-after', String(Math.max(1, Math.ceil(retryAfterSeconds))));
  if (allow) response.setHeader('allow', allowHeader(allow));
  if (status === 401) response.setHeader('www-authenticate', 'Bearer realm="millrace"');
  const body = JSON.stringify({ type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, detail, requestId, ...(errors && { errors }), ...more });
  response.writeHead(status, { 'content-type': 'application/problem+json; charset=utf-8', 'content-length': Buffer.byteLength(body) });
  response.write(body);
}
