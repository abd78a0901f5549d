import { parentPort, workerData } from 'node:worker_threads';
import * as tower from '../../models/content-tower.js';
import { loadFastest } from './backend.js';
import { towerSlopes } from './content-tower.js';
import { BUDGET_MS, type TaughtTower, type TowerLesson } from './tower-training.js';

/** One lesson for a content tower, then the end of the thread. */
const { tower: bytes, examples, steps } = workerData as TowerLesson;
const loaded = await loadFastest();
const slopesOf = towerSlopes(loaded);
const state = tower.restore(bytes);
const from = state.steps;
const began = performance.now();
const loss = tower.teach(state, examples, slopesOf, (done) => done < steps && performance.now() - began < BUDGET_MS);
const taught: TaughtTower = { tower: tower.snapshot(state), loss, steps: state.steps - from, backend: loaded.backend, failures: loaded.failures };
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
parentPort?.postMessage(taught);
