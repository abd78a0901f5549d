import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { csvRows, opened } from '../../../producers/formats/csv.js';
import { fileText, type FileRecord, type Format } from '../../../producers/formats/format.js';
import { formats } from '../../../producers/formats/index.js';
import { exactIds, jsonList, NotJson } from '../../../producers/formats/json-items.js';
import { localTime } from '../../../producers/formats/zone.js';
import { packageRoot } from '../../../schemas/files.js';
import { clickstream, inventory, orders } from '../../../schemas/topics.js';
import type { OrderLine } from '../../../schemas/types.js';
import { folderForTest } from '../../support/folder.js';

async function* pieces(text: string, size = 7): AsyncGenerator<string> {
  for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size);
}

const options = { source: 'file', receivedAt: Date.UTC(2026, 0, 1), shop: { currency: 'EUR', timezone: 'Europe/Berlin' } };

function lineOf(value: FileRecord['value']): OrderLine {
  if (!('lines' in value)) throw new Error('This is not an order.');
  return value.lines[0]!;
}

async function readAll(format: Format, text: AsyncIterable<string>) {
  const reading = format(text, options);
  const records: FileRecord[] = [];
  for await (const some of reading.records) records.push(...some);
  return { records, summary: reading.summary };
}

describe('CSV', () => {
  const rowsOf = async (text: string, size: number): Promise<string[][]> => {
    const all: string[][] = [];
    for await (const rows of csvRows(pieces(text, size))) all.push(...rows.map(({ cells }) => cells));
    return all;
  };

  test('quotes, doubled quotes and line breaks within quotes are read', async () => {
    const text = 'a,b\r\n"x, ""y""\n z",2\n\n,""\nlast,"cell"';
    for (const size of [1, 2, 3, 100]) expect(await rowsOf(text, size)).toEqual([['a', 'b'], ['x, "y"\n z', '2'], ['', ''], ['last', 'cell']]);
  });

  test('a quote that is never closed is refused by the line in which it opens, and swallows nothing', async () => {
    for (const size of [1, 3, 100]) {
      await expect(rowsOf('sku,name\nR0,"two\nlines"\nR1,"pan of 12 inch\nR2,pot\n', size)).rejects.toThrow('The quote that opens in line 4 is never closed.');
      await expect(rowsOf('sku,name,text\nR0,"two\nlines","', size)).rejects.toThrow('line 3');
    }
  });

  test('whatever was written is read back, cut anywhere', async () => {
    const cell = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', ' ', 'é'), maxLength: 6 });
    await fc.assert(fc.asyncProperty(fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { maxLength: 5 }), fc.integer({ min: 1, max: 9 }), async (rows, size) => {
      const text = rows.map((row) => row.map((value) => `"${value.replaceAll('"', '""')}"`).join(',')).join('\n');
      expect(await rowsOf(text, size)).toEqual(rows);
    }));
  });
});

describe('the first line of a text', () => {
  test('is known when it ends, however lines end, and nothing is lost of what follows', async () => {
    for (const end of ['\n', '\r\n']) {
      let given = 0;
      const lines = async function* (): AsyncGenerator<string> {
        for (; given < 5; given++) yield `${end}a,b${end}`;
      };
      const { first, text } = await opened(lines());
      expect([first, given]).toEqual(['a,b', 0]);
      let all = '';
      for await (const some of text) all += some;
      expect(all).toBe(`${end}a,b${end}`.repeat(5));
    }
  });

  test('is known at once of a text of one long line, as of JSON that is no table', async () => {
    const { user } = process.cpuUsage();
    const { first } = await opened(pieces('1,'.repeat(30_000), 30_000));
    expect(first).toHaveLength(60_000);
    expect(process.cpuUsage().user - user).toBeLessThan(1_000_000);
  });
});

