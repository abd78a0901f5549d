import { ConfigError } from '../../pipeline/core/errors.js';
import type { LogRecord } from '../../pipeline/core/log.js';
import { committedRecords } from './record-batch.js';
import type { AbortedTransaction } from './record-batch.js';
import { Wire } from './wire.js';

/** What a fetch brought for one partition. */
export interface PartitionAnswer {
  readonly topic: string;
  readonly partition: number;
  /** The offset that was asked for. */
  readonly from: number;
  /** Kafka's error code, 0 for none. */
  readonly error: number;
  /** Everything before it is decided: committed or aborted. */
  readonly lastStableOffset: number;
  readonly records: readonly LogRecord[];
  readonly next: number;
  /** Leader epochs of the first and the last batch, where there are any. */
  readonly epochs?: { readonly first: number; readonly last: number } | undefined;
  /** Records that cannot be read; an operator must act. It must not stop the other partitions of the answer. */
  readonly unreadable?: ConfigError | undefined;
}

/** Codes of Kafka's protocol that a reader tells apart. */
export const OFFSET_OUT_OF_RANGE = 1;
export const TOPIC_AUTHORIZATION_FAILED = 29;

export interface Asked {
  readonly topic: string;
  readonly partition: number;
  readonly from: number;
}

/** Decode a fetch response, version 11. `asked` gives topics without prefix and offsets, by `<full topic>/<partition>`. */
export function decodeFetch(payload: Buffer, asked: ReadonlyMap<string, Asked>): { clientSideThrottleTime: number; error: number; partitions: PartitionAnswer[] } {
  const wire = new Wire(payload);
  const clientSideThrottleTime = wire.int32();
  const error = wire.int16();
  wire.int32(); // session
  const partitions: PartitionAnswer[] = [];
  for (let topics = wire.int32(); topics > 0; topics--) {
    const name = wire.text(wire.int16()) ?? '';
    for (let count = wire.int32(); count > 0; count--) {
      const answer = decodePartition(wire, name, asked);
      if (answer) partitions.push(answer);
    }
  }
  return { clientSideThrottleTime, error, partitions };
}

function decodePartition(wire: Wire, name: string, asked: ReadonlyMap<string, Asked>): PartitionAnswer | undefined {
  const partition = wire.int32();
  const error = wire.int16();
  wire.int64(); // high watermark: what lies between it and the last stable offset is undecided
  const lastStableOffset = wire.int64();
  wire.int64(); // log start
  const aborted: AbortedTransaction[] = [];
  for (let count = wire.int32(); count > 0; count--) aborted.push({ producerId: wire.int64(), firstOffset: wire.int64() });
  wire.int32(); // preferred replica: only named to readers that say their rack
  const bytes = wire.slice(wire.int32());
  const question = asked.get(`${name}/${partition}`);
  if (!question) return undefined;
  const { topic, from } = question;
  const answer = { topic, partition, from, error, lastStableOffset, records: [], next: from };
  if (bytes === null || error !== 0) return answer;
  try {
    return { ...answer, ...committedRecords(topic, partition, bytes, from, aborted) };
  } catch (failure) {
    if (failure instanceof ConfigError) return { ...answer, unreadable: failure };
    throw failure;
  }
}
