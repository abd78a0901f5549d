import { randomUUID } from 'node:crypto';
import { joinedIds } from '../../schemas/joined-ids.js';
import { deadLetters } from '../../schemas/topics.js';
import type { Claim, EventType } from '../../schemas/types.js';
import type { NewRecord, Position } from '../../pipeline/core/log.js';
import { partitionOf } from '../../pipeline/core/partition.js';
import { collectBatch, type Batch, type BatchOutcome } from '../../producers/batch.js';
import { claimOf, collect, type CollectContext, type Collected } from '../../producers/collect.js';
import { isObject, sentenceOf, type FieldError } from '../../producers/fields.js';
import { collectGa4 } from '../../producers/ga4.js';
import { encodeRecords } from '../../producers/publish.js';
import { asRead, asSent, type AsSent, type Telling } from './as-sent.js';
import { charge, provenShopper, readKeyed, type Exchange, type House } from './exchange.js';
import type { Key } from './keys.js';
import { encodeToken } from './position-token.js';
import { badRequest, Refusal } from './problem.js';
import { sendJson } from './send.js';

/** Segment's limits: 32 KB a call, 500 KB a batch. */
const MAX_CALL_BYTES = 32 * 1024;
export const MAX_BATCH_BYTES = 500 * 1024;
/** What a batch says once for all its calls stands in the record of each: together they are bounded, too. */
const MAX_RECORDS_BYTES = 4 * MAX_BATCH_BYTES;
/** So much of a batch's refused calls is kept as it may be sent again; in further dead letters its context is left out. */
const WHOLE_LETTERS_BYTES = MAX_BATCH_BYTES;

type Source = 'segment' | 'ga4';

interface Rejected {
  readonly index: number;
  readonly messageId: string | null;
  readonly errors: readonly FieldError[];
}

/** What a call that was taken says without effect. */
interface Warned extends FieldError {
  readonly index: number;
  readonly messageId: string;
}

function contextOf(house: House, exchange: Exchange, key: Key, body: unknown, type?: EventType): CollectContext {
  const { receivedAt } = exchange;
  const { shop } = house.settings;
  if (key.scope !== 'browser') return { receivedAt, shop, scope: 'server', newId: randomUUID, type };
  return { receivedAt, shop, scope: 'browser', provenUser: provenShopper(house, exchange, body), newId: randomUUID, type };
}

const messageIdOf = (call: unknown): string | null => (isObject(call) && typeof call['messageId'] === 'string' ? call['messageId'].slice(0, 256) : null);

/** How a refused call is kept: as it was sent, with how far it can be believed. */
interface Kept extends Telling {
  readonly claim: Claim | null;
}

/** A refused call as a dead letter, with all as it was sent: what a broken page sent can be looked at, repaired and sent again. */
function deadLetter(house: House, exchange: Exchange, call: unknown, { json, claim }: Kept, index: number, errors: readonly FieldError[], more = ''): NewRecord {
  const id = `request/${exchange.requestId}/${index}`;
  let value: Buffer | null;
  try {
    value = Buffer.from(json(call) ?? 'null').subarray(0, 2 * MAX_CALL_BYTES);
  } catch {
    // JSON.stringify recurses: a call that nests thousands of levels deep cannot be written down again.
    value = null;
  }
  const message = sentenceOf(errors).slice(0, 2000) + more;
  const letter = {
    id, code: errors[0]?.code ?? 'unknown_type', message, consumer: 'collector', topic: 'clickstream',
    partition: -1, offset: -1, key: null, value, at: exchange.receivedAt, stack: null, claim,
  };
  return { topic: deadLetters.name, partition: partitionOf(id, house.deps.partitions), key: id, value: deadLetters.codec.encode(letter) };
}