test('ids beyond 2^53 keep their digits, and a line that is cut off within a text is given back at once', () => {
  expect(exactIds('[9007199254740993, -9007199254740993, 9007199254740991, "9007199254740993 \\" 9007199254740993", 1.9007199254740993]'))
    .toBe('["9007199254740993", "-9007199254740993", 9007199254740991, "9007199254740993 \\" 9007199254740993", 1.9007199254740993]');
  const cut = `[1234567890123456, "${'\\"'.repeat(60_000)}`;
  const { user } = process.cpuUsage();
  expect(exactIds(cut)).toBe(cut);
  expect(process.cpuUsage().user - user).toBeLessThan(1_000_000);
});

describe('a JSON list', () => {
  const itemsOf = async (text: string, size: number): Promise<unknown[]> => {
    const all: unknown[] = [];
    for await (const items of jsonList(pieces(text, size), 10_000)) all.push(...items.map((item) => ('value' in item ? item.value : 'not JSON')));
    return all;
  };

  test('is read item by item, cut anywhere', async () => {
    await fc.assert(fc.asyncProperty(fc.array(fc.jsonValue(), { maxLength: 6 }), fc.integer({ min: 1, max: 9 }), fc.constantFrom(undefined, 2), async (values, size, indent) => {
      const text = JSON.stringify(values, undefined, indent);
      expect(await itemsOf(text, size)).toEqual(JSON.parse(text));
    }));
  });

  test('that is none, or has no end, says so', async () => {
    await expect(itemsOf('{"a":1}', 3)).rejects.toThrow(NotJson);
    await expect(itemsOf('[1,2', 3)).rejects.toThrow('no end');
    await expect(itemsOf('[1] x', 3)).rejects.toThrow('behind the list');
    await expect(itemsOf(`["${'x'.repeat(20_000)}"]`, 100)).rejects.toThrow('longer');
    expect(await itemsOf('[1, oops, "]"]', 4)).toEqual([1, 'not JSON', ']']);
  });
});

describe('local time', () => {
  test('follows the zone over both changes of the clock', () => {
    const london = localTime('Europe/London');
    expect(london(Date.UTC(2010, 11, 1, 8, 26))).toBe(Date.UTC(2010, 11, 1, 8, 26));
    expect(london(Date.UTC(2011, 6, 1, 8, 26))).toBe(Date.UTC(2011, 6, 1, 7, 26));
    expect(london(Date.UTC(2011, 2, 27, 1, 30))).toBe(Date.UTC(2011, 2, 27, 1, 30));
    expect(london(Date.UTC(2011, 9, 30, 1, 30))).toBe(Date.UTC(2011, 9, 30, 0, 30));
    expect(localTime('Asia/Kathmandu')(Date.UTC(2020, 0, 1, 5, 45))).toBe(Date.UTC(2020, 0, 1));
  });

  test('shown by the zone’s clocks is what was read, but in the skipped hour', () => {
    const zone = 'America/New_York';
    const instant = localTime(zone);
    const clock = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' });
    fc.assert(fc.property(fc.integer({ min: Date.UTC(2000, 0, 1), max: Date.UTC(2030, 0, 1) }), (local) => {
      const shown = new Date(local).toISOString().slice(0, 19).replace('T', ' ');
      const month = new Date(local).getUTCMonth();
      fc.pre(!(month === 2 || month === 3));
      expect(clock.format(instant(local))).toBe(shown);
    }));
  });
});

