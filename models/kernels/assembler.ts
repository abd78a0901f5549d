/**
 * A tiny assembler for WebAssembly with 128-bit SIMD: enough for loops over rows of floats, and no toolchain.
 *
 * Code is a list of bytes; an instruction takes the code of its operands and gives the code that leaves its result.
 * Relaxed SIMD is left out on purpose: its results differ between processors, and a replay must end in the same bytes.
 * Source: WebAssembly core specification 2.0, binary format.
 */

/** The part of the engine's global that is used here; the compiler's library has it only for browsers. */
declare const WebAssembly: {
  readonly Memory: new (size: { readonly initial: number }) => Memory;
  readonly Module: new (bytes: Uint8Array) => Module;
  readonly Instance: new (module: Module, imports: { readonly memory: { readonly memory: Memory } }) => {
    readonly exports: Readonly<Record<string, unknown>>;
  };
};
export interface Memory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}
/** Opaque: made by `assemble`, used by `instantiate`. */
export type Module = object;

export function newMemory(pages: number): Memory {
  return new WebAssembly.Memory({ initial: pages });
}

export type Code = readonly number[];
export type ValueType = 'i32' | 'f32' | 'f64' | 'v128';

export interface Local {
  readonly get: Code;
  set(value: Code): Code;
}

export interface Body {
  local(type: ValueType): Local;
  locals(type: ValueType, count: number): Local[];
}

export interface Kernel {
  readonly name: string;
  readonly bytes: Code;
  readonly parameters: readonly ValueType[];
}

const TYPE = { i32: 0x7f, f32: 0x7d, f64: 0x7c, v128: 0x7b } as const;

/** A function without results: it works on memory. */
export function kernel(name: string, parameters: readonly ValueType[], write: (body: Body, ...parameters: Local[]) => Code): Kernel {
  const declared: ValueType[] = [];
  const local = (type: ValueType): Local => {
    declared.push(type);
    return localAt(parameters.length + declared.length - 1);
  };
  const body: Body = { local, locals: (type, count) => Array.from({ length: count }, () => local(type)) };
  const code = write(body, ...parameters.map((_, at) => localAt(at)));
  const locals = declared.flatMap((type) => [1, TYPE[type]]);
  return { name, parameters, bytes: [...unsigned(declared.length), ...locals, ...code, 0x0b] };
}

function localAt(index: number): Local {
  return { get: [0x20, ...unsigned(index)], set: (value) => [...value, 0x21, ...unsigned(index)] };
}

/** Compiles kernels into a module that imports its memory as `memory`.`memory`. */
export function assemble(kernels: readonly Kernel[]): Module {
  const types = kernels.map(({ parameters }) => [0x60, ...vector(parameters.map((type) => [TYPE[type]])), 0]);
  const memory = [...text('memory'), ...text('memory'), 0x02, 0x00, ...unsigned(1)];
  const exports = kernels.map(({ name }, at) => [...text(name), 0x00, ...unsigned(at)]);
  const bodies = kernels.map(({ bytes }) => [...unsigned(bytes.length), ...bytes]);
  return new WebAssembly.Module(Uint8Array.from([
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00,
    ...section(1, vector(types)),
    ...section(2, vector([memory])),
    ...section(3, vector(kernels.map((_, at) => unsigned(at)))),
    ...section(7, vector(exports)),
    ...section(10, vector(bodies)),
  ]));
}

/** The functions of a module over one memory, checked to exist. */
export function instantiate<Name extends string>(
  module: Module, memory: Memory, names: readonly Name[],
): Record<Name, (...values: number[]) => void> {
  const { exports } = new WebAssembly.Instance(module, { memory: { memory } });
  const found: Partial<Record<Name, (...values: number[]) => void>> = {};
  for (const name of names) {
    const value = exports[name];
    if (typeof value !== 'function') throw new TypeError(`The module has no function ${name}.`);
    found[name] = value as (...values: number[]) => void;
  }
  return found as Record<Name, (...values: number[]) => void>;
}

