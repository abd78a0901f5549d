import { Command } from 'commander';
import { readConfig } from '../config.js';
import { erase } from '../door-answers.js';
import { exitingWell } from './exit.js';
import { askInstallation } from './installation.js';

export function eraseCommand(): Command {
  return new Command('erase')
    .description('Erase a shopper: every row of theirs is forgotten, and their ids are taken out of the ledger and of ClickHouse, where sums stay.')
    .argument('<user>', 'userId or anonymousId')
    .action((user: string) => exitingWell(async () => {
      await askInstallation(readConfig(), { kind: 'erase', user }, (engine) => erase(engine, user), { makesRecords: true });
      process.stderr.write(`${user} will be forgotten as soon as the event is processed.\n`);
    }));
}
