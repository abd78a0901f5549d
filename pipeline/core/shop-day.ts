const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** The one name among those of a zone (Asia/Calcutta of Asia/Kolkata) that Node answers. @throws RangeError for an unknown IANA zone */
export const zoneName = (zone: string): string => new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone;

/** Days of a shop in its own time zone, across summer time. */
export interface ShopDays {
  /** Local day of an instant: days since 1970-01-01. */
  dayOf(time: number): number;
  /** First instant of a local day, in ms. */
  startOf(day: number): number;
  /** How far the clocks of the shop are ahead of UTC at an instant, in ms. */
  offsetAt(time: number): number;
}

/**
 * The days of a zone, which keep up to `mostKept` offsets at hand, one a quarter of an hour: by default those of three years.
 * @throws RangeError for an unknown IANA zone
 */
export function shopDays(timeZone: string, mostKept = 100_000): ShopDays {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', era: 'short',
  });
  const offsets = new Map<number, number>();
  // Zones change their offset on whole quarter hours only: one look-up a quarter is exact.
  const offsetAt = (time: number): number => {
    const quarter = Math.floor(time / (HOUR_MS / 4));
    const known = offsets.get(quarter);
    if (known !== undefined) return known;
    const start = quarter * (HOUR_MS / 4);
    const part = Object.fromEntries(format.formatToParts(start).map(({ type, value }) => [type, value]));
    const local = Date.UTC(2000, Number(part['month']) - 1, Number(part['day']), Number(part['hour']), Number(part['minute']));
    const year = part['era'] === 'BC' ? 1 - Number(part['year']) : Number(part['year']);
    const offset = new Date(local).setUTCFullYear(year, Number(part['month']) - 1, Number(part['day'])) - start;
    if (offsets.size >= mostKept) offsets.clear();
    offsets.set(quarter, offset);
    return offset;
  };
  const dayOf = (time: number): number => Math.floor((time + offsetAt(time)) / DAY_MS);
  return {
    dayOf,
    startOf(day) {
      const midnight = day * DAY_MS;
      // Twice: the first guess may stand on the other side of a change of the clocks.
      const guess = midnight - offsetAt(midnight);
      const start = midnight - offsetAt(guess);
      // Where the clocks skip midnight, the day begins when they do.
      return dayOf(start) < day ? guess : start;
    },
    offsetAt,
  };
}

/** `2026-03-02`, of days since 1970-01-01. */
export const isoDay = (day: number): string => new Date(day * DAY_MS).toISOString().slice(0, 10);
