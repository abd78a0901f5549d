/**
 * A record of named values as a sparse set of hashed binary features.
 *
 *   number x → "name:⌊4 log2 |x|⌋" with its sign (a quarter octave a bucket; zero is its own bucket), and two coarser ones, at one
 *              octave each, half an octave apart, so that neighbouring buckets share what they learn
 *   text     → "name=text"
 *
 * Nothing is fitted: a value never seen falls into its own slot, which makes the encoding fit for a stream. Slots are FNV-1a hashes
 * modulo 2^bits; slot 0 is the intercept. Missing values (undefined, empty) give no feature.
 */
export type Value = number | string | boolean | undefined;
export type Named = readonly (readonly [name: string, value: Value])[];

const OFFSET = 0x811c9dc5;
const PRIME = 0x01000193;

/** Slots of the features that are present, the intercept first. */
export function hashedFeatures(record: Named, bits: number): Int32Array {
  const slots: number[] = [0];
  for (const [name, value] of record) {
    for (const feature of featuresOf(name, value)) slots.push(slotOf(feature, bits));
  }
  return Int32Array.from(slots);
}

/** As above, and one feature for every pair of the coarse ones named in `crossed`. */
export function crossedFeatures(record: Named, crossed: readonly string[], bits: number): Int32Array {
  const slots = [...hashedFeatures(record, bits)];
  const coarse = record
    .filter(([name, value]) => crossed.includes(name) && value !== undefined && value !== '')
    .map(([name, value]) => (typeof value === 'number' ? `${name}~${octave(value, 1, 0)}` : `${name}=${String(value)}`));
  coarse.forEach((left, i) => {
    for (const right of coarse.slice(i + 1)) slots.push(slotOf(`${left}&${right}`, bits));
  });
  return Int32Array.from(slots);
}

function featuresOf(name: string, value: Value): string[] {
  if (value === undefined || value === '') return [];
  if (typeof value !== 'number') return [`${name}=${String(value)}`];
  if (!Number.isFinite(value)) return [];
  return [`${name}:${octave(value, 4, 0)}`, `${name}~${octave(value, 1, 0)}`, `${name}^${octave(value, 1, 0.5)}`];
}

function octave(value: number, perOctave: number, shift: number): string {
  if (value === 0) return '0';
  const bucket = Math.floor(perOctave * Math.log2(Math.abs(value)) + shift);
  return value < 0 ? `-${bucket}` : `${bucket}`;
}

function slotOf(feature: string, bits: number): number {
  let hash = OFFSET;
  for (let i = 0; i < feature.length; i++) hash = Math.imul(hash ^ feature.charCodeAt(i), PRIME);
  // The low bits of FNV alone mix badly.
  hash ^= hash >>> 15;
  return 1 + ((hash >>> 0) % ((1 << bits) - 1));
}
