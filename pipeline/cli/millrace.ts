#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { benchCommand } from './bench.js';
import { evaluateCommand } from './evaluate.js';
import { deadLettersCommand } from './dead-letters.js';
import { eraseCommand } from './erase.js';
import { exportCommand } from './export.js';
import { faultsCommand } from './faults.js';
import { reconcileCommand } from './reconcile.js';
import { replayCommand } from './replay.js';
import { sqlCommand } from './sql.js';
import { startCommand } from './start.js';
import { topologyCommand } from './topology.js';

// A reader that has seen enough, such as head, closes the pipe: that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

const program = new Command('millrace')
  .description('Event-streaming, real-time personalization for online shops.')
  .configureOutput({ outputError: (text, write) => write(text) })
  .addHelpText('after', `\nTry it: millrace start --demo, then open http://localhost:8080/. Settings are environment variables (docs/configuration.md);\neach command has --help, and those that report take --json.`)
  .exitOverride();

for (const command of [startCommand(), replayCommand(), evaluateCommand(), sqlCommand(), topologyCommand(), exportCommand(), deadLettersCommand(), eraseCommand(), reconcileCommand(), faultsCommand(), benchCommand()]) {
  program.addCommand(command);
  command.exitOverride();
}

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode;
}