export const seq = (...parts: readonly Code[]): Code => parts.flat();

export const int = (value: number): Code => [0x41, ...signed(value)];
export const float = (value: number): Code => [0x43, ...new Uint8Array(Float32Array.of(value).buffer)];
export const addInt = (a: Code, b: Code): Code => [...a, ...b, 0x6a];
export const timesInt = (a: Code, b: Code): Code => [...a, ...b, 0x6c];
export const shift = (a: Code, bits: number): Code => [...a, ...int(bits), 0x74];
export const below = (a: Code, b: Code): Code => [...a, ...b, 0x49];
export const andInt = (a: Code, b: Code): Code => [...a, ...b, 0x71];
export const orInt = (a: Code, b: Code): Code => [...a, ...b, 0x72];
export const subtractInt = (a: Code, b: Code): Code => [...a, ...b, 0x6b];
/** 1 for 0, 0 for anything else. */
export const isZero = (a: Code): Code => [...a, 0x45];
/** Of a whole number that is not negative. */
export const halfInt = (a: Code): Code => [...a, ...int(1), 0x76];
export const selectInt = (yes: Code, no: Code, condition: Code): Code => [...yes, ...no, ...condition, 0x1b];
/** How many zero bits stand below the lowest one. */
export const zerosBelow = (a: Code): Code => [...a, 0x68];
export const loadInt = (at: Code): Code => [...at, 0x28, 2, ...unsigned(0)];
export const storeInt = (at: Code, value: Code, offset = 0): Code => [...at, ...value, 0x36, 2, ...unsigned(offset)];

export const loadFloat = (at: Code, offset = 0): Code => [...at, 0x2a, 2, ...unsigned(offset)];
export const storeFloat = (at: Code, value: Code, offset = 0): Code => [...at, ...value, 0x38, 2, ...unsigned(offset)];
export const add = (a: Code, b: Code): Code => [...a, ...b, 0x92];
export const subtract = (a: Code, b: Code): Code => [...a, ...b, 0x93];
export const times = (a: Code, b: Code): Code => [...a, ...b, 0x94];
export const divide = (a: Code, b: Code): Code => [...a, ...b, 0x95];
export const root = (a: Code): Code => [...a, 0x91];
export const larger = (a: Code, b: Code): Code => [...a, ...b, 0x97];

const simd = (op: number): Code => [0xfd, ...unsigned(op)];
export const load4 = (at: Code, offset = 0): Code => [...at, ...simd(0), 2, ...unsigned(offset)];
/** Four signed bytes as floats. */
export const widened4 = (at: Code, offset: number): Code => [...at, ...simd(92), 2, ...unsigned(offset), ...simd(0x87), ...simd(0xa7), ...simd(0xfa)];
export const store4 = (at: Code, value: Code, offset = 0): Code => [...at, ...value, ...simd(11), 2, ...unsigned(offset)];
export const spread4 = (value: Code): Code => [...value, ...simd(0x13)];
export const loadSpread4 = (at: Code, offset = 0): Code => [...at, ...simd(9), 2, ...unsigned(offset)];
export const add4 = (a: Code, b: Code): Code => [...a, ...b, ...simd(0xe4)];
export const subtract4 = (a: Code, b: Code): Code => [...a, ...b, ...simd(0xe5)];
export const times4 = (a: Code, b: Code): Code => [...a, ...b, ...simd(0xe6)];
export const divide4 = (a: Code, b: Code): Code => [...a, ...b, ...simd(0xe7)];
export const root4 = (a: Code): Code => [...a, ...simd(0xe3)];
export const floor4 = (a: Code): Code => [...a, ...simd(0x68)];
/** b where it is larger, else a: one instruction, while what the standard calls the maximum takes several for the sake of NaN. */
export const larger4 = (a: Code, b: Code): Code => [...a, ...b, ...simd(0xeb)];
export const above4 = (a: Code, b: Code): Code => [...a, ...b, ...simd(0x44)];
/** Lane by lane: `yes` where the mask is set, `no` elsewhere. */
export const select4 = (yes: Code, no: Code, mask: Code): Code => [...yes, ...no, ...mask, ...simd(0x52)];
const floatLane = (value: Local) => (n: number): Code => [...value.get, ...simd(0x1f), n];
/** The sum of the four lanes, always in the same order. */
export const sumOf4 = (value: Local): Code => {
  const lane = floatLane(value);
  return add(add(lane(0), lane(1)), add(lane(2), lane(3)));
};
export const largestOf4 = (value: Local): Code => {
  const lane = floatLane(value);
  return larger(larger(lane(0), lane(1)), larger(lane(2), lane(3)));
};

