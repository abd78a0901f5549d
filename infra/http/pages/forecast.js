import { element, svg } from './dom.js';

const HEIGHT = 100;

/** Bars of what was sold, then a fan of what is expected: each band holds what lies between two quantiles, 10 to 90 % the widest. */
export function drawForecast(host, { sold, days }) {
  const all = sold.length + days.length;
  const most = Math.max(1, ...sold.map(({ units }) => units), ...days.map(({ quantiles }) => quantiles.at(-1))) * 1.08;
  const y = (units) => (HEIGHT * (1 - Math.max(0, units) / most)).toFixed(2);
  const bars = sold.map(({ units, date }, day) => svg('rect', { class: 'sold', x: day + 0.15, width: 0.7, y: y(units), height: (HEIGHT - y(units)).toFixed(2) }, svg('title', {}, `${date}: ${units} sold`)));
  const middle = Math.floor((days[0]?.quantiles.length ?? 0) / 2);
  const fans = Array.from({ length: middle }, (_, low) => svg('path', { class: 'band', d: band(days, sold.length, y, low) }));
  const line = svg('path', { class: 'middle', d: `M${days.map(({ mean }, day) => `${sold.length + day + 0.5} ${y(mean)}`).join('L')}` });
  const today = svg('line', { class: 'today', x1: sold.length, x2: sold.length, y1: 0, y2: HEIGHT });
  const drawing = svg('svg', { viewBox: `0 0 ${all} ${HEIGHT}`, preserveAspectRatio: 'none' }, today, ...bars, ...fans, line);
  const [first, last] = [sold[0]?.date, days.at(-1)?.date];
  host.replaceChildren(drawing, element('p', { class: 'axis' }, element('span', {}, first ?? ''), element('span', {}, `today; the highest is ${Number((most / 1.08).toFixed(1))} a day`), element('span', {}, last ?? '')));
}

/** The area between two quantiles of the same distance from the ends, a step a day. */
function band(days, from, y, low) {
  const edge = (at) => days.flatMap(({ quantiles }, day) => [0, 1].map((end) => `${from + day + end} ${y(quantiles.at(at))}`));
  return `M${edge(-1 - low).join('L')}L${edge(low).reverse().join('L')}Z`;
}
