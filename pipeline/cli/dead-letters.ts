import { Command } from 'commander';
import { deadLetters } from '../../schemas/topics.js';
import { readConfig } from '../config.js';
import { AMONG, findDeadLetter, listDeadLetters, replayDeadLetter, replayDeadLetters, shownDeadLetter, type LetterLog, type ListedLetter, type Replayed, type WrittenAgain } from '../dead-letters.js';
import { shopMade } from '../shop-of-log.js';
import { parseCount } from './counts.js';
import { exitingWell } from './exit.js';
import { askInstallation, askRunning, installationDirectory, openInstallation } from './installation.js';
import { runningLetters } from './running-letters.js';

type Shown = Pick<ListedLetter, 'id' | 'at' | 'code' | 'message' | 'replayedAt'>;

const timeOf = (ms: number): string => new Date(ms).toISOString();

/** A dead letter on a line: its id, when it was set aside, its code and what is wrong, with tabs between. */
export const lineOf = ({ id, at, code, message, replayedAt }: Shown): string =>
  [id, timeOf(at), code, `${replayedAt === null ? '' : `replayed ${timeOf(replayedAt)}: `}${message}`].join('\t');

/** What became of one dead letter, as sentences. */
export function writtenSentences(id: string, { positions, replayedAt }: WrittenAgain): string {
  const places = positions.map(({ topic, partition, offset }) => `${topic} ${partition}/${offset}`).join(', ');
  const before = replayedAt === null ? '' : ` It had been before, at ${timeOf(replayedAt)}: a message or order that was taken then does not count again.`;
  return `Dead letter ${id} was written again, to ${places} (topic partition/offset).${before}`;
}

/** What became of all dead letters with a code, a sentence a line. */
export function replayedSentences(code: string, { replayed, replayedBefore, refused }: Replayed): string {
  const lines = [`${replayed} with the code ${code} ${replayed === 1 ? 'was' : 'were'} written again${replayedBefore > 0 ? `, ${replayedBefore} had been before` : ''}.`];
  return [...lines, ...refused.map(({ message }) => message)].join('\n');
}

/** Reads letters in this process, whoever has the log. */
async function reading<T>(read: (letters: LetterLog) => Promise<T>): Promise<T> {
  const config = readConfig();
  const directory = installationDirectory(config);
  const isRunning = config.KAFKA_BROKERS.length === 0 && (await askRunning(directory, { kind: 'log' })) !== undefined;
  return isRunning ? read(runningLetters(directory)) : openInstallation(config, ({ log }) => read(log));
}

export function deadLettersCommand(): Command {
  const list = new Command('list').description('The latest dead letters.').option('--limit <n>', 'at most so many', parseCount, 50).option('--json', 'one JSON array')
    .action(({ limit, json }: { limit: number; json?: boolean }) => exitingWell(async () => {
      const letters = await reading((log) => listDeadLetters(log, limit));
      if (json) process.stdout.write(`${JSON.stringify(letters.map((letter) => shownDeadLetter(letter)))}\n`);
      else for (const letter of letters) process.stdout.write(`${lineOf(letter)}\n`);
      if (letters.length === 0) process.stderr.write('There are no dead letters.\n');
    }));
  const show = new Command('show').description('One dead letter, decoded as far as it can be.').argument('<id>', 'its id')
    .action((id: string) => exitingWell(async () => {
      process.stdout.write(`${JSON.stringify(shownDeadLetter(await reading((log) => findDeadLetter(log, id))), null, 2)}\n`);
    }));
  const replay = new Command('replay').description('Write a dead letter to its topic again, as it is or repaired, or all with a code as they are.').argument('[id]', 'its id')
    .option('--value <value>', 'repaired value: the call as JSON for what the collector refused, else framed Avro in base64')
    .option('--code <code>', `all with this code ${AMONG} that were not replayed yet, once what caused them has been put right`)
    .option('--json', 'one JSON value')
    .action((id: string | undefined, { value, code, json }: { value?: string; code?: string; json?: boolean }) => exitingWell(async () => {
      if ((id === undefined) === (code === undefined)) throw new Error('Name one dead letter by its id, or all of a kind by --code.');
      if (code !== undefined && value !== undefined) throw new Error('--value repairs one dead letter: give its id, not --code.');
      const config = readConfig();
      const shop = shopMade(installationDirectory(config), config);
      if (id !== undefined) {
        const written = await askInstallation(config, { kind: 'replay-dead-letter', id, value }, ({ log }) => replayDeadLetter(log, id, value, shop), { makesRecords: true }) as WrittenAgain;
        process.stdout.write(`${json ? JSON.stringify(written) : writtenSentences(id, written)}\n`);
        return;
      }
      const outcome = await askInstallation(config, { kind: 'replay-dead-letters', code }, ({ log }) => replayDeadLetters(log, code!, shop), { makesRecords: true }) as Replayed;
      process.stdout.write(`${json ? JSON.stringify(outcome) : replayedSentences(code!, outcome)}\n`);
      if (outcome.refused.length > 0) throw new Error(`${outcome.refused.length} of ${outcome.refused.length + outcome.replayed} were refused.`);
    }));
  return new Command('dead-letters').description(`What consumers and collector refused (topic ${deadLetters.name}).`).addCommand(list).addCommand(show).addCommand(replay)
    .addHelpText('after', `\nExamples:\n  millrace dead-letters list --limit 10\n  millrace dead-letters show request/0f9f…/0\n  millrace dead-letters replay --code crashed`);
}
