import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

// Two projects: unit tests start nothing; integration tests may ask for a broker (tests/support/services).
const integration = ['tests/{integration,contract,e2e,faults}/**/*.test.ts'];

export default defineConfig({
  test: {
    // Half of the files wait for a broker most of their time: on two cores one worker at a time would wait with them.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // What a test waits for comes soon, but on a busy machine: by default a poll gives up after a second.
    expect: { poll: { timeout: 20_000 } },
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: ['tests/**/*.test.ts'], exclude: [...integration, '**/node_modules/**'] },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: integration,
          globalSetup: ['tests/support/services/global-setup.ts'],
        },
      },
    ],
  },
});
