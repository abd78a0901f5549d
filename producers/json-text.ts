import type { Errors } from './fields.js';

/** Free properties are kept as JSON up to this size. */
const MAX_FREE_BYTES = 16 * 1024;
const MAX_DEPTH = 32;

/** Why a value cannot be written as JSON as it was sent; undefined: it can. Looks `levels` deep and no deeper, so that no nesting overflows the stack. */
function flawIn(value: unknown, levels: number): 'too_deep' | 'out_of_range' | undefined {
  // A number beyond all numbers was read as Infinity, which JSON writes as null.
  if (typeof value !== 'object' || value === null) return value === Infinity || value === -Infinity ? 'out_of_range' : undefined;
  if (levels === 0) return 'too_deep';
  for (const name in value) {
    const flaw = flawIn((value as Record<string, unknown>)[name], levels - 1);
    if (flaw !== undefined) return flaw;
  }
  return undefined;
}

/** JSON of free properties or traits; null when there are none. */
export function freeJson(errors: Errors, value: object, path: string): string | null {
  const flaw = flawIn(value, MAX_DEPTH);
  if (flaw !== undefined) {
    errors.push({ path, code: flaw, message: flaw === 'too_deep' ? `This nests deeper than ${MAX_DEPTH} levels.` : 'A number in it is beyond ±1.8e308.' });
    return null;
  }
  const json = JSON.stringify(value);
  if (json.length > MAX_FREE_BYTES / 3 && Buffer.byteLength(json) > MAX_FREE_BYTES) {
    errors.push({ path, code: 'too_large', message: `What has no field of its own may take ${MAX_FREE_BYTES} bytes as JSON.` });
    return null;
  }
  return json === '{}' ? null : json;
}

const TEXTS_AND_NUMBERS = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g;

/** Whether JSON writes a number down again as what it was read from: none that is beyond all numbers, nor a whole one beyond 2^53. */
const isHeld = (written: string): boolean => Number.isFinite(Number(written)) && (Number.isSafeInteger(Number(written)) || !/^-?\d+$/.test(written));

/** JSON with what `instead` answers in place of the numbers that reading it would change: 1e400 becomes Infinity, and null when it is written again. */
export function withoutUnheld(json: string, instead: (number: string) => string): string {
  return json.replace(TEXTS_AND_NUMBERS, (found) => (found.startsWith('"') || isHeld(found) ? found : instead(found)));
}