/** The refused calls of a batch: each is kept, and as many of them with the batch's context as do not make much of little. */
function lettersOf(house: House, exchange: Exchange, { callAt, bareCallAt, ...kept }: Sent, rejected: readonly Rejected[]): NewRecord[] {
  let room = WHOLE_LETTERS_BYTES;
  return rejected.map(({ index, errors }) => {
    const letter = room > 0
      ? deadLetter(house, exchange, callAt(index), kept, index, errors)
      : deadLetter(house, exchange, bareCallAt(index), kept, index, errors, ` The context of its batch is left out: it stands in the dead letter of the first call that was refused, request/${exchange.requestId}/${rejected[0]!.index}.`);
    room -= letter.value?.length ?? 0;
    return letter;
  });
}

function count(house: House, source: Source, accepted: number, clamped: number, rejected: readonly Rejected[]): void {
  const { metrics } = house.deps;
  if (accepted > 0) metrics.count('millrace_events_accepted_total', { source }, accepted);
  if (clamped > 0) metrics.count('millrace_events_clamped_total', { source }, clamped);
  for (const { errors } of rejected) metrics.count('millrace_events_rejected_total', { code: errors[0]?.code ?? 'unknown_type' });
}

/** Token for the records of `good` calls, which were written first; dead letters after them are nobody's own writes. */
function tokenOf(good: readonly Collected[], positions: readonly Position[]): string {
  const merges = new Set<string>();
  let records = 0;
  for (const call of good) {
    records += call.records.length;
    for (const record of call.records) {
      if (record.topic !== 'clickstream') continue;
      const { login, anonymousId } = record.value;
      const joined = joinedIds(record.value);
      if (joined) merges.add(joined.from);
      // By way of the device: it is to be seen where the login leads.
      else if (login && anonymousId !== null) merges.add(anonymousId);
    }
  }
  return encodeToken(positions.slice(0, records), [...merges]);
}

/** One call of Segment's HTTP API. 200 means durable. */
export async function collectCall(house: House, exchange: Exchange, type: EventType): Promise<void> {
  const { key, bytes, body } = await readKeyed(house, exchange, MAX_CALL_BYTES);
  charge(house, exchange, key, 1);
  const context = contextOf(house, exchange, key, body, type);
  const outcome = collect(body, context);
  if ('errors' in outcome) return refuseCall(house, exchange, type, { ...(asSent(bytes) ?? { ...asRead, body }), claim: claimOf(context) }, outcome.errors);
  const call = { ...outcome.ok, records: house.logins.placed(outcome.ok) };
  const records = encodeRecords(call.records, house.deps.partitions);
  // Before it is written: a page sends what follows its login without waiting for the answer.
  house.logins.written(outcome.ok);
  const positions = await house.deps.accept(records);
  count(house, 'segment', 1, call.clamped ? 1 : 0, []);
  const { messageId, warnings } = call;
  sendJson(exchange.response, 200, { accepted: 1, messageId, token: tokenOf([call], positions), ...(warnings.length > 0 ? { warnings } : {}) });
}

async function refuseCall(house: House, exchange: Exchange, type: EventType, { body, ...kept }: AsSent & Kept, found: readonly FieldError[]): Promise<never> {
  const errors = kept.told(found);
  count(house, 'segment', 0, 0, [{ index: 0, messageId: null, errors }]);
  try {
    await house.deps.accept([deadLetter(house, exchange, isObject(body) ? { type, ...body } : body, kept, 0, errors)]);
  } catch (error) {
    // The answer is owed to the client whether or not its mistake could be kept.
    house.deps.journal.warn({ err: error, requestId: exchange.requestId }, 'A refused call could not be kept as a dead letter.');
  }
  if (errors.every((error) => error.code === 'needs_server_key')) throw new Refusal({ status: 403, detail: errors[0].message, errors });
  throw badRequest(errors);
}

/** Segment's batch. Good calls are taken, bad ones are named and kept. */
export async function collectBatchRequest(house: House, exchange: Exchange): Promise<void> {
  await collectMany(house, exchange, 'segment', collectBatch);
}

