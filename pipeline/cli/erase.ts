import { Command } from 'commander';
import { readConfig } from '../config.js';
import { erase } from '../door-answers.js';
import { exitingWell } from './exit.js';
import { askInstallation } from './installation.js';

export function eraseCommand(): Command {
  return new Command('erase')
    .description('Erase a shopper: profile, carts, timers and contact state of the id are forgotten once the event is processed.')
    .argument('<user>', 'userId or anonymousId')
    .action((user: string) => exitingWell(async () => {
      await askInstallation(readConfig(), { kind: 'erase', user }, (engine) => erase(engine, user));
      process.stderr.write(`${user} will be forgotten as soon as the event is processed.\n`);
    }));
}
