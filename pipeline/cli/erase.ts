import { Command } from 'commander';
import { callDoor } from '../../infra/embedded-log/door.js';
import { pinoJournal } from '../../infra/journal/pino.js';
import { readConfig } from '../config.js';
import { Unavailable } from '../core/errors.js';
import { noMetrics } from '../core/metrics.js';
import { erase } from '../door-answers.js';
import { openEngine } from '../engine.js';
import { exitingWell } from './exit.js';

export function eraseCommand(): Command {
  return new Command('erase')
    .description('Erase a shopper: profile, carts, timers and contact state of the id are forgotten once the event is processed.')
    .argument('<user>', 'userId or anonymousId')
    .action((user: string) => exitingWell(async () => {
      const config = readConfig();
      try {
        await callDoor(config.DATA_DIR, { kind: 'erase', user });
      } catch (error) {
        if (!(error instanceof Unavailable)) throw error;
        const engine = await openEngine({ config, metrics: noMetrics, journal: pinoJournal('error') });
        await erase(engine, user).finally(() => engine.close());
      }
      process.stderr.write(`${user} will be forgotten as soon as the event is processed.\n`);
    }));
}
