const HOUR = 3_600_000;

/** Offset of a zone at an instant, in ms, from what the zone's clocks show. */
function offsetAt(format: Intl.DateTimeFormat, instant: number): number {
  const parts = new Map(format.formatToParts(instant).map(({ type, value }) => [type, Number(value)]));
  const shown = Date.UTC(parts.get('year')!, parts.get('month')! - 1, parts.get('day')!, parts.get('hour')!, parts.get('minute')!, parts.get('second')!);
  return shown - Math.floor(instant / 1000) * 1000;
}

/**
 * From local time (as if it were UTC, in ms) to the instant, in an IANA zone. A time that the clocks show twice is the
 * earlier one, a time that they skip is moved forward by the gap: both as ISO's calendars and databases do.
 */
export function localTime(timezone: string): (local: number) => number {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone: timezone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric',
  });
  // One answer an hour of local time: offsets change on the quarter hour in no zone of today, but on the hour in most.
  const known = new Map<number, number>();
  return (local) => {
    const quarter = Math.floor(local / (HOUR / 4));
    let offset = known.get(quarter);
    if (offset === undefined) {
      const start = quarter * (HOUR / 4);
      const before = offsetAt(format, start - 24 * HOUR);
      const after = offsetAt(format, start + 24 * HOUR);
      // The offset that holds at the instant it leads to; in a gap neither does, and the one before the change moves forward.
      offset = [Math.max(before, after), Math.min(before, after)].find((candidate) => offsetAt(format, start - candidate) === candidate) ?? before;
      if (known.size > 50_000) known.clear();
      known.set(quarter, offset);
    }
    return local - offset;
  };
}
