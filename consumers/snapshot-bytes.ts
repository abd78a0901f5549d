/** Several snapshots as one, each behind its length in 4 bytes. */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts.flatMap((part) => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(part.length);
    return [length, part];
  }));
}

/** @throws Error when there are not exactly `count` parts */
export function splitBytes(bytes: Uint8Array, count: number): readonly Uint8Array[] {
  const parts: Uint8Array[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + 4 <= bytes.length;) {
    const length = view.getUint32(at, true);
    // A copy, so that typed arrays over it are aligned.
    parts.push(bytes.slice(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return ofCount(parts, count);
}

/** @throws Error when there are not exactly `count` of them */
export function ofCount<T>(parts: readonly T[], count: number): readonly T[] {
  if (parts.length !== count) throw new Error(`the snapshot has ${parts.length} parts instead of ${count}`);
  return parts;
}
