import { joinedIds } from '../../schemas/joined-ids.js';
import type { ShopEvent, UserProfile } from '../../schemas/types.js';
import { SESSION_GAP_MS, sessionIdOf } from '../session-ids.js';

/** Of a shopper of whom nothing is known but orders or a login: what comes next begins a session. */
export const NO_SESSION = '';

export interface Session {
  readonly id: string;
  readonly start: number;
  readonly isNew: boolean;
  /** The event belongs to a session that is over: it changes nothing of the current one. */
  readonly isPast: boolean;
}

/**
 * Session of an event: thirty minutes without one end it, by event time. A login begins none: it belongs to the session of the id that is
 * joined, which the merge brings a moment later.
 */
export function sessionOf(key: string, profile: UserProfile | undefined, event: ShopEvent): Session {
  const { time } = event;
  const fresh = (isPast: boolean): Session => (joinedIds(event) ? { id: NO_SESSION, start: time, isNew: false, isPast } : { id: sessionIdOf(key, time), start: time, isNew: true, isPast });
  if (!profile || time > profile.lastSeen + SESSION_GAP_MS) return fresh(false);
  const { past } = profile;
  // Of whom only orders are known, which may have run ahead of what led to them, no visit has begun.
  const isPast = profile.events > 0 && time < profile.sessionStart - SESSION_GAP_MS;
  if (isPast || profile.sessionId === NO_SESSION) return past && goOn(past, { start: time, lastSeen: time }) ? { id: past.id, start: past.start, isNew: false, isPast: true } : fresh(isPast);
  return { id: profile.sessionId, start: profile.sessionStart, isNew: false, isPast: false };
}

type Past = NonNullable<UserProfile['past']>;
type Span = Pick<Past, 'start' | 'lastSeen'>;

const goOn = (one: Span, other: Span): boolean => one.start <= other.lastSeen + SESSION_GAP_MS && other.start <= one.lastSeen + SESSION_GAP_MS;

const currentOf = ({ sessionId: id, sessionStart: start, lastSeen }: Pick<UserProfile, 'sessionId' | 'sessionStart' | 'lastSeen'>): Past | null => (id === NO_SESSION ? null : { id, start, lastSeen });

/** The session before the current one after an event: the one to which events of an earlier visit that come late may belong, so that each of them is no visit. */
export function pastAfter(before: UserProfile, time: number, session: Session): UserProfile['past'] {
  if (session.isPast && session.id === NO_SESSION) return before.past;
  // A login begins no session, and ends the one before all the same.
  if (!session.isPast) return session.id === before.sessionId ? before.past : (currentOf(before) ?? before.past);
  const known = before.past?.id === session.id ? before.past.lastSeen : time;
  return { id: session.id, start: session.start, lastSeen: Math.max(known, time) };
}

type Sessions = Pick<UserProfile, 'sessionId' | 'sessionStart' | 'sessions' | 'past'>;
type Seen = Sessions & Pick<UserProfile, 'lastSeen'>;

/** The sessions of two ids of one shopper; `later` was seen last. Those that were less than thirty minutes apart are one. */
export function joinSessions(later: Seen, earlier: Seen): Sessions {
  const sessions = later.sessions + earlier.sessions;
  const { sessionId, sessionStart } = later;
  const [past, visits] = joinPast(later.past, earlier.past, sessions);
  if (earlier.sessionId === NO_SESSION) return { sessionId, sessionStart, sessions: visits, past };
  if (sessionStart > earlier.lastSeen + SESSION_GAP_MS) {
    const [all, left] = joinPast(past, currentOf(earlier), visits);
    return { sessionId, sessionStart, sessions: left, past: all };
  }
  if (sessionId === NO_SESSION) return { sessionId: earlier.sessionId, sessionStart: earlier.sessionStart, sessions: visits, past };
  const first = sessionStart < earlier.sessionStart ? later : earlier;
  return { sessionId: first.sessionId, sessionStart: first.sessionStart, sessions: visits - 1, past };
}

/** The later of two past sessions, and how many sessions are left of `sessions`: two that were less than thirty minutes apart are one. */
function joinPast(one: Past | null, other: Past | null, sessions: number): [past: Past | null, sessions: number] {
  if (!one || !other) return [one ?? other, sessions];
  if (!goOn(one, other)) return [one.lastSeen >= other.lastSeen ? one : other, sessions];
  const [first, second] = one.start <= other.start ? [one, other] : [other, one];
  return [{ ...first, lastSeen: Math.max(first.lastSeen, second.lastSeen) }, first.id === second.id ? sessions : sessions - 1];
}
