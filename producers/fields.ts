import { isNobody, isPlaceholder } from '../schemas/placeholder-ids.js';
import { isMoney } from '../schemas/money.js';
import { MOST_UNITS } from '../schemas/ordering.js';
import { moneyOf, parseCurrency, parseMoney } from './money.js';

/** Untrusted JSON object. */
export type Json = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Absent and null say the same: SDKs send `userId: null` before anyone has logged in. */
const isMissing = (value: unknown): value is null | undefined => value === undefined || value === null;

/** A cell without a number in it says nothing, with spaces in it or without. */
export const isBlank = (value: unknown): boolean => isMissing(value) || (typeof value === 'string' && value.trim() === '');

/** Closed set: it labels a metric. */
export type ErrorCode =
  | 'not_json' | 'missing_columns' | 'surplus_columns' | 'not_an_object' | 'required' | 'wrong_type' | 'unknown_type' | 'unknown_field' | 'unknown_currency' | 'unknown_availability' | 'unknown_policy' | 'replaces_ring'
  | 'empty' | 'placeholder_id' | 'id_too_long' | 'control_character' | 'unsafe_number' | 'not_a_number' | 'out_of_range'
  | 'negative' | 'invalid_time' | 'time_out_of_range' | 'too_deep' | 'too_large' | 'too_many' | 'needs_server_key'
  | 'invalid_filter' | 'unknown_placement' | 'unproven';

/** One wrong field, named as the client wrote it: `properties.products[0].price`. */
export interface FieldError {
  readonly path: string;
  readonly code: ErrorCode;
  readonly message: string;
}

/** What was wrong so far. Readers below add to it and answer null, so that one answer names every wrong field. */
export type Errors = FieldError[];

/**
 * Put `prefix` before the paths of errors added since `from`. Paths are only built when something is wrong: on the hot
 * path nothing is.
 */
export function under(errors: Errors, from: number, prefix: string): void {
  for (let i = from; i < errors.length; i++) {
    const { path, code, message } = errors[i];
    errors[i] = { path: path === '' ? prefix.replace(/\.$/, '') : prefix + path, code, message };
  }
}

/** Errors on one line: each field with what is wrong with it; what has no path is wrong as a whole. */
export const sentenceOf = (errors: readonly FieldError[]): string => errors.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join(' ');

const MAX_ID_BYTES = 256;
/** Free texts are cut here, not refused: a long title is still that product's title. */
export const MAX_TEXT = 1024;

const PLAIN_ID = /^[\x20-\x7e]{1,256}$/;
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;
/** Whether a text holds characters that nobody sees, such as NUL. */
export const controlsIn = (text: string): boolean => CONTROL.test(text);
const LONE_SURROGATE = /\p{Surrogate}/u;
/** What broken storefronts send for "no id": taken as ids, they make one person of all strangers. */
const MAX_PLACEHOLDER = 15;
/** First characters of placeholders and of blanks: almost no id begins with one, and those that do are looked at twice. */
const SUSPICIOUS = new Set('unftUNFT[ ');

/** An id that may be missing: a string of 1 to 256 bytes, or a whole number, which becomes its digits. */
export function optionalId(errors: Errors, from: Json, name: string): string | null {
  const value = from[name];
  if (isMissing(value) || value === '') return null;
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value)) return String(value);
    errors.push({ path: name, code: 'unsafe_number', message: `${shown(value)} is not a whole number within ±2^53: send the id as a string.` });
    return null;
  }
  if (typeof value !== 'string') {
    errors.push({ path: name, code: 'wrong_type', message: 'An id must be a string.' });
    return null;
  }
  if (value.length <= MAX_PLACEHOLDER && (SUSPICIOUS.has(value[0]) || value.charCodeAt(0) > 126) && isPlaceholder(value)) {
    errors.push({ path: name, code: 'placeholder_id', message: `${JSON.stringify(value)} is what a program writes when it has no id.` });
    return null;
  }
  return PLAIN_ID.test(value) ? value : oddId(errors, value, name);
}

function oddId(errors: Errors, value: string, name: string): string | null {
  if (controlsIn(value)) {
    // Row keys are joined by U+001F: an id that holds it could name another shopper's rows.
    errors.push({ path: name, code: 'control_character', message: 'An id must not contain control characters.' });
    return null;
  }
  if (Buffer.byteLength(value) > MAX_ID_BYTES) {
    errors.push({ path: name, code: 'id_too_long', message: `An id has at most ${MAX_ID_BYTES} bytes of UTF-8; this one has ${Buffer.byteLength(value)}.` });
    return null;
  }
  if (LONE_SURROGATE.test(value)) {
    // UTF-8 cannot write half a surrogate pair: all such ids would become the same one.
    errors.push({ path: name, code: 'wrong_type', message: 'An id must be well-formed Unicode.' });
    return null;
  }
  return value;
}

/** An id that must be there. */
export function requiredId(errors: Errors, from: Json, name: string): string | null {
  const value = from[name];
  if (isMissing(value)) {
    errors.push({ path: name, code: 'required', message: 'This id is missing.' });
    return null;
  }
  if (value === '') {
    errors.push({ path: name, code: 'placeholder_id', message: 'This id is empty.' });
    return null;
  }
  return optionalId(errors, from, name);
}

/** The id of a thing (SKU, order, cart), without the spaces around it: they come from cells, pages and exports, and would make a second one that nobody sees. */
export function trimmedId(errors: Errors, from: Json, name: string): string | null {
  const id = optionalId(errors, from, name);
  const trimmed = id === null ? null : id.trim();
  if (trimmed !== '') return trimmed;
  errors.push({ path: name, code: 'placeholder_id', message: 'This id is nothing but spaces.' });
  return null;
}

