import { shopDays } from '../../pipeline/core/shop-day.js';

const DAY_MS = 86_400_000;

/**
 * From local time (as if it were UTC, in ms) to the instant, in an IANA zone. A time that the clocks show twice is the
 * earlier one, a time that they skip is moved forward by the gap: both as ISO's calendars and databases do.
 */
export function localTime(timezone: string): (local: number) => number {
  const { offsetAt } = shopDays(timezone);
  return (local) => {
    const [before, after] = [offsetAt(local - DAY_MS), offsetAt(local + DAY_MS)];
    if (before === after) return local - before;
    // The offset that holds at the instant it leads to; in a gap neither does, and the one before the change moves forward.
    return local - ([Math.max(before, after), Math.min(before, after)].find((candidate) => offsetAt(local - candidate) === candidate) ?? before);
  };
}
