import { Command } from 'commander';
import { pinoJournal } from '../../infra/journal/pino.js';
import { deadLetters } from '../../schemas/topics.js';
import type { Shop } from '../../producers/collect.js';
import type { DeadLetter } from '../../schemas/types.js';
import { callDoor } from '../../infra/embedded-log/door.js';
import { readConfig } from '../config.js';
import { Unavailable } from '../core/errors.js';
import { noMetrics } from '../core/metrics.js';
import { listDeadLetters, replayDeadLetter, shownDeadLetter } from '../dead-letters.js';
import { openEngine } from '../engine.js';
import { exitingWell } from './exit.js';

/** Ask the running process of an embedded installation; without one, or on Kafka, open the log here. */
async function answered<T>(kind: string, fields: object, directly: (engine: Awaited<ReturnType<typeof openEngine>>, shop: Shop) => Promise<T>): Promise<T> {
  const config = readConfig();
  if (config.KAFKA_BROKERS.length === 0) {
    try {
      return await callDoor(config.DATA_DIR, { kind, ...fields }) as T;
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
    }
  }
  const engine = await openEngine({ config, metrics: noMetrics, journal: pinoJournal('error') });
  try {
    return await directly(engine, { currency: config.SHOP_CURRENCY, timezone: config.SHOP_TIMEZONE });
  } finally {
    await engine.close();
  }
}

export function deadLettersCommand(): Command {
  const list = new Command('list').description('The latest dead letters.').option('--limit <n>', 'at most so many', '50').option('--json', 'one JSON array')
    .action(({ limit, json }: { limit: string; json?: boolean }) => exitingWell(async () => {
      const letters = await answered('dead-letters', { limit: Number(limit) }, ({ log }) => listDeadLetters(log, Number(limit)).then((found) => found.map(shownDeadLetter)));
      if (json) process.stdout.write(`${JSON.stringify(letters)}\n`);
      else for (const { id, code, message } of letters as DeadLetter[]) process.stdout.write(`${id}\t${code}\t${message}\n`);
    }));
  const show = new Command('show').description('One dead letter, decoded as far as it can be.').argument('<id>', 'its id')
    .action((id: string) => exitingWell(async () => {
      const letters = await answered('dead-letters', { limit: 10_000 }, ({ log }) => listDeadLetters(log, 10_000).then((found) => found.map(shownDeadLetter)));
      const letter = (letters as { id: string }[]).find((candidate) => candidate.id === id);
      if (!letter) throw new Error(`There is no dead letter ${id}.`);
      process.stdout.write(`${JSON.stringify(letter, null, 2)}\n`);
    }));
  const replay = new Command('replay').description('Write a dead letter to its topic again, as it is or repaired.').argument('<id>', 'its id')
    .option('--value <base64>', 'repaired value in base64: framed Avro, or JSON for what the collector refused')
    .action((id: string, { value }: { value?: string }) => exitingWell(async () => {
      const positions = await answered('replay-dead-letter', { id, value }, ({ log }, shop) => replayDeadLetter(log, id, value, shop));
      process.stdout.write(`${JSON.stringify(positions)}\n`);
    }));
  return new Command('dead-letters').description(`What consumers and collector refused (topic ${deadLetters.name}).`).addCommand(list).addCommand(show).addCommand(replay);
}
