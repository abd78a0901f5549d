/** Files as others have them: each form of the same clicks is read as the same clicks, and what is not read is refused by its line. */
import { expect, test } from 'vitest';
import * as itemIndex from '../../models/item-index.js';
import { readSplitSessions, readTestSessions, readTrainSessions } from '../../pipeline/cli/session-files.js';
import { readUserEvents } from '../../pipeline/cli/user-histories.js';
import { said } from '../support/command.js';

const on = said();
const file = (rows: readonly string[] | Buffer): string => on.file('file', Buffer.isBuffer(rows) ? rows : rows.join('\n'));

/** Twelve clicks of three users, a minute apart but for the last of each, which comes two days later; ids are told apart in any form. */
const clicks = Array.from({ length: 12 }, (_, n) => ({ user: `${7 + (n % 3)}`, item: `${20 + ((n * 5) % 7)}`, time: 1_600_000_000 + n * 60 + (n > 8 ? 172_800 : 0) }));
const rating = (n: number): number => 1 + ((n * 7) % 9) / 2;
const iso = (time: number): string => new Date(time * 1000).toISOString();
const by = (row: (click: (typeof clicks)[number], n: number) => string): string[] => clicks.map(row);
const shuffled = <T>(rows: readonly T[]): T[] => rows.map((_, n) => rows[(n * 5) % rows.length]!);

test.each<[string, string[], boolean]>([
  ['lines', by(({ user, item }) => `${user} ${item}`), false],
  ['lines with wide blanks, a byte order mark and line breaks of Windows', ['\uFEFF' + by(({ user, item }) => `${user}  ${item} `).join('\r\n')], false],
  ['a header by blanks', ['user item', ...by(({ user, item }) => `${user} ${item}`)], false],
  ['quoted cells', ['"user","item"', ...by(({ user, item }) => `"${user}","${item}"`)], false],
  ['MovieLens, ratings.csv', ['userId,movieId,rating,timestamp', ...shuffled(by(({ user, item, time }, n) => `${user},${item},${rating(n)},${time}`))], true],
  ['MovieLens, u.data', shuffled(by(({ user, item, time }, n) => `${user}\t${item}\t${Math.round(rating(n))}\t${time}`)), true],
  ['MovieLens, ratings.dat', shuffled(by(({ user, item, time }, n) => `${user}::${item}::${rating(n)}::${time}`)), true],
  ['user item time', shuffled(by(({ user, item, time }) => `${user} ${item} ${time}`)), true],
  ['ISO times, with a text that has commas', ['title;user_id;item_id;timestamp', ...shuffled(by(({ user, item, time }) => `"A; ""b"", c";${user};${item};${iso(time)}`))], true],
  ['ISO times without a header', shuffled(by(({ user, item, time }) => `${user},${item},${iso(time).replace('T', ' ').slice(0, 19)}`)), true],
  ['RecBole', ['user_id:token\titem_id:token\trating:float\ttimestamp:float', ...shuffled(by(({ user, item, time }, n) => `${user}\t${item}\t${rating(n)}\t${time}.0`))], true],
  ['H&M', ['t_dat,customer_id,article_id,price', ...shuffled(by(({ user, item, time }) => `${iso(time)},${user},${item},0.05`))], true],
  ['times as data frames write them', [',user,item,time', ...shuffled(by(({ user, item, time }, n) => `${n},${user},${item},${time.toExponential(9)}`))], true],
])('histories: %s', async (_, rows, isTimed) => {
  const index = itemIndex.init();
  const { events, ...told } = await readUserEvents(file(rows), index);
  expect(told).toEqual({ isTimed });
  const firstPlaces = (users: readonly unknown[]): number[] => users.map((user) => users.indexOf(user));
  expect(events.map(({ item }) => itemIndex.skuOf(index, item))).toEqual(clicks.map(({ item }) => item));
  expect(firstPlaces(events.map(({ user }) => user))).toEqual(firstPlaces(clicks.map(({ user }) => user)));
});

