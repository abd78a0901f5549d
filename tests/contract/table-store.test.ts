import { spawn } from 'node:child_process';
import { cpSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { openEnvironment } from '../../infra/table-store/environment.js';
import { openTableStores, type TableStores, type TableStoresOptions } from '../../infra/table-store/stores.js';
import { ConfigError } from '../../pipeline/core/errors.js';
import { silentJournal } from '../../pipeline/core/metrics.js';
import { restOf, rowKey, TIMER, timerRows } from '../../pipeline/core/rows.js';
import { folderForTest, folderForTests } from '../support/folder.js';
import { running } from '../support/run-module.js';
import { storeContract } from './store-contract.js';

const openIn = (directory: string, options: Partial<TableStoresOptions> = {}): TableStores =>
  openTableStores({ directory, identityOf: () => 'log 1', ...options });

for (const { name, waitingRows } of [{ name: 'LMDB', waitingRows: undefined }, { name: 'LMDB, some rows waiting', waitingRows: 5 }, { name: 'LMDB, few rows waiting', waitingRows: 0 }]) {
  const directory = folderForTests();
  storeContract(name, async () => {
    const stores = openIn(directory, { waitingRows });
    return { open: stores.open, close: () => stores.close() };
  });
}

describe('LMDB stores of a data directory', () => {
  const dated = (value: string): Buffer => Buffer.from(value);

  test('rows, timers and position are there after opening again', async () => {
    const directory = folderForTest();
    const first = openIn(directory);
    const timer = { key: rowKey('k', restOf(TIMER, 't')), value: timerRows.codec.encode({ due: 5, payload: 'p' }) };
    first.open('carts', 3).apply([{ key: 'a', value: dated('1') }, timer], 42);
    await first.close();

    const second = openIn(directory);
    const store = second.open('carts', 3);
    expect([store.position, store.get('a')?.toString(), [...store.timersUntil(5)]]).toEqual([42, '1', [{ due: 5, key: timer.key }]]);
    await second.close();
  });

  test('the rows of another log are wiped, those of the same are kept', async () => {
    const directory = folderForTest();
    const first = openIn(directory);
    first.open('carts', 0).apply([{ key: 'a', value: dated('1') }], 42);
    first.open('products', 0).apply([{ key: 'a', value: dated('1') }], 7);
    await first.close();

    const second = openIn(directory, { identityOf: (table) => (table === 'carts' ? 'log 2' : 'log 1') });
    expect([second.open('carts', 0).position, second.open('carts', 0).get('a'), second.open('products', 0).position]).toEqual([0, undefined, 7]);
    await second.close();
  });

  test('a store that was left alone for too long is wiped', async () => {
    const directory = folderForTest();
    const first = openIn(directory, { now: () => 1_000 });
    first.open('carts', 0).apply([{ key: 'a', value: dated('1') }], 42);
    await first.close();

    const inTime = openIn(directory, { now: () => 1_500, maxAgeMs: 500 });
    expect(inTime.open('carts', 0).position).toBe(42);
    await inTime.close();
    const late = openIn(directory, { now: () => 1_501, maxAgeMs: 500 });
    expect(late.open('carts', 0).position).toBe(0);
    await late.close();
  });

  test('flushed says up to where rows are on the disk', async () => {
    const stores = openIn(folderForTest());
    stores.open('carts', 0).apply([{ key: 'a', value: dated('1') }], 42);
    stores.open('carts', 1);
    expect(await stores.flushed()).toEqual([
      { topic: 'carts', partition: 0, offset: 42 },
      { topic: 'carts', partition: 1, offset: 0 },
    ]);
    await stores.close();
  });

  test('a process that dies leaves each store at a position and exactly its rows, however much was waiting', async () => {
    const directory = folderForTest();
    const living = openIn(directory, { waitingRows: 20 });
    let written = 0;
    for (let position = 1; position <= 400; position++) {
      for (const [table, factor] of [['carts', 1], ['products', 2]] as const) {
        living.open(table, 0).apply([{ key: `k${position % 7}`, value: dated(String(position)) }, { key: 'last', value: dated(String(position)) }], position * factor);
      }
      if (position % 3 === 0) await setImmediate();
      if (position % 37 !== 0) continue;
      // What a killed process leaves behind is what its files hold at that moment.
      const copy = folderForTest();
      cpSync(join(directory, 'tables'), join(copy, 'tables'), { recursive: true });
      const found = openIn(copy);
      const [carts, products] = [found.open('carts', 0), found.open('products', 0)];
      expect([Number(carts.get('last') ?? 0), Number(products.get('last') ?? 0)]).toEqual([carts.position, products.position / 2]);
      for (let key = 0; key < 7; key++) {
        expect(Number(carts.get(`k${key}`) ?? 0)).toBe(Math.max(0, carts.position - ((carts.position - key + 7) % 7)));
      }
      written = carts.position;
      await found.close();
    }
    expect(written).toBeGreaterThan(0);
    await living.close();
  });

  test('what cannot be written is read all the same, until too much of it waits', async () => {
    let isFull = true;
    const failing = (path: string): ReturnType<typeof openEnvironment> => {
      const root = openEnvironment(path);
      const { batch, transactionSync } = root;
      return Object.assign(root, {
        batch: (work: () => void) => (isFull ? Promise.reject(new Error('the disk is full')) : batch.call(root, work)),
        transactionSync(work: () => void, flags: number) {
          if (isFull) throw new Error('the disk is full');
          transactionSync.call(root, work, flags);
        },
      });
    };
    const stores = openIn(folderForTest(), { waitingRows: 20, openEnvironment: failing });
    const store = stores.open('carts', 0);
    let applied = 0;
    const fill = async (): Promise<void> => {
      for (;; applied++) {
        store.apply([{ key: `k${applied}`, value: Buffer.alloc(20, applied % 256) }], applied + 1);
        await setImmediate();
      }
    };
    await expect(fill()).rejects.toThrow('cannot be written');
    expect(applied).toBeGreaterThan(30);
    expect([store.position, store.get(`k${applied - 1}`)?.[0], store.get(`k${applied}`)]).toEqual([applied, (applied - 1) % 256, undefined]);
    expect([...store.range('', 'l')]).toHaveLength(applied);
    await expect(stores.flushed()).rejects.toThrow('cannot be written');
    isFull = false;
    store.apply([{ key: 'k1', value: null }], applied + 1);
    await stores.flushed();
    expect([...store.range('', 'l')]).toHaveLength(applied - 1);
    store.wipe();
    store.apply([{ key: 'a', value: dated('1') }], 1);
    expect(await stores.flushed()).toEqual([{ topic: 'carts', partition: 0, offset: 1 }]);
    expect([...store.range('', 'z')]).toHaveLength(1);
    await stores.close();
  });

  describe('whose pages are damaged', () => {
    const corrupted = (): never => { throw new Error('MDB_CORRUPTED: Located page was wrong type'); };
    /** As lmdb answers once a page is not what it wrote. */
    const damaged = (path: string): ReturnType<typeof openEnvironment> => {
      const root = openEnvironment(path);
      const openDB = root.openDB.bind(root);
      return Object.assign(root, { openDB: (options: { name: string }) => Object.assign(openDB(options), options.name === 'carts/0' ? { get: corrupted, getRange: corrupted } : {}) });
    };
    const filled = async (): Promise<string> => {
      const directory = folderForTest();
      const stores = openIn(directory);
      stores.open('carts', 0).apply([{ key: 'a', value: dated('1') }], 1);
      await stores.close();
      return directory;
    };

    test('end the process where the log holds every row, and are removed by the next start', async () => {
      const directory = await filled();
      const stores = openIn(directory, { rebuilt: true, openEnvironment: damaged });
      expect(() => stores.open('carts', 0).get('a')).toThrow(/^The table stores in .* are damaged \(MDB_CORRUPTED: .*\)\. The next start removes them and rebuilds them from the log\./);
      await expect(stores.failed).rejects.toThrow(ConfigError);
      await stores.close();
      const warn = vi.fn();
      const again = openIn(directory, { rebuilt: true, journal: { ...silentJournal, warn } });
      expect([again.open('carts', 0).position, again.open('carts', 0).get('a')]).toEqual([0, undefined]);
      expect(warn.mock.calls).toEqual([[expect.anything(), expect.stringMatching(/were damaged: they have been removed, and are rebuilt from the log\.$/)]]);
      await again.close();
    });

    test.each(['MDB_PAGE_NOTFOUND: Requested page not found', 'MDB_BAD_TXN: Transaction must abort'])('are not written again once a transaction met the damage: lmdb would end the process, without a word of what to do (%s)', async (said) => {
      const batch = vi.fn(() => Promise.reject(new Error(said)));
      const stores = openIn(folderForTest(), { rebuilt: true, openEnvironment: (path) => Object.assign(openEnvironment(path), { batch }) });
      const store = stores.open('carts', 0);
      store.apply([{ key: 'a', value: dated('1') }], 1);
      for (let i = 0; i < 2; i++) await expect(stores.flushed()).rejects.toThrow(/are damaged \(MDB_.*The next start removes them/);
      expect([batch.mock.calls.length, store.get('a')?.toString()]).toEqual([1, '1']);
      await expect(stores.failed).rejects.toThrow(ConfigError);
      await stores.close();
    });

    test('of which lmdb dies are removed after three starts that ended at once, where the log holds every row', async () => {
      const directory = await filled();
      const warn = vi.fn();
      // What a start leaves behind that was ended by a signal.
      const die = (): void => {
        const stores = openIn(directory, { rebuilt: true, journal: { ...silentJournal, warn } });
        expect(stores.open('carts', 0).get('a')?.toString()).toBe('1');
      };
      die();
      await openIn(directory, { rebuilt: true }).close();
      for (let start = 0; start < 3; start++) die();
      expect(warn).not.toHaveBeenCalled();
      const again = openIn(directory, { rebuilt: true, journal: { ...silentJournal, warn } });
      expect(again.open('carts', 0).get('a')).toBeUndefined();
      expect(warn.mock.calls).toEqual([[expect.anything(), expect.stringMatching(/may be damaged, since 3 starts in a row ended within 5 minutes: they have been removed, and are rebuilt from the log\.$/)]]);
      await again.close();
    });

    test('are said to be so once, and kept, where some rows may stand nowhere else', async () => {
      const directory = await filled();
      const error = vi.fn();
      const stores = openIn(directory, { openEnvironment: damaged, journal: { ...silentJournal, error } });
      const store = stores.open('carts', 0);
      for (let i = 0; i < 2; i++) expect(() => [...store.range('', 'z')]).toThrow('Stop the process and restore DATA_DIR from a copy');
      expect(error).toHaveBeenCalledTimes(1);
      await stores.close();
      const again = openIn(directory);
      expect(again.open('carts', 0).get('a')?.toString()).toBe('1');
      await again.close();
    });
  });

  test('a change that fails leaves rows and position as they were', async () => {
    const stores = openIn(folderForTest());
    const store = stores.open('carts', 0);
    store.apply([{ key: 'a', value: dated('1') }], 1);
    expect(() => store.apply([{ key: 'a', value: dated('2') }, { key: 'k'.repeat(3_000), value: dated('x') }], 2)).toThrow('longer than the table store can hold');
    expect([store.position, [...store.range('', 'z')].map(({ key, value }) => `${key} ${value.toString()}`)]).toEqual([1, ['a 1']]);
    store.apply([{ key: 'a', value: dated('3') }], 2);
    expect(store.get('a')?.toString()).toBe('3');
    await stores.close();
  });

  // The kernel refuses to let a file grow, as on a full disk, and lmdb hears of it as it does there: which a failing port in its place does not show.
  describe.skipIf(process.platform !== 'linux')('on a full disk', () => {
    /** Runs a function of table-store-writer.ts in a process whose files may not grow beyond so many KiB. */
    async function starved(kibibytes: number, run: string, ...given: string[]): Promise<{ code: unknown; said: string }> {
      const node = running(new URL('table-store-writer.ts', import.meta.url), run, ...given);
      const child = spawn('bash', ['-c', `ulimit -S -f ${kibibytes}; exec "$@"`, 'bash', process.execPath, ...node], { stdio: ['ignore', 'pipe', 'ignore'] });
      let said = '';
      child.stdout.on('data', (data: Buffer) => { said += data.toString(); });
      return { code: await new Promise((resolve) => child.once('close', (status, signal) => resolve(status ?? signal))), said };
    }

    test('what has no room from the start is refused by a sentence: lmdb would map pages that the disk cannot hold, and die of a signal', async () => {
      const directory = folderForTest();
      expect(await starved(512, 'runEmpty', directory)).toEqual({ code: 0, said: expect.stringMatching(/^There is no room for table stores in .*: EFBIG/) });
      expect(readdirSync(join(directory, 'tables'))).toEqual([]);
    });

    for (const byWriter of [false, true]) {
      test(`${byWriter ? 'rows that their writer writes himself' : 'rows written behind'} wait and are written once there is room; the process lives, and ends when it is told to`, async () => {
        const { code, said } = await starved(2_048, 'run', folderForTest(), String(byWriter));
        expect(said.replaceAll(/The table stores in .* cannot be written .*/g, 'not written').trimEnd().split('\n')).toEqual([
          `refused: ${byWriter ? 'not written' : 'nothing'}`, 'full: not written', 'read: true', 'closed', 'still full: not written', 'room: written', 'whole: true',
          'warned: Rows of tables wait in memory, and stand in the log, until they can be written.',
        ]);
        expect(code).toBe(0);
      });
    }
  });
});
