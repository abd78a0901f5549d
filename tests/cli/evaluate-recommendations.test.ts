import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { evaluateRecommendationsCommand } from '../../pipeline/cli/evaluate-recommendations.js';
import { said } from '../support/command.js';

const on = said();
const { file } = on;

async function run(...args: string[]): Promise<{ out: string; err: string; exitCode: typeof process.exitCode }> {
  on.out = on.err = '';
  await evaluateRecommendationsCommand().exitOverride().parseAsync(args, { from: 'user' }).catch((error: unknown) => (on.err += String(error)));
  return { out: on.out, err: on.err, exitCode: process.exitCode };
}

const lines = (values: readonly unknown[]): string => values.map((value) => JSON.stringify(value)).join('\n');
const train = lines(Array.from({ length: 400 }, (_, n) => [`a${n % 7}`, `b${n % 7}`, n % 7]));
const test_ = lines([[['a3', 'b3'], 3], [['a3'], 'b3'], [['a5'], 'b5']]);

test.each(['frozen', 'prequential'])('%s figures of a predictable shop, from gzipped sessions with strings and numbers', async (mode) => {
  const { out, exitCode } = await run(
    '--train', file('train.gz', gzipSync(train)), '--test', file('test.jsonl', test_), '--mode', mode, '--json',
  );
  const report: unknown = JSON.parse(out);
  expect(report).toMatchObject({ model: 'fusion', mode, n: 3, precision_at_20: 1, recall_at_5: 1, recall_at_10: 1, recall_at_20: 1 });
  for (const name of ['mrr_at_20', 'update_us_mean', 'sources_us_mean', 'query_us_p50', 'query_us_p99', 'seconds', 'ndcg_at_20', 'coverage']) {
    expect(report).toHaveProperty(name, expect.any(Number));
  }
  expect(report).toHaveProperty('mrr_at_20', 1);
  expect(exitCode).toBeUndefined();
});

test('the human answer prints the protocol beside the figures', async () => {
  const { out } = await run('--train', file('train.jsonl', train), '--test', file('test.jsonl', test_), '--model', 'transitions');
  expect(out).toContain('in one pass');
  expect(out).toMatch(/precision_at_20 +1/);
});

test('all models beside each other, in one JSON object and on a page that needs nothing else', async () => {
  const page = join(on.folder, 'report.html');
  const { out } = await run('--train', file('train.jsonl', train), '--test', file('test.jsonl', test_), '--model', 'all', '--report', page, '--json');
  const report: unknown = JSON.parse(out);
  expect(report).toMatchObject({ model: 'fusion', precision_at_20: 1, models: expect.arrayContaining([expect.objectContaining({ model: 'popularity', n: 3 })]) });
  const html = readFileSync(page, 'utf8');
  expect(html).toContain('session-knn');
  expect(html).not.toMatch(/NaN|undefined|Infinity|<script|https?:|src=/);
});

test('leave-one-out reads both forms of lines, and leaves out what a user has had', async () => {
  const users = Array.from({ length: 60 }, (_, n) => `u${n} x${n % 3} y${n % 3} z${n % 3}${n < 30 ? ` w${n}` : ''}`);
  const single = users.flatMap((line) => line.split(' ').slice(1).map((item) => `${line.split(' ')[0]}\t${item}`));
  // The first thirty go on to an item of their own, which nobody can guess and which teaches that z follows y.
  for (const form of [users, single]) {
    const { out } = await run('--leave-one-out', file('users.txt', form.join('\n')), '--json');
    expect(JSON.parse(out)).toMatchObject({ model: 'fusion', n: 60, hit_rate_at_10: 0.5, recall_at_5: expect.any(Number), recall_at_10: 0.5, recall_at_20: expect.any(Number), protocol: expect.stringContaining('side by side') });
  }
  const alternating = single.toSorted((a, b) => (a.split('\t')[1] < b.split('\t')[1] ? -1 : 1));
  expect(JSON.parse((await run('--leave-one-out', file('alternating.txt', alternating.join('\n')), '--json')).out)).toMatchObject({ n: 60, protocol: expect.stringContaining('in file order') });
});

