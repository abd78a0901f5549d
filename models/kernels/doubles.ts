/** Instructions of the assembler on 64-bit floats, one and two at a time. */
import { unsigned, type Code } from './assembler.js';

export const double = (value: number): Code => [0x44, ...new Uint8Array(Float64Array.of(value).buffer)];
export const loadDouble = (at: Code, offset = 0): Code => [...at, 0x2b, 3, ...unsigned(offset)];
export const storeDouble = (at: Code, value: Code, offset = 0): Code => [...at, ...value, 0x39, 3, ...unsigned(offset)];
export const addDouble = (a: Code, b: Code): Code => [...a, ...b, 0xa0];
export const subtractDouble = (a: Code, b: Code): Code => [...a, ...b, 0xa1];
export const timesDouble = (a: Code, b: Code): Code => [...a, ...b, 0xa2];
export const divideDouble = (a: Code, b: Code): Code => [...a, ...b, 0xa3];
export const largerDouble = (a: Code, b: Code): Code => [...a, ...b, 0xa5];
/** 1 where a is less than b, else 0, as with NaN. */
export const belowDouble = (a: Code, b: Code): Code => [...a, ...b, 0x63];

const simd = (op: number): Code => [0xfd, ...unsigned(op)];

export const nothing2: Code = [...simd(12), ...new Uint8Array(16)];
export const load2 = (at: Code, offset = 0): Code => [...at, ...simd(0), 3, ...unsigned(offset)];
export const store2 = (at: Code, value: Code, offset = 0): Code => [...at, ...value, ...simd(11), 3, ...unsigned(offset)];
/** The first of two alone. */
export const storeFirst = (at: Code, value: Code, offset = 0): Code => [...at, ...value, ...simd(0x5b), 3, ...unsigned(offset), 0];
export const spread2 = (value: Code): Code => [...value, ...simd(0x14)];
export const add2 = (a: Code, b: Code): Code => [...a, ...b, ...simd(0xf0)];
export const subtract2 = (a: Code, b: Code): Code => [...a, ...b, ...simd(0xf1)];
export const times2 = (a: Code, b: Code): Code => [...a, ...b, ...simd(0xf2)];
export const divide2 = (a: Code, b: Code): Code => [...a, ...b, ...simd(0xf3)];
/** All bits of a lane set where a is less than b. */
export const below2 = (a: Code, b: Code): Code => [...a, ...b, ...simd(0x49)];
/** All bits of a lane set where a is b at most. */
export const atMost2 = (a: Code, b: Code): Code => [...a, ...b, ...simd(0x4b)];
/** b where it is larger, else a. */
export const larger2 = (a: Code, b: Code): Code => [...a, ...b, ...simd(0xf7)];
export const whole2 = (a: Code): Code => [...a, ...simd(0x7a)];
export const negative2 = (a: Code): Code => [...a, ...simd(0xed)];
export const constant2 = (value: number): Code => [...simd(12), ...new Uint8Array(Float64Array.of(value, value).buffer)];
/** The same 64 bits twice, by their upper and lower half. */
export const bits2 = (upper: number, lower = 0): Code => [...simd(12), ...new Uint8Array(Uint32Array.of(lower, upper, lower, upper).buffer)];
/** Of the bits as whole numbers. */
export const addBits2 = (a: Code, b: Code): Code => [...a, ...b, ...simd(0xce)];
export const shiftLeft2 = (a: Code, bits: number): Code => [...a, 0x41, bits, ...simd(0xcb)];
export const shiftRight2 = (a: Code, bits: number): Code => [...a, 0x41, bits, ...simd(0xcd)];
