/** Reads the primitive types of Kafka's protocol from a buffer. Numbers up to 2^53; offsets and ids stay far below. */
export class Wire {
  at = 0;
  constructor(readonly bytes: Buffer) {}

  get left(): number {
    return this.bytes.length - this.at;
  }

  int8(): number {
    this.at += 1;
    return this.bytes.readInt8(this.at - 1);
  }

  int16(): number {
    this.at += 2;
    return this.bytes.readInt16BE(this.at - 2);
  }

  int32(): number {
    this.at += 4;
    return this.bytes.readInt32BE(this.at - 4);
  }

  int64(): number {
    this.at += 8;
    return this.bytes.readInt32BE(this.at - 8) * 2 ** 32 + this.bytes.readUInt32BE(this.at - 4);
  }

  /** Zigzag varint or varlong. */
  varint(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.bytes[this.at++];
      if (byte === undefined) throw new RangeError('A varint ends after the buffer.');
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
      scale *= 128;
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  /** Varint without a sign. */
  uvarint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.bytes[this.at++];
      if (byte === undefined) throw new RangeError('A varint ends after the buffer.');
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  /** Text of a flexible version, whose length is one more than it says. */
  compactText(): string | null {
    return this.text(this.uvarint() - 1);
  }

  /** Reads each element of a list of a flexible version; answers how many there were. */
  each(element: () => void): number {
    const count = this.uvarint() - 1;
    for (let left = count; left > 0; left--) element();
    return count;
  }

  /** Passes the tagged fields of a flexible version over. */
  tags(): void {
    for (let left = this.uvarint(); left > 0; left--) {
      this.uvarint();
      this.slice(this.uvarint());
    }
  }

  /** The next `length` bytes, shared with the buffer; null when `length` is negative. */
  slice(length: number): Buffer | null {
    if (length < 0) return null;
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  text(length: number): string | null {
    if (length < 0) return null;
    this.at += length;
    return this.bytes.toString('utf8', this.at - length, this.at);
  }
}
