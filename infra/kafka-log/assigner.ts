import kafkajs from 'kafkajs';
import type { PartitionAssigner } from 'kafkajs';
import { ConfigError } from '../../pipeline/core/errors.js';

const { AssignerProtocol } = kafkajs;

const NAME = 'millrace-co-partition';
const { MemberMetadata, MemberAssignment } = AssignerProtocol;

/**
 * Gives partition p of every topic to one member: kafkajs' round-robin deals each topic out anew, and a click and its
 * order would meet different tasks. Of a topic that was given more than `partitions` the others are nobody's: keys would have moved to them, and a
 * running installation must outlast it. `owned` tells the group what this member holds already, so that little moves.
 */
export function coPartitionAssigner(partitions: number, owned: () => readonly number[], refused: (error: ConfigError) => void): PartitionAssigner {
  return ({ cluster }) => ({
    name: NAME,
    version: 0,
    assign: async ({ members, topics }) => {
      const counts = topics.map((topic): [string, number] => [topic, cluster.findTopicPartitionMetadata(topic).length]);
      const problem = tooFewPartitions(counts, partitions);
      if (problem) {
        refused(problem);
        throw problem;
      }
      const had = members.map(({ memberId, memberMetadata }): [string, number[]] => [memberId, ownedBy(memberMetadata)]);
      return [...share(partitions, new Map(had))].map(([memberId, theirs]) => ({
        memberId,
        memberAssignment: MemberAssignment.encode({
          version: 0, assignment: Object.fromEntries(topics.map((topic) => [topic, theirs])), userData: Buffer.alloc(0),
        }),
      }));
    },
    protocol: ({ topics }) => ({
      name: NAME,
      metadata: MemberMetadata.encode({ version: 0, topics, userData: Buffer.from(JSON.stringify(owned())) }),
    }),
  });
}

/** The problem with topics that do not all have so many partitions. */
export function tooFewPartitions(counts: readonly (readonly [topic: string, partitions: number])[], partitions: number): ConfigError | undefined {
  const few = counts.filter(([, count]) => count < partitions);
  if (few.length === 0) return undefined;
  return new ConfigError([`Topics read together need ${partitions} partitions each, but ${few.map(([topic, n]) => `${topic} has ${n}`).join(', ')}.`]);
}

/** Share `partitions` out among members: counts differ by one at most, and a member keeps what it had as far as that allows. */
export function share(partitions: number, had: ReadonlyMap<string, readonly number[]>): Map<string, number[]> {
  const members = [...had.keys()].sort();
  const floor = Math.floor(partitions / members.length);
  let larger = partitions % members.length;
  const left = new Set(Array.from({ length: partitions }, (_, p) => p));
  const shares = new Map<string, number[]>(members.map((member) => [member, []]));
  const keep = (member: string, most: number): void => {
    const kept = shares.get(member)!;
    for (const p of had.get(member) ?? []) if (kept.length < most && left.delete(p)) kept.push(p);
  };
  for (const member of members) keep(member, floor);
  for (const member of members) {
    if (larger === 0) break;
    keep(member, floor + 1);
    if (shares.get(member)!.length > floor) larger--;
  }
  for (const p of left) {
    const least = members.reduce((a, b) => (shares.get(b)!.length < shares.get(a)!.length ? b : a));
    shares.get(least)!.push(p);
  }
  return shares;
}

/** What a member says it owns. It may be stale or foreign: then it counts as nothing, and the share is still complete. */
function ownedBy(metadata: Buffer): number[] {
  try {
    const owned: unknown = JSON.parse(MemberMetadata.decode(metadata)?.userData.toString() ?? '[]');
    return Array.isArray(owned) ? owned.filter((p) => Number.isInteger(p)) : [];
  } catch {
    return [];
  }
}
