import { distance } from 'fastest-levenshtein';

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

export const misspeltSentence = ({ name, meant }: Misspelt): string => `The environment has ${name}, which is no setting: is ${meant} meant?`;

/** Letters to put in, leave out or change; two that changed places are one slip. */
function slipsBetween(written: string, setting: string): number {
  const slips = distance(written, setting);
  return slips === 2 && lettersOf(written) === lettersOf(setting) ? 1 : slips;
}

const lettersOf = (name: string): string => [...name].sort().join('');
