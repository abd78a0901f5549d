/** Years before this one are clocks that were never set (year 1, 1970), not events of a shop. */
export const EARLIEST = Date.UTC(1990, 0, 1);

const MOST_AHEAD_MS = 86_400_000;

/**
 * Time of a record of a file: what lies ahead of the clock by a day at most, as the local times of another zone may, happened as it was
 * read. Undefined for what is later: it never happened, and where the file's own time is the clock nothing after it would.
 */
export function fileTime(time: number, readAt: number): number | undefined {
  return time <= readAt + MOST_AHEAD_MS ? Math.min(time, readAt) : undefined;
}

const ISO = /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?)?\s*(Z|z|[+-]\d\d(?::?\d\d)?)?$/;

const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

const isLeap = (year: number): boolean => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;

/** Whether the calendar has this day: JavaScript's own parser turns 30 February into 2 March. */
export const isDate = (year: number, month: number, day: number): boolean =>
  month >= 1 && month <= 12 && day >= 1 && day <= DAYS[month - 1] && (month !== 2 || day < 29 || isLeap(year));

/** Milliseconds of a UTC date; `Date.UTC` alone takes years below 100 for 19xx. */
function utc(year: number, month: number, day: number, hour: number, minute: number, second: number, ms: number): number {
  const time = Date.UTC(year, month - 1, day, hour, minute, second, ms);
  return year >= 100 ? time : new Date(time).setUTCFullYear(year);
}

function parseIso(text: string): number | undefined {
  const match = ISO.exec(text);
  if (!match) return undefined;
  const [year, month, day, hour, minute, second] = [1, 2, 3, 4, 5, 6].map((group) => Number(match[group] ?? 0)) as [number, number, number, number, number, number];
  if (!isDate(year, month, day) || hour > 23 || minute > 59 || second > 60) return undefined;
  const ms = match[7] === undefined ? 0 : Number(match[7].slice(0, 3).padEnd(3, '0'));
  const zone = match[8];
  if (zone === undefined || zone === 'Z' || zone === 'z') return utc(year, month, day, hour, minute, second, ms);
  const minutes = Number(zone.slice(3).replace(':', '') || 0);
  const offset = Number(zone.slice(1, 3)) * 60 + minutes;
  // No place on Earth is further from UTC.
  if (offset > 14 * 60 || minutes > 59) return undefined;
  return utc(year, month, day, hour, minute, second, ms) - (zone[0] === '-' ? -offset : offset) * 60_000;
}

const two = (text: string, at: number): number => {
  const tens = text.charCodeAt(at) - 48;
  const units = text.charCodeAt(at + 1) - 48;
  return tens >= 0 && tens <= 9 && units >= 0 && units <= 9 ? tens * 10 + units : Number.NaN;
};

// Events of one batch happened within the same hour: its beginning is read once.
let hour = '';
let hourStart = Number.NaN;

/** `2026-03-10T10:00:00.000Z`, what every SDK sends: read without a regular expression. NaN when it is anything else. */
function parseCanonical(text: string): number {
  if (text.length !== 24 || text.charCodeAt(23) !== 90 || text.charCodeAt(19) !== 46 || text.charCodeAt(16) !== 58) return Number.NaN;
  if (hour === '' || !text.startsWith(hour)) {
    const start = parseIso(`${text.slice(0, 14)}00:00Z`);
    if (start === undefined) return Number.NaN;
    hour = text.slice(0, 14);
    hourStart = start;
  }
  const minute = two(text, 14);
  const second = two(text, 17);
  const ms = two(text, 20) * 10 + (two(text, 21) % 10);
  // NaN fails every comparison: a wrong digit anywhere ends here too.
  return minute <= 59 && second <= 59 && ms >= 0 ? hourStart + minute * 60_000 + second * 1000 + ms : Number.NaN;
}

/**
 * Milliseconds since 1970 of a time as clients write it: ISO 8601, or a number of milliseconds.
 * A time without a zone is UTC, never the server's own zone: moving the server must not move the past.
 */
export function parseTime(value: unknown): number | undefined {
  if (typeof value === 'string') {
    const canonical = parseCanonical(value);
    return Number.isNaN(canonical) ? parseIso(value.trim()) : canonical;
  }
  if (typeof value === 'number' && Number.isFinite(value) && Math.abs(value) < 8.64e15) return Math.trunc(value);
  return undefined;
}

/**
 * Event time by the server's clock: how long before sending it happened is known exactly even when the client's clock
 * is days off, so the age is subtracted from receipt. What still lies in the future happened now.
 */
export function eventTime(timestamp: number | undefined, sentAt: number | undefined, receivedAt: number): { time: number; clamped: boolean } {
  if (timestamp === undefined) return { time: receivedAt, clamped: false };
  const time = sentAt === undefined ? timestamp : receivedAt - (sentAt - timestamp);
  return time > receivedAt ? { time: receivedAt, clamped: true } : { time, clamped: false };
}
