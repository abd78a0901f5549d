import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Snapshots } from '../../pipeline/core/fold.js';
import type { Position } from '../../pipeline/core/log.js';

const VERSION = 1;

interface Header {
  readonly version: number;
  readonly log: string;
  readonly crc32: number;
  readonly positions: readonly Position[];
}

/**
 * Snapshots of folds as files: one line of JSON (positions, checksum, the log they belong to), then the bytes. Written beside and renamed,
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
      const bytes = Uint8Array.prototype.slice.call(file, end + 1);
      if (header.version !== VERSION || header.log !== log || header.crc32 !== crc32(bytes)) return undefined;
      return { bytes, positions: header.positions };
    },
    async save(name, bytes, positions) {
      await mkdir(directory, { recursive: true });
      const header: Header = { version: VERSION, log, crc32: crc32(bytes), positions };
      const file = await open(`${pathOf(name)}.new`, 'w');
      try {
        await file.writeFile(Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), bytes]));
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(`${pathOf(name)}.new`, pathOf(name));
    },
  };
}
