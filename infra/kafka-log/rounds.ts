import type { RecordMetadata, TopicMessages } from 'kafkajs';
import type { NewRecord, Position } from '../../pipeline/core/log.js';
import { recordBytes, toMessage } from './records.js';

/** Below the broker's `max.message.bytes` (1,048,588): a larger batch is refused, and a refused batch is never retried. */
export const MAX_BATCH_BYTES = 1_000_000;
const MAX_RECORD_BYTES = 1_040_000;

/** One produce request: at most one batch for each partition. */
export interface Round {
  readonly topicMessages: TopicMessages[];
  /** Where each record goes: its index in the whole send, and its place in its partition's batch. */
  readonly placed: readonly { readonly index: number; readonly key: string; readonly place: number }[];
  /** Records by `<full topic>/<partition>`. */
  readonly counts: ReadonlyMap<string, number>;
}

/** What is wrong with records of which no batch can hold one: the broker would refuse it each time. */
export function tooLarge(records: readonly NewRecord[]): RangeError | undefined {
  const large = records.find((record) => recordBytes(record) > MAX_RECORD_BYTES);
  return large && new RangeError(`A record of ${large.value?.length ?? 0} bytes for ${large.topic} is larger than Kafka's batches.`);
}

/** Split a send into rounds, so that no partition's batch exceeds the limit and the order within each partition stays. */
export function rounds(prefix: string, records: readonly NewRecord[]): Round[] {
  const all: { messages: Map<string, TopicMessages>; placed: Round['placed'][number][]; counts: Map<string, number> }[] = [];
  const open = new Map<string, { round: number; bytes: number }>();
  records.forEach((record, index) => {
    const topic = prefix + record.topic;
    const key = `${topic}/${record.partition}`;
    const bytes = recordBytes(record);
    const at = open.get(key) ?? { round: 0, bytes: 0 };
    if (at.bytes > 0 && at.bytes + bytes > MAX_BATCH_BYTES) {
      at.round++;
      at.bytes = 0;
    }
    at.bytes += bytes;
    open.set(key, at);
    const round = (all[at.round] ??= { messages: new Map(), placed: [], counts: new Map() });
    const place = round.counts.get(key) ?? 0;
    round.counts.set(key, place + 1);
    round.placed.push({ index, key, place });
    const topicMessages = round.messages.get(topic);
    if (topicMessages) topicMessages.messages.push(toMessage(record));
    else round.messages.set(topic, { topic, messages: [toMessage(record)] });
  });
  return all.map(({ messages, placed, counts }) => ({ topicMessages: [...messages.values()], placed, counts }));
}

/**
 * First offsets of a round's batches, by `<full topic>/<partition>`.
 * @throws when a batch has no offset or two: when a leader moves in the middle of its retries, kafkajs can leave a
 * partition out or send it twice, and says nothing.
 */
export function baseOffsets(round: Round, answer: readonly RecordMetadata[]): Map<string, number> {
  const bases = new Map<string, number>();
  for (const { topicName, partition, baseOffset } of answer) {
    const key = `${topicName}/${partition}`;
    const base = Number(baseOffset);
    if (bases.has(key) || !(base >= 0)) throw new Error(`Kafka acknowledged ${key} twice or without an offset.`);
    bases.set(key, base);
  }
  for (const key of round.counts.keys()) if (!bases.has(key)) throw new Error(`Kafka did not acknowledge ${key}.`);
  return bases;
}

/** Positions of a round's records, put at their indexes in `into`. */
export function place(round: Round, answer: readonly RecordMetadata[], records: readonly NewRecord[], into: Position[]): void {
  const bases = baseOffsets(round, answer);
  for (const { index, key, place: at } of round.placed) {
    const { topic, partition } = records[index];
    into[index] = { topic, partition, offset: bases.get(key)! + at };
  }
}
