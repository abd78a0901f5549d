import type { EventType } from '../schemas/types.js';
import { optionalId, requiredId, shopperId, type Errors, type Json } from './fields.js';
import { EARLIEST, eventTime, parseTime } from './times.js';

/** What every Segment call carries, whatever it is about. */
export interface Envelope {
  readonly messageId: string;
  readonly type: EventType;
  readonly userId: string | null;
  readonly anonymousId: string | null;
  readonly time: number;
  readonly receivedAt: number;
  /** The event claimed to lie in the future. */
  readonly clamped: boolean;
}

const TYPES: ReadonlyMap<unknown, EventType> = new Map<unknown, EventType>(
  (['track', 'page', 'screen', 'identify', 'group', 'alias'] as const).map((type) => [type, type]),
);

/** The call: named in the body, or by the route, and not two different ones. */
export function callType(errors: Errors, body: Json, ofRoute: EventType | undefined): EventType {
  const named = body['type'];
  if (named === undefined || named === null) {
    if (ofRoute !== undefined) return ofRoute;
    errors.push({ path: 'type', code: 'required', message: 'Say which call this is: track, page, screen, identify, group or alias.' });
    return 'track';
  }
  const type = TYPES.get(named);
  if (type === undefined) errors.push({ path: 'type', code: 'unknown_type', message: 'The call must be track, page, screen, identify, group or alias.' });
  else if (ofRoute !== undefined && type !== ofRoute) errors.push({ path: 'type', code: 'unknown_type', message: `This route takes ${ofRoute}, the body says ${type}.` });
  return type ?? 'track';
}

function timeOf(errors: Errors, body: Json, name: string): number | undefined {
  const value = body[name];
  if (value === undefined || value === null) return undefined;
  const time = parseTime(value);
  if (time === undefined) errors.push({ path: name, code: 'invalid_time', message: 'This must be an ISO 8601 time such as 2026-03-10T10:00:00Z, or milliseconds since 1970.' });
  return time;
}

/** Read the envelope. `needsShopper` is false for what is about a product, not about a person. */
export function envelope(errors: Errors, body: Json, type: EventType, needsShopper: boolean, receivedAt: number, batchSentAt: number | undefined, newId: () => string): Envelope {
  const messageId = body['messageId'] === undefined || body['messageId'] === null ? newId() : requiredId(errors, body, 'messageId');
  // An empty userId is how some SDKs say "not logged in"; in a call that exists to name the user it is a broken page.
  const known = errors.length;
  const naming = type === 'identify' || type === 'alias';
  if (naming && (body['userId'] === '' || (type === 'alias' && (body['userId'] ?? null) === null))) requiredId(errors, body, 'userId');
  const userId = shopperId(errors, body, 'userId');
  const anonymousId = shopperId(errors, body, 'anonymousId');
  if (needsShopper && userId === null && anonymousId === null && errors.length === known) {
    errors.push({ path: 'userId', code: 'required', message: 'A call needs a userId or an anonymousId.' });
  }
  const sentAt = timeOf(errors, body, 'sentAt') ?? batchSentAt;
  const name = (body['timestamp'] ?? null) === null ? 'originalTimestamp' : 'timestamp';
  const timestamp = timeOf(errors, body, name);
  const { time, clamped } = eventTime(timestamp, sentAt, receivedAt);
  if (time < EARLIEST) errors.push({ path: timestamp !== undefined && timestamp >= EARLIEST ? 'sentAt' : name, code: 'time_out_of_range', message: 'This puts the event before 1990: the clock it was read from was not set, or it is in seconds instead of milliseconds.' });
  return { messageId: messageId ?? '', type, userId, anonymousId, time, receivedAt, clamped };
}

/** The id that an alias call takes over. */
export function previousIdOf(errors: Errors, body: Json, type: EventType): string | null {
  if (type !== 'alias') return null;
  const missing = (body['previousId'] ?? null) === null;
  return missing && (body['anonymousId'] ?? null) !== null ? optionalId(errors, body, 'anonymousId') : requiredId(errors, body, 'previousId');
}
