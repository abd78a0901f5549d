import { Unavailable } from './errors.js';
import type { Journal } from './metrics.js';
import { sleep as sleepFor } from './sleep.js';
import { toldOnce } from './told-once.js';

const FIRST_MS = 100;
const LONGEST_MS = 5_000;

/**
 * Attempt something until the world answers: `Unavailable` is waited out, ever longer, anything else thrown on. An attempt that goes on for as
 * long as the process calls `works` when what may fail has succeeded: its next failure is another one.
 * @throws Unavailable when `stop` says so while it is waited
 */
export async function untilAvailable<T>(attempt: (works: () => void) => Promise<T>, stop: AbortSignal, journal: Journal, what: string, sleep = sleepFor): Promise<T> {
  const told = toldOnce(journal, {}, `${what} waits for what does not answer.`, `${what} goes on.`);
  let waitMs = FIRST_MS;
  const works = (): void => {
    waitMs = FIRST_MS;
    told.worked();
  };
  for (;;) {
    try {
      const answer = await attempt(works);
      works();
      return answer;
    } catch (error) {
      if (!(error instanceof Unavailable) || stop.aborted) throw error;
      told.failed(error.message);
      await sleep(waitMs, stop);
      waitMs = Math.min(2 * waitMs, LONGEST_MS);
    }
  }
}
