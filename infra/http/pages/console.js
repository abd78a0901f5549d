import { ago, byId, count, element, glide, rate, setClass, setText } from './dom.js';
import { drawForecast } from './forecast.js';
import { follow } from './stream.js';
import { topologyView } from './topology.js';

const HISTORY = 60;
const ROWS = 6;
const history = [];
const drawTopology = topologyView(byId('topology'), byId('topology-list'));
let lastAt = null;

follow('/console/stream', {
  message: show,
  told: ({ state, waitMs, given }) => {
    document.documentElement.classList.toggle('lost', state !== 'live');
    // Until there is a token there is nothing to see.
    byId('token').hidden = state !== 'refused';
    byId('main').hidden = state === 'refused';
    if (state === 'live') return line('tag good', 'Live');
    if (state === 'refused') return askForToken(given);
    const since = lastAt === null ? '' : ` Figures are from ${new Date(lastAt).toLocaleTimeString()}.`;
    return line('tag bad', `Connection lost, trying again in ${waitMs / 1000} s.${since}`);
  },
});

function line(name, text) {
  setClass(byId('line'), name);
  setText(byId('line'), text);
}

function askForToken(given) {
  line('tag warn', 'Token needed');
  setText(byId('setup'), '');
  setText(byId('token-refused'), given ? 'Refused: this is no admin token of the process that answers here.' : '');
  const form = byId('token');
  form.elements.token.focus();
  return new Promise((resolve) => {
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      resolve(new FormData(form).get('token'));
    }, { once: true });
  });
}

function show(state) {
  lastAt = state.now;
  const { totals } = state;
  setText(byId('setup'), `${state.engine === 'kafka' ? 'on Kafka' : 'embedded, one process'}${state.clock === 'file' ? ', on the clock of a file' : ''}`);
  setText(byId('rate'), rate(state.eventsPerSecond));
  setText(byId('accepted'), count(totals.accepted));
  setText(byId('triggers-total'), count(totals.triggers));
  setText(byId('recommendations'), count(totals.recommendations));
  setText(byId('duplicates'), count(totals.duplicates));
  setText(byId('dead-letters'), count(totals.deadLetters));
  setText(byId('rejected'), `${count(totals.rejected)} refused at the door`);
  sparkline(state.eventsPerSecond);
  byId('shop-link').hidden = !state.demo;
  drawTopology(state.parts, state.topics, new Map([...state.readers, ...state.sinks].map(({ name, perSecond }) => [name, perSecond])));
  readers(state.readers);
  triggers(state.triggers, state.now);
  shopper(state.shopper, state.now);
  product(state.product);
  quality(state.quality);
  health(state);
}

function sparkline(value) {
  history.push(value);
  if (history.length > HISTORY) history.shift();
  const top = Math.max(1, ...history) * 1.25;
  const points = history.map((each, index) => `${(((index + HISTORY - history.length) / (HISTORY - 1)) * 300).toFixed(1)} ${(56 - (each / top) * 54).toFixed(1)}`);
  const start = points[0].split(' ')[0];
  byId('sparkline').querySelector('.stroke').setAttribute('d', `M${points.join('L')}`);
  byId('sparkline').querySelector('.area').setAttribute('d', `M${start} 56L${points.join('L')}L300 56Z`);
}

const isBehind = ({ lagSeconds }) => lagSeconds !== null && lagSeconds > 10;

/** Rows are kept and rewritten: replacing them would take the selection and the reader's place away each second. */
function readers(list) {
  const body = byId('readers');
  while (body.rows.length > list.length) body.deleteRow(-1);
  while (body.rows.length < list.length) body.append(element('tr', {}, element('th', { scope: 'row' }), element('td'), element('td'), element('td'), element('td')));
  list.forEach(({ name, kind, lag, lagSeconds, commitsPerSecond }, index) => {
    const [title, what, records, seconds, commits] = body.rows[index].cells;
    setText(title, name);
    setText(what, kind);
    setText(records, lag === null ? '–' : count(lag));
    setText(seconds, lagSeconds === null ? '–' : rate(lagSeconds));
    setClass(seconds, isBehind({ lagSeconds }) ? 'behind' : '');
    setText(commits, lag === null ? '–' : commitsPerSecond === null ? '' : rate(commitsPerSecond));
  });
}

const STATUS = { fired: 'good', recovered: 'good', suppressed: 'warn', cancelled: '' };
const RULES = {
  cart_abandonment: 'Cart left', checkout_abandonment: 'Checkout left', browse_abandonment: 'Only looked', price_drop: 'Costs less', back_in_stock: 'Back in stock', replenishment_due: 'Refill due', win_back: 'Win back', new_customer_welcome: 'New customer', vip: 'VIP', high_intent: 'About to order',
};
/** Of what is suppressed the reason is a code. */
const SUPPRESSED = { history: 'due more than a day ago', opted_out: 'no consent to marketing', recent_order: 'ordered lately', frequency_cap: 'was written to often enough', holdout: 'is held out, to compare' };
const words = (name) => RULES[name] ?? name.replaceAll(/[-_]/g, ' ').replace(/^./, (first) => first.toUpperCase());

function triggers(list, now) {
  const rows = list.slice(0, ROWS).map(({ at, rule, status, shopper: who, reason, products }) => {
    const names = products.map(({ sku, name }) => name ?? sku).join(', ');
    const key = `${Number(new Date(at))} ${rule} ${who} ${status}`;
    return element('li', { 'data-key': key, title: `${reason} ${names}` },
      element('span', { class: 'cut' }, element('strong', {}, words(rule)), names && ` · ${names}`),
      element('span', { class: `tag ${STATUS[String(status).toLowerCase()] ?? ''}` }, String(status)),
      element('span', { class: 'cut hint' }, SUPPRESSED[reason] ?? reason),
      element('span', { class: 'hint' }, `${who}, ${ago(at, now)}`));
  });
  const none = element('li', { class: 'empty' }, 'None yet: a cart left alone for a while is the first.');
  glide(byId('triggers'), () => byId('triggers').replaceChildren(...(rows.length > 0 ? rows : [none])));
}