test('with the categories of items, what nobody has joined yet is found where shoppers stay in one', async () => {
  const item = (n: number): string => `i${n}`;
  // Each visit is of one category out of six, and joins two of its twelve items; the next ones asked are of another pair each.
  const visits = Array.from({ length: 240 }, (_, n) => [n % 6 + 6 * ((n * 5) % 12), n % 6 + 6 * ((n * 7 + 1) % 12)].map(item));
  const asked = Array.from({ length: 60 }, (_, n) => [[item(n % 6 + 6 * ((n * 5) % 12))], item(n % 6 + 6 * ((n * 11 + 3) % 12))]);
  const table = ['product_id,category', ...Array.from({ length: 72 }, (_, n) => `${item(n)},"c ${n % 6}"`)].join('\n');
  const files = ['--train', file('visits.jsonl', lines(visits)), '--test', file('asked.jsonl', lines(asked)), '--json'];
  const [without, known] = [await run(...files), await run(...files, '--categories', file('categories.csv', table))].map(({ out }) => JSON.parse(out) as { recall_at_10: number; protocol: string });
  expect(known!.recall_at_10).toBeGreaterThan(without!.recall_at_10 + 0.1);
  expect(known!.protocol).toContain('The categories of 72 items were known');
  expect(without!.protocol).not.toContain('categories');
  // Told of them it was, but a recommender that reads none does not know them.
  expect((await run(...files, '--categories', file('categories.csv', table), '--model', 'popularity')).out).not.toContain('categories');
  expect((await run(...files, '--categories', file('no-categories.csv', 'sku,colour\n1,red'))).err).toContain('it lacks category');
});

test('a table of clicks as YooChoose publishes it is read in time order', async () => {
  const table = (from: number): string => ['SessionId\tItemId\tTime', ...Array.from({ length: 300 }, (_, n) =>
    [`${n}\t${n % 5}b\t${from + 10 * n + 5}.5`, `${n}\t${n % 5}a\t${from + 10 * n}`]).flat()].join('\n');
  const { out } = await run('--train', file('train.tsv', table(0)), '--test', file('test.tsv', table(10_000)), '--json');
  expect(JSON.parse(out)).toMatchObject({ n: 300, precision_at_20: 1 });
});

/** Every session looks at the same two items of one of five kinds, an hour after the one before. */
const shop = Array.from({ length: 300 }, (_, n) => ['a', 'b'].map((item, step) => ({ who: n % 40, n, item: `${n % 5}${item}`, time: Date.UTC(2015, 5, 1) + n * 3_600_000 + step * 20_000 }))).flat();

test.each([
  ['yoochoose-clicks.dat', shop.map(({ n, item, time }) => `${n},${new Date(time).toISOString()},${item},0`)],
  ['train-item-views.csv', ['sessionId;userId;itemId;timeframe;eventdate', ...shop.map(({ n, item, time }) => `${n};NA;${item};${time % 86_400_000};${new Date(time).toISOString().slice(0, 10)}`)]],
  // One visitor comes back after forty hours: that is another session. Carts and transactions are no clicks.
  ['events.csv', ['timestamp,visitorid,event,itemid,transactionid', ...shop.flatMap(({ who, item, time }) => [`${time},${who},view,${item},`, `${time},${who},addtocart,x,`, `${time},${who},transaction,x,7`])]],
])('%s loads as its publisher gives it out, and its last days can be the test', async (name, rows) => {
  const { out } = await run('--train', file(name, rows.join('\n')), '--test-days', '2', '--json');
  expect(JSON.parse(out)).toMatchObject({ n: 48, precision_at_20: 1 });
});

test('files may be pipes, which can be read only once and from the beginning', async () => {
  const pipe = (name: string, content: string | Buffer): string => {
    const path = join(on.folder, name);
    execFileSync('mkfifo', [path]);
    // The writer waits until the command opens its end.
    spawn('sh', ['-c', `cat > '${path}'`], { stdio: ['pipe', 'ignore', 'inherit'] }).stdin.end(content);
    return path;
  };
  const { out, err } = await run('--train', pipe('train.pipe', gzipSync(train)), '--test', pipe('test.pipe', test_), '--json');
  expect(err).not.toContain('cannot');
  expect(JSON.parse(out)).toMatchObject({ n: 3, precision_at_20: 1 });
  const users = Array.from({ length: 60 }, (_, n) => `u${n} x${n % 3} y${n % 3} z${n % 3}`).join('\n');
  expect(JSON.parse((await run('--leave-one-out', pipe('users.pipe', users), '--json')).out)).toMatchObject({ n: 60 });
});

