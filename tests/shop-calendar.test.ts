import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readConfig } from '../pipeline/config.js';
import { ConfigError } from '../pipeline/core/errors.js';
import { folderForTest } from './support/folder.js';

const DAY_MS = 86_400_000;
const problemsOf = (calendar: string): string => {
  try {
    readConfig({ SHOP_CALENDAR: calendar });
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
  return '';
};

test('days known in advance are read from JSON, or from the file that is named', () => {
  const calendar = '[{"date": "2026-12-25", "kind": "closed"}, {"date": "2026-11-27", "kind": "promotion", "name": "Black Friday"}]';
  const folder = folderForTest();
  const file = join(folder, 'calendar.json');
  writeFileSync(file, calendar);
  const marked = join(folder, 'marked.json');
  writeFileSync(marked, `\uFEFF${calendar}`);
  for (const value of [calendar, file, marked]) {
    expect([...readConfig({ SHOP_CALENDAR: value }).SHOP_CALENDAR]).toEqual([
      [Date.UTC(2026, 11, 25) / DAY_MS, { kind: 'closed', name: 'closed' }], [Date.UTC(2026, 10, 27) / DAY_MS, { kind: 'promotion', name: 'Black Friday' }],
    ]);
  }
  expect(readConfig({}).SHOP_CALENDAR.size).toBe(0);
});

test('every problem of a calendar is named at once', () => {
  const problems = problemsOf(JSON.stringify([
    { date: '2026-12-25', kind: 'closed' }, { date: '2026-12-25', kind: 'holiday' }, { date: '2026-02-30', kind: 'closed' }, { date: 'soon', kind: 'party', name: '' }, 7,
  ]));
  for (const part of ['[1]: 2026-12-25 is there twice', '[2].date', '2026-02-30', '[3].date', '[3].kind', '"party"', '[3].name', '[4] must be an object']) expect(problems).toContain(part);
});

test('a calendar\'s problems are named beside those of other variables, each in a sentence', () => {
  const told = (): unknown => readConfig({ SHOP_CALENDAR: '[7]', SCORER_VECTORS: 'int9', REORDER_LEAD_TIME_DAYS: '-1' });
  for (const part of [/\[0\] must be an object/, /SCORER_VECTORS must be one of float32, int8, not "int9"/, /REORDER_LEAD_TIME_DAYS must be a whole number/]) expect(told).toThrow(part);
});

test.each([['{"date": 1}', 'must be a JSON list'], ['[1', 'JSON list of days, or the path of a file with one: '], ['[{"date": "2026-12-25", "kind": "holiday", "nam": "Christmas"}]', '[0].nam is no field of a day'], ['/nowhere/calendar.json', 'cannot be read']])('%s is refused', (value, why) => {
  expect(problemsOf(value)).toContain(why);
});