let ranks = { of: null, at: new Map(), moves: new Map() };

function shopper(state, now) {
  if (!state) return;
  setText(byId('shopper-hint'), `${state.id}: last seen ${state.lastEvents[0] ? ago(state.lastEvents[0].at, now) : 'a while ago'}`);
  byId('did').replaceChildren(...state.lastEvents.slice(0, ROWS).map(({ event, sku, name, at }) => element('li', {},
    element('span', { class: 'cut' }, name ?? sku ?? '–'), element('span', { class: 'cut hint' }, `${event}, ${ago(at, now)}`))));
  const items = state.recommendations.slice(0, ROWS);
  const isSame = ranks.of === state.id && items.every(({ sku }, index) => ranks.at.get(sku) === index);
  if (!isSame) {
    const moves = new Map(items.map(({ sku }, index) => [sku, ranks.of !== state.id ? '' : ranks.at.has(sku) ? arrow(ranks.at.get(sku) - index) : 'new']));
    ranks = { of: state.id, at: new Map(items.map(({ sku }, index) => [sku, index])), moves };
  }
  glide(byId('shown'), () => byId('shown').replaceChildren(...items.map(({ sku, name, reason }, index) => {
    const move = ranks.moves.get(sku) ?? '';
    return element('li', { 'data-key': sku },
      element('span', { class: 'rank' }, String(index + 1)),
      element('span', { class: 'cut' }, name ?? sku, element('br'), element('span', { class: 'hint' }, reason)),
      element('span', { class: `move ${move.startsWith('▼') ? '' : 'up'}` }, move));
  })));
}

const arrow = (by) => (by === 0 ? '' : by > 0 ? `▲ ${by}` : `▼ ${-by}`);

function product(state) {
  if (!state) return;
  setText(byId('product-hint'), `${state.name ?? state.sku}, units a day`);
  setText(byId('reorder'), state.reorder?.reasons.map(({ text: reason }) => reason).join(' ') ?? '');
  drawForecast(byId('forecast'), state);
}

/** On how many days of ten products of a class sell. */
const DAYS_OF_TEN = { rare: 'under 1', slow: '1 to 3', frequent: '3 to 7', daily: 'over 7' };
/** The sign stays on the line of its figure. */
const percent = (share) => `${Math.round(100 * share)}\u00a0%`;

function quality({ ranking, judged, coverage }) {
  const covered = Object.entries(coverage);
  facts(byId('quality'), [
    ['Next item', ranking.recall_at_20 === undefined ? 'not judged yet' : `in ${percent(ranking.recall_at_20)} of ${count(judged)} visits' steps among the 20 that would have been shown`],
    ['Its place', ranking.mrr_at_20 === undefined ? '–' : `mean reciprocal rank ${ranking.mrr_at_20.toFixed(3)}, NDCG ${ranking.ndcg_at_20.toFixed(3)} of 20`],
    ['Intervals', covered.length === 0 ? 'not judged yet: a forecast is judged when its day is over' : `${percent(0.8)} of days should lie in them. Lately did, by the days in ten on which a product sells: ${covered.map(([name, share]) => `${DAYS_OF_TEN[name] ?? ''} (${name}) ${percent(share)}`).join(', ')}`],
  ]);
}

function facts(list, rows) {
  if (list.children.length !== rows.length * 2) list.replaceChildren(...rows.flatMap(([name]) => [element('dt', {}, name), element('dd')]));
  rows.forEach(([, value], index) => setText(list.children[index * 2 + 1], value));
}

function webhooks(state) {
  if (state === null) return 'none: WEBHOOK_URLS names where triggers are sent';
  if (!state.isHere) return 'sent by another process';
  const { delivered, retried, givenUp, disabled } = state;
  return [`${count(delivered)} delivered since the start`, `${count(retried)} attempts failed and were repeated`, `${count(givenUp)} given up, which are dead letters`, ...disabled.map((name) => `nothing more to ${name}, which answered 410`)].join('; ');
}

function health(state) {
  const behind = state.readers.filter(isBehind).map(({ name }) => name);
  const isReading = state.readers.some(({ lag }) => lag !== null);
  const sql = state.sql === undefined ? !state.fallbacks.some((one) => /sql|chdb|clickhouse/i.test(one)) : state.sql !== null;
  const stopped = state.stoppedTables.length === 0 ? '' : `; stopped, see the runbook: ${state.stoppedTables.join(', ')}`;
  const rows = [
    ['Engine', state.engine === 'kafka' ? 'Kafka' : 'Embedded log and tables, no server needed'],
    ['ClickHouse', sql ? `${typeof state.sql === 'string' ? state.sql : 'yes'}: try npx millrace sql "SELECT count() FROM millrace.interactions"${stopped}` : state.engine === 'kafka' ? 'not in this process' : 'none: everything but SQL works'],
    ['Webhooks', webhooks(state.webhooks)],
    ['Clock', state.clock === 'file' ? 'the time of the file being replayed' : 'wall'],
    ['Keeping up', behind.length > 0 ? `behind: ${behind.join(', ')}` : isReading ? 'all that run here' : 'nothing here reads the log'],
    ['Fallbacks', state.fallbacks.length === 0 ? 'none' : state.fallbacks.join(', ')],
    ['As of', new Date(state.now).toLocaleTimeString()],
  ];
  facts(byId('health'), rows);
}
