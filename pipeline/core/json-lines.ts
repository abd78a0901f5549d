import type { Row } from './row-sink.js';

const CHUNK_BYTES = 64 << 10;
const QUOTE = 34;
const COMMA = 44;
const OPEN = 91;
const BACKSLASH = 92;
const CLOSE = 93;
const NEWLINE = 10;
/** Room that a number, a word or a bracket takes at most. */
const SMALL = 32;

/**
 * Writes rows as lines, each the JSON list of its values: names in every line would be half of what is sent and read.
 * Straight into bytes, since most values are plain; JSON.stringify and a copy of its text cost as much as decoding the row.
 */
export class JsonLines {
  readonly #full: Buffer[] = [];
  #bytes = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  #at = 0;
  #before = 0;

  /** Bytes so far. */
  get length(): number {
    return this.#before + this.#at;
  }

  add(row: Row): void {
    this.#list(Object.values(row));
    this.#bytes[this.#at++] = NEWLINE;
  }

  /** All bytes, in order; a line may go on in the next piece. */
  pieces(): readonly Buffer[] {
    return [...this.#full, this.#bytes.subarray(0, this.#at)];
  }

  #list(values: readonly unknown[]): void {
    this.#reserve(SMALL);
    this.#bytes[this.#at++] = OPEN;
    for (let i = 0; i < values.length; i++) {
      if (i > 0) this.#bytes[this.#at++] = COMMA;
      this.#value(values[i]);
    }
    this.#bytes[this.#at++] = CLOSE;
    this.#reserve(SMALL);
  }

  #value(value: unknown): void {
    if (typeof value === 'string') this.#text(value);
    else if (value === null || typeof value === 'boolean' || typeof value === 'number') this.#plain(typeof value === 'number' && !Number.isFinite(value) ? 'null' : String(value));
    else if (Array.isArray(value)) this.#list(value);
    else this.#json(value);
  }

  /** Text without a character that JSON or UTF-8 writes otherwise. */
  #plain(text: string): void {
    this.#reserve(text.length + SMALL);
    const bytes = this.#bytes;
    let at = this.#at;
    for (let i = 0; i < text.length; i++) bytes[at++] = text.charCodeAt(i);
    this.#at = at;
  }

  #text(text: string): void {
    this.#reserve(text.length + SMALL);
    const bytes = this.#bytes;
    let at = this.#at;
    bytes[at++] = QUOTE;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code < 32 || code > 126 || code === QUOTE || code === BACKSLASH) return this.#json(text);
      bytes[at++] = code;
    }
    bytes[at++] = QUOTE;
    this.#at = at;
  }

  #json(value: unknown): void {
    const text = JSON.stringify(value) ?? 'null';
    this.#reserve(text.length * 3 + SMALL);
    this.#at += this.#bytes.write(text, this.#at);
  }

  /** Have room for `bytes` and a little more: brackets and commas are not asked for one by one. */
  #reserve(bytes: number): void {
    if (this.#at + bytes + SMALL <= this.#bytes.length) return;
    this.#full.push(this.#bytes.subarray(0, this.#at));
    this.#before += this.#at;
    this.#bytes = Buffer.allocUnsafeSlow(Math.max(CHUNK_BYTES, bytes + SMALL));
    this.#at = 0;
  }
}
