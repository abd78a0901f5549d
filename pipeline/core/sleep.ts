import { setTimeout as delay } from 'node:timers/promises';

/** Resolves after `ms`, or as soon as `until` says stop: that is how a wait ends early, not a failure. */
export const sleep = (ms: number, until: AbortSignal): Promise<void> => delay(ms, undefined, { signal: until }).catch(() => undefined);

/** Resolves when the signal says stop, at once where it has. */
export const untilStopped = (signal: AbortSignal): Promise<void> => new Promise((resolve) => {
  if (signal.aborted) resolve();
  else signal.addEventListener('abort', () => resolve(), { once: true });
});
