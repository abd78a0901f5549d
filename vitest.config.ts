import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

// Integration tests may ask for a broker (tests/support/services), the others start none.
const integration = ['tests/{integration,contract,e2e,faults}/**/*.test.ts'];
// What is pure leaves nothing behind, and need not be loaded anew for each file: half of the processor time of short ones.
const pure = ['tests/{models,consumers,serving}/**/*.test.ts'];

export default defineConfig({
  test: {
    // Files that start services wait for them most of their time: with a worker a core the machine would wait with them.
    maxWorkers: availableParallelism() + 1,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // What a test waits for comes soon, but on a busy machine: by default a poll gives up after a second.
    expect: { poll: { timeout: 20_000 } },
    projects: [
      { extends: true, test: { name: 'pure', include: pure, isolate: false, restoreMocks: true } },
      { extends: true, test: { name: 'unit', include: ['tests/**/*.test.ts'], exclude: [...pure, ...integration, '**/node_modules/**'] } },
      { extends: true, test: { name: 'integration', include: integration, globalSetup: ['tests/support/services/global-setup.ts'] } },
    ],
  },
});
