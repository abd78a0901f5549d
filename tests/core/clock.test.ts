import { expect, test } from 'vitest';
import { TaskClock, tickMs } from '../../pipeline/core/clock.js';

test('time is written each second, with many partitions less often, and never so seldom that it would pass for standing still', () => {
  expect([1, 4, 12, 100, 1_000].map(tickMs)).toEqual([1_000, 1_000, 3_000, 10_000, 10_000]);
});

test('time of a task is the least of the last ticks, and a tick that comes late, as a former owner writes it, sets no writer back', () => {
  const clock = new TaskClock([{ topic: 'a', writers: ['one', 'other'] }, { topic: 'b', writers: ['source'] }], { ticks: {}, time: 0 });
  const tick = (topic: string, writer: string, time: number): [boolean, number] => [clock.read(topic, { writer, time }), clock.time];
  expect([tick('a', 'one', 5), tick('a', 'other', 7), tick('b', 'source', 6)]).toEqual([[false, 0], [false, 0], [true, 5]]);
  expect([tick('a', 'one', 9), tick('a', 'one', 4)]).toEqual([[true, 6], [false, 6]]);
  expect([clock.inputTime('a'), clock.isAhead('a', 0), clock.isAhead('a', 1), clock.isAhead('unknown', 0)]).toEqual([7, true, false, false]);
  expect(new TaskClock([{ topic: 'b', writers: ['source'] }], { ticks: clock.ticks(), time: clock.time }).inputTime('b')).toBe(6);
});