/** Whole numbers, four at a time. */
export const spreadInt4 = (value: Code): Code => [...value, ...simd(0x11)];
export const addInt4 = (a: Code, b: Code): Code => [...a, ...b, ...simd(0xae)];
export const subtractInt4 = (a: Code, b: Code): Code => [...a, ...b, ...simd(0xb1)];
export const equalInt4 = (a: Code, b: Code): Code => [...a, ...b, ...simd(0x37)];
export const aboveInt4 = (a: Code, b: Code): Code => [...a, ...b, ...simd(0x3b)];
export const and4 = (a: Code, b: Code): Code => [...a, ...b, ...simd(0x4e)];
export const or4 = (a: Code, b: Code): Code => [...a, ...b, ...simd(0x50)];
export const shiftRight4 = (a: Code, bits: number): Code => [...a, ...int(bits), ...simd(0xac)];
export const shiftLeft4 = (a: Code, bits: number): Code => [...a, ...int(bits), ...simd(0xab)];
/** Floats without their fractions as whole numbers. */
export const ints4 = (a: Code): Code => [...a, ...simd(0xf8)];
export const floats4 = (a: Code): Code => [...a, ...simd(0xfa)];
/** One bit for each lane whose sign is set, as in every lane of a mask that holds. */
export const signs4 = (a: Code): Code => [...a, ...simd(0xa4)];
export const sumOfInt4 = (value: Local): Code => {
  const lane = (n: number): Code => [...value.get, ...simd(0x1b), n];
  return addInt(addInt(lane(0), lane(1)), addInt(lane(2), lane(3)));
};

/** Runs `code` for counter = 0, step, … while below `end`; at least once, so callers never pass an empty range. */
export function loop(counter: Local, end: Code, step: number, code: Code): Code {
  return [
    ...counter.set(int(0)),
    0x03, 0x40,
    ...code,
    ...counter.set(addInt(counter.get, int(step))),
    ...below(counter.get, end), 0x0d, 0,
    0x0b,
  ];
}

/** Runs `code` once, and again while the condition is not 0. */
export const repeatWhile = (condition: Code, code: Code): Code => [0x03, 0x40, ...code, ...condition, 0x0d, 0, 0x0b];

/** Runs `code` while the condition is not 0. */
export function loopWhile(condition: Code, code: Code): Code {
  return [0x02, 0x40, 0x03, 0x40, ...condition, 0x45, 0x0d, 1, ...code, 0x0c, 0, 0x0b, 0x0b];
}

export function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value >>> 0;
  do {
    const low = rest & 0x7f;
    rest >>>= 7;
    bytes.push(rest === 0 ? low : low | 0x80);
  } while (rest !== 0);
  return bytes;
}

function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value | 0;
  for (;;) {
    const low = rest & 0x7f;
    rest >>= 7;
    // The last byte's sixth bit is the sign of what was cut off.
    if ((rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0)) return [...bytes, low];
    bytes.push(low | 0x80);
  }
}

function vector(parts: readonly (readonly number[])[]): number[] {
  return [...unsigned(parts.length), ...parts.flat()];
}

function text(value: string): number[] {
  const bytes = new TextEncoder().encode(value);
  return [...unsigned(bytes.length), ...bytes];
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...unsigned(content.length), ...content];
}
