import { clickhouseSinks } from '../consumers/clickhouse-sinks.js';
import { parseMoney } from '../producers/money.js';
import { UndecodableError } from '../schemas/codec.js';
import { formatMoney } from '../schemas/money.js';
import { sinksCaughtUp } from './caught-up.js';
import type { Log, OffsetRange } from './core/log.js';
import { recordsBetween } from './core/records-between.js';
import type { RowSink, SinkSpec } from './core/row-sink.js';

/** What of a table is money, and must have the same sum on both sides. */
const MONEY: ReadonlyMap<string, string> = new Map([['sales', 'amount'], ['purchases', 'revenue']]);
const WAIT_MS = 10_000;

/** One partition of a clean topic beside its rows. Sums are null where a table has no money. */
export interface Reconciled {
  readonly table: string;
  readonly partition: number;
  /** Offsets that the log still holds: [from, to). Older rows of ClickHouse have nothing to be compared with. */
  readonly from: number;
  readonly to: number;
  readonly records: number;
  readonly rows: number;
  /** Records without a row, and rows beyond the first of a record. */
  readonly missing: number;
  readonly doubled: number;
  /** Sum over the records, and over the rows. */
  readonly logged: string | null;
  readonly stored: string | null;
  readonly equal: boolean;
}

/** Compare what the log holds of the clean topics with the tables, after giving the sinks some seconds to catch up. */
export async function reconcile(log: Log, rowSink: RowSink): Promise<Reconciled[]> {
  const ranges = new Map<string, readonly OffsetRange[]>();
  for (const { topic } of clickhouseSinks) ranges.set(topic, await log.ranges(topic));
  await sinksCaughtUp(log, rowSink, () => {}, AbortSignal.timeout(WAIT_MS));
  const compared: Reconciled[] = [];
  for (const spec of clickhouseSinks) {
    // At once: of a partition in a cluster most of the time goes by in waiting for the end of what is read.
    compared.push(...await Promise.all((ranges.get(spec.topic) ?? []).map((range, partition) => comparePartition(log, rowSink, spec, partition, range))));
  }
  return compared;
}

async function comparePartition(log: Log, rowSink: RowSink, spec: SinkSpec, partition: number, { start, end }: OffsetRange): Promise<Reconciled> {
  const { records, sum } = await ofLog(log, spec, partition, start, end);
  const money = MONEY.get(spec.table);
  const [row] = await rowSink.query(
    `SELECT count() AS rows, uniqExact(_offset) AS distinct${money === undefined ? '' : `, toString(sum(${money})) AS sum`} FROM ${spec.table}
     WHERE _topic = {topic:String} AND _partition = {partition:UInt32} AND _offset >= {start:UInt64} AND _offset < {end:UInt64}`,
    { topic: spec.topic, partition, start, end },
  );
  const rows = Number(row?.['rows'] ?? 0);
  const distinct = Number(row?.['distinct'] ?? 0);
  const logged = money === undefined ? null : formatMoney(sum);
  const stored = money === undefined ? null : formatMoney(sumOf(String(row?.['sum'] ?? '0')));
  return {
    table: spec.table, partition, from: start, to: end, records, rows, missing: records - distinct, doubled: rows - distinct, logged, stored,
    equal: records === rows && rows === distinct && logged === stored,
  };
}

/** A sum as ClickHouse writes it, of up to 34 digits before the point: more than an amount may have. */
function sumOf(text: string): bigint {
  const [whole = '0', fraction = ''] = text.split('.');
  return BigInt(whole + fraction.padEnd(4, '0'));
}

/** Records of a partition that have a row, and the sum of what is money in them. */
async function ofLog(log: Log, spec: SinkSpec, partition: number, start: number, end: number): Promise<{ records: number; sum: bigint }> {
  const money = MONEY.get(spec.table);
  let records = 0;
  let sum = 0n;
  for await (const slice of recordsBetween(log, spec.topic, partition, { start, end })) {
    for (const record of slice) {
      const row = !record.tick && record.value ? rowOf(spec, record) : undefined;
      if (!row) continue;
      records++;
      if (money !== undefined) sum += parseMoney(String(row[money])) ?? 0n;
    }
  }
  return { records, sum };
}

/** The row of a record; a record that no codec reads has none, in the sink either. */
function rowOf(spec: SinkSpec, record: Parameters<SinkSpec['encode']>[0]): ReturnType<SinkSpec['encode']> | undefined {
  try {
    return spec.encode(record);
  } catch (error) {
    if (error instanceof UndecodableError) return undefined;
    throw error;
  }
}
