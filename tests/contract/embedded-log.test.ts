import { openEmbeddedLog, type EmbeddedLog, type EmbeddedLogOptions } from '../../infra/embedded-log/log.js';
import { folderForTests } from '../support/folder.js';
import { logContract, type LogHarness } from './log-contract.js';

async function harness(options: Partial<EmbeddedLogOptions> & { directory: string }): Promise<LogHarness> {
  const open = (): Promise<EmbeddedLog> => openEmbeddedLog({ clock: 'wall', ...options });
  let log = await open();
  return {
    log,
    async reopen() {
      await log.close();
      return (log = await open());
    },
    close: () => log.close(),
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

const [inMemory, onFiles] = [folderForTests(), folderForTests()];
logContract('embedded, one partition, from memory', () => harness({ directory: inMemory }));
logContract('embedded, three partitions, from files', () => harness({ directory: onFiles, partitions: 3, tailBytes: 0, segmentBytes: 2_000 }));