describe('online-retail', () => {
  const sample = `InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
536365,85123A,"HOLDER, ""T-LIGHT""",6,2010-12-01 08:26:00,2.55,17850,United Kingdom
C536379,D,Discount,-1,2010-12-01 09:41:00,27.50,14527,United Kingdom
536589,21777,,-10,2010-12-01 16:50:00,0.0,,United Kingdom
A563186,B,Adjust bad debt,1,2011-08-12 14:51:00,-11062.06,,United Kingdom
550193,"PADS ",PADS,1,2011-04-15 09:27:00,0.001,13952.0,EIRE
x,y,z,many,2010-02-30 00:00:00,"1,5",,
`;

  test('each line is an order line with its sign, price and place', async () => {
    const { records, summary } = await readAll(formats['online-retail'], pieces(sample));
    expect(records.map(({ key, time, value }) => [key, time, lineOf(value).quantity, lineOf(value).price])).toEqual([
      ['536365', Date.UTC(2010, 11, 1, 8, 26), 6, 25_500n],
      ['C536379', Date.UTC(2010, 11, 1, 9, 41), -1, 275_000n],
      ['536589', Date.UTC(2010, 11, 1, 16, 50), -10, 0n],
      ['A563186', Date.UTC(2011, 7, 12, 13, 51), 1, -110_620_600n],
      ['550193', Date.UTC(2011, 3, 15, 8, 27), 1, 10n],
    ]);
    expect(records[0]!.value).toMatchObject({ kind: 'line', userId: '17850', anonymousId: null, currency: 'GBP', country: 'United Kingdom', source: { name: 'file', ordinal: 0 }, lines: [{ sku: '85123A', name: 'HOLDER, "T-LIGHT"' }] });
    expect(records[2]!.value).toMatchObject({ userId: null, lines: [{ name: null }] });
    expect(records[4]!.value).toMatchObject({ userId: '13952', lines: [{ sku: 'PADS' }] });
    expect(summary).toMatchObject({ read: 5, refused: 1, odd: { cancellation: 1, negative_quantity: 1, zero_price: 1, adjustment: 1, no_customer: 2 } });
    expect(summary.examples[0]).toMatchObject({ line: 7, errors: [{ path: 'Quantity' }, { path: 'UnitPrice' }, { path: 'InvoiceDate' }] });
    for (const { value } of records) expect(orders.codec.decode(orders.codec.encode(value as never))).toEqual(value);
  });

  test('the spreadsheet edition’s names and dates are read too', async () => {
    const { records } = await readAll(formats['online-retail'], pieces('Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country\n489434,85048,X,12,12/1/2009 7:45,6.95,13085.0,UK\n'));
    expect(records[0]).toMatchObject({ time: Date.UTC(2009, 11, 1, 7, 45), value: { userId: '13085' } });
  });

  test('a file of other columns is refused with those that are missing', async () => {
    await expect(readAll(formats['online-retail'], pieces('a,b\n1,2\n'))).rejects.toThrow('InvoiceNo');
  });

  const folder = process.env['MILLRACE_DATA'] ?? join(packageRoot, '../shared/data');
  const whole = join(folder, 'online-retail.csv.gz');
  if (!existsSync(whole)) process.stderr.write(`The whole online-retail file is not at ${whole}; set MILLRACE_DATA to check its sums.\n`);
  test.skipIf(!existsSync(whole))('the whole file adds up to the cent', async () => {
    const { records, summary } = formats['online-retail'](fileText(whole), options);
    let sum = 0n;
    let count = 0;
    for await (const some of records) {
      for (const record of some) {
        if (record.topic !== 'orders') continue;
        const [line] = record.value.lines;
        sum += BigInt(line!.quantity) * line!.price;
        count++;
      }
    }
    expect([count, summary.read, summary.refused]).toEqual([541_909, 541_909, 0]);
    expect(summary.odd['no_customer']).toBe(135_080);
    expect((sum + 50n) / 100n).toBe(974_774_793n);
  });
});

