import { api, newId } from './api.js';
import { byId, element, glide, setText } from './dom.js';

const LIMIT = 8;
const STOCK_EVERY_MS = 10_000;
const page = { products: new Map(), cart: new Map(), listed: [], only: null, looking: null, asked: 0, recommendationId: null };

const json = async (path) => {
  const response = await fetch(path, { cache: 'no-store' });
  if (!response.ok) throw new Error(`${path} answered ${response.status}.`);
  return response.json();
};

const config = await opened();
const { post, beacon } = api(config);
const money = new Intl.NumberFormat('en', { style: 'currency', currency: config.currency });
const anonymousId = remembered();

/** What the demo tells its pages. Where it does not run there is nothing to show or to click: the page says so, and what to do. */
async function opened() {
  const answer = await fetch('/shop/config.json', { cache: 'no-store' }).catch(() => undefined);
  if (answer?.ok) return answer.json();
  const sentence = answer?.status === 404
    ? 'This is the shop of the demo, which does not run here: start Millrace with “npx millrace start --demo”, and it fills with products and shoppers. A shop of your own puts the tracker /millrace.js into its pages.'
    : `The demo shop does not answer${answer ? ` (${answer.status})` : ''}. Load this page again in a moment.`;
  byId('looking').replaceChildren(element('p', { class: 'empty' }, sentence));
  for (const part of document.querySelectorAll('.goods > :not(#looking), .side, .everything, .shop-hint, #forget')) part.hidden = true;
  // Nothing below may ask, tell or draw anything.
  return new Promise(() => {});
}

function remembered() {
  const known = localStorage.getItem('millrace-anonymous-id') ?? newId();
  localStorage.setItem('millrace-anonymous-id', known);
  return known;
}

const envelope = (call) => ({ ...call, messageId: newId(), anonymousId, timestamp: new Date().toISOString(), sentAt: new Date().toISOString() });
const shownPrice = ({ price }) => (price === null || price === undefined ? '' : money.format(Number(price)));
const about = ({ sku, name, category, brand, price }) => ({ product_id: sku, name, category, brand, ...(price === null || price === undefined ? {} : { price: Number(price) }) });

/** Tell what the shopper did, then ask again for a list that has seen it: the token of the answer is the proof. */
async function tell(event, properties) {
  const clicked = performance.now();
  const asked = ++page.asked;
  try {
    const { answer } = await post('/v1/track', envelope({ type: 'track', event, properties }), event);
    await recommend({ after: answer.token, asked, clicked });
  } catch (error) {
    setText(byId('took'), error instanceof Error ? error.message : 'No answer.');
  }
}

async function recommend({ after, asked, clicked }) {
  const { answer, ms } = await post('/v1/recommend', { anonymousId, limit: LIMIT, placement: 'demo-shop', ...(after ? { after } : {}) }, after ? 'after that' : 'a first list');
  // An older answer must not replace a newer one.
  if (asked < page.asked) return;
  page.recommendationId = answer.recommendationId;
  glide(byId('recommended'), () => byId('recommended').replaceChildren(...answer.items.map((item) => card({ ...page.products.get(item.sku), ...item }, item))));
  setText(byId('model'), `${answer.model}${answer.stale ? ', stale: still catching up' : ''}`);
  setText(byId('took'), clicked === undefined ? `answered in ${ms.toFixed(1)} ms` : `list changed ${(performance.now() - clicked).toFixed(1)} ms after the click (answer ${ms.toFixed(1)} ms)`);
}

const whyOf = ({ reasons }) => (reasons ?? []).map((reason) => (typeof reason === 'string' ? reason : reason.text)).filter(Boolean).join(', ');

function picture(product) {
  const { emoji, colour } = product.attributes ?? {};
  const box = element('div', { class: 'picture', 'aria-hidden': 'true' }, emoji ?? (product.name ?? product.sku).slice(0, 1));
  // Pictures are pale by day and by night: a letter in the night's own colour could not be read on them.
  if (colour && CSS.supports('color', colour)) Object.assign(box.style, { background: colour, color: '#17211f' });
  return box;
}

const isOut = ({ sku }) => (page.products.get(sku)?.stock ?? 1) <= 0;

/** A product to click on; one that was recommended says why, and can be sent away. */
function card(product, recommended) {
  return element('li', { class: 'product', 'data-key': product.sku },
    picture(product),
    isOut(product) ? element('span', { class: 'tag warn out' }, 'Sold out') : null,
    element('button', { class: 'open', type: 'button', click: () => look(product, recommended) },
      element('span', { class: 'name' }, product.name ?? product.sku),
      element('span', { class: 'price' }, shownPrice(product)),
      recommended ? element('span', { class: 'why' }, whyOf(recommended)) : null),
    recommended ? element('button', { class: 'dismiss', type: 'button', title: 'Not for me', 'aria-label': `Not for me: ${product.name ?? product.sku}`, click: () => tell('Recommendation Dismissed', { ...about(product), recommendation_id: page.recommendationId }) }, '✕') : null);
}

function look(product, recommended) {
  page.looking = product.sku;
  drawLooking();
  const from = recommended ? { recommendation_id: page.recommendationId } : {};
  if (recommended) beacon('/v1/track', envelope({ type: 'track', event: 'Recommendation Clicked', properties: { ...about(product), ...from } }), 'Recommendation Clicked');
  void tell('Product Viewed', { ...about(product), ...from });
}

