// The command, run from its sources: what is tested is never an earlier build.
import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';
import '../support/threads-from-source.mjs';

await runnerImport(fileURLToPath(new URL('../../pipeline/cli/millrace.ts', import.meta.url)));
