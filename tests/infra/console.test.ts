import { expect, test } from 'vitest';
import { consoleInto } from '../../infra/journal/console.js';
import { silentJournal } from '../../pipeline/core/metrics.js';

test('what a library says on the console is a line of the log, once while it says the same', () => {
  const lines: unknown[] = [];
  const on: Pick<Console, 'error' | 'warn'> = { error: () => lines.push('raw'), warn: () => lines.push('raw') };
  consoleInto({ ...silentJournal, warn: (fields) => void lines.push(fields) }, on);
  for (let write = 0; write < 3; write++) on.error(Object.assign(new Error('Input/output error'), { code: 5, stack: 'Error: Input/output error\n    at lmdb' }));
  on.warn('%s is deprecated', 'deleteDB()');
  expect(lines).toEqual([{ said: expect.stringMatching(/^Error: Input\/output error\n {4}at lmdb \{\n {2}code: 5\n\}$/) }, { said: 'deleteDB() is deprecated' }]);
});