/** GA4's Measurement Protocol; its api_secret is a key of this installation. */
export async function collectGa4Request(house: House, exchange: Exchange): Promise<void> {
  await collectMany(house, exchange, 'ga4', collectGa4);
}

async function collectMany(house: House, exchange: Exchange, source: Source, read: (body: unknown, context: CollectContext) => BatchOutcome): Promise<void> {
  const { key, bytes, body } = await readKeyed(house, exchange, MAX_BATCH_BYTES);
  const context = contextOf(house, exchange, key, body);
  const batch = read(body, context);
  if ('errors' in batch) {
    const tooMany = batch.errors.some((error) => error.code === 'too_many');
    throw tooMany ? new Refusal({ status: 413, detail: batch.errors.map((error) => error.message).join(' '), errors: batch.errors }) : badRequest(batch.errors);
  }
  charge(house, exchange, key, Math.max(1, batch.outcomes.length));
  const claim = claimOf(context);
  await answerBatch(house, exchange, source, batch, () => {
    const sent = asSent(bytes);
    const again = sent && read(sent.body, context);
    return sent && again && 'callAt' in again ? { ...again, json: sent.json, told: sent.told, claim } : { ...batch, ...asRead, claim };
  });
}

/** The calls of a batch, and how each is written as it was sent. */
type Sent = Pick<Batch, 'callAt' | 'bareCallAt'> & Kept;

/** `sent` is asked for where some are refused. */
async function answerBatch(house: House, exchange: Exchange, source: Source, { bareCallAt, outcomes }: Batch, sent: () => Sent): Promise<void> {
  const good: Collected[] = [];
  const records: NewRecord[] = [];
  const warnings: Warned[] = [];
  const refused: Rejected[] = [];
  const reject = (index: number, errors: readonly FieldError[]): void => {
    refused.push({ index, messageId: messageIdOf(bareCallAt(index)), errors });
  };
  let room = MAX_RECORDS_BYTES;
  outcomes.forEach((outcome, index) => {
    if ('errors' in outcome) return reject(index, outcome.errors);
    const call = { ...outcome.ok, records: house.logins.placed(outcome.ok) };
    const encoded = encodeRecords(call.records, house.deps.partitions);
    if (encoded.some(({ value }) => value !== null && value.length > MAX_CALL_BYTES)) {
      return reject(index, [{ path: '', code: 'too_large', message: `A call may have ${MAX_CALL_BYTES} bytes.` }]);
    }
    const bytes = encoded.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
    if (bytes > room) {
      return reject(index, [{ path: '', code: 'too_large', message: `The calls of a batch may come to ${MAX_RECORDS_BYTES} bytes with what its context says for all of them: send the rest as another batch.` }]);
    }
    room -= bytes;
    house.logins.written(outcome.ok);
    good.push(call);
    for (const warning of call.warnings) warnings.push({ index, messageId: call.messageId, ...warning });
    records.push(...encoded);
  });
  const placeOf = (index: number): string => (source === 'ga4' ? '' : `batch[${index}].`);
  const asWritten = refused.length > 0 ? sent() : undefined;
  const rejected = asWritten ? refused.map((one) => ({ ...one, errors: asWritten.told(one.errors, placeOf(one.index)) })) : refused;
  const letters = asWritten ? lettersOf(house, exchange, asWritten, rejected) : [];
  const positions = records.length + letters.length === 0 ? [] : await house.deps.accept([...records, ...letters]);
  count(house, source, good.length, good.filter(({ clamped }) => clamped).length, rejected);
  if (good.length === 0 && rejected.length > 0) {
    const errors = rejected.flatMap((one) => one.errors.map((error) => ({ ...error, path: (placeOf(one.index) + error.path).replace(/\.$/, '') })));
    throw badRequest(errors, { accepted: 0, rejected });
  }
  sendJson(exchange.response, 200, { accepted: good.length, rejected, token: tokenOf(good, positions), ...(warnings.length > 0 ? { warnings } : {}) });
}
