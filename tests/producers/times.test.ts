import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { eventTime, parseTime } from '../../producers/times.js';

describe('times', () => {
  test('ISO 8601 is read as every SDK writes it', () => {
    const noon = Date.UTC(2026, 2, 10, 12);
    for (const text of ['2026-03-10T12:00:00.000Z', '2026-03-10T12:00:00Z', '2026-03-10T13:00:00+01:00', '2026-03-10T13:00+01', '2026-03-10 12:00:00', '2026-03-10T12:00:00.000000001Z', '2026-03-10T06:30:00-0530', ' 2026-03-10t12:00:00z']) {
      expect([text, parseTime(text)]).toEqual([text, noon]);
    }
    expect(parseTime('2026-03-10T12:00:00.123456Z')).toBe(noon + 123);
    expect(parseTime('2026-03-10')).toBe(Date.UTC(2026, 2, 10));
    expect(parseTime(noon)).toBe(noon);
  });

  test('a time without a zone is UTC wherever the server stands', () => {
    expect(parseTime('2026-07-10T12:00:00')).toBe(Date.UTC(2026, 6, 10, 12));
  });

  test('years 1 and 9999 are what they say', () => {
    expect(parseTime('0001-01-01T00:00:00Z')).toBe(-62_135_596_800_000);
    expect(parseTime('9999-12-31T23:59:59.999Z')).toBe(253_402_300_799_999);
  });

  test.each(['', 'yesterday', '2026-02-30T00:00:00Z', '2026-02-30T00:00:00.000Z', '2026-13-01', '2025-02-29T00:00:00.000Z', '2026-03-10T25:00:00Z', '2026-03-10T25:00:00.000Z', '2026-03-10T10:00:00+99:99', '2026-03-10T10:00:00-15:00', '10/03/2026', '2026-3-1', null, {}, Number.NaN, Infinity, 1e20, true])('%j is no time', (value) => {
    expect(parseTime(value)).toBeUndefined();
  });

  test('what Date writes is read back', () => {
    fc.assert(fc.property(fc.date({ min: new Date('0100-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }), (date) => {
      expect(parseTime(date.toISOString())).toBe(date.getTime());
    }));
  });

  test('D14: a clock that runs days ahead is corrected by the time of sending', () => {
    const receivedAt = Date.UTC(2026, 2, 10, 10, 0, 31);
    const timestamp = Date.UTC(2026, 2, 13, 10, 0, 0);
    expect(eventTime(timestamp, Date.UTC(2026, 2, 13, 10, 0, 30), receivedAt)).toEqual({ time: Date.UTC(2026, 2, 10, 10, 0, 1), clamped: false });
    expect(eventTime(timestamp, undefined, receivedAt)).toEqual({ time: receivedAt, clamped: true });
    expect(eventTime(undefined, undefined, receivedAt)).toEqual({ time: receivedAt, clamped: false });
  });

  test('no event is later than its receipt', () => {
    fc.assert(fc.property(fc.option(fc.integer(), { nil: undefined }), fc.option(fc.integer(), { nil: undefined }), fc.integer(), (timestamp, sentAt, receivedAt) => {
      expect(eventTime(timestamp, sentAt, receivedAt).time).toBeLessThanOrEqual(receivedAt);
    }));
  });
});
