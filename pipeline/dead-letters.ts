import { setImmediate as nextTurn } from 'node:timers/promises';
import { clickhouseSinks } from '../consumers/clickhouse-sinks.js';
import { collect, type Shop } from '../producers/collect.js';
import { sentenceOf } from '../producers/fields.js';
import { withoutUnheld } from '../producers/json-text.js';
import { encodeRecords } from '../producers/publish.js';
import { UndecodableError } from '../schemas/codec.js';
import { allTopics, deadLetters, type Topic } from '../schemas/topics.js';
import type { DeadLetter, OrderEvent } from '../schemas/types.js';
import { REPLAYED, replayedLetter } from './core/dead-letter.js';
import type { Log, NewRecord, Position } from './core/log.js';
import { partitionOf } from './core/partition.js';

/** Records that are read at once. */
const AT_ONCE = 200;
/** Of what is read by another process at once. */
const PAGE_LETTERS = 1_000;
const PAGE_BYTES = 1 << 20;
/** Records of a page that are read at once: each may have a megabyte. */
const PAGE_STEP = 10;
/** Letters that are looked at in one turn: one that is refused again costs what a call costs. */
const A_TURN = 50;
/** A letter is looked for among so many of the latest. */
export const SEARCHED = 100_000;
export const AMONG = `among the latest ${SEARCHED.toLocaleString('en')}`;

export interface ListedLetter extends DeadLetter {
  /** When it was last written to its topic again, in ms; null: never. */
  readonly replayedAt: number | null;
}

/** What letters are read from: the log, or the process that has it (cli/running-letters.ts). */
export type LetterLog = Pick<Log, 'ranges' | 'reader'>;

/** The latest dead letters, newest first. */
export async function listDeadLetters(log: LetterLog, limit: number): Promise<ListedLetter[]> {
  // Among the latest records there may be more of those that say what was replayed than letters.
  for (let records = limit; ; records *= 4) {
    const { letters, isAll } = await lettersAmong(log, records, () => true);
    if (letters.length >= limit || isAll || records >= SEARCHED) return letters.slice(0, limit);
  }
}

/** One dead letter among the latest. Of the others nothing is kept: a hundred thousand may come to gigabytes. */
export async function findDeadLetter(log: LetterLog, id: string): Promise<ListedLetter> {
  const [letter] = (await lettersAmong(log, SEARCHED, (candidate) => candidate.id === id)).letters;
  if (!letter) throw new Error(`There is no dead letter ${id} ${AMONG}.`);
  return letter;
}

/** Those wanted of the letters among so many of the latest records of each partition, newest first. */
async function lettersAmong(log: LetterLog, most: number, isWanted: (letter: DeadLetter) => boolean): Promise<{ letters: ListedLetter[]; isAll: boolean }> {
  const ranges = await log.ranges(deadLetters.name);
  const reader = log.reader(ranges.map(({ start, end }, partition) => ({ topic: deadLetters.name, partition, offset: Math.max(start, end - most) })));
  const byId = new Map<string, ListedLetter[]>();
  try {
    for (let isLast = false; !isLast;) {
      const records = await reader.poll(AT_ONCE, 200);
      for (const { value } of records) {
        if (!value) continue;
        const letter = deadLetters.codec.decode(value);
        const before = byId.get(letter.id) ?? [];
        if (letter.code === REPLAYED) byId.set(letter.id, before.map((one) => ({ ...one, replayedAt: letter.at })));
        else if (isWanted(letter)) byId.set(letter.id, [...before, { ...letter, replayedAt: null }]);
      }
      isLast = records.length === 0 && reader.lag() === 0;
      // What stands in memory already is read without a pause: events and requests go on between.
      await nextTurn();
    }
  } finally {
    await reader.close();
  }
  return { letters: [...byId.values()].flat().sort((a, b) => b.at - a.at), isAll: ranges.every(({ start, end }) => end - start <= most) };
}

