import { hashOf } from '../../models/kernels/hash.js';
import { shopDays, type ShopDays } from '../../pipeline/core/shop-day.js';

const MORNING_MS = 600_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** Quarters of an hour whose offset each zone keeps: a night around now. There are hundreds of zones, and pages may write any. */
const QUARTERS_KEPT = 400;

/** Hours of the day in which nobody is written to, from the one to before the other (0 to 23), over midnight where the first is the larger. */
export interface QuietHours {
  readonly from: number;
  readonly to: number;
  /** Of those whose own zone is not known. */
  readonly timezone: string;
}

/** The first time from `time` on at which it is not quiet by a shopper's clock. */
export function awakeAt(time: number, quiet: QuietHours | undefined, timezone: string | null): number {
  if (!quiet) return time;
  const { offsetAt } = clockOf(timezone) ?? clockOf(quiet.timezone)!;
  let at = time;
  for (;;) {
    const local = at + offsetAt(at);
    if (!isQuiet(Math.floor((local % DAY_MS) / HOUR_MS), quiet)) return at;
    at += HOUR_MS - (local % HOUR_MS);
  }
}

/** The same for one of many shoppers: not all at once when quiet hours are over, which would be one commit and one burst of messages. */
export function wakesAt(shopper: string, time: number, quiet: QuietHours | undefined, timezone: string | null): number {
  const at = awakeAt(time, quiet, timezone);
  return at === time ? time : at + (hashOf(`wakes ${shopper}`) % MORNING_MS);
}

const isQuiet = (hour: number, { from, to }: QuietHours): boolean => (from < to ? hour >= from && hour < to : hour >= from || hour < to);

const clocks = new Map<string, ShopDays>();

/** Undefined where there is no such zone. Pages may write a zone in any case, which must not be a clock for each. */
function clockOf(timezone: string | null): ShopDays | undefined {
  const name = timezone?.toLowerCase() ?? '';
  const known = clocks.get(name);
  if (known || name === '') return known;
  try {
    const clock = shopDays(name, QUARTERS_KEPT);
    clocks.set(name, clock);
    return clock;
  } catch {
    return undefined;
  }
}
