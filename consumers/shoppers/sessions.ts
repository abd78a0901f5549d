import { joinedIds } from '../../schemas/joined-ids.js';
import type { ShopEvent, UserProfile } from '../../schemas/types.js';

const SESSION_GAP_MS = 30 * 60_000;

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
  const fresh = (isPast: boolean): Session => (joinedIds(event) ? { id: NO_SESSION, start: time, isNew: false, isPast } : { id: `${key}@${time}`, start: time, isNew: true, isPast });
  if (!profile || profile.sessionId === NO_SESSION || time > profile.lastSeen + SESSION_GAP_MS) return fresh(false);
  if (time < profile.sessionStart - SESSION_GAP_MS) return fresh(true);
  return { id: profile.sessionId, start: profile.sessionStart, isNew: false, isPast: false };
}

type Sessions = Pick<UserProfile, 'sessionId' | 'sessionStart' | 'sessions'>;

/** The sessions of two ids of one shopper; `later` was seen last. Those that were less than thirty minutes apart are one. */
export function joinSessions(later: UserProfile, earlier: UserProfile): Sessions {
  const sessions = later.sessions + earlier.sessions;
  const { sessionId, sessionStart } = later;
  if (earlier.sessionId === NO_SESSION || sessionStart > earlier.lastSeen + SESSION_GAP_MS) return { sessionId, sessionStart, sessions };
  if (sessionId === NO_SESSION) return { sessionId: earlier.sessionId, sessionStart: earlier.sessionStart, sessions };
  const first = sessionStart < earlier.sessionStart ? later : earlier;
  return { sessionId: first.sessionId, sessionStart: first.sessionStart, sessions: sessions - 1 };
}
