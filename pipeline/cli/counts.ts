import { InvalidArgumentError } from 'commander';

/** Reads an option that is a whole number from 1 to `most`. */
export const countUpTo = (most: number) => (text: string): number => {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError('It must be a whole number of 1 or more.');
  if (count > most) throw new InvalidArgumentError(`It must be ${most.toLocaleString('en')} at most.`);
  return count;
};

export const parseCount = countUpTo(10_000);
