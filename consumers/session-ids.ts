/** Id of a session, by the event of it that came first. */
export const sessionIdOf = (shopper: string, start: number): string => `${shopper}@${start}`;

/** When a session began (ms), as its id says; Infinity of none. */
export const beganAt = (sessionId: string): number => (sessionId.includes('@') ? Number(sessionId.slice(sessionId.lastIndexOf('@') + 1)) : Infinity);