describe('clicks', () => {
  test('RetailRocket sessions are anonymous shoppers in made-up time; prefixes are not clicks again', async () => {
    const { records, summary } = await readAll(formats['retailrocket-sessions'], pieces('[1,2,1]\n[3]\n"x"\n'));
    expect(records.map(({ key, value }) => [key, 'products' in value && value.products[0]!.sku])).toEqual([['file-s0', '1'], ['file-s0', '2'], ['file-s0', '1'], ['file-s1', '3']]);
    expect(records.map(({ time }) => time)).toEqual(records.map(({ time }) => time).sort((a, b) => a - b));
    expect(summary).toMatchObject({ read: 4, refused: 1 });
    const again = await readAll(formats['retailrocket-sessions'], pieces('[1,2,1]\n[3]\n"x"\n', 3));
    expect(again.records).toEqual(records);

    const tested = await readAll(formats['retailrocket-sessions'], pieces('[[5,6,7],8]\n[[5,6],7]\n[[5],6]\n[[9],9]\n'));
    expect(tested.records).toHaveLength(6);
    expect(tested.summary.odd).toEqual({ prefix_of_the_session_before: 2 });

    // As numbers both would be 27021597764222976.
    const large = await readAll(formats['retailrocket-sessions'], pieces('[27021597764222976,27021597764222977]\n'));
    expect(large.records.map(({ value }) => 'products' in value && value.products[0]!.sku)).toEqual(['27021597764222976', '27021597764222977']);
  });

  test('a table with quoted cells is read by its columns, and events that say nothing of interest are odd', async () => {
    const lines = ['event_time,category,event_type,product_id,user_session', '2019-10-01 00:00:00 UTC,"Toys, Games",view,7,s', '2019-10-01T00:00:00Z,"Toys, Games",view,7,s', '2019-10-01T00:00:01Z,,remove_from_cart,7,s', '2019-10-01T00:00:02Z,,purchase,7,s', '2019-10-01T00:00:03Z,Toys, Games,view,7,s'];
    const { records, summary } = await readAll(formats.yoochoose, pieces(lines.join('\n')));
    expect(records.map(({ key, value }) => [key, 'products' in value && value.products[0]!.sku])).toEqual([['file-s', '7'], ['file-s', '7']]);
    expect(summary).toMatchObject({ read: 2, refused: 1, odd: { event_without_a_meaning: 2 }, examples: [{ line: 6, errors: [{ code: 'surplus_columns' }] }] });
  });

  test('YooChoose clicks leave in time order with their own times', async () => {
    const { records, summary } = await readAll(formats.yoochoose, pieces('SessionId\tItemId\tTime\n3\t10\t1396437466.94\n4\t11\t1396437400\n5\t12\tnever\n'));
    expect(records.map(({ key, time }) => [key, time])).toEqual([['file-4', 1_396_437_400_000], ['file-3', 1_396_437_466_940]]);
    expect(summary).toMatchObject({ read: 2, refused: 1 });
    const publishers = await readAll(formats.yoochoose, pieces('1,2014-04-07T10:51:09.277Z,214536502,0\n'));
    expect(publishers.records[0]).toMatchObject({ key: 'file-1', time: Date.UTC(2014, 3, 7, 10, 51, 9, 277) });
    expect(clickstream.codec.decode(clickstream.codec.encode(records[0]!.value as never))).toEqual(records[0]!.value);
  });

  test('a Diginetica view happened so many milliseconds after its day began', async () => {
    const { records, summary } = await readAll(formats.diginetica, pieces('sessionId;userId;itemId;timeframe;eventdate\n1;NA;81766;526309;2016-05-09\n1;NA;31331;1031018;2016-05-09\n2;NA;x;1;9 May\n'));
    expect(records.map(({ key, time }) => [key, time - Date.UTC(2016, 4, 9)])).toEqual([['file-1', 526_309], ['file-1', 1_031_018]]);
    expect(summary).toMatchObject({ read: 2, refused: 1 });
  });

  test('RetailRocket events are views, additions to the cart, and order lines without a price', async () => {
    const lines = ['timestamp,visitorid,event,itemid,transactionid', '1433221332117,2,view,35,', '1433221332000,2,addtocart,35,', '1433221999000,2,transaction,35,40', '1433221999001,2,stare,35,', '1,2,transaction,35,'];
    const { records, summary } = await readAll(formats['retailrocket-events'], pieces(lines.join('\n')));
    expect(records.map(({ topic, key, value }) => [topic, key, 'event' in value ? value.event : ''])).toEqual([
      ['clickstream', 'file-2', 'Product Added'], ['clickstream', 'file-2', 'Product Viewed'], ['orders', '40', ''],
    ]);
    expect(records[2]!.value).toMatchObject({ kind: 'line', orderId: '40', anonymousId: 'file-2', lines: [{ sku: '35', quantity: 1, price: 0n }] });
    expect(orders.codec.decode(orders.codec.encode(records[2]!.value as never))).toEqual(records[2]!.value);
    expect(summary).toMatchObject({ read: 3, refused: 2, odd: { order_without_prices: 1 } });
  });

  test('RetailRocket properties tell category and stock, and much that nobody can read', async () => {
    const lines = ['timestamp,itemid,property,value', '1435460400000,460429,categoryid,1338', '1435460400000,206783,888,1116713 n277.200', '1441508400000,395014,available,0', '1442113200000,395014,available,1', 'x,1,2'];
    const { records, summary } = await readAll(formats['retailrocket-properties'], pieces(lines.join('\n')));
    expect(records.map(({ topic, key }) => [topic, key])).toEqual([['catalog', '460429'], ['inventory', '395014'], ['inventory', '395014']]);
    expect(records.map(({ value }) => value)).toMatchObject([{ category: '1338' }, { quantity: 0 }, { quantity: null, availability: 'in_stock' }]);
    expect(inventory.codec.decode(inventory.codec.encode(records[1]!.value as never))).toEqual(records[1]!.value);
    expect(summary).toMatchObject({ read: 4, refused: 1, odd: { property_without_a_meaning: 1 } });
  });

  test('a file that is no table of clicks is refused with a sentence', async () => {
    await expect(readAll(formats.yoochoose, pieces('user,rating\n1,2\n'))).rejects.toThrow('The first line is no table of clicks');
  });
});

