// Lets a program that runs from its sources start its threads from theirs: a thread named ….js whose file is ….ts is run from that.
import { existsSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { fileURLToPath } from 'node:url';
import threads from 'node:worker_threads';

const { Worker } = threads;
const FROM_SOURCE = new URL('from-source.mjs', import.meta.url).href;

threads.Worker = class extends Worker {
  constructor(file, options = {}) {
    const source = file instanceof URL ? fileURLToPath(file).replace(/\.js$/, '.ts') : '';
    if (!source.endsWith('.ts') || !existsSync(source)) super(file, options);
    else super(source, { ...options, execArgv: ['--import', FROM_SOURCE] });
  }
};
syncBuiltinESMExports();
