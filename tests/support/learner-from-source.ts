import { fileURLToPath } from 'node:url';
import { SHARE_ENV, Worker } from 'node:worker_threads';
import type { SpawnLearner } from '../../pipeline/learner/thread.js';

const WORKER = fileURLToPath(new URL('../../pipeline/learner/worker.ts', import.meta.url));

/** A learner's thread that runs the TypeScript as it stands, not what was built of it. */
export const spawnFromSource: SpawnLearner = (assignment) =>
  new Worker(`import('vite').then(({ runnerImport }) => runnerImport(${JSON.stringify(WORKER)}, { logLevel: 'error' }));`, { eval: true, workerData: assignment, env: SHARE_ENV });