describe('events', () => {
  test('Segment lines are collected with their place; the time of sending says nothing in a file', async () => {
    const lines = [
      { type: 'track', userId: 'u', event: 'Product Viewed', properties: { sku: 'A' }, timestamp: '2025-01-01T00:00:00Z', sentAt: '2025-01-01T00:00:05Z' },
      { batch: [{ type: 'page', anonymousId: 'a' }, { type: 'track' }] },
      { type: 'track', messageId: 'o', userId: 'u', event: 'Order Completed', properties: { order_id: 'O', products: [{ sku: 'A' }] } },
    ];
    const { records, summary } = await readAll(formats['segment-ndjson'], pieces(`${lines.map((line) => JSON.stringify(line)).join('\n')}\nnot json\n`, 50));
    expect(records.map(({ topic, value }) => [topic, 'source' in value ? value.source : null])).toEqual([
      ['clickstream', { name: 'file', ordinal: 0 }], ['clickstream', { name: 'file', ordinal: 1 }], ['clickstream', { name: 'file', ordinal: 3 }], ['orders', { name: 'file', ordinal: 3 }],
    ]);
    expect(records[0]).toMatchObject({ time: Date.UTC(2025, 0, 1), value: { messageId: 'file:0' } });
    expect(summary).toMatchObject({ read: 3, refused: 2 });
  });

  test('GA4 export rows and Measurement Protocol payloads are collected', async () => {
    const lines = [
      { event_name: 'purchase', event_timestamp: '1735689600000000', user_pseudo_id: 'p.1', event_params: [{ key: 'currency', value: { string_value: 'USD' } }, { key: 'transaction_id', value: { string_value: 'T' } }], ecommerce: { purchase_revenue: 20.02, transaction_id: 'T' }, items: [{ item_id: 'I', item_name: 'N', price: 10.01, quantity: '2' }] },
      { client_id: 'c', events: [{ name: 'view_item', params: { items: [{ item_id: 'I' }] } }, { name: 'page_view', params: { page_location: 'https://s/' } }] },
    ];
    const { records, summary } = await readAll(formats['ga4-ndjson'], pieces(lines.map((line) => JSON.stringify(line)).join('\n'), 60));
    expect(summary).toMatchObject({ read: 3, refused: 0 });
    expect(records[1]).toMatchObject({ topic: 'orders', key: 'T', time: Date.UTC(2025, 0, 1), value: { currency: 'USD', total: 200_200n, anonymousId: 'p.1', lines: [{ sku: 'I', quantity: 2, price: 100_100n }] } });
    expect(records[2]).toMatchObject({ topic: 'clickstream', value: { event: 'Product Viewed' } });
    expect(records[3]).toMatchObject({ value: { type: 'page', url: 'https://s/' } });
  });
});

