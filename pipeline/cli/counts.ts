import { InvalidArgumentError } from 'commander';

/** Reads an option that is a whole number from `least` to `most`. */
export const wholeFrom = (least: number, most = Infinity) => (text: string): number => {
  const count = text.trim() === '' ? NaN : Number(text);
  if (!Number.isInteger(count) || count < least) throw new InvalidArgumentError(`It must be a whole number of ${least} or more.`);
  if (count > most) throw new InvalidArgumentError(`It must be ${most.toLocaleString('en')} at most.`);
  return count;
};

export const parseCount = wholeFrom(1, 10_000);
