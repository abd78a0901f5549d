import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { sqlCommand } from '../../pipeline/cli/sql.js';
import { said } from '../support/command.js';

const command = said();
afterEach(() => vi.unstubAllEnvs());

test.each(['nowhere', '.'])('a folder without rows of Millrace is refused, and stays as it is: %s', async (name) => {
  const directory = join(command.folder, name);
  vi.stubEnv('DATA_DIR', directory);
  vi.stubEnv('CLICKHOUSE_URL', '');
  await sqlCommand().parseAsync(['SELECT 1'], { from: 'user' });
  expect(process.exitCode).toBe(1);
  expect(command.err).toContain(`There are no rows of Millrace in ${directory}: set DATA_DIR, or CLICKHOUSE_URL.`);
  expect(command.out).toBe('');
  expect([existsSync(join(directory, 'clickhouse')), existsSync(join(command.folder, 'nowhere'))]).toEqual([false, false]);
});
