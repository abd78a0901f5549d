import { expect, test } from 'vitest';
import { NO_SUCH_EPOCH } from '../../infra/kafka-log/hand-made.js';
import { lineageText, lostBy, parseLineage } from '../../infra/kafka-log/lineage.js';

const RANGE = { start: 50, end: 100 };
const at = (offset: number, was = parseLineage('a1:5')) => ({ topic: 'orders', partition: 3, offset, was });

test.each([
  ['a position that is what was read', at(80), 'a1', 100, undefined],
  ['one whose epoch ends where it stands', at(80), 'a1', 80, undefined],
  ['one behind the start', at(49), 'a1', 100, 50],
  ['one in another topic of that name, wherever it lies', at(80), 'b2', undefined, 50],
  ['one whose epoch ends before it', at(80), 'a1', 70, 70],
  ['one whose epoch ends before it, and before the start', at(80), 'a1', 40, 50],
  ['one beyond the end whose epoch ends before it', at(120), 'a1', 70, 70],
  ['one beyond the end of which no epoch was kept', at(120, undefined), 'a1', undefined, 100],
  ['one of an epoch that the log has never had', at(80), 'a1', NO_SUCH_EPOCH, 80],
  ['one beyond the end, of an epoch that the log has never had', at(120), 'a1', NO_SUCH_EPOCH, 100],
  ['one that was kept before there were lineages', at(80, undefined), 'a1', undefined, undefined],
  ['one of a cluster that gives topics no ids', at(80, parseLineage(':-1')), 'a1', undefined, undefined],
  ['one on a cluster that gives topics no ids any more', at(80), '', undefined, undefined],
])('of %s it is known what is lost', (_, standing, topicId, epochEnd, next) => {
  expect(lostBy(standing, topicId, RANGE, epochEnd)?.next).toBe(next);
});

test('a lineage comes back from its text, and nothing else is one', () => {
  for (const text of ['a1:5', ':-1', 'a1:0']) expect(lineageText(parseLineage(text)!)).toBe(text);
  expect([undefined, '', 'a1', 'a1:', 'a1:x'].map(parseLineage)).toEqual([undefined, undefined, undefined, undefined, undefined]);
});
