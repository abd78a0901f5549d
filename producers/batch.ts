import { contextFields } from './call-context.js';
import { collect, type CollectContext, type Outcome } from './collect.js';
import { isObject, type FieldError, type Json } from './fields.js';
import { parseTime } from './times.js';

/** Calls of one request: what became of each, in order, or what is wrong with the request itself. */
export type BatchOutcome = Batch | { readonly errors: readonly FieldError[] };

export interface Batch {
  /** A call as it may be sent again by itself. */
  readonly callAt: (index: number) => unknown;
  /** The same without the context that the batch gives for all: a thousand copies of it would be a thousand times as large as the batch. */
  readonly bareCallAt: (index: number) => unknown;
  readonly outcomes: readonly Outcome[];
}

const MAX_BATCH = 1000;

/** Read `{batch: [call, …], sentAt, context}`. One bad call never spoils the good ones around it. */
export function collectBatch(body: unknown, context: CollectContext): BatchOutcome {
  if (!isObject(body)) return { errors: [{ path: '', code: 'not_an_object', message: 'A batch must be a JSON object with the list batch.' }] };
  const errors: FieldError[] = [];
  const calls = body['batch'];
  if (!Array.isArray(calls)) {
    errors.push(calls === undefined
      ? { path: 'batch', code: 'required', message: 'A batch needs the list batch.' }
      : { path: 'batch', code: 'wrong_type', message: 'This must be a list of calls.' });
  } else if (calls.length > MAX_BATCH) {
    errors.push({ path: 'batch', code: 'too_many', message: `A batch holds at most ${MAX_BATCH} calls; this one has ${calls.length}.` });
  }
  const named = body['sentAt'] ?? undefined;
  const sentAt = named === undefined ? undefined : parseTime(named);
  if (named !== undefined && sentAt === undefined) errors.push({ path: 'sentAt', code: 'invalid_time', message: 'This must be an ISO 8601 time or milliseconds since 1970.' });
  if (errors.length > 0 || !Array.isArray(calls)) return { errors };
  const shared = isObject(body['context']) ? body['context'] : undefined;
  const asked = shared && contextFields(shared);
  const each = { ...context, type: undefined, sentAt };
  return {
    callAt: (index) => standingAlone(withContext(calls[index], shared), named),
    bareCallAt: (index) => standingAlone(calls[index], named),
    outcomes: calls.map((call: unknown) => collect(withContext(call, asked), each)),
  };
}

/** A call as it may be sent again without its batch: when it was sent corrects its clock. */
const standingAlone = (call: unknown, sentAt: unknown): unknown => (isObject(call) && sentAt !== undefined ? { sentAt, ...call } : call);

/** A context that the batch gives for all its calls: a call's own fields win. */
function withContext(call: unknown, shared: Json | undefined): unknown {
  if (!isObject(call) || shared === undefined) return call;
  return { ...call, context: isObject(call['context']) ? { ...shared, ...call['context'] } : (call['context'] ?? shared) };
}
