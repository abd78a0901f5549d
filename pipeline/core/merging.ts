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
/** Pieces that have come, until the last one has: under nobody's key, so that neither a merge nor an erasure takes some of them. */
const pieces = rows<Move>('_piece', 'Move');
const ERASED = '_erased';
/** In place of a row: the id in its sub, which was merged without proof, has turned out to be a user's. */
const PARTED = '_parted';
/** Timer of an id that leads elsewhere: looks whether anything has come under it of late. */
const UNSEEN = '_unseen';
/** By then the ids that led to an erased one have been told, and what they had sent has arrived. */
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
 * Lets a shopper's rows, timers and late records follow a merge. At the old id a redirect stays; a later merge of the
 * same id replaces the redirect and moves only what has come since, never what belongs to the earlier shopper.
 *
 * No user's id is given up without proof. A key is a user's id once a record names it so or a merge leads to it: each consumer notes
 * that in place of a redirect, refuses merges without proof from then on, and ends one that came before. So all come to the same, whatever they hear of first.
 */
export class Following {
  readonly #parts: Parts;
  /** The piece that was to complete a move, if the record taken last is one. */
  #last: Move | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Take a record of the merge or move topics. Answers false for any other. */
  take(record: LogRecord): boolean {
    const { merges, moves } = this.#parts.merging;
    this.#last = undefined;
    if (record.topic === merges.name) this.#merge(merges.codec.decode(record.value), record);
    else if (record.topic === moves.name) this.#arrive(moves.codec.decode(record.value), record);
    else return false;
    return true;
  }

