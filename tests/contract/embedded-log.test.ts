import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbeddedLog, type EmbeddedLog, type EmbeddedLogOptions } from '../../infra/embedded-log/log.js';
import { logContract, type LogHarness } from './log-contract.js';

async function harness(options: Partial<EmbeddedLogOptions> = {}): Promise<LogHarness> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-log-'));
  const open = (): Promise<EmbeddedLog> => openEmbeddedLog({ directory, clock: 'wall', ...options });
  let log = await open();
  return {
    log,
    async reopen() {
      await log.close();
      return (log = await open());
    },
    async close() {
      await log.close();
      rmSync(directory, { recursive: true });
    },
    // A second membership in the same process: the first does not notice.
    fenceElsewhere: (group, partition) =>
      new Promise((resolve, reject) => {
        const membership = log.own(group, async (lease) => {
          if (lease.partition !== partition) return;
          await lease.fence();
          resolve();
        });
        membership.failed.catch(reject);
      }),
  };
}

logContract('embedded, one partition, from memory', () => harness());
logContract('embedded, three partitions, from files', () => harness({ partitions: 3, tailBytes: 0, segmentBytes: 2_000 }));