/** A SKU that must be there. */
export function requiredSku(errors: Errors, from: Json, name: string): string | null {
  const value = from[name];
  return isMissing(value) || value === '' ? requiredId(errors, from, name) : trimmedId(errors, from, name);
}

/** The id of a shopper. Spaces around it are part of it, as they are to Segment. */
export function shopperId(errors: Errors, from: Json, name: string): string | null {
  const id = optionalId(errors, from, name);
  if (id === null || !isNobody(id)) return id;
  errors.push({ path: name, code: 'placeholder_id', message: `${shown(id)} is what shop systems and templates write for nobody in particular: leave the id out, and name the browser or the visit as anonymousId.` });
  return null;
}

/** The first `max` characters, without half of a pair at the end. */
export function cut(value: string, max: number): string {
  const last = value.charCodeAt(max - 1);
  return value.slice(0, last >= 0xd800 && last < 0xdc00 ? max - 1 : max);
}

/** A free text: numbers and booleans become text, what is too long is cut. */
export function text(errors: Errors, from: Json, name: string, max = MAX_TEXT): string | null {
  const value = from[name];
  if (typeof value === 'string') return value === '' ? null : value.length <= max ? value : cut(value, max);
  if (isMissing(value)) return null;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  errors.push({ path: name, code: 'wrong_type', message: 'This must be a text.' });
  return null;
}

/** A text of the context that SDKs fill in by themselves: anything else is left out without a word. */
export function quietText(from: Json, name: string, max: number): string | null {
  const value = from[name];
  return typeof value === 'string' && value !== '' ? (value.length <= max ? value : cut(value, max)) : null;
}

const NUMBER = /^[+-]?\d{1,15}(?:\.\d{1,20})?$/;

/** A number, or a plain decimal in a string. `"1,5"`, `"NaN"` and 1e999 are refused. */
export function number(errors: Errors, from: Json, name: string): number | null {
  const value = from[name];
  if (typeof value === 'number' && Number.isFinite(value)) return value === 0 ? 0 : value;
  if (isBlank(value)) return null;
  if (typeof value === 'string' && NUMBER.test(value.trim())) return Number(value);
  errors.push({ path: name, code: 'not_a_number', message: `${shown(value)} is not a number; write it as 1234.5.` });
  return null;
}

/** A quantity: fractional for goods by weight, never negative. */
export function quantity(errors: Errors, from: Json, name: string): number | null {
  const value = number(errors, from, name);
  if (value === null || (value >= 0 && value <= MOST_UNITS)) return value;
  errors.push(value < 0
    ? { path: name, code: 'negative', message: 'A quantity must not be negative.' }
    : { path: name, code: 'out_of_range', message: 'A quantity must not exceed 10^12.' });
  return null;
}

/** Units in stock: negative where more was sold than had come. */
export function stock(errors: Errors, from: Json, name: string): number | null {
  const value = number(errors, from, name);
  if (value === null || Math.abs(value) <= MOST_UNITS) return value;
  errors.push({ path: name, code: 'out_of_range', message: 'A stock must not exceed 10^12 in either direction.' });
  return null;
}

/** Plain enough, but more than money can hold. */
const isTooMuch = (value: unknown): boolean =>
  (typeof value === 'number' || (typeof value === 'string' && /^\s*[+-]?\d+(?:\.\d+)?\s*$/.test(value))) && Math.abs(Number(value)) >= 1e14;

/** Money of either sign: a number, or a plain decimal in a string. `"1,299.00"` is refused: see money.ts. */
export function signedMoney(errors: Errors, from: Json, name: string): bigint | null {
  const value = from[name];
  if (isBlank(value)) return null;
  const amount = typeof value === 'number' ? moneyOf(value) : typeof value === 'string' ? parseMoney(value) : undefined;
  if (amount !== undefined && isMoney(amount)) return amount;
  errors.push(isTooMuch(value)
    ? { path: name, code: 'out_of_range', message: `${shown(value)} is too large: an amount must be below 10^14.` }
    : { path: name, code: 'not_a_number', message: `${shown(value)} is not an amount; write it as 1299.00, without separators or a currency sign.` });
  return null;
}

/** Money that must not be negative. */
export function money(errors: Errors, from: Json, name: string): bigint | null {
  const amount = signedMoney(errors, from, name);
  if (amount === null || amount >= 0n) return amount;
  errors.push({ path: name, code: 'negative', message: 'This amount must not be negative.' });
  return null;
}

/** ISO 4217 currency that a field `currency` names, or null when it names none. */
export function currencyIn(errors: Errors, from: Json): string | null {
  const named = text(errors, from, 'currency', 16);
  if (named === null) return null;
  const code = parseCurrency(named);
  if (code === undefined) errors.push({ path: 'currency', code: 'unknown_currency', message: `${JSON.stringify(named)} is not an ISO 4217 currency.` });
  return code ?? null;
}

/** Yes or no, also as "true", "false", 1 and 0. */
export function flag(errors: Errors, from: Json, name: string): boolean | null {
  const value = from[name];
  if (typeof value === 'boolean') return value;
  if (isMissing(value)) return null;
  if (value === 'true' || value === 1 || value === '1') return true;
  if (value === 'false' || value === 0 || value === '0') return false;
  errors.push({ path: name, code: 'wrong_type', message: 'This must be true or false.' });
  return null;
}

/** As much of a value as an error message shows. */
export const shortened = (value: string): string => (value.length > 40 ? `${value.slice(0, 40)}…` : value);

/** A value as an error message shows it: short, and never an object's whole content. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(shortened(value));
  // It was read as Infinity, which nobody has sent.
  if (value === Infinity || value === -Infinity) return 'A number beyond ±1.8e308';
  return typeof value === 'object' && value !== null ? (Array.isArray(value) ? 'A list' : 'An object') : String(value);
}
