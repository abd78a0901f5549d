import type { Plan, PlannedDay } from '../models/forecast/planned-days.js';
import { dateOf } from '../schemas/ordering.js';

const MOST_DAYS = 5_000;
const FIELDS: ReadonlySet<string> = new Set(['date', 'kind', 'name']);
const KINDS = ['closed', 'holiday', 'promotion'] as const;

const EXAMPLE = '[{"date": "2026-12-25", "kind": "closed"}]';

/**
 * Days that a shop knows in advance, as JSON: `[{"date": "2026-12-25", "kind": "closed"}, {"date": "2026-11-27", "kind": "promotion",
 * "name": "Black Friday"}]`, by local day since 1970-01-01. A holiday on which the shop sells and a promotion have an effect of their own, learned by their name. Problems name the `file`,
 * or the setting.
 */
export function parseCalendar(text: string, file?: string): { plan: Plan; problems: string[] } {
  const name = file ?? 'SHOP_CALENDAR';
  const plan = new Map<number, PlannedDay>();
  const problems: string[] = [];
  const { entries, why } = listOf(text);
  if (entries === undefined) return { plan, problems: [`${file === undefined ? 'SHOP_CALENDAR must be a JSON list of days, or the path of a file with one' : `${file} is no calendar, which is a JSON list of days such as ${EXAMPLE}`}${why === undefined ? '' : `: ${why}`}.`] };
  if (entries.length > MOST_DAYS) return { plan, problems: [`${name} has ${entries.length} days; at most ${MOST_DAYS} are read.`] };
  entries.forEach((entry, i) => {
    const place = `${name}[${i}]`;
    if (typeof entry !== 'object' || entry === null) return problems.push(`${place} must be an object with date and kind.`);
    const { date, kind, name: given } = entry as { date?: unknown; kind?: unknown; name?: unknown };
    const day = (typeof date === 'string' ? dateOf(date) : null) ?? Number.NaN;
    if (Number.isNaN(day)) problems.push(`${place}.date must be a date such as 2026-12-25, not ${JSON.stringify(date)}.`);
    const known = KINDS.find((one) => one === kind);
    if (known === undefined) problems.push(`${place}.kind must be one of ${KINDS.join(', ')}, not ${JSON.stringify(kind)}.`);
    if (given !== undefined && (typeof given !== 'string' || given === '' || given.length > 100)) problems.push(`${place}.name must be a text of 1 to 100 characters.`);
    for (const field of Object.keys(entry)) if (!FIELDS.has(field)) problems.push(`${place}.${field} is no field of a day: date, kind and name are.`);
    if (plan.has(day)) problems.push(`${place}: ${String(date)} is there twice.`);
    if (known && !Number.isNaN(day)) plan.set(day, { kind: known, name: typeof given === 'string' ? given : known });
  });
  return { plan, problems };
}

/** The list, or what is wrong with the JSON. Editors put a byte order mark before it. */
function listOf(text: string): { entries?: unknown[]; why?: string } {
  try {
    const value: unknown = JSON.parse(text.replace(/^\uFEFF/, ''));
    return Array.isArray(value) ? { entries: value } : {};
  } catch (error) {
    return { why: (error as Error).message };
  }
}
