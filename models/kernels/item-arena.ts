/**
 * Item numbers in one growing memory, and the place of one of them in a stretch of it: eight are compared at a time.
 */
import {
  addInt, andInt, assemble, below, equalInt4, halfInt, instantiate, int, isZero, kernel, load4, loopWhile, newMemory, orInt, seq, shift, signs4, spreadInt4, storeInt,
  subtractInt, zerosBelow,
  type Memory, type Module,
} from './assembler.js';

const PAGE = 65_536;
/** Byte addresses: the answer of a search, and the numbers. */
const AT = { place: 0, ids: 16 } as const;
/** Numbers compared at a time, of which the last ones may lie behind a stretch. */
const TOGETHER = 8;

export interface ItemArena {
  readonly memory: Memory;
  readonly run: Record<'find', (...values: number[]) => void>;
  /** Views, replaced when the memory grows. */
  ids: Int32Array;
  place: Int32Array;
}

/** place = how many of the `length` ids from `first` on stand before `wanted`; `length` or more where it is not among them. */
const find = kernel('find', ['i32', 'i32', 'i32'], (body, first, length, wanted) => {
  const [start, at, end, mask] = body.locals('i32', 4);
  const sought = body.local('v128');
  const equal = (offset: number) => signs4(equalInt4(load4(at.get, offset), sought.get));
  return seq(
    start.set(addInt(int(AT.ids), shift(first.get, 2))),
    at.set(start.get),
    end.set(addInt(start.get, shift(length.get, 2))),
    sought.set(spreadInt4(wanted.get)),
    mask.set(int(0)),
    loopWhile(andInt(isZero(mask.get), below(at.get, end.get)), seq(
      mask.set(orInt(equal(0), shift(equal(16), 4))),
      at.set(addInt(at.get, int(4 * TOGETHER))),
    )),
    // Where none was found 32 zeros stand below, which is more than were compared last.
    storeInt(int(AT.place), addInt(subtractInt(halfInt(halfInt(subtractInt(at.get, start.get))), int(TOGETHER)), zerosBelow(mask.get))),
  );
});

let compiled: Module | undefined;

export function itemArena(): ItemArena {
  compiled ??= assemble([find]);
  const memory = newMemory(1);
  const arena = { memory, run: instantiate(compiled, memory, ['find']), ids: new Int32Array(0), place: new Int32Array(0) };
  view(arena);
  return arena;
}

/** Makes room for at least `needed` numbers. Old views are void after it. */
export function ensure(arena: ItemArena, needed: number): void {
  if (needed <= arena.ids.length) return;
  const bytes = AT.ids + 4 * (Math.max(needed, Math.ceil(arena.ids.length * 1.5)) + TOGETHER);
  arena.memory.grow(Math.ceil(bytes / PAGE) - arena.memory.buffer.byteLength / PAGE);
  view(arena);
}

/** A search reads to the end of what it compares together, which must lie in the memory. */
function view(arena: ItemArena): void {
  const { buffer } = arena.memory;
  arena.ids = new Int32Array(buffer, AT.ids, (buffer.byteLength - AT.ids) / 4 - TOGETHER);
  arena.place = new Int32Array(buffer, AT.place, 1);
}

/** How many of the `length` ids from `first` on stand before `id`; −1 where it is not among them. */
export function placeOf({ run, place }: ItemArena, first: number, length: number, id: number): number {
  run.find(first, length, id);
  return place[0] < length ? place[0] : -1;
}
