import { BadEvent } from './errors.js';

/** Bytes of a value at most, a record's or a row's: Kafka takes no batch above 1,048,588, and the key stands in it, too. The same on both engines. */
export const MAX_VALUE_BYTES = 1_000_000;

/**
 * A row that no log takes was to be committed. Many records have changed rows since the last commit: which of them made it so large is seen when
 * they are taken again and each is looked at (`TaskOptions.checksRows`).
 */
export class RowTooLarge extends Error {
  override readonly name = 'RowTooLarge';
}

/** @throws BadEvent for what cannot be written: whoever asked for it becomes a dead letter, where the same commit would be tried for ever */
export function requireFit(what: string, bytes: number): void {
  if (bytes > MAX_VALUE_BYTES) throw new BadEvent('too_large', `${what} would have ${bytes} bytes, and the log takes ${MAX_VALUE_BYTES}.`);
}