test('a list a user stays a list, whatever its items look like', async () => {
  for (const rows of [['1 2 3', '2 3 1', '3 1 2'], ['1 214716935 214832672', '2 214832672 214716935'], ['u1 i1 i2', 'u2 i2 i3 i4']]) {
    const { events } = await readUserEvents(file(rows), itemIndex.init());
    expect(events).toHaveLength(rows.join(' ').split(' ').length - rows.length);
  }
});

test.each<[string, string[] | Buffer, RegExp]>([
  ['ratings without times or names', by(({ user, item }, n) => `${user} ${item} ${rating(n)}`), /^Each line of .* has 3 cells, and column 3 looks like a rating/],
  ['times beside what has no name', by(({ user, item, time }) => `${user} ${item} x ${time}`), /^Each line of .* has 4 cells, and column 4 looks like a time/],
  ['dates and times parted by the blank that parts cells', by(({ user, item, time }) => `${user} ${item} ${iso(time).slice(0, 19).replace('T', ' ')}`), /^Each line of .* column 3 looks like a time/],
  ['times before their items', by(({ user, item, time }) => `${user}\t${iso(time)}\t${item}`), /^Each line of .* column 2 looks like a time/],
  ['how often, of users that come again', by(({ user, item }, n) => `${user} ${item} ${11 + n * n}`), /^Each line of .* column 3 may be a count/],
  ['times under a name that is not known', ['customer_id,product_id,BOUGHT_ON', ...by(({ user, item, time }) => `${user},${item},${iso(time).slice(0, 10)}`)], /^Line 1 of .* names no time, but BOUGHT_ON looks like one/],
  ['dates by month under such a name', ['TRANSACTION_DT,CUSTOMER_ID,PRODUCT_ID', '11/1/2000,1,2', '12/15/2000,1,3'], /^Line 1 of .* TRANSACTION_DT looks like one/],
  ['a header without a user that is known', ['reader,item_id', '1,2', '1,3'], /^Line 1 of .* names columns, but not a user/],
  ['a header of nothing known', ['leser buch', '1 2', '1 3'], /^Line 1 of .* not a user .* and an item/],
  ['a header that names a column twice', ['user,item,item', '1,2,3'], /names the column item twice/],
  ['a row of fewer cells', ['user,item,time', '1,2,1600000000', '1,2'], /Line 3 ends before time/],
  ['a time that is none', ['user,item,time', '1,2,1600000000', '1,2,31/12/2024 10:00'], /^Line 3 of .* has "31\/12\/2024 10:00" in the column time, which is no time/],
  ['a user that is empty', ['user,item', '1,2', ',3'], /^Line 3 of .* has nothing in the column user/],
  ['commas and blanks', ['u1 i1,i2', 'u2 i1,i3'], /^Line 1 of .* parts cells by "," and has "u1 i1"/],
  ['JSON', ['["u1", "i1"]'], /is JSON/],
  ['UTF-16', Buffer.from('\uFEFFuser,item\n1,2\n', 'utf16le'), /UTF-16.*UTF-8/],
])('histories that are refused: %s', async (_, rows, sentence) => {
  await expect(readUserEvents(file(rows), itemIndex.init())).rejects.toThrow(sentence);
});

/** Sessions as lists of ids. */
async function sessionsOf(rows: readonly string[]): Promise<unknown[][]> {
  const index = itemIndex.init();
  return (await readTrainSessions(file(rows), index)).map((session) => Array.from(session, (item) => itemIndex.skuOf(index, item)));
}

const sessions = [['20', '21'], ['22', '20', '23'], ['21']];
const rows = sessions.flatMap((items, session) => items.map((item, n) => ({ session: `${session + 5}`, item, time: 1_600_000_000 + session * 7200 + n * 60 })));
const table = (header: string, row: (click: (typeof rows)[number]) => string): string[] => [header, ...rows.map(row).toReversed()];

