// The command, run from its sources: what is tested is never an earlier build.
import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';

await runnerImport(fileURLToPath(new URL('../../pipeline/cli/millrace.ts', import.meta.url)));
