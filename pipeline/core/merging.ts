import { hash } from 'node:crypto';
import type { Move, Redirect, UserMerge } from '../../schemas/types.js';
import type { Context, Incoming, Input, Merging } from './consumer.js';
import { BadEvent } from './errors.js';
import type { LogRecord } from './log.js';
import type { Overlay } from './overlay.js';
import { NOBODY, redirectRows, rows, TIMER, timerRows, timerSub } from './rows.js';

const MAX_HOPS = 8;
/** A move that is larger goes in pieces, each of which fits into a batch of Kafka. */
const PIECE_BYTES = 500_000;
/** Pieces of a move that wait for the last one. They stand under nobody's key, so that no merge and no erasure takes some of them away. */
const pieces = rows<Move>('_piece', 'Move');
const ERASED = '_erased';
/** Stands for a row in a move: the id in its sub, which was merged without proof, has turned out to be a user's. */
const PARTED = '_parted';
/** Timer of an id that leads elsewhere: looks whether anything has come under it of late. */
const UNSEEN = '_unseen';
/** So long after an erasure all ids that led to the erased one have heard of it, and what they had sent has arrived. */
const ERASED_MS = 24 * 3_600_000;

interface Parts {
  readonly merging: Merging;
  readonly inputs: ReadonlyMap<string, Input>;
  readonly overlay: Overlay;
  readonly context: Context;
  readonly partition: number;
  readonly progress: { readonly offsets: Record<string, number>; readonly applied: Record<string, number> };
  readonly handle: (input: Input, record: Incoming<unknown>) => void;
}

/**
 * Lets a shopper's rows, timers and late records follow a merge of one id (`from`) into another (`to`). A redirect stays under the old id.
 * A later merge of the same id replaces the redirect, and moves only what has come since: what came before belongs to the earlier shopper.
 *
 * A user's id is never merged away without proof. A key counts as a user's id once a record calls it one, or a merge leads to it. Each
 * consumer notes that in the key's redirect. From then on it refuses merges without proof, and it ends one that came before. So all
 * consumers come to the same result, whichever of the two they hear of first.
 */
export class Following {
  readonly #parts: Parts;
  /** The last piece of a move, while the record in work is one. */
  #last: Move | undefined;
  /** What the move in work has passed: noted as applied once the record is done with. */
  #origin: Move['origin'] = {};

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Take a record of the merge or move topics. Answers false for any other. */
  take(record: LogRecord): boolean {
    const { merges, moves } = this.#parts.merging;
    this.#last = undefined;
    this.#origin = {};
    if (record.topic === merges.name) this.#merge(merges.codec.decode(record.value), record);
    else if (record.topic === moves.name) this.#arrive(moves.codec.decode(record.value), record);
    else return false;
    return true;
  }

  /** Sends a record on whose key was merged into another one, earlier or by the merge that the record carries. Answers false where the record stays here. */
  forward(record: LogRecord, input: Input, incoming: Incoming<unknown>): boolean {
    const { overlay, context, merging, partition } = this.#parts;
    const { key } = incoming;
    let redirect = overlay.get(redirectRows, key);
    if (!redirect?.isUser && input.namesUser?.(incoming, context)) redirect = this.#settle(key, redirect);
    const carried = input.merge?.(incoming, context);
    if (carried && isRefused(carried, redirect)) {
      context.count('millrace_merges_refused_total');
      const alone = input.topic.codec.encode(input.alone?.(incoming.value) ?? incoming.value);
      this.#post({ ...toItself(carried.to), kind: 'record', topic: record.topic, value: alone, writtenAt: record.writtenAt });
      return true;
    }
    // The rows that move now stand for what came before the record: whoever waits for the record must not take them for it, hence the offset before.
    if (carried && this.#merge(carried, { ...record, offset: record.offset - 1 })) {
      context.emit(merging.merges, key, carried);
      redirect = overlay.get(redirectRows, key);
    }
    if (!redirect || redirect.to === key) return false;
    const { topic, value, writtenAt, offset } = record;
    const move: Move = { kind: 'record', mergeId: redirect.mergeId, from: key, to: redirect.to, hops: 1, rows: [], topic, value, writtenAt, toProven: true, origin: {}, more: 0 };
    // By now the key leads to another shopper: the record still belongs to the one that it names.
    if (carried && carried.to !== redirect.to) this.#post({ ...move, mergeId: carried.mergeId, to: carried.to, origin: { [`${topic}/${partition}`]: offset + 1 } });
    else this.#send(key, redirect, record, move);
    return true;
  }

