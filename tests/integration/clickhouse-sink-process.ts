import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { openChdb } from '../../infra/clickhouse/chdb.js';
import { openEmbeddedLog } from '../../infra/embedded-log/log.js';
import type { EmbeddedLog } from '../../infra/embedded-log/log.js';
import { noMetrics, silentJournal } from '../../pipeline/core/metrics.js';
import type { Journal } from '../../pipeline/core/metrics.js';
import { runSink, sinkPorts } from '../../pipeline/core/sink.js';
import type { RowSink } from '../../pipeline/core/row-sink.js';
import { interactions, sales } from '../../schemas/topics.js';
import { blockOf, interaction, sale, saleRecord, sinkOf } from '../contract/clickhouse-records.js';

/** A laptop's process as far as sinks go: one log and one ClickHouse in the same directory, killed together. */
export interface Place {
  readonly log: EmbeddedLog;
  readonly sink: RowSink;
}

export async function openPlace(directory: string): Promise<Place> {
  const log = await openEmbeddedLog({ directory, clock: 'wall', segmentBytes: 1 << 20 });
  await log.ensureTopics([interactions, sales]);
  const sink = await openChdb({ directory: join(directory, 'clickhouse'), shopTimeZone: 'Europe/London' }, { metrics: noMetrics, journal: silentJournal });
  if (!sink) throw new Error('The optional package chdb is not installed.');
  await sink.ensure();
  return { log, sink };
}

export const startSinks = ({ log, sink }: Place, journal: Journal) =>
  [sinkOf(sales), sinkOf(interactions)].map((spec) =>
    log.own({ name: spec.name, inputs: [spec.topic] }, (lease) => runSink(lease, spec, sink, sinkPorts(noMetrics, journal))),
  );

/** Write sales and clicks, in bursts of every size, and carry them into ClickHouse, until killed. */
export async function run(directory: string): Promise<void> {
  const place = await openPlace(directory);
  startSinks(place, { ...silentJournal, error: (_fields, sentence) => void writeSync(1, `bad ${sentence}\n`) });
  writeSync(1, 'running\n');
  for (let burst = 0; ; burst++) {
    const records = Array.from({ length: burst % 7 === 0 ? 2_000 : 1 + (burst % 40) }, (_, i) => {
      const receivedAt = Date.now() - (i % 3) * 31 * 86_400_000;
      const [topic, value] = i % 2 === 0
        ? [sales.name, sales.codec.encode(sale({ orderId: `O-${burst}-${i >> 2}`, amount: BigInt(i), time: receivedAt, receivedAt }))]
        : [interactions.name, interactions.codec.encode(interaction({ shopper: `u${i % 50}`, time: receivedAt, receivedAt }))];
      return { topic, partition: 0, key: 'k', value };
    });
    await place.log.append(records);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Insert a row into the ClickHouse of a directory; says what is there then. */
export async function insertOne(directory: string): Promise<void> {
  const sink = await openChdb({ directory, shopTimeZone: 'UTC' }, { metrics: noMetrics, journal: silentJournal });
  if (!sink) throw new Error('The optional package chdb is not installed.');
  await sink.ensure();
  const { columns, lines } = blockOf([saleRecord(1)]);
  await sink.insert('sales', columns, lines, 'a');
  writeSync(1, `${JSON.stringify(await sink.query('SELECT sku, _offset FROM sales'))}\n`);
  await sink.close();
}
