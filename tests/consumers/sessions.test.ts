import { expect, test } from 'vitest';
import { joinSessions } from '../../consumers/shoppers/sessions.js';
import type { UserProfile } from '../../schemas/types.js';
import { DAY, MINUTE, NINE } from '../support/events.js';

const PAST = { id: 'a@1', start: NINE, lastSeen: NINE + 5 * MINUTE };

const known = (id: string, from: number, past: UserProfile['past']) => ({ sessionId: id, sessionStart: from, lastSeen: from, sessions: 2, past });

test('a visit that both ids of a shopper know is taken off the count of none; two that were one visit are one', () => {
  const joined = (other: UserProfile['past']): number => joinSessions(known('a@9', NINE + 9 * DAY, PAST), known('b@8', NINE + 8 * DAY, other)).sessions;
  expect(joined(PAST)).toBe(4);
  expect(joined({ ...PAST, lastSeen: NINE + 7 * MINUTE })).toBe(4);
  expect(joined({ ...PAST, id: 'b@1' })).toBe(3);
  expect(joined({ id: 'b@1', start: NINE - DAY, lastSeen: NINE - DAY })).toBe(4);
});
