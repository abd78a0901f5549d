import type { Admin, Consumer } from 'kafkajs';
import { Unavailable } from '../../pipeline/core/errors.js';
import { asFailure, backOff, failureCodes } from './failures.js';

export interface GroupOffsets {
  stored(topic: string, partition: number): Promise<{ offset: number; metadata: string } | undefined>;
  /** Repeats what a rebalance refuses for as long as `held` does not throw. */
  store(topic: string, partition: number, offset: number, metadata: string, held: () => void): Promise<void>;
}

const ATTEMPTS = 20;
/** Between two generations of the group nobody's commits are taken, not even those of a member that stays. */
const ofRebalances = new Set(['ILLEGAL_GENERATION', 'REBALANCE_IN_PROGRESS', 'UNKNOWN_MEMBER_ID']);

/**
 * Offsets with metadata, kept by the group. They are written as a member: the coordinator refuses a member that is none
 * any more, and an administrator while the group lives.
 */
export function groupOffsets(consumer: Consumer, admin: Admin, prefix: string, groupId: string): GroupOffsets {
  // Newest commit that the coordinator acknowledged. kafkajs answers a commit of a stopped consumer as if it were done.
  const acknowledged = new Set<string>();
  const name = (topic: string, partition: number, offset: string, metadata: string | null): string =>
    `${topic}/${partition}/${offset}/${metadata}`;
  consumer.on(consumer.events.COMMIT_OFFSETS, ({ payload }) => {
    for (const { topic, partitions } of payload.topics) {
      for (const { partition, offset, metadata } of acknowledgedPartitions(partitions)) acknowledged.add(name(topic, partition, offset, metadata));
    }
  });
  return {
    stored: async (topic, partition) => {
      const sentence = `The stored offset of ${topic}, partition ${partition}, is not known.`;
      const [found] = await admin.fetchOffsets({ groupId, topics: [prefix + topic] }).catch((error: unknown) => {
        throw asFailure(sentence, error);
      });
      const at = found?.partitions.find((one) => one.partition === partition);
      if (at === undefined) throw new Unavailable(sentence);
      return Number(at.offset) < 0 ? undefined : { offset: Number(at.offset), metadata: at.metadata ?? '' };
    },
    store: async (topic, partition, offset, metadata, held) => {
      const full = prefix + topic;
      const sentence = `It is not known whether the offset of ${topic}, partition ${partition}, was stored.`;
      const commit = name(full, partition, String(offset), metadata);
      for (let attempt = 0; ; attempt++) {
        held();
        acknowledged.delete(commit);
        let failure: unknown;
        try {
          await consumer.commitOffsets([{ topic: full, partition, offset: String(offset), metadata }]);
        } catch (error) {
          failure = error;
        }
        if (acknowledged.delete(commit)) return;
        const passing = failure === undefined || failureCodes(failure).some((code) => ofRebalances.has(code));
        if (!passing || attempt >= ATTEMPTS) throw asFailure(sentence, failure ?? new Error('kafkajs did not send it.'));
        await backOff(Math.min(attempt, 3));
      }
    },
  };
}

/** The event's partitions: kafkajs types them as offsets in text, but passes its own long numbers and the metadata on. */
function acknowledgedPartitions(partitions: readonly { partition: number; offset: unknown }[]): { partition: number; offset: string; metadata: string | null }[] {
  return partitions.map((one) => ({
    partition: one.partition,
    offset: String(one.offset),
    metadata: 'metadata' in one && typeof one.metadata === 'string' ? one.metadata : null,
  }));
}
