/** A visit ends when nothing was heard of its shopper for so long, by event time. */
export const SESSION_GAP_MS = 30 * 60_000;

/** Id of a session: it contains the time (ms) of the session's first event. */
export const sessionIdOf = (shopper: string, start: number): string => `${shopper}@${start}`;

/** When a session began (ms), as its id says; Infinity for an id without a time. */
export const beganAt = (sessionId: string): number => (sessionId.includes('@') ? Number(sessionId.slice(sessionId.lastIndexOf('@') + 1)) : Infinity);

/**
 * Whether an event belongs to a visit whose last event was at `at`. Their session ids may differ, where a login joins two ids: it is one visit
 * if no session gap lies between them.
 */
export const isOfVisit = ({ sessionId, at }: { readonly sessionId: string; readonly at: number }, event: { readonly sessionId: string; readonly time: number }): boolean =>
  beganAt(event.sessionId) <= at + SESSION_GAP_MS && beganAt(sessionId) <= event.time + SESSION_GAP_MS;

/** The session that began first. */
export const firstOf = (one: string, other: string): string => (beganAt(other) < beganAt(one) ? other : one);