test.each([
  ['a missing file', ['--train', '/nowhere/train', '--test', '/nowhere/test'], /\/nowhere\/train does not exist/],
  ['a line that is not JSON', ['--train', 'broken', '--test', 'good'], /Line 2 of .*broken is not JSON/],
  ['an item that is an object', ['--train', 'object', '--test', 'good'], /Line 1 of .*object is not items that are numbers or strings/],
  ['a test line without a target', ['--train', 'broken-test', '--test', 'broken-test'], /Line 1 of .*broken-test is not \[\[prefix…\], target\]/],
  ['an empty file', ['--train', 'empty', '--test', 'good'], /empty has no sessions/],
  ['a gzip file cut short', ['--train', 'cut', '--test', 'good'], /cut cannot be read/],
  ['no files at all', [], /Give --train and --test, .*or --leave-one-out/],
  ['days of a file without times', ['--train', 'good', '--test-days', '1'], /Line 1 of .*good is not of a table of clicks with times/],
  ['both protocols at once', ['--leave-one-out', 'users', '--train', 'broken-test'], /not both/],
  ['a report that cannot be written', ['--leave-one-out', 'pair', '--report', '/nowhere/page.html'], /\/nowhere\/page.html cannot be written/],
  ['a user without an item', ['--leave-one-out', 'users'], /Line 2 of .*users is not a user and at least one item/],
  ['a file with each line twice', ['--leave-one-out', 'twice'], /twice has no user whose last item is new to them/],
  ['users of one item only', ['--leave-one-out', 'lonely'], /no user with two items/],
])('%s is one sentence and exit code 1', async (_name, args, sentence) => {
  const files: Record<string, string> = {
    broken: file('broken', '[1,2]\n[1,'), good: file('good', '[[1],2]'), object: file('object', '[{"id":1}]'),
    'broken-test': file('broken-test', '[1,2]'), empty: file('empty', ''), cut: file('cut', gzipSync(train).subarray(0, 100)),
    users: file('users', 'u1 i1\nu2'), pair: file('pair', 'u1 i1 i2'), twice: file('twice', 'u1 i1\nu1 i1\nu2 i2\nu2 i2'), lonely: file('lonely', 'u1 i1\nu2 i2'),
  };
  const { out, err, exitCode } = await run(...args.map((arg) => files[arg] ?? arg));
  expect(err).toMatch(sentence);
  expect(err.trim().split('\n')).toHaveLength(1);
  expect(out).toBe('');
  expect(exitCode).toBe(1);
});

test('an unknown mode or model is refused with the ones there are', async () => {
  expect((await run('--mode', 'thawed')).err).toContain('frozen, prequential');
  expect((await run('--model', 'oracle')).err).toContain('fusion, transitions');
});

const real = join(process.env['MILLRACE_DATA'] ?? join(import.meta.dirname, '../../../shared/data'), 'retailrocket-sessions.train.jsonl.gz');
if (!existsSync(real)) process.stderr.write(`Skipped: ${real} is absent; set MILLRACE_DATA to the folder that has it.\n`);

test.skipIf(!existsSync(real))('on real sessions the fusion is better than each of its parts, even after two thousand sessions', async () => {
  const sessions = gunzipSync(readFileSync(real)).toString().split('\n', 2_400);
  const prefixes = sessions.slice(2_000).flatMap((line) => {
    const clicks: unknown = JSON.parse(line);
    return Array.isArray(clicks) ? clicks.slice(1).map((target: unknown, at) => [clicks.slice(0, at + 1), target]).reverse() : [];
  });
  const [train, asked] = [file('real.train', sessions.slice(0, 2_000).join('\n')), file('real.test', lines(prefixes))];
  const figures: Record<string, number> = {};
  for (const model of ['fusion', 'transitions', 'own-items', 'popularity']) {
    const report: unknown = JSON.parse((await run('--train', train, '--test', asked, '--model', model, '--mode', 'prequential', '--json')).out);
    figures[model] = typeof report === 'object' && report !== null && 'precision_at_20' in report ? Number(report.precision_at_20) : 0;
  }
  const { fusion, ...parts } = figures;
  expect(fusion).toBeGreaterThan(Math.max(...Object.values(parts)) + 0.03);
}, 120_000);
