import { existsSync } from 'node:fs';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { pagesServer, type PagesServer } from './pages-server.js';

const CHROMIUM = process.env['CHROMIUM'] ?? ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => existsSync(path));
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

if (!CHROMIUM) process.stderr.write('SKIPPED tests/e2e/pages: there is no Chromium here (CHROMIUM names one).\n');

test.runIf(!CHROMIUM && process.env['CI'])('CI has a Chromium to open the pages with', () => {
  expect(CHROMIUM).toBeDefined();
});

describe.runIf(CHROMIUM)('pages in a browser', () => {
  let browser: Browser;
  let server: PagesServer;
  const problems: string[] = [];

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM!, args: FLAGS });
    server = await pagesServer({ everyMs: 200 });
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });
  afterEach(() => {
    problems.length = 0;
    server.calls.length = 0;
  });

  /** A page of its own shopper, whose console errors and foreign requests are noted. */
  async function open(path: string, width = 1_400): Promise<Page> {
    const page = await browser.newPage({ viewport: { width, height: 900 } });
    page.on('console', (message) => {
      if (message.type() === 'error') problems.push(message.text());
    });
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('request', (request) => {
      if (!request.url().startsWith(server.url) && !request.url().startsWith('data:')) problems.push(`request to ${request.url()}`);
    });
    await page.goto(server.url + path);
    return page;
  }
  const text = (page: Page, selector: string): Promise<string | null> => page.textContent(selector);
  /** Until an expression of the page holds. A text, since the names of a browser are unknown here. */
  const until = (page: Page, expression: string): Promise<unknown> => page.waitForFunction(expression, undefined, { timeout: 10_000 });
  const becomes = (page: Page, selector: string, not: string | null): Promise<unknown> =>
    until(page, `document.querySelector(${JSON.stringify(selector)})?.textContent !== ${JSON.stringify(not)}`);
  /** Whether the page itself scrolls sideways. */
  const overflows = (page: Page): Promise<unknown> => page.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth');

  test('the console shows the stream alive: figures, triggers and recommendations change', async () => {
    const page = await open('/');
    await becomes(page, '#accepted', '–');
    const [accepted, trigger, shown] = [await text(page, '#accepted'), await text(page, '#triggers'), await text(page, '#shown')];
    await becomes(page, '#accepted', accepted);
    await becomes(page, '#triggers', trigger);
    await becomes(page, '#shown', shown);
    expect(await text(page, '#line')).toBe('Live');
    expect(await page.locator('#readers tr').count()).toBe(10);
    expect(await page.locator('#topology .sink .rate').allTextContents()).toEqual(['42.0/s']);
    expect(await page.locator('#readers .behind').allTextContents()).toEqual(['12.4', '86,400', '1,200']);
    expect(await page.locator('#readers tr', { hasText: 'co-visitation' }).locator('th, td').allTextContents()).toEqual(['co-visitation', 'learner', '4', '0.2', '4.0']);
    expect(await page.locator('#readers tr', { hasText: 'scorer' }).locator('th, td').allTextContents()).toEqual(['scorer', 'view', '–', '–', '–']);
    expect(await page.locator('#readers tr', { hasText: 'clickhouse' }).locator('th, td').allTextContents()).toEqual(['clickhouse', 'sink', '7', '0.5', '']);
    expect(await text(page, '#health')).toContain('behind: demand-forecasts, recommender, webhook mailer.example-1a2b3c4d');
    expect(await text(page, '#health')).toContain('chdb');
    expect(await text(page, '#health')).toContain('stopped, see the runbook: sales');
    expect(await text(page, '#health')).toContain('1,234 delivered since the start; 5 attempts failed and were repeated; 2 given up, which are dead letters; nothing more to crm.example-5e6f7a8b, which answered 410');
    expect(await page.locator('#forecast rect.sold').count()).toBe(28);
    // In one go: the drawing is replaced each second.
    const heights = (await page.evaluate("[...document.querySelectorAll('#forecast path.band')].map((band) => band.getBoundingClientRect().height)")) as number[];
    expect(heights.length).toBe(4);
    expect(heights.every((height, index) => height > 0 && (index === 0 || height < heights[index - 1]!))).toBe(true);
    expect(await text(page, '#reorder')).toContain('14 units on hand');
    expect(await text(page, '#quality')).toContain('NDCG 0.250');
    expect(await text(page, '#quality')).toContain('on which a product sells: 1 to 3 (slow) 79\u00a0%, under 1 (rare) 84\u00a0%');
    expect(await page.locator('#triggers li[data-key] .cut:not(.hint)').allTextContents()).toContain('New customer');
    // What is suppressed has a code for its reason, which says nothing to who looks on.
    expect(await text(page, '#triggers')).toContain('was written to often enough');
    expect(await text(page, '#triggers')).not.toContain('frequency_cap');
    expect(problems).toEqual([]);
    await page.close();
  });

  test('the drawing has every part and every topic between parts, and none stands upon another', async () => {
    const page = await open('/');
    await page.waitForSelector('#topology svg');
    expect(await page.locator('.box.part').count()).toBe(9);
    const names = await page.locator('.box title').allTextContents();
    expect(names.some((name) => name.startsWith('trigger-candidates (stream)'))).toBe(true);
    expect(names.some((name) => name.startsWith('order-ledger (consumer), keeps order-ledger'))).toBe(true);
    const boxes = await page.locator('.box rect').evaluateAll((nodes) => nodes.map((node) => ['x', 'y', 'width', 'height'].map((name) => Number(node.getAttribute(name)))));
    const overlaps = boxes.flatMap(([x = 0, y = 0, width = 0, height = 0], index) =>
      boxes.slice(index + 1).filter(([otherX = 0, otherY = 0, otherWidth = 0, otherHeight = 0]) => x < otherX + otherWidth && otherX < x + width && y < otherY + otherHeight && otherY < y + height));
    expect(overlaps).toEqual([]);
    await page.close();
  });

  test('the console leads to the demo shop where there is one', async () => {
    const page = await open('/');
    await becomes(page, '#accepted', '–');
    expect(await page.isVisible('#shop-link')).toBe(true);
    server.answerShop(404);
    await page.reload();
    expect(await page.isVisible('#shop-link')).toBe(false);
    await becomes(page, '#accepted', '–');
    expect(await page.isVisible('#shop-link')).toBe(false);
    server.answerShop(200);
    await page.close();
  });

  test('a broken stream is said, old figures stay, and the page comes back by itself', async () => {
    const page = await open('/');
    await becomes(page, '#accepted', '–');
    server.breakStream(true);
    await until(page, "document.querySelector('#line').textContent.includes('Connection lost')");
    expect(await text(page, '#accepted')).not.toBe('–');
    server.breakStream(false);
    await until(page, "document.querySelector('#line').textContent === 'Live'");
    await page.close();
  });

  test('a console that is not public asks for the admin token, says where to find it, and refuses another one', async () => {
    server.askToken('secret');
    const page = await open('/');
    await page.waitForSelector('#token:not([hidden])');
    expect(await text(page, '#token')).toContain('ADMIN_TOKENS');
    expect([await page.isHidden('#main'), await text(page, '#token-refused')]).toEqual([true, '']);
    await page.fill('#token input', 'another');
    await page.click('#token button');
    await until(page, "document.querySelector('#token-refused').textContent.startsWith('Refused')");
    expect([await page.isHidden('#main'), page.url()]).toEqual([true, `${server.url}/`]);
    await page.fill('#token input', 'secret');
    await page.click('#token button');
    await becomes(page, '#accepted', '–');
    server.askToken(null);
    expect([await page.isHidden('#token'), await page.isHidden('#main')]).toEqual([true, false]);
    await page.close();
  });

  test.each([['/', 360], ['/', 1_400], ['/shop', 360], ['/shop', 1_400]])('%s does not scroll sideways at %i pixels', async (path, width) => {
    const page = await open(path, width);
    await page.waitForSelector(path === '/' ? '#readers tr' : '#recommended .product');
    expect(await overflows(page)).toBe(false);
    await page.close();
  });

  test('on a telephone the drawing says that it scrolls, and every reason of a trigger can be read; on a screen it need not', async () => {
    const scrolls = async (page: Page): Promise<unknown[]> => {
      await page.waitForSelector('#triggers li[data-key] .hint');
      return [await page.isVisible('.sideways'), await page.evaluate("(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth)(document.querySelector('#topology'))")];
    };
    const [telephone, screen] = [await open('/', 390), await open('/', 1_400)];
    expect(await scrolls(telephone)).toEqual([true, true]);
    expect(await scrolls(screen)).toEqual([false, false]);
    expect(await telephone.evaluate("[...document.querySelectorAll('#triggers li')].filter((row) => row.scrollHeight > row.clientHeight + 1 || [...row.querySelectorAll('.cut.hint')].some((reason) => reason.scrollWidth > reason.clientWidth + 1)).length")).toBe(0);
    // Lists of few rows leave no empty stretch.
    expect(await telephone.evaluate(`['did', 'shown', 'triggers'].map((id) => {
      const list = document.getElementById(id);
      list.lastElementChild.remove();
      return list.offsetHeight - [...list.children].reduce((sum, row) => sum + row.offsetHeight, 0) < 10;
    })`)).toEqual([true, true, true]);
    // Whether somebody falls behind is seen without scrolling.
    expect(await telephone.evaluate("(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth)(document.querySelector('#readers').closest('.scroll'))")).toBe(false);
    await Promise.all([telephone.close(), screen.close()]);
  });

  test('a click in the shop is told, the list asked for again after it, and says why it changed', async () => {
    const page = await open('/shop');
    await page.waitForSelector('#recommended .product');
    expect(await text(page, '#recommended .why')).toBe('Popular right now');
    const list = await text(page, '#recommended');
    const name = await text(page, '#all .product .name');
    await page.click('#all .product .open');
    await becomes(page, '#recommended', list);
    expect(await text(page, '#recommended .why')).toBe(`Because you viewed ${name}`);
    expect(await text(page, '#took')).toMatch(/list changed \d+\.\d ms after the click/);
    const [viewed, asked] = server.calls.slice(-2);
    expect(viewed).toMatchObject({ path: '/v1/track', body: { type: 'track', event: 'Product Viewed' } });
    expect(asked).toMatchObject({ path: '/v1/recommend', body: { after: expect.stringMatching(/^t-/), anonymousId: viewed?.body['anonymousId'] } });
    expect(await text(page, '#calls')).toContain('POST /v1/recommend');
    expect(problems).toEqual([]);
    await page.close();
  });

  test('what is dismissed leaves the list, a sold out product can be waited for, a cart can be ordered', async () => {
    const page = await open('/shop');
    await page.waitForSelector('#recommended .product');
    const key = await page.getAttribute('#recommended .product', 'data-key');
    await page.click('#recommended .dismiss');
    await until(page, `!document.querySelector('#recommended [data-key="${key}"]')`);
    await page.click('#chips button:last-child');
    await page.click('#all .product .open');
    await page.click('#looking .actions button');
    await page.click('#chips button:first-child');
    await page.click('#all .product .open');
    await page.click('#looking .actions button');
    await page.click('#order');
    await until(page, "document.querySelector('#calls').textContent.includes('Order Completed')");
    const events = server.calls.filter(({ path }) => path === '/v1/track').map(({ body }) => body['event']);
    expect(events).toEqual(['Recommendation Dismissed', 'Product Viewed', 'Back In Stock Subscribed', 'Product Viewed', 'Product Added', 'Checkout Started', 'Order Completed']);
    const order = server.calls.find(({ body }) => body['event'] === 'Order Completed');
    expect(order?.body).toMatchObject({ properties: { order_id: expect.any(String), total: expect.stringMatching(/^\d+\.\d\d$/), products: [{ quantity: 1 }] } });
    expect(problems).toEqual([]);
    await page.close();
  });

  test('on a telephone the cart stands before all products, what is put in is said at the button, and an order is', async () => {
    const page = await open('/shop', 390);
    await page.waitForSelector('#recommended .product');
    const tops = (await page.evaluate("['looking', 'recommended', 'order', 'calls', 'all'].map((id) => document.getElementById(id).getBoundingClientRect().top)")) as number[];
    expect(tops).toEqual(tops.toSorted((a, b) => a - b));
    await page.click('#all .product .open');
    expect(await page.isHidden('#in-cart')).toBe(true);
    await page.focus('#looking .actions button');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Enter');
    expect(await text(page, '#in-cart')).toBe('2 in your cart');
    await page.click('#in-cart');
    await page.click('#order');
    expect([await text(page, '#cart-empty'), await page.isHidden('#in-cart')]).toEqual([expect.stringMatching(/^Ordered, for €\d+\.\d\d\.$/), true]);
    const screen = await open('/shop');
    await screen.waitForSelector('#recommended .product');
    expect(await screen.evaluate("document.querySelector('#cart-title').getBoundingClientRect().top < document.querySelector('#recommended').getBoundingClientRect().top")).toBe(true);
    await Promise.all([page.close(), screen.close()]);
  });

  test.each([[404, 'npx millrace start --demo'], [503, 'does not answer (503)']])('a shop that answers %i says what to do, and asks and tells nothing', async (status, sentence) => {
    server.answerShop(status);
    const page = await open('/shop', 390);
    await until(page, `document.querySelector('#looking').textContent.includes(${JSON.stringify(sentence)})`);
    for (const part of ['#recommended', '#all', '#cart', '#order', '#calls', '#forget', '.shop-hint']) expect([part, await page.isHidden(part)]).toEqual([part, true]);
    expect(await overflows(page)).toBe(false);
    expect(server.calls).toEqual([]);
    expect(problems.filter((problem) => !problem.includes(String(status)))).toEqual([]);
    server.answerShop(200);
    await page.reload();
    await page.waitForSelector('#recommended .product');
    await page.close();
  });
});
