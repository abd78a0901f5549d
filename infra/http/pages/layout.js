/**
 * Where the parts and topics of a topology stand: columns by the longest way from a source, order within a column by
 * where the neighbours are, long arrows through places kept free for them. Pure.
 *
 * `parts`: [{name, kind, reads, writes}], `topics`: [{name, kind}] → {nodes: [{id, name, type, kind, state, x, y, column}], edges: [{topic, part, points}], width, height}
 */
export const COLUMN = 160;
export const BOX = { part: { width: 136, height: 38 }, topic: { width: 136, height: 32 } };
const GAP = { node: 46, way: 15 };
const SWEEPS = 12;

export function layout(parts, topics) {
  const { nodes, edges } = graph(parts, topics);
  const forward = withoutCycles(nodes, edges);
  setColumns(nodes, forward);
  const { columns, chains } = columnsOf(nodes, forward);
  for (let sweep = 0; sweep < SWEEPS; sweep++) order(columns, sweep % 2 === 0);
  place(columns);
  const all = columns.flat();
  const top = Math.min(...all.map(({ y }) => y));
  for (const node of all) {
    node.x = node.column * COLUMN + BOX.part.width / 2 + 4;
    node.y = node.y - top + BOX.part.height / 2 + 4;
  }
  return {
    nodes: [...nodes.values()],
    edges: chains.map(({ edge, chain }) => ({ topic: edge.topic, part: edge.part, points: chain.map(({ x, y, isWay }) => ({ x, y, isWay })) })),
    width: columns.length * COLUMN - (COLUMN - BOX.part.width) + 8,
    height: Math.max(...all.map(({ y }) => y)) + BOX.part.height / 2 + 4,
  };
}

/** Nodes and arrows. What only its own part touches is that part's state, not a channel between parts. */
function graph(parts, topics) {
  const kinds = new Map(topics.map(({ name, kind }) => [name, kind]));
  const touched = new Map();
  for (const part of parts) for (const name of new Set([...part.reads, ...part.writes])) touched.set(name, [...(touched.get(name) ?? []), part.name]);
  const isPrivate = (name) => touched.get(name)?.length === 1 && (kinds.get(name) === 'table' || kinds.get(name) === 'feedback');
  const nodes = new Map();
  const edges = [];
  const topicNode = (name) => {
    const id = `topic:${name}`;
    if (!nodes.has(id)) nodes.set(id, { id, name, type: 'topic', kind: kinds.get(name) ?? 'stream', ...fresh() });
    return id;
  };
  for (const part of parts) {
    const id = `part:${part.name}`;
    const state = part.writes.filter((name) => isPrivate(name) && kinds.get(name) === 'table');
    nodes.set(id, { id, name: part.name, type: 'part', kind: part.kind, state, ...fresh() });
    for (const name of part.reads) if (!isPrivate(name) && !(kinds.get(name) === 'feedback' && part.writes.includes(name))) edges.push({ from: topicNode(name), to: id, topic: name, part: part.name });
    for (const name of part.writes) if (!isPrivate(name)) edges.push({ from: id, to: topicNode(name), topic: name, part: part.name });
  }
  return { nodes, edges };
}

const fresh = () => ({ column: 0, x: 0, y: 0, before: [], after: [], isWay: false });

/** Arrows without those that lead back to where the water came from. */
function withoutCycles(nodes, edges) {
  const out = Map.groupBy ? Map.groupBy(edges, ({ from }) => from) : grouped(edges);
  const state = new Map();
  const back = new Set();
  const visit = (id) => {
    state.set(id, 'open');
    for (const edge of out.get(id) ?? []) {
      if (state.get(edge.to) === 'open') back.add(edge);
      else if (!state.has(edge.to)) visit(edge.to);
    }
    state.set(id, 'done');
  };
  const entered = new Set(edges.map(({ to }) => to));
  for (const id of [...nodes.keys()].sort((a, b) => Number(entered.has(a)) - Number(entered.has(b)))) if (!state.has(id)) visit(id);
  return edges.filter((edge) => !back.has(edge));
}

function grouped(edges) {
  const groups = new Map();
  for (const edge of edges) groups.set(edge.from, [...(groups.get(edge.from) ?? []), edge]);
  return groups;
}

function setColumns(nodes, edges) {
  for (let moved = true; moved;) {
    moved = false;
    for (const { from, to } of edges) {
      const column = nodes.get(from).column + 1;
      if (nodes.get(to).column < column) {
        nodes.get(to).column = column;
        moved = true;
      }
    }
  }
  // A source stands right before its first reader, so that its arrow is short.
  const entered = new Set(edges.map(({ to }) => to));
  for (const [id, node] of nodes) {
    const readers = edges.filter(({ from }) => from === id).map(({ to }) => nodes.get(to).column);
    if (!entered.has(id) && readers.length > 0) node.column = Math.min(...readers) - 1;
  }
}

/** Columns with a free way in each column that an arrow passes. */
function columnsOf(nodes, edges) {
  const columns = Array.from({ length: Math.max(...[...nodes.values()].map(({ column }) => column)) + 1 }, () => []);
  for (const node of nodes.values()) columns[node.column].push(node);
  const chains = edges.map((edge) => {
    const chain = [nodes.get(edge.from)];
    for (let column = chain[0].column + 1; column < nodes.get(edge.to).column; column++) {
      const way = { ...fresh(), column, isWay: true };
      columns[column].push(way);
      chain.push(way);
    }
    chain.push(nodes.get(edge.to));
    chain.slice(1).forEach((node, index) => {
      chain[index].after.push(node);
      node.before.push(chain[index]);
    });
    return { edge, chain };
  });
  for (const column of columns) column.forEach((node, index) => { node.y = index; });
  return { columns, chains };
}

const mean = (list, otherwise) => (list.length === 0 ? otherwise : list.reduce((sum, { y }) => sum + y, 0) / list.length);

function order(columns, isDown) {
  for (const column of isDown ? columns : [...columns].reverse()) {
    const wanted = new Map(column.map((node) => [node, mean(isDown ? node.before : node.after, node.y)]));
    column.sort((a, b) => wanted.get(a) - wanted.get(b));
    column.forEach((node, index) => { node.y = index - column.length / 2; });
  }
}

/** Heights: near the neighbours, never nearer to each other than the gap. */
function place(columns) {
  const gap = (a, b) => (a.isWay && b.isWay ? GAP.way : a.isWay || b.isWay ? (GAP.node + GAP.way) / 2 : GAP.node);
  const settle = (column, wanted) => {
    column.forEach((node, index) => {
      node.y = index === 0 ? wanted[0] : Math.max(wanted[index], column[index - 1].y + gap(column[index - 1], node));
    });
    const shift = column.reduce((sum, node, index) => sum + wanted[index] - node.y, 0) / Math.max(1, column.length);
    for (const node of column) node.y += shift;
  };
  for (const column of columns) settle(column, column.map((_, index) => index * GAP.way));
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (const column of sweep % 2 === 0 ? columns : [...columns].reverse()) settle(column, column.map((node) => mean([...node.before, ...node.after], node.y)));
  }
}
