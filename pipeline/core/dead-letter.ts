import { deadLetters } from '../../schemas/topics.js';
import type { DeadLetter } from '../../schemas/types.js';
import type { DeadLetterCode } from './errors.js';
import type { LogRecord, NewRecord } from './log.js';
import { partitionOf } from './partition.js';
import { MAX_VALUE_BYTES } from './sizes.js';

/** What was refused: a record, or a timer standing in for one. */
export type Refused = Pick<LogRecord, 'topic' | 'partition' | 'offset' | 'key' | 'value'>;

/** The dead letter of a refused record: whole (unless that is more than a record can hold), with position, code and reason, so that it can be repaired and replayed. */
export function deadLetterOf(refusal: {
  consumer: string; code: DeadLetterCode; error: Error; record: Refused; at: number; partitions: number; place?: string | undefined;
}): NewRecord {
  const { consumer, code, error, record, at, partitions } = refusal;
  const { place = record.offset < 0 ? record.key : record.offset } = refusal;
  const id = `${consumer}/${record.topic}/${record.partition}/${place}`;
  const letter: DeadLetter = {
    id, code, message: error.message, consumer, topic: record.topic, partition: record.partition, offset: record.offset,
    key: record.key === null ? null : Buffer.from(record.key), value: record.value, at, stack: code === 'crashed' ? (error.stack ?? null) : null, claim: null,
  };
  const whole = deadLetters.codec.encode(letter);
  const bytes = record.value?.length ?? 0;
  const value = whole.length <= MAX_VALUE_BYTES ? whole : deadLetters.codec.encode({ ...letter, key: null, value: null, message: `${error.message} The record itself, of ${bytes} bytes, is too large for a dead letter: it stands in its topic, until that forgets it.` });
  return { topic: deadLetters.name, partition: partitionOf(id, partitions), key: id, value };
}

/** Code of what is no dead letter, but says that the one with its id was written to its topic again. */
export const REPLAYED = 'replayed';

/** Says of a dead letter, behind it in its partition, that it was written to its topic again at `at` (ms). */
export function replayedLetter(letter: DeadLetter, at: number, partitions: number): NewRecord {
  return {
    topic: deadLetters.name,
    partition: partitionOf(letter.id, partitions),
    key: letter.id,
    value: deadLetters.codec.encode({ ...letter, code: REPLAYED, message: 'Written to its topic again.', key: null, value: null, at, stack: null }),
  };
}
