import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, vi } from 'vitest';
import { folderForTests } from './folder.js';

/** What the command of a test has said so far, and a folder for its files. */
export interface Said {
  out: string;
  err: string;
  readonly folder: string;
  /** Write a file into the folder; answers its path. */
  file(name: string, content: string | Buffer): string;
}

/** Catches what commands write to stdout and stderr, anew for each test of a file. */
export function said(): Said {
  const caught: Said = {
    out: '', err: '', folder: folderForTests(),
    file(of, content) {
      const path = join(caught.folder, of);
      writeFileSync(path, content);
      return path;
    },
  };
  beforeEach(() => {
    caught.out = caught.err = '';
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((caught.out += String(text)), true));
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((caught.err += String(text)), true));
  });
  afterEach(() => {
    vi.restoreAllMocks();
    process.exitCode = undefined;
  });
  return caught;
}
