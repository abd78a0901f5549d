import { randomUUID } from 'node:crypto';
import { shortened, shown, type FieldError } from '../../producers/fields.js';
import { withoutUnheld } from '../../producers/json-text.js';
import { jsonText } from './body.js';

/** How what is taken of a body that was read is written and told, its numbers as they were sent. */
export interface Telling {
  /** JSON of a value of the body; undefined for no value. */
  readonly json: (value: unknown) => string | undefined;
  /** Errors of the body, whose paths are below `place`: each shows the number that was sent. */
  readonly told: (errors: readonly FieldError[], place?: string) => readonly FieldError[];
}

export interface AsSent extends Telling {
  readonly body: unknown;
}

/** Of a body that holds each number as it was sent. */
export const asRead: Telling = { json: (value) => JSON.stringify(value), told: (errors) => errors };

/** A body whose numbers are to be kept as they were sent; undefined where each of them is held by the body as it was read. */
export function asSent(bytes: Buffer): AsSent | undefined {
  const text = jsonText(bytes);
  // Nobody can send what stands between the marks: they are new for each body.
  const mark = randomUUID();
  const marked = withoutUnheld(text, (number) => `"${mark}${number}"`);
  if (marked === text) return undefined;
  const marks = new RegExp(`"${mark}([^"]*)"`, 'g');
  const body = JSON.parse(marked) as unknown;
  const told = (error: FieldError, place: string): FieldError => {
    const value = valueAt(body, place + error.path);
    if (typeof value !== 'string' || !value.startsWith(mark)) return error;
    const number = value.slice(mark.length);
    const read = shown(Number(number));
    return error.message.startsWith(read) ? { ...error, message: shortened(number) + error.message.slice(read.length) } : error;
  };
  return { body, json: (value) => JSON.stringify(value)?.replace(marks, '$1'), told: (errors, place = '') => errors.map((error) => told(error, place)) };
}

/** What stands at a path as errors have it (`products[0].price`); undefined where nothing does. */
function valueAt(body: unknown, path: string): unknown {
  let value = body;
  for (const name of path.split(/[.[\]]+/).filter(Boolean)) value = typeof value === 'object' && value !== null ? Object.getOwnPropertyDescriptor(value, name)?.value : undefined;
  return value;
}
