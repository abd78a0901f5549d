import { expect, test } from 'vitest';
import { tally, tallyTriggers } from '../../pipeline/faults/tally.js';

test('what is missing is lost, what comes again or uninvited is doubled', () => {
  const counts = new Map([['a', 1], ['b', 3], ['stranger', 1]]);
  expect(tally(['a', 'b', 'c'], counts)).toEqual({ found: 5, lost: ['c'], duplicated: ['b', 'b', 'stranger'] });
  expect(tally(['a'], new Map([['a', 1]]))).toEqual({ found: 1, lost: [], duplicated: [] });
});

test('a cart that was left fires once', () => {
  const carts = new Map([['fine', 'left'], ['silent', 'left'], ['loud', 'left']] as const);
  const counts = new Map([['fired/fine', 1], ['fired/loud', 2]]);
  expect(tallyTriggers(carts, counts)).toEqual({ found: 3, lost: ['fired/silent'], duplicated: ['fired/loud'] });
});

test('a cart that was bought in time never fires, one bought late is taken back', () => {
  const carts = new Map([['quick', 'bought'], ['slow', 'bought late'], ['slower', 'bought late'], ['slowest', 'bought late']] as const);
  const counts = new Map([['fired/quick', 1], ['fired/slower', 1], ['recovered/slower', 1], ['fired/slowest', 1]]);
  expect(tallyTriggers(carts, counts)).toEqual({ found: 4, lost: ['recovered/slowest'], duplicated: ['fired/quick'] });
});

test('a trigger for somebody without a cart is one too many', () => {
  expect(tallyTriggers(new Map(), new Map([['fired/nobody', 1]])).duplicated).toEqual(['fired/nobody']);
});