  /**
   * Notes that the shopper of `key` was erased at `time` (ms). Ids that were merged into it may not have heard of it yet, and what they have
   * sent may still be on its way. So for a day a timer that does nothing keeps the note. It holds a hash, since no row may hold the id.
   */
  erased(key: string, time: number): void {
    const { context } = this.#parts;
    context.schedule(ERASED, NOBODY, Math.max(time, context.time) + ERASED_MS, hashOf(key), String(time));
  }

  /** When the shopper of a key was erased (ms), as `erased` has noted it; undefined a day later. */
  erasedAt(key: string): number | undefined {
    const said = this.#parts.overlay.get(timerRows, NOBODY, timerSub(ERASED, hashOf(key)))?.payload;
    return said === undefined ? undefined : Number(said);
  }

  /** A timer of the runtime's own is due. Answers false for any other. */
  fire(name: string, key: string, due: number): boolean {
    if (name !== UNSEEN) return false;
    const { overlay, context, merging: { merges, forgetAfterMs = 0 } } = this.#parts;
    const redirect = overlay.get(redirectRows, key);
    if (!redirect || redirect.isUser || forgetAfterMs === 0) return true;
    const { mergeId, to } = redirect;
    // The task's time is behind that of a login by a tick, or by an outage. Of what came before the first tick nobody knows when that was.
    const seenAt = Math.max(redirect.seenAt === 0 ? context.time : redirect.seenAt, redirect.time);
    if (redirect.seenAt === 0) overlay.put(redirectRows, key, '', { ...redirect, seenAt });
    if (seenAt + forgetAfterMs > due) {
      context.schedule(UNSEEN, key, seenAt + forgetAfterMs);
    } else {
      overlay.put(redirectRows, key, '', undefined);
      context.emit(merges, key, { mergeId, from: key, to, time: seenAt, erased: [to], fromProven: true, toProven: true, forgotten: true });
    }
    return true;
  }

