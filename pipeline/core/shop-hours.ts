import type { ShopDays } from './shop-day.js';

export const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** Zones change their offset on whole quarter hours only. */
const QUARTER_MS = HOUR_MS / 4;

/** An hour by the clocks of the shop: shorter where a change of the clocks cuts it, twice where they are set back. */
export interface ShopHour {
  /** First instant, in ms. */
  readonly start: number;
  /** What the clocks show: 0 to 23. */
  readonly hour: number;
  /** In hours. */
  readonly length: number;
}

/** What the clocks show at an instant: 0 to 23. */
export const hourOf = (time: number, days: ShopDays): number => Math.floor((time + days.offsetAt(time) - days.dayOf(time) * DAY_MS) / HOUR_MS);

const MOST_DAYS = 64;
const known = new WeakMap<ShopDays, Map<number, readonly ShopHour[]>>();

/** The hours of a local day, in order: 23 or 25 where the clocks change by an hour; none of a day that a zone skipped. */
export function hoursOf(day: number, days: ShopDays): readonly ShopHour[] {
  const ofZone = known.get(days) ?? new Map<number, readonly ShopHour[]>();
  known.set(days, ofZone);
  const hours = ofZone.get(day) ?? cut(day, days);
  // Every SKU of a shop asks for the same few days.
  if (ofZone.size >= MOST_DAYS) ofZone.clear();
  ofZone.set(day, hours);
  return hours;
}

function cut(day: number, days: ShopDays): ShopHour[] {
  const hours: { start: number; hour: number; length: number }[] = [];
  const end = days.startOf(day + 1);
  let offset = NaN;
  for (let time = days.startOf(day); time < end; time += QUARTER_MS) {
    const [hour, now] = [hourOf(time, days), days.offsetAt(time)];
    const last = hours.at(-1);
    if (last && last.hour === hour && now === offset) last.length += QUARTER_MS / HOUR_MS;
    else hours.push({ start: time, hour, length: QUARTER_MS / HOUR_MS });
    offset = now;
  }
  return hours;
}

/** `2026-03-29T02:00+01:00`. */
export function isoHour(time: number, days: ShopDays): string {
  const offset = days.offsetAt(time);
  const minutes = Math.round(Math.abs(offset) / 60_000);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${new Date(time + offset).toISOString().slice(0, 16)}${offset < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}
