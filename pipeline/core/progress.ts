import type { Progress } from '../../schemas/types.js';
import { decodeRow, PROGRESS_KEY, rows } from './rows.js';
import type { TableStore } from './store.js';

export const progressRows = rows<Progress>('', 'Progress');
const EMPTY: Progress = { offsets: {}, ticks: {}, time: 0, applied: {}, crashes: {}, lineages: {} };

/**
 * Progress of a task as its store holds it.
 * @throws ConfigError for a table that another version wrote
 */
export function progressOf(store: TableStore): Progress {
  const stored = store.get(PROGRESS_KEY);
  return stored ? progressOfRow(stored) : EMPTY;
}

/** Progress of a task as its row says. */
export const progressOfRow = (stored: Buffer): Progress => decodeRow(progressRows.codec, stored);