  /** Send a record on whose key was merged away, before it or by the merge that it carries. Answers false when it belongs here. */
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
    // The rows bring what stood before the record: whoever waits for the record itself is not there yet.
    if (carried && this.#merge(carried, { ...record, offset: record.offset - 1 })) {
      context.emit(merging.merges, key, carried);
      redirect = overlay.get(redirectRows, key);
    }
    if (!redirect || redirect.to === key) return false;
    const { topic, value, writtenAt, offset } = record;
    const move: Move = { kind: 'record', mergeId: redirect.mergeId, from: key, to: redirect.to, hops: 1, rows: [], topic, value, writtenAt, toProven: true, origin: {}, more: 0 };
    // The key has been somebody else's since: the record is still of the shopper that it names.
    if (carried && carried.to !== redirect.to) this.#post({ ...move, mergeId: carried.mergeId, to: carried.to, origin: { [`${topic}/${partition}`]: offset + 1 } });
    else this.#send(key, redirect, record, move);
    return true;
  }

  /**
   * The shopper of `key` was erased at `time` (ms). Ids that were merged into it may not know yet, and what they have sent may be on its
   * way: for a day a timer that does nothing stands for the erasure. It holds a hash, since the id must be in no row.
   */
  erased(key: string, time: number): void {
    const { context } = this.#parts;
    context.schedule(ERASED, NOBODY, Math.max(time, context.time) + ERASED_MS, hashOf(key), String(time));
  }

  /** The time that `erased` was told of a key, for a day. */
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
    const { seenAt, mergeId, to, time } = redirect;
    // Of what came before the first tick nobody knows when that was.
    if (seenAt === 0) overlay.put(redirectRows, key, '', { ...redirect, seenAt: context.time });
    // A login is dated by whoever said it, a little ahead of the task's time.
    const lastAt = Math.max(time, seenAt === 0 ? context.time : seenAt);
    const goesAt = lastAt + forgetAfterMs;
    if (goesAt > due) {
      context.schedule(UNSEEN, key, goesAt);
    } else {
      overlay.put(redirectRows, key, '', undefined);
      context.emit(merges, key, { mergeId, from: key, to, time: lastAt, erased: [to], fromProven: true, toProven: true, forgotten: true });
    }
    return true;
  }

  /** Answers whether the id leads somewhere else now, or does so anew. */
  #merge(merge: UserMerge, record: LogRecord): boolean {
    const { overlay, context, merging: { forget, forgetAfterMs = 0 } } = this.#parts;
    const { mergeId, from, to, time, erased, fromProven, toProven, forgotten } = merge;
    const redirect = overlay.get(redirectRows, from);
    if (erased.length > 0) {
      if (forgotten) forget?.(from, time, context);
      if (redirect && (redirect.to === from || !erased.includes(redirect.to))) return false;
      // Who has come back meanwhile, and logged in, is somebody again.
      if (forgotten && redirect && (redirect.isUser || redirect.time > time)) return false;
      this.#leadNowhere(from);
      if (forgotten) return false;
      // What is sent again from before must not bring the shopper back under this id, either.
      this.erased(from, time);
      return false;
    }
    if (from === to || isRefused(merge, redirect)) return false;
    if (redirect && (redirect.time > time || redirect.mergeId === mergeId)) return false;
    const moved = overlay.allRowsOf(from).filter(({ kind, sub }) => kind !== redirectRows.name && !(kind === TIMER && sub === UNSEEN));
    for (const { kind, sub } of moved) overlay.remove(from, kind, sub);
    // What was sent to an earlier shopper is theirs: the new one has only to wait for what comes from now on.
    const fresh = { to, mergeId, time, sent: redirect?.to === to ? redirect.sent : {}, fromProven, isUser: redirect?.isUser ?? false, seenAt: context.time };
    // Another login leaves the timer as it is, which finds out.
    if (forgetAfterMs > 0 && (redirect?.seenAt ?? 0) === 0) context.schedule(UNSEEN, from, context.time + forgetAfterMs);
    this.#send(from, fresh, record, { kind: 'rows', mergeId, from, to, hops: 1, rows: moved, topic: null, value: null, writtenAt: time, toProven, origin: {}, more: 0 });
    return true;
  }

  #leadNowhere(key: string): void {
    this.#parts.overlay.put(redirectRows, key, '', undefined);
    this.#parts.context.cancel(UNSEEN, key);
  }

  /** Note that a key is a user's id. What went from it with a merge without proof is nobody's, since nobody was known by the key then. */
  #settle(key: string, redirect: Redirect | undefined): Redirect {
    const { overlay, merging } = this.#parts;
    const settled = redirect?.fromProven ? { ...redirect, isUser: true } : { to: key, mergeId: '', time: 0, sent: {}, fromProven: true, isUser: true, seenAt: 0 };
    overlay.put(redirectRows, key, '', settled);
    if (redirect && !redirect.fromProven && merging.part) this.#post({ ...toItself(redirect.to), kind: 'rows', rows: [{ kind: PARTED, sub: key, value: Buffer.alloc(0) }] });
    return settled;
  }

  #arrive(move: Move, record: LogRecord): void {
    if (move.kind === 'piece') return this.#collect(move, record);
    const { overlay, progress, inputs, handle, context } = this.#parts;
    for (const [input, offset] of Object.entries(move.origin)) progress.applied[input] = Math.max(progress.applied[input] ?? 0, offset);
    const returns = move.to === move.from;
    // From an erased shopper: by that its own id learns that it leads there no more.
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

  /** Write a move, in pieces where it is too large for one record. */
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

  /** Keep a piece until the last one comes: with that all of it arrives at once, as a move in one record does. */
  #collect(piece: Move, record: LogRecord): void {
    const { context, merging: { moves } } = this.#parts;
    if (piece.more > 0) return context.put(pieces, NOBODY, piece, subOf(piece));
    this.#last = piece;
    const before = this.#piecesBefore(piece);
    if (before.length !== (before[0]?.value.more ?? 0)) throw new BadEvent('incomplete_move', `Of a move ${before.length} pieces came before the last one, which is not all of them.`);
    for (const { sub } of before) context.delete(pieces, NOBODY, sub);
    this.#arrive(moves.codec.decode(Buffer.concat([...before.map(({ value }) => value), piece].map(({ value }) => value ?? Buffer.alloc(0)))), record);
  }

  /** Those of the same move that have come, in their order: the one that most were to follow is the first. */
  #piecesBefore(piece: Move): { readonly sub: string; readonly value: Move }[] {
    return this.#parts.context.scan(pieces, NOBODY).filter(({ sub }) => sub.startsWith(moveOf(piece))).reverse();
  }

  /** The record that was taken last is set aside: if it was to complete a move, the pieces before it wait for nothing. */
  refused(): void {
    if (this.#last) for (const { sub } of this.#piecesBefore(this.#last)) this.#parts.context.delete(pieces, NOBODY, sub);
  }

  /** Whether a move was sent because of a merge that an erasure of `to` has undone. A merge that was said later makes the id somebody's again. */
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
   * Send a key's rows or record on, and note on its redirect how far: whoever asks for the key waits until that is applied.
   * The move carries the same mark for each id it has passed.
   */
  #send(key: string, redirect: Redirect, { topic, offset }: LogRecord, move: Move): void {
    const { overlay, partition, context } = this.#parts;
    overlay.put(redirectRows, key, '', { ...redirect, seenAt: context.time, sent: { ...redirect.sent, [topic]: offset + 1 } });
    this.#post({ ...move, origin: { ...move.origin, [`${topic}/${partition}`]: offset + 1 } });
  }
}

/** A user's id is not given up by who does not prove to be that user. */
const isRefused = ({ fromProven }: UserMerge, redirect: Redirect | undefined): boolean => !fromProven && redirect?.isUser === true;

/** A move that no merge has sent. */
const toItself = (to: string): Omit<Move, 'kind'> => ({ mergeId: '', from: to, to, hops: 1, rows: [], topic: null, value: null, writtenAt: 0, toProven: true, origin: {}, more: 0 });

/** An id as it may stand in a row of somebody who wants to stand in none. */
const hashOf = (id: string): string => hash('md5', id, 'hex');

/** Tells the move that a piece is of from others that are under way: by hash, since ids are in it. */
const moveOf = ({ from, to, mergeId, hops }: Move): string => hashOf([from, to, mergeId, hops].join('\u001f'));

const subOf = (piece: Move): string => `${moveOf(piece)}/${String(piece.more).padStart(6, '0')}`;
