const LENGTH = 36;
/** Where a UUID says its version, and where its last four digits begin. */
const VERSION_AT = 14;
/** The digit that says whether the answer counted as shown when it was given. */
const COUNTED_AT = 15;
const PLACEMENT_AT = 32;
/** Digits whose meaning is the maker's own (RFC 9562). */
const VERSION = '8';

/**
 * An answer's id: a random UUID whose last four digits say where the answer stands, and one whether it counted as shown when it was given.
 * So a click that names its answer counts for its placement, and what the shop tells was shown counts once, without anybody remembering
 * the answer: there are thousands a second, and clicks come an hour later.
 */
export const recommendationIdAt = (placement: string, uuid: string, shown: boolean): string =>
  `${uuid.slice(0, VERSION_AT)}${VERSION}${shown ? 0 : 1}${uuid.slice(COUNTED_AT + 1, PLACEMENT_AT)}${digitsOf(placement)}`;

const isOurs = (id: string): boolean => id.length === LENGTH && id[VERSION_AT] === VERSION;

/** Whether the answer of an id counted as shown when it was given; undefined for an id that was made elsewhere. */
export const countedWhenGiven = (id: string): boolean | undefined => (isOurs(id) ? id[COUNTED_AT] === '0' : undefined);

/** Which of these placements an id was made for; '' for none of them, undefined for an id that was made elsewhere. */
export function placementIn(id: string, placements: Iterable<string>): string | undefined {
  if (!isOurs(id)) return undefined;
  const digits = id.slice(PLACEMENT_AT);
  for (const placement of placements) if (digitsOf(placement) === digits) return placement;
  return '';
}

/** FNV-1a, folded to four hexadecimal digits: of eight placements two are taken for one once in 2,000 shops. */
function digitsOf(placement: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < placement.length; i++) hash = Math.imul(hash ^ placement.charCodeAt(i), 0x01000193);
  return ((hash ^ (hash >>> 16)) & 0xffff).toString(16).padStart(4, '0');
}
