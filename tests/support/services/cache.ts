import { mkdtempSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';

/** Where downloads and compiled launchers live between runs: outside the tree, so that a fresh clone finds them again. */
function cacheRoot(): string {
  const chosen = process.env.MILLRACE_CACHE;
  if (chosen) return path.resolve(chosen);
  return path.join(process.env.XDG_CACHE_HOME ?? path.join(homedir(), '.cache'), 'millrace');
}

/**
 * The directory `name` of the cache, built once by `build`, which fills the empty directory it is given.
 * Built beside its place and renamed into it: two runs that start together, or one that is killed half way,
 * never leave a directory that looks finished and is not.
 */
export async function cachedDirectory(name: string, build: (directory: string) => Promise<void>): Promise<string> {
  const place = path.join(cacheRoot(), name);
  if (existsSync(place)) return place;
  mkdirSync(cacheRoot(), { recursive: true });
  const draft = mkdtempSync(path.join(cacheRoot(), 'draft-'));
  try {
    await build(draft);
    renameSync(draft, place);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    // Another run finished the same directory first: rename refuses a target that is not empty.
    if (!existsSync(place)) throw error;
  }
  return place;
}
