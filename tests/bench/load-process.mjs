// The load generator, run from its sources.
import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';

await runnerImport(fileURLToPath(new URL('../../pipeline/bench/load.ts', import.meta.url)));
