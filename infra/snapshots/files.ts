import { mkdir, open, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import type { Snapshots } from '../../pipeline/core/fold.js';
import type { Position } from '../../pipeline/core/log.js';

const VERSION = 2;

interface Header {
  readonly version: number;
  readonly log: string;
  /** Of all pieces, one after the other. */
  readonly crc32: number;
  readonly lengths: readonly number[];
  readonly positions: readonly Position[];
}

/**
 * Snapshots of folds as files: one line of JSON (positions, lengths, checksum, the log they belong to), then the pieces. Written beside and renamed,
 * so that a crash leaves the earlier one; a torn file or one of another log counts as none.
 */
export function snapshotFiles(directory: string, log: string): Snapshots {
  const pathOf = (name: string): string => join(directory, `${name}.snapshot`);
  return {
    async load(name) {
      const file = await readFile(pathOf(name)).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined;
        throw error;
      });
      const end = file?.indexOf(0x0a) ?? -1;
      if (!file || end < 0) return undefined;
      const header = JSON.parse(file.subarray(0, end).toString()) as Header;
      if (header.version !== VERSION || header.log !== log || header.crc32 !== crc32(file.subarray(end + 1))) return undefined;
      let at = end + 1;
      // Copies, since typed arrays over them have to be aligned.
      const pieces = header.lengths.map((length) => Uint8Array.prototype.slice.call(file, at, (at += length)));
      return { pieces, positions: header.positions };
    },
    async save(name, pieces, positions) {
      await mkdir(directory, { recursive: true });
      const made: Uint8Array[] = [];
      let sum = 0;
      for (const piece of pieces) {
        sum = crc32(piece, sum);
        made.push(piece);
        await nextTurn();
      }
      const header: Header = { version: VERSION, log, crc32: sum, lengths: made.map(({ length }) => length), positions };
      const file = await open(`${pathOf(name)}.new`, 'w');
      try {
        await writeFile(file, [Buffer.from(`${JSON.stringify(header)}\n`), ...made]);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(`${pathOf(name)}.new`, pathOf(name));
    },
  };
}
