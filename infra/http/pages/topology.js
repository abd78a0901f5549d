import { element, rate, setClass, setText, svg } from './dom.js';
import { BOX, layout } from './layout.js';

/** The topology, drawn once for each shape it has; what flows is written into the drawing each second. */
export function topologyView(frame, table) {
  let shape = '';
  let rates = new Map();
  let flows = [];
  return (parts, topics, perPart) => {
    const now = JSON.stringify([parts, topics.map(({ name, kind }) => [name, kind])]);
    if (now !== shape) {
      shape = now;
      ({ rates, flows } = draw(frame, parts, topics));
      list(table, parts);
    }
    const perSecond = new Map(topics.map((topic) => [topic.name, topic.perSecond]));
    for (const [id, text] of rates) {
      const [type, name] = id.split(/:(.*)/s);
      const value = type === 'topic' ? perSecond.get(name) : perPart.get(name);
      setText(text, value === undefined || value === null ? '' : `${rate(value)}/s`);
    }
    for (const { path, topic, part } of flows) setClass(path, `flow ${speed(perSecond.get(topic) ?? perPart.get(part) ?? 0)}`);
  };
}

const speed = (perSecond) => (perSecond <= 0 ? 'still' : perSecond < 2 ? 'slow' : perSecond < 25 ? 'steady' : 'fast');

function draw(frame, parts, topics) {
  const { nodes, edges, width, height } = layout(parts, topics);
  const rates = new Map();
  const flows = edges.map(({ topic, part, points }) => ({ topic, part, path: svg('path', { class: 'flow still', d: curve(points) }) }));
  const boxes = nodes.map((node) => box(node, rates));
  const drawing = svg('svg', {
    viewBox: `0 0 ${width} ${height}`, width, height, role: 'img',
    'aria-label': `Topology: ${parts.length} parts joined by ${nodes.length - parts.length} topics. The list below says which part reads and writes which topic.`,
  }, svg('g', { class: 'flows' }, ...flows.map(({ path }) => path)), ...boxes);
  frame.replaceChildren(drawing);
  return { rates, flows };
}

/** A smooth line from the right of the first box, through free ways, to the left of the last one. */
function curve(points) {
  const half = BOX.part.width / 2;
  const stops = points.flatMap(({ x, y, isWay }, index) => {
    if (isWay) return [[x - half, y], [x + half, y]];
    return [[index === 0 ? x + half : x - half, y]];
  });
  return stops.reduce((path, [x, y], index) => {
    if (index === 0) return `M${x} ${y}`;
    const [fromX, fromY] = stops[index - 1];
    const bend = (x - fromX) / 2;
    return `${path}C${fromX + bend} ${fromY} ${x - bend} ${y} ${x} ${y}`;
  }, '');
}

function box({ id, name, type, kind, state, x, y }, rates) {
  const { width, height } = BOX[type];
  const text = svg('text', { class: 'rate', x, y: y + (type === 'part' ? 12 : 10) });
  rates.set(id, text);
  const label = name.length > 20 ? `${name.slice(0, 19)}…` : name;
  return svg('g', { class: `box ${type} ${kind}` },
    svg('title', {}, `${name} (${kind})${state?.length ? `, keeps ${state.join(', ')}` : ''}`),
    svg('rect', { x: x - width / 2, y: y - height / 2, width, height, rx: type === 'part' ? 7 : height / 2 }),
    svg('text', { class: 'name', x, y: y - 2 }, label),
    text);
}

/** The same in words, for those who do not see the drawing. */
function list(table, parts) {
  table.replaceChildren(...parts.map(({ name, kind, reads, writes }) => element('tr', {},
    element('th', { scope: 'row' }, name), element('td', {}, kind), element('td', {}, reads.join(', ') || '–'), element('td', {}, writes.join(', ') || '–'))));
}
