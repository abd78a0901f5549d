import { writeSync } from 'node:fs';
import { openEmbeddedLog } from '../../infra/embedded-log/log.js';
import { openTableStores } from '../../infra/table-store/stores.js';
import { codec } from '../../schemas/codec.js';
import type { Topic } from '../../schemas/topics.js';

/**
 * A process to be killed: appenders and a task write into the log of the directory it is given, and each thing that was
 * acknowledged is said on stdout. At its start it brings its table store up to date and says whether it equals the table.
 */
const topic = (name: string, kind: Topic['kind']): Topic => ({ name, kind, key: 'id', codec: codec<unknown>('Timer'), retentionMs: 86_400_000 });
export const events = topic('events', 'source');
export const output = topic('output', 'stream');
export const table = topic('table', 'table');
export const GROUP = { name: 'task', inputs: [events.name], table: table.name };

const say = (line: string): number => writeSync(1, `${line}\n`);

export async function run(directory: string): Promise<void> {
  const log = await openEmbeddedLog({ directory, clock: 'wall', segmentBytes: 300_000 });
  const stores = openTableStores({ directory, identityOf: () => log.id });
  await log.ensureTopics([events, output, table]);
  const store = stores.open(table.name, 0);

  log.own(GROUP, async (lease) => {
    await lease.fence();
    const { end } = await lease.tableRange();
    if (store.position > end) return void say(`bad store ahead of its log: ${store.position} of ${end}`);
    const behind = end - store.position;
    await lease.readTable(store.position, end, (rows, next) => store.apply(rows.map(({ key, value }) => ({ key: key ?? '', value })), next));
    const whole = new Map<string, string>();
    await lease.readTable(0, end, (rows) => {
      for (const { key, value } of rows) whole.set(key ?? '', String(value));
    });
    const differing = [...whole].filter(([key, value]) => store.get(key)?.toString() !== value).length;
    say(differing === 0 && [...store.range('', '\uffff')].length === whole.size ? `same ${whole.size} rows, ${behind} behind` : `bad store differs in ${differing} rows`);

    let next = Number(store.get('_progress')?.toString() ?? 0);
    await lease.seek({ [events.name]: next });
    while (!lease.revoked.aborted) {
      const records = await lease.poll(200, 1_000, new Set());
      if (records.length === 0) continue;
      next = records.at(-1)!.offset + 1;
      const rows = [...new Map(records.map(({ key, value }) => [key ?? '', value])), ['_progress', Buffer.from(String(next))] as const].map(
        ([key, value]) => ({ topic: table.name, partition: 0, key, value }),
      );
      const position = await lease.commit(records.map(({ key, value }) => ({ topic: output.name, partition: 0, key, value })), rows);
      store.apply(rows, position);
      say(`committed ${next}`);
    }
  });

  const born = Date.now();
  for (let appender = 0; appender < 16; appender++) {
    void (async () => {
      for (let i = 0; ; i++) {
        const id = `${born}-${appender}-${i}`;
        await log.append([{ topic: events.name, partition: 0, key: `k${i % 97}`, value: Buffer.from(id.padEnd(120)) }]);
        say(`acknowledged ${id}`);
      }
    })();
  }
}
