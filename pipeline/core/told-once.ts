import type { Journal } from './metrics.js';

/** What is tried again and again, and may fail each time: its failure is one line of the log, not one an attempt. */
export interface ToldOnce {
  /** Warn, unless the last attempt failed for the same reason. */
  failed(reason: string, fields?: object): void;
  /** Say that it works again, if it had been said that it does not. */
  worked(): void;
}

/** `fields` stand in both lines: who fails; `failing` and `again` are their sentences. */
export function toldOnce(journal: Journal, fields: object, failing: string, again: string): ToldOnce {
  let told: string | undefined;
  return {
    failed(reason, more = {}) {
      if (reason !== told) journal.warn({ ...fields, ...more, error: reason }, `${failing} The same is not told again until it works.`);
      told = reason;
    },
    worked() {
      if (told !== undefined) journal.info(fields, again);
      told = undefined;
    },
  };
}
