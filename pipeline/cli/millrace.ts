#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { Command, CommanderError } from 'commander';
import { packageRoot } from '../../schemas/files.js';

// Old objects are collected when they take three times the room of those that were left the last time. By itself V8 lets them grow by 8 MB
// where little is allocated: every four seconds of a scorer, each time with some 100 ms of slow answers.
setFlagsFromString('--heap-growing-percent=200');

// A reader that has seen enough, such as head, closes the pipe: that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string };

const program = new Command('millrace')
  .version(version)
  .description('Event-streaming, real-time personalization for online shops.')
  .configureOutput({ outputError: (text, write) => write(text) })
  .addHelpText('after', `\nTry it: millrace start --demo, then open http://localhost:8080/. Settings are environment variables (docs/configuration.md);\neach command has --help, and those that report take --json.`)
  .exitOverride();

// In the order in which help lists them. Only what is asked for is loaded: all of them took a second of CPU before `sql` had asked.
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  start: async () => (await import('./start.js')).startCommand(),
  replay: async () => (await import('./replay.js')).replayCommand(),
  evaluate: async () => (await import('./evaluate.js')).evaluateCommand(),
  sql: async () => (await import('./sql.js')).sqlCommand(),
  topology: async () => (await import('./topology.js')).topologyCommand(),
  export: async () => (await import('./export.js')).exportCommand(),
  'dead-letters': async () => (await import('./dead-letters.js')).deadLettersCommand(),
  webhooks: async () => (await import('./webhooks.js')).webhooksCommand(),
  erase: async () => (await import('./erase.js')).eraseCommand(),
  reconcile: async () => (await import('./reconcile.js')).reconcileCommand(),
  faults: async () => (await import('./faults.js')).faultsCommand(),
  bench: async () => (await import('./bench.js')).benchCommand(),
};

const asked = process.argv[2] ?? '';
for (const name of Object.hasOwn(commands, asked) ? [asked] : Object.keys(commands)) {
  const command = await commands[name]();
  program.addCommand(command);
  command.exitOverride();
}

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode;
}
