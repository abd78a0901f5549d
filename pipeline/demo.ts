import type { Journal } from './core/metrics.js';
import type { Config } from './config.js';
import type { Millrace } from './main.js';

export function startDemo(_millrace: Millrace, _config: Config, _journal: Journal): () => Promise<void> {
  return () => Promise.resolve();
}
