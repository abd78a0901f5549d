import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { packageRoot } from '../../schemas/files.js';

/** Every page that people read, by its path from the root. */
export const pages: readonly string[] = [
  'README.md', 'CONTRIBUTING.md', 'CHANGELOG.md',
  ...readdirSync(path.join(packageRoot, 'docs'), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.md')).map((file) => `docs/${file.replaceAll(path.sep, '/')}`).sort(),
];

/** What a file of the repository says. */
export const textOf = (file: string): string => readFileSync(path.join(packageRoot, file), 'utf8');
