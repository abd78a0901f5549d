import { describe, expect, test } from 'vitest';
import { isoDay, shopDays } from '../../pipeline/core/shop-day.js';
import { hourOf, hoursOf, isoHour } from '../../pipeline/core/shop-hours.js';

const DAY = 86_400_000;
const dayOf = (date: string): number => Date.parse(`${date}T00:00Z`) / DAY;
const hoursIn = (zone: string, date: string) => {
  const days = shopDays(zone);
  return hoursOf(dayOf(date), days).map(({ start, hour, length }) => ({ start: isoHour(start, days), hour, length }));
};

describe('hours of a day', () => {
  test('of 23 hours leave out the one that the clocks skip', () => {
    const hours = hoursIn('Europe/London', '2011-03-27');
    expect(hours.map(({ hour }) => hour)).toEqual([0, ...Array.from({ length: 22 }, (_, i) => i + 2)]);
    expect(hours[1]).toEqual({ start: '2011-03-27T02:00+01:00', hour: 2, length: 1 });
  });

  test('of 25 hours have one twice, each with its own first instant', () => {
    const hours = hoursIn('Europe/London', '2011-10-30');
    expect(hours.map(({ start }) => start).slice(0, 4)).toEqual(['2011-10-30T00:00+01:00', '2011-10-30T01:00+01:00', '2011-10-30T01:00+00:00', '2011-10-30T02:00+00:00']);
    expect(hours).toHaveLength(25);
  });

  test('where the clocks change by half an hour are cut there', () => {
    const [autumn, spring] = ['2011-04-03', '2011-10-02'].map((date) => hoursIn('Australia/Lord_Howe', date));
    expect(autumn!.slice(1, 3)).toEqual([{ start: '2011-04-03T01:00+11:00', hour: 1, length: 1 }, { start: '2011-04-03T01:30+10:30', hour: 1, length: 0.5 }]);
    expect(spring!.slice(2, 4)).toEqual([{ start: '2011-10-02T02:30+11:00', hour: 2, length: 0.5 }, { start: '2011-10-02T03:00+11:00', hour: 3, length: 1 }]);
  });

  test('begin when the clocks skip midnight, and there are none of a day that a zone skipped', () => {
    expect(hoursIn('America/Sao_Paulo', '2011-10-16').map(({ start }) => start).slice(0, 2)).toEqual(['2011-10-16T01:00-02:00', '2011-10-16T02:00-02:00']);
    expect(hoursIn('Pacific/Apia', '2011-12-30')).toEqual([]);
  });

  test.each(['Europe/London', 'America/Sao_Paulo', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'America/Havana', 'Africa/Cairo'])('in %s follow each other without a gap, and know their instants', (zone) => {
    const days = shopDays(zone);
    const year = Array.from({ length: 365 }, (_, i) => dayOf('2011-01-01') + i);
    const changes = year.filter((day) => days.startOf(day + 1) - days.startOf(day) !== DAY);
    for (const day of [year[0]!, ...changes.flatMap((change) => [change - 1, change, change + 1])]) {
      const hours = hoursOf(day, days);
      expect([isoDay(days.dayOf(days.startOf(day))), isoDay(days.dayOf(days.startOf(day) - 1))]).toEqual([isoDay(day), isoDay(day - 1)]);
      hours.forEach(({ start, hour, length }, i) => {
        const end = start + length * 3_600_000;
        expect(end).toBe(hours[i + 1]?.start ?? days.startOf(day + 1));
        for (const time of [start, end - 1]) expect([days.dayOf(time), hourOf(time, days)]).toEqual([day, hour]);
      });
    }
  });
});
