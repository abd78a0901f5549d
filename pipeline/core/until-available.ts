import { setTimeout as delay } from 'node:timers/promises';
import { Unavailable } from './errors.js';
import type { Journal } from './metrics.js';

const FIRST_MS = 100;
const LONGEST_MS = 5_000;

/**
 * Attempt something until the world answers: `Unavailable` is waited out, ever longer, anything else thrown on.
 * @throws Unavailable when `stop` says so while it is waited
 */
export async function untilAvailable<T>(attempt: () => Promise<T>, stop: AbortSignal, journal: Journal, what: string): Promise<T> {
  for (let waitMs = FIRST_MS; ; waitMs = Math.min(2 * waitMs, LONGEST_MS)) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof Unavailable) || stop.aborted) throw error;
      journal.warn({ error: error.message, waitMs }, `${what} waits for what does not answer.`);
      await delay(waitMs, undefined, { signal: stop }).catch(() => undefined);
    }
  }
}
