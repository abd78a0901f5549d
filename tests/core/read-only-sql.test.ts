import { expect, test } from 'vitest';
import { bounded, refusalOf } from '../../pipeline/read-only-sql.js';

test.each([
  'SELECT count() FROM millrace.sales', 'with x as (select 1) select * from x', '  SHOW TABLES', 'DESCRIBE TABLE millrace.sales', "SELECT 'file(x) ; drop'", '(SELECT 1)',
])('looking is answered: %s', (query) => expect(refusalOf(query)).toBeUndefined());

test.each([
  'DROP TABLE interactions', 'ALTER TABLE sales DELETE WHERE 1', 'INSERT INTO sales VALUES (1)', "SELECT * FROM file('/etc/passwd','LineAsString')", "select * from URL ('http://127.0.0.1')",
  'SELECT 1; DROP TABLE sales', "SELECT 1 INTO OUTFILE '/tmp/x'", "SELECT * FROM executable('ls','TSV','x String')",
])('what changes something or reaches out is refused: %s', (query) => expect(refusalOf(query)).toEqual(expect.any(String)));

test.each([
  ["SELECT 1 -- all of it; ", "SELECT 1 -- all of it\nSETTINGS max_execution_time = 20, "],
  ['with x as (select 1) select * from x FORMAT JSONEachRow', 'with x as (select 1) select * from x FORMAT JSONEachRow\nSETTINGS '],
  ["SELECT 'settings'", "SELECT 'settings'\nSETTINGS "],
])('a question is given an end: %s', (query, begins) => expect(bounded(query).startsWith(begins)).toBe(true));

test.each(['SELECT 1 SETTINGS max_execution_time = 300', 'SHOW TABLES', 'DESCRIBE TABLE sales', 'ALTER TABLE sales DELETE WHERE 1'])('left as it is: %s', (query) => expect(bounded(query)).toBe(query));