describe('a bad line', () => {
  const retail = 'InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country';
  const sold = (sku: string, name: string, quantity: string): string => `1,${sku},${name},${quantity},2010-12-01 08:26:00,1,,`;
  const view = '{"type":"track","event":"Product Viewed","userId":"u","properties":{"sku":"A"}}';
  const exported = '{"event_name":"page_view","event_timestamp":"1735689600000000","user_pseudo_id":"p.1"}';

  test.each<[string, Format, string[], [line: number, ...paths: string[]][]]>([
    ['behind blank ones and cells of several', formats['online-retail'], [retail, sold('A', 'X', '1'), '', sold('B', '"a\r\nb\n""c"""', '1'), sold('C', 'X', 'many'), '', sold('D', '"\n"', 'some'), sold('E', 'X', 'no')],
      [[7, 'Quantity'], [9, 'Quantity'], [11, 'Quantity']]],
    ['of units that nobody sold, or that are not written as numbers are', formats['online-retail'], [retail, ...['-5', '0.5', '+3', '1e12', '1000000000001', '-1e300', '0x10', 'Infinity', ''].map((quantity) => sold('A', 'X', quantity))],
      [[5, 'Quantity'], [6, 'Quantity'], [7, 'Quantity'], [8, 'Quantity'], [9, 'Quantity'], [10, 'Quantity']]],
    ['of Segment calls', formats['segment-ndjson'], [view, '', '  ', 'not json', view, `{"batch":[${view},{"type":"track","event":5},${view}]}`, '{"type":"track"}'], [[4, ''], [6, 'batch[1].event', 'batch[1].userId'], [7, 'event', 'userId']]],
    ['of GA4', formats['ga4-ndjson'], [exported, '', '{"client_id":"c","events":[{"name":"page_view"},7]}', '[]'], [[3, 'events[1]'], [4, '']]],
    ['of sessions', formats['retailrocket-sessions'], ['[1,2]', '', '"x"', '[3]', '4'], [[3, ''], [5, '']]],
    ['of clicks', formats.yoochoose, ['SessionId\tItemId\tTime', '3\t10\t1396437466', '4\tx'], [[3, '']]],
    ['of clicks without a header', formats.yoochoose, ['1,2014-04-07T10:51:09.277Z,214536502,0', 'x'], [[2, '']]],
    ['of properties', formats['retailrocket-properties'], ['timestamp,itemid,property,value', '1435460400000,1,888,n', 'x,1,2'], [[3, '']]],
  ])('is named by its number in the file, from 1: %s', async (_, format, lines, wrong) => {
    for (const [end, size] of [['\n', 3], ['\r\n', 7], ['\n', 1_000]] as const) {
      const { summary } = await readAll(format, pieces(lines.join(end), size));
      expect(summary.examples.map(({ line, errors }) => [line, ...errors.map(({ path }) => path).sort()])).toEqual(wrong);
    }
  });

  test('without an end is named, too', async () => {
    const long = 'x'.repeat(1 << 21);
    await expect(readAll(formats['online-retail'], pieces(`${retail}\n${sold('A', '"b\nc"', '1')}\n2,B,"${long}`, 1 << 18))).rejects.toThrow('The row that begins in line 4 is longer than');
    await expect(readAll(formats['segment-ndjson'], pieces(`${view}\n\n{"${long}`, 1 << 18))).rejects.toThrow('Line 3 is longer than');
  });
});

