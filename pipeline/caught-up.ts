import { setTimeout as delay } from 'node:timers/promises';
import { clickhouseSinks } from '../consumers/clickhouse-sinks.js';
import { inputTopics } from './core/consumer.js';
import type { Log } from './core/log.js';
import { recordsBetween } from './core/records-between.js';
import type { RowSink } from './core/row-sink.js';
import { progressOf } from './core/progress.js';
import type { Topology } from './core/topology.js';
import type { Engine } from './engine.js';

const LOOK_MS = 5;
const LOOK_AT_TABLES_MS = 100;
const TAIL = 5_000;

/** Longest chain of consumers that a record can pass through: so often must everyone catch up with everyone. */
const ROUNDS = 5;

/** Resolves when consumers and sinks have processed all that follows from what is in the log now. `onLag` gets what is left. */
export async function caughtUp(engine: Engine, topology: Topology, rowSink: RowSink | undefined, onLag: (records: number) => void): Promise<void> {
  await consumersCaughtUp(engine, topology, onLag);
  if (rowSink) await sinksCaughtUp(engine.log, rowSink, onLag);
  onLag(0);
}

/** The same of consumers alone. */
export async function consumersCaughtUp(engine: Engine, topology: Topology, onLag: (records: number) => void): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    const ends = await endsOf(engine.log, topology);
    for (let left = lagOf(engine, topology, ends); left > 0; left = lagOf(engine, topology, ends)) {
      onLag(left);
      await delay(LOOK_MS);
    }
  }
}

async function endsOf(log: Log, topology: Topology): Promise<Map<string, readonly number[]>> {
  const names = new Set(topology.consumers.flatMap((consumer) => inputTopics(consumer).map(({ name }) => name)));
  const ends = new Map<string, readonly number[]>();
  for (const name of names) ends.set(name, (await log.ranges(name)).map(({ end }) => end));
  return ends;
}

function lagOf({ log, owned }: Engine, topology: Topology, ends: ReadonlyMap<string, readonly number[]>): number {
  let left = 0;
  for (const consumer of topology.consumers) {
    for (let partition = 0; partition < log.partitions; partition++) {
      const { offsets } = progressOf(owned.open(consumer.table.name, partition));
      for (const { name } of inputTopics(consumer)) left += Math.max(0, (ends.get(name)?.[partition] ?? 0) - (offsets[name] ?? 0));
    }
  }
  return left;
}

/** Resolves when the tables hold all that is in the clean logs now, or at `stop`. */
export async function sinksCaughtUp(log: Log, rowSink: RowSink, onLag: (records: number) => void, stop?: AbortSignal): Promise<void> {
  for (const { topic, table } of clickhouseSinks) {
    const ends = await Promise.all(Array.from({ length: log.partitions }, (_, partition) => lastDataOffset(log, topic, partition)));
    for (const [partition, last] of ends.entries()) {
      for (;;) {
        const left = last === undefined ? 0 : last - ((await rowSink.lastOffset(table, topic, partition)) ?? -1);
        if (left <= 0 || stop?.aborted) break;
        onLag(left);
        await delay(LOOK_AT_TABLES_MS);
      }
    }
  }
}

/** Offset of the last record that is not a tick. */
async function lastDataOffset(log: Log, topic: string, partition: number): Promise<number | undefined> {
  const range = (await log.ranges(topic))[partition];
  if (!range) return undefined;
  for (let from = Math.max(range.start, range.end - TAIL), to = range.end; to > range.start; to = from, from = Math.max(range.start, from - TAIL)) {
    let last: number | undefined;
    for await (const records of recordsBetween(log, topic, partition, { start: from, end: to })) last = records.findLast(({ tick }) => !tick)?.offset ?? last;
    if (last !== undefined) return last;
  }
  return undefined;
}
