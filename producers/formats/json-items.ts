import type { FieldError } from '../fields.js';

/** A chunk of text cannot be JSON any more. */
export class NotJson extends Error {
  override readonly name = 'NotJson';
}

/** One value between line breaks or between the commas of a list: parsed, or the reason why it is not. */
export type Item = { readonly value: unknown } | { readonly problem: FieldError };

/**
 * JSON whose whole numbers beyond 2^53 are texts of their digits: as numbers, neighbours would become one, and so would the items or
 * users whose ids they are.
 */
export function exactIds(text: string): string {
  if (!/\d{16}/.test(text)) return text;
  // What is escaped outside a text stands in one that has no end: without it each quote in there would be looked at as a beginning.
  return text.replace(/"(?:[^"\\]|\\.)*"|\\.|(?<![\w.+-])-?\d{16,}(?![\w.])/g, (found) => (/^["\\]/.test(found) || Number.isSafeInteger(Number(found)) ? found : `"${found}"`));
}

const parsed = (text: string): Item => {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch (error) {
    return { problem: { path: '', code: 'not_json', message: `Not JSON: ${(error as Error).message.slice(0, 160)}.` } };
  }
};

/** Whatever has no end within this is not lines: looking for one again and again would take longer the longer it gets. */
export const MAX_LINE = 1 << 20;

/** Lines of a text, a list a chunk, without their ends; the last may lack its line break. @throws NotJson for one without end */
export async function* lines(chunks: AsyncIterable<string>): AsyncGenerator<string[]> {
  let rest = '';
  let complete = 0;
  for await (const chunk of chunks) {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop()!;
    complete += parts.length;
    if (rest.length > MAX_LINE) throw new NotJson(`Line ${complete + 1} is longer than ${MAX_LINE} characters.`);
    if (parts.length > 0) yield parts.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
  }
  if (rest !== '') yield [rest];
}

/** Values of JSON lines with the numbers of their lines, from 1. Empty lines are skipped; a line that is not JSON is an item of its own. `before` may put a line right. */
export async function* jsonLines(chunks: AsyncIterable<string>, before: (text: string) => string = (text) => text): AsyncGenerator<(Item & { readonly line: number })[]> {
  let line = 0;
  for await (const some of lines(chunks)) {
    yield some.flatMap((text) => {
      line++;
      return text.trim() === '' ? [] : [{ ...parsed(before(text)), line }];
    });
  }
}

/** Values of one JSON list, however large: only the value that is being read is held. @throws NotJson when it is no list. */
export async function* jsonList(chunks: AsyncIterable<string>, maxItemLength: number): AsyncGenerator<Item[]> {
  let text = '';
  let at = 0;
  let depth = 0;
  let inString = false;
  let start = 0;
  let isOpen = false;
  let isClosed = false;
  for await (const chunk of chunks) {
    text = text.slice(start) + chunk;
    at -= start;
    start = 0;
    const items: Item[] = [];
    const finish = (): void => {
      const item = text.slice(start, at).trim();
      if (item !== '') items.push(parsed(item));
      start = at + 1;
    };
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (inString) {
        if (code === 92) at++;
        else if (code === 34) inString = false;
      } else if (!isOpen || isClosed) {
        if (code === 91 && !isOpen) {
          isOpen = true;
          start = at + 1;
        } else if (code > 32) throw new NotJson(isClosed ? 'There is something behind the list.' : 'This is not a JSON list.');
      } else if (code === 34) inString = true;
      else if (code === 91 || code === 123) depth++;
      else if (code === 44 && depth === 0) finish();
      else if (code === 93 || code === 125) {
        if (depth > 0) depth--;
        else if (code === 125) throw new NotJson('A bracket closes that was never opened.');
        else {
          finish();
          isClosed = true;
        }
      }
    }
    if (isClosed) start = text.length;
    if (text.length - start > maxItemLength) throw new NotJson(`An item is longer than ${maxItemLength} characters.`);
    if (items.length > 0) yield items;
  }
  if (!isClosed) throw new NotJson('The list has no end.');
}