describe('what has not come yet', () => {
  // A file log lives by its file: one such line would end time there, and all after it.
  const far = Date.UTC(2101, 3, 16);
  const hourAhead = options.receivedAt + 3_600_000;
  const retail = (iso: string): string => `536365,85123A,X,6,${iso},2.55,17850,UK`;
  const click = (time: number): string => `${time},2,transaction,35,40`;
  const property = (time: number): string => `${time},460429,categoryid,1338`;
  const order = (timestamp: string): string => JSON.stringify({ type: 'track', userId: 'u', event: 'Order Completed', properties: { order_id: 'O', products: [{ sku: 'A' }] }, timestamp });
  const exported = (time: number): string => JSON.stringify({ event_name: 'page_view', event_timestamp: `${time * 1000}`, user_pseudo_id: 'p.1' });

  test.each<[string, Format, string[], number, RegExp]>([
    ['online-retail', formats['online-retail'], ['InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country', retail('2010-12-01 08:26:00'), retail('2101-04-16 00:00:00'), retail('2026-01-01 01:00:00')], 3, /^InvoiceDate 2101-04-15T23:00:00/],
    ['retailrocket-events', formats['retailrocket-events'], ['timestamp,visitorid,event,itemid,transactionid', click(1_433_221_999_000), click(far), click(hourAhead)], 3, /^ 2101/],
    ['retailrocket-properties', formats['retailrocket-properties'], ['timestamp,itemid,property,value', property(1_435_460_400_000), property(far), property(hourAhead)], 3, /^timestamp 2101/],
    ['a time that no calendar has', formats['retailrocket-properties'], ['timestamp,itemid,property,value', property(1_435_460_400_000), property(1e300), property(hourAhead)], 3, /^timestamp 1e\+300/],
    ['segment-ndjson', formats['segment-ndjson'], [order('2025-01-01T00:00:00Z'), order('2101-04-16T00:00:00Z'), order('2026-01-01T01:00:00Z')], 2, /^timestamp 2101/],
    ['ga4-ndjson', formats['ga4-ndjson'], [exported(Date.UTC(2025, 0, 1)), exported(far), exported(hourAhead)], 2, /^timestamp 2101/],
  ])('is refused by its line, and what another zone says is now: %s', async (_, format, lines, line, sentence) => {
    const { records, summary } = await readAll(format, pieces(`${lines.join('\n')}\n`));
    expect(summary).toMatchObject({ read: 2, refused: 1, examples: [{ line, errors: [{ code: 'time_out_of_range' }] }] });
    expect(summary.examples[0]!.errors.map(({ path, message }) => `${path} ${message}`)[0]).toMatch(sentence);
    expect(Math.max(...records.map(({ time }) => time))).toBe(options.receivedAt);
  });
});

test('a file is unpacked when its bytes say gzip, is read without its byte order mark, and a file that is not there is an error', async () => {
  const folder = folderForTest();
  for (const [name, bytes] of [['plain', Buffer.from('héllo\n')], ['packed', gzipSync('\uFEFFhéllo\n')], ['marked', Buffer.from('\uFEFFhéllo\n')]] as const) {
    await writeFile(join(folder, name), bytes);
    let text = '';
    for await (const chunk of fileText(join(folder, name))) text += chunk;
    expect(text).toBe('héllo\n');
  }
  await expect(fileText(join(folder, 'none')).next()).rejects.toThrow('ENOENT');
  await writeFile(join(folder, 'wide'), Buffer.from('\uFEFFhéllo', 'utf16le'));
  await expect(fileText(join(folder, 'wide')).next()).rejects.toThrow('UTF-16');
  await writeFile(join(folder, 'latin'), Buffer.from('h\xe9llo', 'latin1'));
  await expect(fileText(join(folder, 'latin')).next()).rejects.toThrow('Latin-1');
  await writeFile(join(folder, 'broken'), gzipSync('x'.repeat(1000)).subarray(0, 15));
  const reading = fileText(join(folder, 'broken'));
  await expect((async () => { for await (const _ of reading); })()).rejects.toThrow('unexpected end of file');
});