/** Some dead letters for another process to read. */
export interface LetterPage {
  /** In base64. */
  readonly values: readonly string[];
  /** Where the next page begins. */
  readonly next: number;
  readonly isOver: boolean;
}

/** Dead letters of a partition from an offset on, as they stand in the log: a thousand, or a megabyte and some. */
export async function letterPage(log: LetterLog, partition: number, offset: number): Promise<LetterPage> {
  const reader = log.reader([{ topic: deadLetters.name, partition, offset }]);
  const values: string[] = [];
  let [next, bytes, isOver] = [offset, 0, false];
  try {
    while (!isOver && values.length < PAGE_LETTERS && bytes < PAGE_BYTES) {
      const records = await reader.poll(PAGE_STEP, 200);
      for (const { value } of records) if (value) bytes += values[values.push(value.toString('base64')) - 1]!.length;
      next = (records.at(-1)?.offset ?? next - 1) + 1;
      isOver = reader.lag() === 0;
      if (records.length === 0) break;
    }
  } finally {
    await reader.close();
  }
  return { values, next, isOver };
}

/** A dead letter as JSON: bytes in base64, and the value decoded where its topic's codec still can. */
export function shownDeadLetter(letter: DeadLetter): object {
  return { ...letter, key: letter.key?.toString() ?? null, value: letter.value?.toString('base64') ?? null, decoded: decodedOf(letter) };
}

function decodedOf({ topic, value, partition }: DeadLetter): unknown {
  try {
    // What a number cannot hold is shown as the text that it was.
    if (partition < 0) return value && JSON.parse(withoutUnheld(value.toString(), (number) => `"${number}"`));
    const decoded = allTopics.find(({ name }) => name === topic)?.codec.decode(value);
    return decoded === undefined ? null : JSON.parse(JSON.stringify(decoded, (_, field: unknown) => (typeof field === 'bigint' ? String(field) : field)));
  } catch (error) {
    if (error instanceof UndecodableError || error instanceof SyntaxError) return null;
    throw error;
  }
}

export interface WrittenAgain {
  /** Where its records stand now. */
  readonly positions: readonly Position[];
  /** When it had been replayed before, in ms; null: never. */
  readonly replayedAt: number | null;
}

/**
 * Write a dead letter's record to its topic again, repaired or as it is; what the collector refused is collected again.
 * @throws Error when there is no such letter, or it still cannot be understood
 */
export async function replayDeadLetter(log: Log, id: string, repaired: string | undefined, shop: Shop): Promise<WrittenAgain> {
  const letter = await findDeadLetter(log, id);
  const positions = await writeAgain(log, letter, recordsOf(letter, repaired === undefined ? letter.value : bytesOf(repaired), log.partitions, shop));
  return { positions, replayedAt: letter.replayedAt };
}

async function writeAgain(log: Log, letter: DeadLetter, records: readonly NewRecord[]): Promise<readonly Position[]> {
  const positions = await log.append([...records, replayedLetter(letter, Date.now(), log.partitions)]);
  return positions.slice(0, records.length);
}

export interface Replayed {
  readonly replayed: number;
  /** Letters that were left as they are, since they were replayed before. */
  readonly replayedBefore: number;
  /** What still cannot be understood, or may not be written again. */
  readonly refused: readonly { readonly id: string; readonly message: string }[];
}

/**
 * Write the records of all dead letters with a code to their topics again as they are, the oldest first: what caused them has been put
 * right. Each record once, however often it was set aside; a letter that was replayed is left, since what came of it in vain has a letter of its own.
 */