  /** Takes a merge, or the news that an erasure has undone one or that it is forgotten. Answers whether the id leads to another one by this record. */
  #merge(merge: UserMerge, record: LogRecord): boolean {
    const { overlay, context, merging: { forget, forgetAfterMs = 0 } } = this.#parts;
    const { mergeId, from, to, time, erased, fromProven, toProven, forgotten } = merge;
    const redirect = overlay.get(redirectRows, from);
    if (forgotten) {
      forget?.(from, time, context);
      // Another merge: who has come back meanwhile, and logged in, is somebody again.
      if (redirect?.mergeId === mergeId && !redirect.isUser) this.#leadNowhere(from);
      return false;
    }
    if (erased.length > 0) {
      if (redirect && (redirect.to === from || !erased.includes(redirect.to))) return false;
      this.#leadNowhere(from);
      // Records from before the erasure that are sent again must not bring the shopper back under this id, either.
      this.erased(from, time);
      return false;
    }
    if (from === to || isRefused(merge, redirect)) return false;
    if (redirect && (redirect.time > time || redirect.mergeId === mergeId)) return false;
    const moved = overlay.allRowsOf(from).filter(({ kind, sub }) => kind !== redirectRows.name && !(kind === TIMER && sub === UNSEEN));
    for (const { kind, sub } of moved) overlay.remove(from, kind, sub);
    // `sent` says what the readers of the new id must wait for: nothing of what went to an earlier shopper.
    const fresh = { to, mergeId, time, sent: redirect?.to === to ? redirect.sent : {}, fromProven, isUser: redirect?.isUser ?? false, seenAt: context.time };
    // Another login leaves the timer as it is, which finds out. There is none where nothing was to be forgotten before.
    if (forgetAfterMs > 0 && !overlay.get(timerRows, from, timerSub(UNSEEN, ''))) context.schedule(UNSEEN, from, context.time + forgetAfterMs);
    this.#send(from, fresh, record, { kind: 'rows', mergeId, from, to, hops: 1, rows: moved, topic: null, value: null, writtenAt: time, toProven, origin: {}, more: 0 });
    return true;
  }

  #leadNowhere(key: string): void {
    this.#parts.overlay.put(redirectRows, key, '', undefined);
    this.#parts.context.cancel(UNSEEN, key);
  }

  /** Notes that a key is a user's id, and ends a merge without proof that led away from it. What that merge has moved stays where it went. */
  #settle(key: string, redirect: Redirect | undefined): Redirect {
    const { overlay, merging } = this.#parts;
    const settled = redirect?.fromProven ? { ...redirect, isUser: true } : { to: key, mergeId: '', time: 0, sent: {}, fromProven: true, isUser: true, seenAt: 0 };
    overlay.put(redirectRows, key, '', settled);
    if (redirect && !redirect.fromProven && merging.part) this.#post({ ...toItself(redirect.to), kind: 'rows', rows: [{ kind: PARTED, sub: key, value: Buffer.alloc(0) }] });
    return settled;
  }

  #arrive(move: Move, record: LogRecord): void {
    if (move.kind === 'piece') return this.#collect(move, record);
    const { overlay, inputs, handle, context } = this.#parts;
    this.#origin = move.origin;
    const returns = move.to === move.from;
    // A record that an erased shopper's id has sent back: its own id must not lead there any more.
    const led = overlay.get(redirectRows, move.to);
    if (returns && led?.mergeId === move.mergeId && led.to !== move.to) this.#leadNowhere(move.to);
    if (this.#isBeforeErasure(move)) {
      if (move.kind === 'rows') this.#dropRows(move);
      else this.#post({ ...move, to: move.from, hops: move.hops + 1 });
      return;
    }
    const input = inputs.get(move.topic ?? '');
    const sent = input && move.kind === 'record' ? { key: move.to, value: input.topic.codec.decode(move.value), writtenAt: move.writtenAt, from: move.from } : undefined;
    let redirect = overlay.get(redirectRows, move.to);
    if (!redirect?.isUser && (!returns || (sent && input?.namesUser?.(sent, context)))) redirect = this.#settle(move.to, redirect);
    if (redirect && redirect.to !== move.to) {
      if (move.hops >= MAX_HOPS) throw new BadEvent('merge_cycle', `Merges of ${MAX_HOPS} ids lead in a circle.`);
      this.#send(move.to, redirect, record, { ...move, mergeId: returns ? redirect.mergeId : move.mergeId, to: redirect.to, hops: move.hops + 1 });
    } else if (move.kind === 'rows') {
      this.#joinRows(move);
    } else if (input && sent) {
      handle(input, sent);
    }
  }

  /** Writes a move, in pieces if it is too large for one record. */
  #post(move: Move): void {
    const { context, merging: { moves } } = this.#parts;
    const bytes = move.rows.reduce((sum, { kind, sub, value }) => sum + kind.length + Buffer.byteLength(sub) + value.length, move.value?.length ?? 0);
    if (bytes <= PIECE_BYTES) return context.emit(moves, move.to, move);
    const whole = moves.codec.encode(move);
    for (let at = 0; at < whole.length; at += PIECE_BYTES) {
      const more = Math.ceil((whole.length - at) / PIECE_BYTES) - 1;
      context.emit(moves, move.to, { ...move, kind: 'piece', rows: [], topic: null, value: whole.subarray(at, at + PIECE_BYTES), origin: {}, more });
    }
  }

  /** Keeps a piece until the last one comes. Then the whole move arrives at once, as if it had come in one record. */
  #collect(piece: Move, record: LogRecord): void {
    const { context, merging: { moves } } = this.#parts;
    if (piece.more > 0) return context.put(pieces, NOBODY, piece, subOf(piece));
    this.#last = piece;
    const before = this.#piecesBefore(piece);
    if (before.length !== (before[0]?.value.more ?? 0)) throw new BadEvent('incomplete_move', `Of a move ${before.length} pieces came before the last one, which is not all of them.`);
    for (const { sub } of before) context.delete(pieces, NOBODY, sub);
    this.#arrive(moves.codec.decode(Buffer.concat([...before.map(({ value }) => value), piece].map(({ value }) => value ?? Buffer.alloc(0)))), record);
  }

  /** The pieces of the same move that have come, in order. The first is the one that says that most are to follow. */
  #piecesBefore(piece: Move): { readonly sub: string; readonly value: Move }[] {
    return this.#parts.context.scan(pieces, NOBODY).filter(({ sub }) => sub.startsWith(moveOf(piece))).reverse();
  }

  /** The record in work became a dead letter. If it was the last piece of a move, the pieces before it are dropped. */
  refused(): void {
    if (this.#last) for (const { sub } of this.#piecesBefore(this.#last)) this.#parts.context.delete(pieces, NOBODY, sub);
  }

  /** The record in work is done with, handled or refused: whoever waits for what it has brought may read. One whose handler crashed comes again. */
  done(): void {
    const { progress: { applied } } = this.#parts;
    for (const [input, offset] of Object.entries(this.#origin)) applied[input] = Math.max(applied[input] ?? 0, offset);
    this.#origin = {};
  }

  /** Whether a move comes by a merge that an erasure of `to` has undone. A merge that was said after the erasure makes the id somebody's again. */
  #isBeforeErasure({ kind, from, to, writtenAt }: Move): boolean {
    const erasedAt = this.erasedAt(to);
    if (erasedAt === undefined || from === to) return false;
    if (kind === 'record' || writtenAt <= erasedAt) return true;
    this.#parts.context.cancel(ERASED, NOBODY, hashOf(to));
    return false;
  }

  #dropRows({ rows, from, to, writtenAt: mergedAt, toProven }: Move): void {
    const { merging, context } = this.#parts;
    for (const { kind, sub, value } of rows) {
      const merge = merging.rows.find((candidate) => candidate.kind.name === kind);
      merge?.drop?.({ key: to, sub, from, value: merge.kind.codec.decode(value), mergedAt, toProven }, context);
    }
  }

  #joinRows({ rows, from, to, writtenAt: mergedAt, toProven }: Move): void {
    const { merging, overlay, context } = this.#parts;
    for (const { kind, sub, value } of rows) {
      if (kind === PARTED) merging.part?.(to, sub, context);
      if (kind === TIMER) {
        const moved = timerRows.codec.decode(value);
        const standing = overlay.get(timerRows, to, sub);
        if (!standing || moved.due < standing.due) overlay.put(timerRows, to, sub, moved);
        continue;
      }
      const merge = merging.rows.find((candidate) => candidate.kind.name === kind);
      merge?.join({ key: to, sub, from, value: merge.kind.codec.decode(value), mergedAt, toProven }, context);
    }
  }

  /**
   * Sends a key's rows, or a record, on to where the key leads. The redirect notes up to which offset, so that whoever asks for the key can
   * wait until all of it has arrived. The move itself carries that mark for each id that it has passed.
   */
  #send(key: string, redirect: Redirect, { topic, offset }: LogRecord, move: Move): void {
    const { overlay, partition, context } = this.#parts;
    overlay.put(redirectRows, key, '', { ...redirect, seenAt: context.time, sent: { ...redirect.sent, [topic]: offset + 1 } });
    this.#post({ ...move, origin: { ...move.origin, [`${topic}/${partition}`]: offset + 1 } });
  }
}

/** Whether a merge would lead away from a user's id without proof. */
const isRefused = ({ fromProven }: UserMerge, redirect: Redirect | undefined): boolean => !fromProven && redirect?.isUser === true;

/** The fields of a move that no merge has caused: it goes to the id itself. */
const toItself = (to: string): Omit<Move, 'kind'> => ({ mergeId: '', from: to, to, hops: 1, rows: [], topic: null, value: null, writtenAt: 0, toProven: true, origin: {}, more: 0 });

/** The form in which the id of an erased shopper may stand in a row. */
const hashOf = (id: string): string => hash('md5', id, 'hex');

/** Names the move that a piece belongs to. A hash, since the name contains ids. */
const moveOf = ({ from, to, mergeId, hops }: Move): string => hashOf([from, to, mergeId, hops].join('\u001f'));

const subOf = (piece: Move): string => `${moveOf(piece)}/${String(piece.more).padStart(6, '0')}`;
