import { expect, test } from 'vitest';
import { bounded, limitMet, refusalOf } from '../../pipeline/read-only-sql.js';

test.each([
  'SELECT count() FROM millrace.sales', 'with x as (select 1) select * from x', '  SHOW TABLES', 'DESCRIBE TABLE millrace.sales', "SELECT 'file(x) ; drop'", '(SELECT 1)',
])('looking is answered: %s', (query) => expect(refusalOf(query)).toBeUndefined());

test.each([
  'DROP TABLE interactions', 'ALTER TABLE sales DELETE WHERE 1', 'INSERT INTO sales VALUES (1)', "SELECT * FROM file('/etc/passwd','LineAsString')", "select * from URL ('http://127.0.0.1')",
  'SELECT 1; DROP TABLE sales', "SELECT 1 INTO OUTFILE '/tmp/x'", "SELECT * FROM executable('ls','TSV','x String')",
])('what changes something or reaches out is refused: %s', (query) => expect(refusalOf(query)).toEqual(expect.any(String)));

const limits = (seconds = 20, rows = 100_000, bytes = 67_108_864): string =>
  `max_execution_time = ${seconds}, max_result_rows = ${rows}, max_result_bytes = ${bytes}, result_overflow_mode = 'throw'`;

test.each([
  ['SELECT 1 -- all of it; ', `SELECT 1 -- all of it\nFORMAT JSONEachRow SETTINGS ${limits()}`],
  ['SELECT 1 -- format x settings y', `SELECT 1 -- format x settings y\nFORMAT JSONEachRow SETTINGS ${limits()}`],
  ['with x as (select 1) select * from x FORMAT JSONEachRow', `with x as (select 1) select * from x FORMAT JSONEachRow\nSETTINGS ${limits()}`],
  ['SELECT 1 FORMAT JSONEachRow SETTINGS max_threads = 1', `SELECT 1 FORMAT JSONEachRow SETTINGS max_threads = 1\n, ${limits()}`],
  ["SELECT 'settings max_result_rows = 5'", `SELECT 'settings max_result_rows = 5'\nFORMAT JSONEachRow SETTINGS ${limits()}`],
])('a question is given an end: %s', (query, ended) => expect(bounded(query)).toBe(ended));

test.each([
  ['max_execution_time = 60', limits(60)],
  ['max_execution_time=0, max_result_rows=0, max_result_bytes = 0', limits(120, 10_000_000, 268_435_456)],
  ['max_execution_time = 1e9, max_result_rows = 99999999999', limits(120, 10_000_000)],
  ['MAX_EXECUTION_TIME = 0.5', limits(0.5)],
])('what it sets itself is kept up to a ceiling: %s', (own, kept) => expect(bounded(`SELECT 1 SETTINGS ${own}`)).toBe(`SELECT 1 SETTINGS ${own}\nFORMAT JSONEachRow SETTINGS ${kept}`));

test.each(['SHOW TABLES', 'DESCRIBE TABLE sales', 'ALTER TABLE sales DELETE WHERE 1'])('left as it is: %s', (query) => expect(bounded(query)).toBe(query));

test.each([
  ['Timeout exceeded: elapsed 1016.000 ms, maximum: 1000 ms: While executing NumbersRange. (TIMEOUT_EXCEEDED)', 'This takes longer than 1 seconds: ask for less at a time, or set max_execution_time in SETTINGS.'],
  ['Timeout exceeded: elapsed 502.832 ms, maximum: 500 ms. (TIMEOUT_EXCEEDED)', 'This takes longer than 0.5 seconds: ask for less at a time, or set max_execution_time in SETTINGS.'],
  // Older servers.
  ['Timeout exceeded: elapsed 20.001 seconds, maximum: 20. (TIMEOUT_EXCEEDED)', 'This takes longer than 20 seconds: ask for less at a time, or set max_execution_time in SETTINGS.'],
  ['Limit for result exceeded, max rows: 100.00 thousand, current rows: 130.82 thousand. (TOO_MANY_ROWS_OR_BYTES)', 'This answer has more than 100 thousand rows: aggregate, add a LIMIT, or set max_result_rows in SETTINGS.'],
  ['Limit for result exceeded, max bytes: 64.00 MiB, current bytes: 65.31 MiB. (TOO_MANY_ROWS_OR_BYTES)', 'This answer has more than 64 MiB: aggregate, add a LIMIT, or set max_result_bytes in SETTINGS.'],
  ['Query memory limit exceeded: would use 96.04 MiB (attempt to allocate chunk of 4.13 MiB), maximum: 95.37 MiB. Untracked memory across all threads: 188.49 KiB. (MEMORY_LIMIT_EXCEEDED)', 'This needs more memory than 95.37 MiB: ask for less at a time, or set max_memory_usage in SETTINGS.'],
  ['(for query) memory limit exceeded: would use 9.37 GiB, maximum: 9.31 GiB. (MEMORY_LIMIT_EXCEEDED)', 'This needs more memory than 9.31 GiB: ask for less at a time, or set max_memory_usage in SETTINGS.'],
  ['Memory limit (for query) exceeded: would use 9.37 GiB, maximum: 9.31 GiB. (MEMORY_LIMIT_EXCEEDED)', 'This needs more memory than 9.31 GiB: ask for less at a time, or set max_memory_usage in SETTINGS.'],
  ['Estimated query execution time (4529.901 seconds) is too long. Maximum: 1. Estimated rows to process: 1000000000000 (22958559 read in 0.104 seconds): While executing NumbersRange. (TOO_SLOW)',
    'This is too slow for what was set: Estimated query execution time (4529.901 seconds) is too long. Maximum: 1. Estimated rows to process: 1000000000000 (22958559 read in 0.104 seconds). Ask for less at a time, or set max_estimated_execution_time or min_execution_speed in SETTINGS.'],
  // As the client of a server tells it, without the name.
  ['The maximum sleep time is 3 seconds. Requested: 4 seconds: In scope SELECT sleep(4)', 'The maximum sleep time is 3 seconds.'],
  ['Query is executing too slow: 465410192.308 rows/sec., minimum: 100000000000.',
    'This is too slow for what was set: Query is executing too slow: 465410192.308 rows/sec., minimum: 100000000000. Ask for less at a time, or set max_estimated_execution_time or min_execution_speed in SETTINGS.'],
])('who met a limit is told which: %s', (said, told) => {
  for (const prefix of ['', 'ClickHouse cannot do it now: ']) expect(limitMet(new Error(`${prefix}Code: 159. DB::Exception: ${said}`))).toBe(told);
});

// The server's memory is nothing that a question could be asked for.
test.each(['(total) memory limit exceeded: would use 60.95 GiB, current RSS: 12.49 MiB, maximum: 21.23 GiB. (MEMORY_LIMIT_EXCEEDED)', "Unknown table expression identifier 'nothing'. (UNKNOWN_TABLE)"])(
  'no limit of a question: %s', (said) => expect(limitMet(new Error(said))).toBeUndefined());