test.each<[string, string[]]>([
  ['JSON', sessions.map((items) => JSON.stringify(items.map(Number)))],
  ['a table', table('SessionId\tItemId\tTime', ({ session, item, time }) => `${session}\t${item}\t${time}`)],
  ['a table with a quoted category before the item', table('SessionId,Category,ItemId,Time', ({ session, item, time }) => `${session},"Toys, ""Games""",${item},${time}`)],
  ['a quoted cell of two lines', table('Time,Extra,ItemId,SessionId', ({ session, item, time }) => `"${iso(time)}","a,\nb","${item}","${session}"`)],
  ['RecBole', table('session_id:token\titem_id:token\ttimestamp:float', ({ session, item, time }) => `${session}\t${item}\t${time}.0`)],
  ['users without sessions, in milliseconds', table('user_id,item_id,timestamp', ({ item, time }) => `1,${item},${time}000`)],
  ['a shop\'s events', [...table('event_time,event_type,product_id,user_id,user_session', ({ session, item, time }) => `${iso(time)},view,${item},9,${session}`), `${iso(1_600_000_000)},cart,99,9,5`, `${iso(1_600_000_000)},purchase,99,9,5`, `${iso(1_600_000_000)},remove_from_cart,99,9,5`]],
  ['OTTO', sessions.map((_, n) => JSON.stringify({ session: n, events: [...rows.filter(({ session }) => session === `${n + 5}`).map(({ item, time }) => ({ aid: Number(item), ts: time * 1000, type: 'clicks' })), { aid: 99, ts: 1_600_000_000_000, type: 'carts' }] }))],
])('sessions: %s', async (_, text) => {
  expect(await sessionsOf(text)).toEqual(sessions);
});

test('ids beyond 2^53 stay apart in lists, in tests and in OTTO\'s lines', async () => {
  const ids = ['27021597764222976', '27021597764222977', '-27021597764222979'];
  expect(await sessionsOf([`[${ids.join(', ')}, "a 27021597764222977", 1.5]`])).toEqual([[...ids, 'a 27021597764222977', '1.5']]);
  expect(await sessionsOf([`{"session":1,"events":[${ids.map((id, n) => `{"aid":${id},"ts":${1_600_000_000 + n},"type":"clicks"}`).join()}]}`])).toEqual([ids]);
  const index = itemIndex.init();
  await readTestSessions(file([`[[${ids[0]}],${ids[1]}]`]), index);
  expect([0, 1].map((item) => itemIndex.skuOf(index, item)).toSorted()).toEqual(ids.slice(0, 2));
});

test.each<[string, string[], RegExp]>([
  ['a cell too many: a comma in a text without quotes', ['SessionId,Category,ItemId,Time', '1,Toys, Games,2,1600000000'], /^Line 2 of .* has 5 cells/],
  ['times by day and month', ['session_id;item_id;timestamp', '1;2;1600000000', '1;2;31/12/2023 10:00:00'], /^Line 3 of .* timestamp "31\/12\/2023 10:00:00" is no time/],
  ['an item that is empty', ['SessionId,ItemId,Time', '1,,1600000000'], /^Line 2 of .* ItemId "" is no item/],
  ['an event that nobody knows', ['visitorid,itemid,event,timestamp', '1,2,stare,1600000000'], /^Line 2 of .* event "stare" is none of the events/],
  ['a table without times', ['user_id,item_id,rating', '1,2,3'], /header must name a time/],
  ['a line of OTTO without events', ['{"session":1}'], /^Line 1 of .* is not \{"session"/],
])('tables that are refused: %s', async (_, text, sentence) => {
  await expect(readSplitSessions(file(text), 1, itemIndex.init())).rejects.toThrow(sentence);
});

test('a line without end is refused by its number before it fills the memory', async () => {
  for (const begin of ['[1, 2]\n\n[', '{"session":1,"events":[]}\n\n{"session":"']) {
    await expect(readTrainSessions(file(Buffer.from(begin + '1,'.repeat(1 << 21))), itemIndex.init())).rejects.toThrow(/file: Line 3 is longer than 1048576 characters/);
  }
});
