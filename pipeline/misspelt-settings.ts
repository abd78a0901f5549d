/** A letter wrong or missing in six: of names as short as HOST another word is as near as a slip. */
const LETTERS_A_SLIP = 6;
const MOST_SLIPS = 2;

export interface Misspelt {
  readonly name: string;
  /** The setting that was probably meant. */
  readonly meant: string;
}

/** Names of the environment that are no setting, but nearly: nobody would notice that they have no effect. Values are not looked at. */
export function misspeltSettings(names: readonly string[], settings: readonly string[]): Misspelt[] {
  const known = new Set(settings);
  return names.filter((name) => !known.has(name)).flatMap((name) => {
    const written = name.toUpperCase();
    const nearest = settings
      .map((setting) => ({ setting, slips: slipsBetween(written, setting) }))
      .filter(({ setting, slips }) => slips <= Math.min(MOST_SLIPS, Math.floor(setting.length / LETTERS_A_SLIP)))
      .sort((a, b) => a.slips - b.slips)[0];
    return nearest ? [{ name, meant: nearest.setting }] : [];
  });
}

/** Letters to put in, leave out, change, or swap with their neighbour (optimal string alignment). */
function slipsBetween(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > MOST_SLIPS) return Infinity;
  let [before, last] = [[] as number[], Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1];
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row.push(Math.min(row[j - 1]! + 1, last[j]! + 1, last[j - 1]! + (isSame ? 0 : 1), isSwap ? before[j - 2]! + 1 : Infinity));
    }
    [before, last] = [last, row];
  }
  return last[b.length]!;
}
