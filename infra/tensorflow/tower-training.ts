import { SHARE_ENV, Worker } from 'node:worker_threads';
import * as tower from '../../models/content-tower.js';
import type { Journal, Metrics } from '../../pipeline/core/metrics.js';
import { tellBackend, type Backend } from './backend.js';

/** However many steps are asked for: the shop's own work goes before. */
export const BUDGET_MS = 20_000;
const WORKER = new URL('./tower-worker.js', import.meta.url);

/** What the worker is given, and what it answers. */
export interface TowerLesson {
  readonly tower: Uint8Array;
  readonly examples: readonly tower.Example[];
  readonly steps: number;
}

export interface TaughtTower {
  readonly tower: Uint8Array;
  readonly loss: number;
  readonly steps: number;
  readonly backend: Backend;
  readonly failures: readonly string[];
}

/** Teaches content towers on a thread of its own, which is gone with its memory afterwards. */
export function towerTeacher(around: { metrics: Metrics; journal: Journal }): (state: tower.ContentTower, examples: readonly tower.Example[], steps: number) => Promise<tower.ContentTower> {
  let isTold = false;
  return async (state, examples, steps) => {
    const taught = await answerOf({ tower: tower.snapshot(state), examples, steps });
    if (!isTold) tellBackend(taught, around);
    isTold = true;
    around.journal.debug({ examples: examples.length, steps: taught.steps, loss: taught.loss }, 'The content tower was taught.');
    return tower.restore(taught.tower);
  };
}

function answerOf(lesson: TowerLesson): Promise<TaughtTower> {
  return new Promise((resolve, reject) => {
    // The native library reads its settings from the environment of the process.
    const worker = new Worker(WORKER, { workerData: lesson, env: SHARE_ENV });
    worker.unref();
    worker.once('message', (taught: TaughtTower) => {
      resolve(taught);
      void worker.terminate();
    });
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`The thread that teaches the content tower ended with ${code}.`)));
  });
}