function drawLooking() {
  const product = page.products.get(page.looking);
  if (!product) return;
  const put = element('button', { class: 'main', type: 'button', click: () => putInCart(product) }, 'Put in cart');
  const wait = element('button', {
    class: 'main', type: 'button',
    click: () => {
      wait.disabled = true;
      setText(wait, 'We will tell you');
      void tell('Back In Stock Subscribed', about(product));
    },
  }, 'Tell me when it is back');
  const stock = isOut(product) ? 'sold out' : product.stock === null || product.stock === undefined ? '' : `${product.stock} in stock`;
  byId('looking').replaceChildren(element('div', { class: 'row' }, picture(product),
    element('div', {}, element('h3', {}, product.name ?? product.sku), element('p', { class: 'hint' }, [product.category, product.brand, stock].filter(Boolean).join(' · ')), element('p', {}, shownPrice(product))),
    element('div', { class: 'actions' }, element('a', { id: 'in-cart', href: '#cart-title', hidden: true }), isOut(product) ? wait : put)));
  drawInCart();
}

/** Says beside the button that the product is in the cart, which stands below on a telephone, and leads there. */
function drawInCart() {
  const link = byId('in-cart');
  if (!link) return;
  const quantity = page.cart.get(page.looking) ?? 0;
  link.hidden = quantity === 0;
  setText(link, `${quantity} in your cart`);
}

function putInCart(product) {
  page.cart.set(product.sku, (page.cart.get(product.sku) ?? 0) + 1);
  drawCart();
  void tell('Product Added', { ...about(product), quantity: 1 });
}

function takeOut(product) {
  const quantity = page.cart.get(product.sku) ?? 1;
  page.cart.delete(product.sku);
  drawCart();
  void tell('Product Removed', { ...about(product), quantity });
}

const inCart = () => [...page.cart].map(([sku, quantity]) => ({ ...page.products.get(sku), quantity }));
/** In cents, so that a sum of prices has no crumbs. */
const cents = () => inCart().reduce((sum, { price, quantity }) => sum + Math.round(Number(price ?? 0) * 100) * quantity, 0);

/** `empty` is what is said of a cart with nothing in it. */
function drawCart(empty = 'Empty. Put something in and leave: after a while the console shows a trigger.') {
  drawInCart();
  setText(byId('cart-empty'), empty);
  byId('cart').replaceChildren(...inCart().map((product) => element('li', {},
    element('span', { class: 'cut' }, `${product.quantity} × ${product.name ?? product.sku}`), element('span', {}, shownPrice(product)),
    element('button', { type: 'button', 'aria-label': `Take out ${product.name ?? product.sku}`, click: () => takeOut(product) }, '✕'))));
  byId('cart-empty').hidden = page.cart.size > 0;
  byId('order').disabled = page.cart.size === 0;
  setText(byId('cart-total'), page.cart.size > 0 ? money.format(cents() / 100) : '');
}

async function order() {
  const products = inCart().map((product) => ({ ...about(product), quantity: product.quantity }));
  const total = (cents() / 100).toFixed(2);
  const checkoutId = newId();
  page.cart.clear();
  drawCart(`Ordered, for ${money.format(Number(total))}.`);
  await tell('Checkout Started', { checkout_id: checkoutId, products });
  await tell('Order Completed', { order_id: `demo-${newId().slice(0, 8)}`, checkout_id: checkoutId, total, currency: config.currency, products });
}

function drawAll() {
  const all = [...page.products.values()];
  const shown = all.filter((product) => (page.only === null ? true : page.only === 'Sold out' ? isOut(product) : product.category === page.only));
  byId('all').replaceChildren(...shown.map((product) => card(product)));
  setText(byId('shown-count'), shown.length === all.length ? `${all.length}` : `${shown.length} of ${all.length}`);
  const names = ['All', ...new Set(all.map(({ category }) => category).filter(Boolean)), 'Sold out'];
  byId('chips').replaceChildren(...names.map((name) => element('button', {
    type: 'button', 'aria-pressed': String((page.only ?? 'All') === name),
    click: () => {
      page.only = name === 'All' ? null : name;
      drawAll();
      byId('chips').querySelector('[aria-pressed="true"]').focus();
      if (page.only !== null && name !== 'Sold out') void tell('Product List Viewed', { list_id: name.toLowerCase(), category: name, products: shown.slice(0, 8).map(({ sku }, index) => ({ product_id: sku, position: index + 1 })) });
    },
  }, name)));
}

async function readProducts() {
  const products = await json('/shop/products.json');
  const before = JSON.stringify([...page.products.values()].map(({ sku, stock }) => [sku, (stock ?? 1) > 0]));
  page.products = new Map(products.map((product) => [product.sku, product]));
  // Only what changes a card is worth drawing two hundred of them again.
  if (before !== JSON.stringify(products.map(({ sku, stock }) => [sku, (stock ?? 1) > 0])) && !byId('all').contains(document.activeElement)) drawAll();
}

byId('order').addEventListener('click', () => void order());
byId('forget').addEventListener('click', () => {
  localStorage.removeItem('millrace-anonymous-id');
  location.reload();
});

await readProducts();
beacon('/v1/page', envelope({ type: 'page', name: 'Demo shop', context: { page: { url: location.href, title: document.title } } }), 'Demo shop');
drawCart();
const wanted = decodeURIComponent(location.hash.slice(1));
await recommend({ asked: page.asked }).catch((error) => setText(byId('took'), error.message));
if (page.products.has(wanted)) look(page.products.get(wanted));
setInterval(() => void readProducts().catch(() => undefined), STOCK_EVERY_MS);
