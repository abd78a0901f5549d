import { randomUUID } from 'node:crypto';
import { withoutUnheld } from '../../producers/json-text.js';
import { jsonText } from './body.js';

/** A body that was read, and how to write what is taken of it as it was sent, its numbers included; undefined for no value. */
export interface AsSent {
  readonly body: unknown;
  readonly json: (value: unknown) => string | undefined;
}

/** A body whose numbers are to be kept as they were sent; undefined where each of them is held by the body as it was read. */
export function asSent(bytes: Buffer): AsSent | undefined {
  const text = jsonText(bytes);
  // Nobody can send what stands between the marks: they are new for each body.
  const mark = randomUUID();
  const marked = withoutUnheld(text, (number) => `"${mark}${number}"`);
  if (marked === text) return undefined;
  const marks = new RegExp(`"${mark}([^"]*)"`, 'g');
  return { body: JSON.parse(marked), json: (value) => JSON.stringify(value)?.replace(marks, '$1') };
}
