import { execFileSync } from 'node:child_process';
import { writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { openTableStores, type TableStores } from '../../infra/table-store/stores.js';
import { silentJournal, type Journal } from '../../pipeline/core/metrics.js';

const say = (line: string): number => writeSync(1, `${line}\n`);
const outcome = (stores: TableStores): Promise<string> => stores.flushed().then(() => 'written', (error: Error) => error.message);
const row = (n: number): Buffer => Buffer.alloc(20_000, n);

/** Open stores where there is no room for them; answers what is said of it. */
export function runEmpty(directory: string): void {
  try {
    openTableStores({ directory, identityOf: () => 'log 1' });
    say('opened');
  } catch (error) {
    say((error as Error).message);
  }
}

/**
 * A process whose files may not grow beyond a limit, as on a full disk: fills its table stores, gets room, and says what came of it.
 * `byWriter`: rows come so fast that their writer writes them himself.
 */
export async function run(directory: string, byWriter: string): Promise<void> {
  const warned: string[] = [];
  const journal: Journal = { ...silentJournal, warn: (_, sentence) => void warned.push(sentence) };
  const open = (): TableStores => openTableStores({ directory, identityOf: () => 'log 1', journal, ...(byWriter === 'true' && { waitingRows: 10 }) });
  const stores = open();
  const store = stores.open('carts', 0);
  let refused = 'nothing';
  for (let n = 1; n <= 300; n++) {
    try {
      store.apply([{ key: `k${n}`, value: row(n) }], n);
    } catch (error) {
      refused = (error as Error).message;
      break;
    }
    await delay(byWriter === 'true' ? 0 : 4);
  }
  const { position } = store;
  say(`refused: ${refused}`);
  say(`full: ${await outcome(stores)}`);
  say(`read: ${[...store.range('', 'z')].length === position}`);
  await stores.close();
  say('closed');
  const again = open();
  const found = again.open('carts', 0);
  // What a store did not take is read from the log again.
  const before = found.position;
  for (let n = before + 1; n <= position; n++) found.apply([{ key: `k${n}`, value: row(n) }], n);
  say(`still full: ${await outcome(again)}`);
  execFileSync('prlimit', ['--pid', String(process.pid), '--fsize=unlimited:unlimited']);
  say(`room: ${await outcome(again)}`);
  await again.close();
  const last = open();
  const [rows, whole] = [[...last.open('carts', 0).range('', 'z')], last.open('carts', 0).position];
  say(`whole: ${whole === position && rows.length === position && rows.every(({ key, value }) => value.equals(row(Number(key.slice(1)))))}`);
  await last.close();
  say(`warned: ${[...new Set(warned)].join()}`);
}
