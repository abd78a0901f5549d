import { InvalidArgumentError } from 'commander';
import { dateOf, dayOf } from './sales-file.js';

/** Reads an option that is a day. */
export function parseDate(text: string): number {
  const day = dayOf(text);
  if (day === undefined) throw new InvalidArgumentError(`"${text}" is no day written as YYYY-MM-DD.`);
  return day;
}

/** Days in order. One that is named twice would count twice in every mean. */
export function parseDates(text: string): number[] {
  const days = new Set<number>();
  for (const day of text.split(',').map(parseDate)) {
    if (days.has(day)) throw new InvalidArgumentError(`${dateOf(day)} is there twice.`);
    days.add(day);
  }
  return [...days].toSorted((a, b) => a - b);
}
