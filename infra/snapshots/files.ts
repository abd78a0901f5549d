import { mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { PAUSE, type Snapshots } from '../../pipeline/core/fold.js';
import type { Position } from '../../pipeline/core/log.js';

const VERSION = 3;
/** Bytes, some two milliseconds. */
const SUMMED_AT_ONCE = 8 << 20;
/** Before the header: the checksum of the pieces, one after the other, and then of the header, in hexadecimal. */
const SUM_DIGITS = 8;

interface Header {
  readonly version: number;
  readonly log: string;
  readonly lengths: readonly number[];
  readonly positions: readonly Position[];
}

/**
 * Snapshots of folds as files: a line with a checksum and JSON (positions, lengths, the log they belong to), then the pieces. Written beside
 * and renamed, so that a crash leaves the earlier one.
 */
export function snapshotFiles(directory: string, log: string): Snapshots {
  const pathOf = (name: string): string => join(directory, `${name}.snapshot`);
  return {
    async load(name) {
      const path = pathOf(name);
      const file = await readFile(path).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined;
        throw new Error(`${path} cannot be read: ${error.message}`, { cause: error });
      });
      if (!file) return undefined;
      const end = file.indexOf(0x0a);
      const [head, body] = [file.subarray(SUM_DIGITS, Math.max(SUM_DIGITS, end)), file.subarray(end + 1)];
      if (end < 0 || file.toString('latin1', 0, SUM_DIGITS) !== digits(crc32(head, crc32(body)))) throw new Error(`${path} is damaged, or of another version`);
      const header = JSON.parse(head.toString()) as Header;
      if (header.version !== VERSION) throw new Error(`${path} is of another version`);
      if (header.log !== log) throw new Error(`${path} belongs to another log`);
      let at = end + 1;
      // Copies, since typed arrays over them have to be aligned.
      const pieces = header.lengths.map((length) => Uint8Array.prototype.slice.call(file, at, (at += length)));
      return { pieces, positions: header.positions };
    },
    async save(name, pieces, positions) {
      const fresh = `${pathOf(name)}.new`;
      await mkdir(directory, { recursive: true });
      const made: Uint8Array[] = [];
      let sum = 0;
      for (const piece of pieces) {
        await nextTurn();
        if (piece === PAUSE) continue;
        made.push(piece);
        for (let at = 0; at < piece.length; at += SUMMED_AT_ONCE) {
          sum = crc32(piece.subarray(at, at + SUMMED_AT_ONCE), sum);
          await nextTurn();
        }
      }
      const header: Header = { version: VERSION, log, lengths: made.map(({ length }) => length), positions };
      const head = Buffer.from(JSON.stringify(header));
      try {
        const file = await open(fresh, 'w');
        try {
          await writeFile(file, [digits(crc32(head, sum)), head, '\n', ...made]);
          await file.sync();
        } finally {
          await file.close();
        }
        await rename(fresh, pathOf(name));
      } catch (error) {
        // On a full disk the log needs the room more.
        await rm(fresh, { force: true }).catch(() => {});
        throw error;
      }
    },
  };
}

const digits = (sum: number): string => sum.toString(16).padStart(SUM_DIGITS, '0');
