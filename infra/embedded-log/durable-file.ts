import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** Make the creation, renaming or removal of a directory's files survive a crash of the machine. */
export function syncDirectory(directory: string): void {
  const fd = openSync(directory, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Write a file that is there whole or not at all, whenever the machine stops. */
export function writeFileDurably(path: string, contents: Uint8Array): void {
  const fresh = `${path}.new`;
  const fd = openSync(fresh, 'w');
  try {
    for (let at = 0; at < contents.length; ) at += writeSync(fd, contents, at);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(fresh, path);
  syncDirectory(dirname(path));
}
