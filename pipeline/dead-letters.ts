import { clickhouseSinks } from '../consumers/clickhouse-sinks.js';
import { collect, type Shop } from '../producers/collect.js';
import { sentenceOf } from '../producers/fields.js';
import { encodeRecords } from '../producers/publish.js';
import { UndecodableError } from '../schemas/codec.js';
import { allTopics, deadLetters, type Topic } from '../schemas/topics.js';
import type { DeadLetter, OrderEvent } from '../schemas/types.js';
import type { Log, NewRecord, Position } from './core/log.js';
import { partitionOf } from './core/partition.js';

/** A letter is looked for among so many of the latest. */
export const SEARCHED = 100_000;
export const AMONG = `among the latest ${SEARCHED.toLocaleString('en')}`;

/** The latest dead letters, newest first. */
export async function listDeadLetters(log: Log, limit: number): Promise<DeadLetter[]> {
  const ranges = await log.ranges(deadLetters.name);
  const from = ranges.map(({ start, end }, partition) => ({ topic: deadLetters.name, partition, offset: Math.max(start, end - limit) }));
  const reader = log.reader(from);
  const found: DeadLetter[] = [];
  try {
    for (let isLast = false; !isLast;) {
      const records = await reader.poll(1_000, 200);
      for (const { value } of records) if (value) found.push(deadLetters.codec.decode(value));
      isLast = records.length === 0 && reader.lag() === 0;
    }
  } finally {
    await reader.close();
  }
  return found.sort((a, b) => b.at - a.at).slice(0, limit);
}

/** A dead letter as JSON: bytes in base64, and the value decoded where its topic's codec still can. */
export function shownDeadLetter(letter: DeadLetter): object {
  return { ...letter, key: letter.key?.toString() ?? null, value: letter.value?.toString('base64') ?? null, decoded: decodedOf(letter) };
}

function decodedOf({ topic, value, partition }: DeadLetter): unknown {
  try {
    if (partition < 0) return value && JSON.parse(value.toString());
    const decoded = allTopics.find(({ name }) => name === topic)?.codec.decode(value);
    return decoded === undefined ? null : JSON.parse(JSON.stringify(decoded, (_, field: unknown) => (typeof field === 'bigint' ? String(field) : field)));
  } catch (error) {
    if (error instanceof UndecodableError || error instanceof SyntaxError) return null;
    throw error;
  }
}

/**
 * Write a dead letter's record to its topic again, repaired or as it is; what the collector refused is collected again.
 * @throws Error when there is no such letter, or it still cannot be understood
 */
export async function replayDeadLetter(log: Log, id: string, repaired: string | undefined, shop: Shop): Promise<readonly Position[]> {
  const letter = (await listDeadLetters(log, SEARCHED)).find((candidate) => candidate.id === id);
  if (!letter) throw new Error(`There is no dead letter ${id} ${AMONG}.`);
  return log.append(recordsOf(letter, repaired === undefined ? letter.value : bytesOf(repaired), log.partitions, shop));
}

export interface Replayed {
  readonly replayed: number;
  /** What still cannot be understood, or may not be written again. */
  readonly refused: readonly { readonly id: string; readonly message: string }[];
}

/**
 * Write the records of all dead letters with a code to their topics again as they are, the oldest first: what caused them has been put
 * right. Each record once: one that was replayed in vain before has several letters.
 */
export async function replayDeadLetters(log: Log, code: string, shop: Shop): Promise<Replayed> {
  const refused: { id: string; message: string }[] = [];
  let replayed = 0;
  const letters = (await listDeadLetters(log, SEARCHED)).reverse();
  const byId = new Map(letters.map((letter) => [letter.id, letter]));
  const seen = new Set<string>();
  for (const letter of letters) {
    if (letter.code !== code) continue;
    const record = recordIn(letter, byId);
    if (seen.has(record)) continue;
    seen.add(record);
    let records: NewRecord[];
    try {
      records = recordsOf(letter, letter.value, log.partitions, shop);
    } catch (error) {
      refused.push({ id: letter.id, message: (error as Error).message });
      continue;
    }
    await log.append(records);
    replayed++;
  }
  return { replayed, refused };
}

/** Names the record that a letter is about. A replayed one is in its own place, or, as a line of a file, in one named for the letter that was replayed. */
function recordIn(letter: DeadLetter, letters: ReadonlyMap<string, DeadLetter>): string {
  if (letter.partition < 0 || letter.value === null) return letter.id;
  const replayed = letters.get(placeOf(letter)?.name ?? '');
  return replayed && replayed !== letter ? recordIn(replayed, letters) : `${letter.topic} ${letter.key?.toString('base64')} ${letter.value.toString('base64')}`;
}

function placeOf({ topic: name, value }: DeadLetter): OrderEvent['source'] {
  try {
    const line = allTopics.find((topic) => topic.name === name)?.codec.decode(value) as Partial<Pick<OrderEvent, 'source' | 'restored'>> | undefined;
    return line?.source ?? line?.restored ?? null;
  } catch (error) {
    if (error instanceof UndecodableError) return null;
    throw error;
  }
}

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

/** As if the call had been right when it came: taken at that time, and once however often it is replayed. */
function collectedAgain({ id, at }: DeadLetter, value: Buffer, partitions: number, shop: Shop): NewRecord[] {
  const outcome = collect(callOf(id, value), { receivedAt: at, shop, scope: 'server', newId: () => id });
  if ('ok' in outcome) return encodeRecords(outcome.ok.records, partitions);
  throw new Error(`Dead letter ${id} cannot be collected: ${sentenceOf(outcome.errors)}`);
}

function callOf(id: string, value: Buffer): unknown {
  try {
    return JSON.parse(value.toString());
  } catch (cause) {
    throw new Error(`The value of dead letter ${id} is not JSON: ${(cause as Error).message}.`, { cause });
  }
}
