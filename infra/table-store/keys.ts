/**
 * Keys as LMDB orders them: by bytes. JavaScript orders strings by UTF-16 units, and so do the ranges of rows.ts, while
 * UTF-8 puts an emoji after U+FFFF: a row under it would fall out of its range. Each unit is therefore encoded by itself
 * (surrogates in three bytes), which keeps the order and loses no string. A first byte makes the empty key a key.
 */
export const MAX_KEY_BYTES = 1_978;
const FIRST_BYTE = 0x20;
/** Of a timer's key, the longer of the two kinds. */
const OVERHEAD_BYTES = 8;

function writeString(text: string, target: Uint8Array, start: number): number {
  let at = start;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) {
      target[at++] = unit;
    } else if (unit < 0x800) {
      target[at++] = 0xc0 | (unit >> 6);
      target[at++] = 0x80 | (unit & 0x3f);
    } else {
      target[at++] = 0xe0 | (unit >> 12);
      target[at++] = 0x80 | ((unit >> 6) & 0x3f);
      target[at++] = 0x80 | (unit & 0x3f);
    }
  }
  return at;
}

function readString(source: Uint8Array, start: number, end: number): string {
  let text = '';
  for (let at = start; at < end; ) {
    const byte = source[at++];
    if (byte < 0x80) text += String.fromCharCode(byte);
    else if (byte < 0xe0) text += String.fromCharCode(((byte & 0x1f) << 6) | (source[at++] & 0x3f));
    else text += String.fromCharCode(((byte & 0x0f) << 12) | ((source[at++] & 0x3f) << 6) | (source[at++] & 0x3f));
  }
  return text;
}

/** Whether LMDB can hold a key. Ids are bounded where they enter, so that no row of ours comes near. */
export function keyFits(key: string): boolean {
  return 3 * key.length + OVERHEAD_BYTES <= MAX_KEY_BYTES || writeString(key, new Uint8Array(3 * key.length), 0) + OVERHEAD_BYTES <= MAX_KEY_BYTES;
}

/** How lmdb writes and reads the keys of rows. */
export const rowKeys = {
  writeKey(key: string, target: Uint8Array, start: number): number {
    target[start] = FIRST_BYTE;
    return writeString(key, target, start + 1);
  },
  readKey: (source: Uint8Array, start: number, end: number): string => readString(source, start + 1, end),
};

const double = new DataView(new ArrayBuffer(8));

/** How lmdb writes and reads the keys of timers: due time, then row key. */
export const timerKeys = {
  // lmdb clears a database by an instruction with an empty key.
  writeKey([due = 0, key = '']: [number?, string?], target: Uint8Array, start: number): number {
    // The bits of a double that is not negative have its order; of a negative one, once they are all turned.
    double.setFloat64(0, due + 0);
    const isNegative = double.getUint8(0) >= 0x80;
    for (let i = 0; i < 8; i++) {
      const byte = double.getUint8(i);
      target[start + i] = isNegative ? byte ^ 0xff : i === 0 ? byte | 0x80 : byte;
    }
    return writeString(key, target, start + 8);
  },
  readKey(source: Uint8Array, start: number, end: number): [number, string] {
    const isNegative = source[start] < 0x80;
    for (let i = 0; i < 8; i++) {
      const byte = source[start + i];
      double.setUint8(i, isNegative ? byte ^ 0xff : i === 0 ? byte & 0x7f : byte);
    }
    return [double.getFloat64(0), readString(source, start + 8, end)];
  },
};
