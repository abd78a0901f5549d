import { randomBytes } from 'node:crypto';
import { clickhouseSinks } from '../../consumers/clickhouse-sinks.js';
import { openClickHouse } from '../../infra/clickhouse/server.js';
import { interactions } from '../../schemas/topics.js';
import type { Log, LogRecord } from '../core/log.js';
import { noMetrics, silentJournal } from '../core/metrics.js';
import { partitionOf } from '../core/partition.js';
import { sinkLimits, type Row, type RowSink } from '../core/row-sink.js';
import { runSink, sinkPorts } from '../core/sink.js';
import { alternating, figure, type Bench, type BenchSetting } from './bench.js';
import { interactionRecords, interactionsOf } from './events.js';
import { kafkaTopics } from './kafka-setting.js';
import { insertLoop } from './peers/clickhouse.js';

const ROWS = 200_000;
/** The last block of a partition is not full and waits for company, which says nothing of the rate. */
const MEASURED_ROWS = 160_000;
const ROUNDS = 2;
const LONGEST_MS = 60_000;

export const clickhouse: Bench = {
  name: 'clickhouse',
  about: 'Kafka to ClickHouse, each row once, beside a bare insert loop of @clickhouse/client with the same rows in the same batches into the same tables (views and fsync included).',
  needs: ['KAFKA_BROKERS', 'CLICKHOUSE_URL'],
  async run(setting) {
    const { partitions, open, remove } = kafkaTopics(setting);
    const log = await open('members');
    // Made anew for each use: hundreds of thousands of objects held meanwhile would have the collector of garbage measured.
    const records = (): LogRecord[] => interactionRecords(interactionsOf(ROWS, 2_000, 5_000));
    const spec = clickhouseSinks.find(({ topic }) => topic === interactions.name)!;
    const { url, user, password } = address(setting);
    try {
      await log.ensureTopics([interactions]);
      for (let at = 0, all = records(); at < ROWS; at += 5_000) {
        await log.append(all.slice(at, at + 5_000).map(({ topic, key, value }) => ({ topic, partition: partitionOf(key ?? '', partitions), key, value })));
      }
      const batches = (): Row[][] => batchesOf(records().map((record) => ({ partition: partitionOf(record.key ?? '', partitions), row: spec.encode(record) })), partitions);
      let round = 0;
      const rates = await alternating(
        ROUNDS,
        () => withDatabase(setting, (sink) => carry(log, `clickhouse-${round++}`, sink)),
        () => withDatabase(setting, (_, database) => insertLoop({ url, user, password, database, table: spec.table, batches: batches(), connections: partitions })),
      );
      return [figure('clickhouse', rates.ours, rates.peer, 'rows/s', { rows: ROWS, rows_a_block: sinkLimits.maxRows, partitions, rounds: rates.rounds, table: spec.table })];
    } finally {
      await log.close();
      await remove();
    }
  },
};

function batchesOf(rows: readonly { partition: number; row: Row }[], partitions: number): Row[][] {
  return Array.from({ length: partitions }, (_, partition) => rows.filter((one) => one.partition === partition).map(({ row }) => row))
    .flatMap((mine) => Array.from({ length: Math.ceil(mine.length / sinkLimits.maxRows) }, (_, at) => mine.slice(at * sinkLimits.maxRows, (at + 1) * sinkLimits.maxRows)));
}

const address = ({ config }: BenchSetting): { url: string; user: string; password: string } =>
  ({ url: config.CLICKHOUSE_URL ?? '', user: config.CLICKHOUSE_USER, password: config.CLICKHOUSE_PASSWORD });

async function withDatabase(setting: BenchSetting, use: (sink: RowSink, database: string) => Promise<number>): Promise<number> {
  const database = `bench_${randomBytes(4).toString('hex')}`;
  const sink = openClickHouse({ ...address(setting), database, shopTimeZone: 'UTC' });
  try {
    await sink.ensure();
    return await use(sink, database);
  } finally {
    await sink.query(`DROP DATABASE IF EXISTS ${database}`);
    await sink.close();
  }
}

/** Rows a second from the first record that a sink is given to the last row of those measured. */
async function carry(log: Log, group: string, sink: RowSink): Promise<number> {
  const spec = { ...clickhouseSinks.find(({ topic }) => topic === interactions.name)!, name: group };
  let began: number | undefined;
  let rows = 0;
  let finish: (at: number) => void = () => {};
  const finished = new Promise<number>((resolve) => { finish = resolve; });
  const late = new Promise<never>((_, reject) => { setTimeout(() => reject(new Error(`Only ${rows} of ${MEASURED_ROWS} rows arrived in time.`)), LONGEST_MS).unref(); });
  const watched = { ...spec, encode: (record: LogRecord) => { began ??= performance.now(); return spec.encode(record); } };
  const ports = sinkPorts({ ...noMetrics, count: (name, _labels, by = 1) => {
    if (name !== 'millrace_sink_rows_total') return;
    rows += by;
    if (rows >= MEASURED_ROWS) finish(performance.now());
  } }, silentJournal);
  const limits = { ...sinkLimits, pauseMs: sinkLimits.pauseMs * log.partitions };
  const membership = log.own({ name: group, inputs: [interactions.name] }, (lease) => runSink(lease, watched, sink, ports, limits));
  try {
    const ended = await Promise.race([finished, membership.failed, late]);
    return MEASURED_ROWS / ((ended - (began ?? ended)) / 1000);
  } finally {
    await membership.stop();
  }
}
