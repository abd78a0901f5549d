const MULTIPLIER = 0x5bd1e995;

/** MurmurHash2 (seed 0x9747b28c) of the key's UTF-8 bytes: Kafka's default partitioner, as a signed 32-bit number. */
export function murmur2(bytes: Uint8Array): number {
  const length = bytes.length;
  let hash = 0x9747b28c ^ length;
  let at = 0;
  for (; at + 4 <= length; at += 4) {
    let word = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
    word = Math.imul(word, MULTIPLIER);
    word ^= word >>> 24;
    hash = Math.imul(hash, MULTIPLIER) ^ Math.imul(word, MULTIPLIER);
  }
  const left = length - at;
  if (left >= 3) hash ^= bytes[at + 2] << 16;
  if (left >= 2) hash ^= bytes[at + 1] << 8;
  if (left >= 1) hash = Math.imul(hash ^ bytes[at], MULTIPLIER);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, MULTIPLIER);
  return hash ^ (hash >>> 15);
}

/** Home partition of a key: the one that Kafka's own clients choose. */
export function partitionOf(key: string, partitions: number): number {
  return partitions === 1 ? 0 : (murmur2(Buffer.from(key)) & 0x7fffffff) % partitions;
}
