/** A visit ends when nothing was heard of its shopper for so long, by event time. */
export const SESSION_GAP_MS = 30 * 60_000;

/** Id of a session, by the event of it that came first. */
export const sessionIdOf = (shopper: string, start: number): string => `${shopper}@${start}`;

/** When a session began (ms), as its id says; Infinity of none. */
export const beganAt = (sessionId: string): number => (sessionId.includes('@') ? Number(sessionId.slice(sessionId.lastIndexOf('@') + 1)) : Infinity);