export async function replayDeadLetters(log: Log, code: string, shop: Shop): Promise<Replayed> {
  const refused: { id: string; message: string }[] = [];
  let [replayed, replayedBefore] = [0, 0];
  const written = new Set<string>();
  const { letters } = await lettersAmong(log, SEARCHED, (letter) => letter.code === code);
  for (const [at, letter] of letters.reverse().entries()) {
    if (at % A_TURN === 0) await nextTurn();
    if (letter.replayedAt !== null) {
      replayedBefore++;
      continue;
    }
    const record = recordIn(letter);
    if (written.has(record)) {
      await writeAgain(log, letter, []);
      continue;
    }
    let records: NewRecord[];
    try {
      records = recordsOf(letter, letter.value, log.partitions, shop);
    } catch (error) {
      refused.push({ id: letter.id, message: (error as Error).message });
      continue;
    }
    await writeAgain(log, letter, records);
    written.add(record);
    replayed++;
  }
  return { replayed, replayedBefore, refused };
}

/** Names the record that a letter is about: several consumers may have set the same one aside. */
const recordIn = ({ id, topic, partition, key, value }: DeadLetter): string =>
  (partition < 0 || value === null ? id : `${topic} ${key?.toString('base64')} ${value.toString('base64')}`);

function recordsOf(letter: DeadLetter, value: Buffer | null, partitions: number, shop: Shop): NewRecord[] {
  if (value === null) throw new Error(`Dead letter ${letter.id} has no value; give one with --value.`);
  return letter.partition < 0 ? collectedAgain(letter, value, partitions, shop) : [recordAgain(letter, value, partitions)];
}

/** JSON as it is, anything else as base64: no base64 begins with a bracket or a quote. */
const bytesOf = (repaired: string): Buffer => Buffer.from(repaired, /^\s*[[{"]/.test(repaired) ? 'utf8' : 'base64');

function recordAgain({ id, topic: name, key: bytes }: DeadLetter, value: Buffer, partitions: number): NewRecord {
  const topic = allTopics.find((candidate) => candidate.name === name);
  if (!topic) throw new Error(`Dead letter ${id} stood in ${name}, which is no topic of this installation.`);
  if (clickhouseSinks.some((sink) => sink.topic === name)) {
    throw new Error(`Dead letter ${id} stood in ${name}, which others have read without complaint: written again, it would count twice there.`);
  }
  const key = bytes?.toString() ?? '';
  return { topic: topic.name, partition: partitionOf(key, partitions), key, value: outOfLine(topic, id, value) };
}

/** A line of a file as one of a source of its own: those behind it have been read, so that in its place it would be taken for a repetition. */
function outOfLine({ codec }: Topic, id: string, value: Buffer): Buffer {
  try {
    const line = codec.decode(value) as Partial<Pick<OrderEvent, 'source' | 'restored'>>;
    if (!line.source && !line.restored) return value;
    const place = { name: id, ordinal: 0 };
    return codec.encode({ ...line, source: line.source && place, restored: line.source ? null : place });
  } catch (error) {
    if (error instanceof UndecodableError) return value;
    throw error;
  }
}

/** As if the call had been right when it came: taken at that time, with the rights of its key, and once however often it is replayed. */
function collectedAgain({ id, at, claim }: DeadLetter, value: Buffer, partitions: number, shop: Shop): NewRecord[] {
  const outcome = collect(callOf(id, value), { receivedAt: at, shop, scope: claim ? 'browser' : 'server', provenUser: claim?.provenUser ?? undefined, newId: () => id });
  if ('ok' in outcome) return encodeRecords(outcome.ok.records, partitions);
  throw new Error(`Dead letter ${id} cannot be collected: ${sentenceOf(outcome.errors)}`);
}

function callOf(id: string, value: Buffer): unknown {
  const text = value.toString();
  try {
    return JSON.parse(text);
  } catch (cause) {
    // A repaired value that is no JSON was read as base64: of what that gives nothing may be shown.
    const found = /\p{Cc}|\ufffd/u.test(text) ? 'neither a JSON object nor one in base64' : (cause as Error).message;
    throw new Error(`The value of dead letter ${id} is not JSON: ${found}.`, { cause });
  }
}
