/**
 * Plots as inline SVG: 400 units wide, so that their letters can still be read at 360 pixels. Colours are the page's
 * variables (page.ts), light and dark. Every mark has a title, which a pointer shows.
 */
export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Line {
  readonly name: string;
  readonly points: readonly Point[];
  /** The one that the plot is about; the others are drawn thinner. */
  readonly isMain: boolean;
}

export interface Axes {
  readonly x: string;
  readonly y: string;
  readonly showX?: (value: number) => string;
  readonly showY: (value: number) => string;
  /** Where the y axis has to begin; by default at 0. */
  readonly least?: number;
  /** Where the y axis has to end; lines are cut there. */
  readonly most?: number;
}

const WIDTH = 400;
const HEIGHT = 240;
const LEFT = 44;
const RIGHT = 10;
const TOP = 12;
const BOTTOM = 36;
const COLOURS = 8;

interface Scale {
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
}

export function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

export const percent = (value: number): string => `${(100 * value).toFixed(value < 0.1 ? 1 : 0).replace(/\.0$/, '')} %`;

export function linePlot(lines: readonly Line[], axes: Axes): string {
  const shown = lines.map((line) => ({ ...line, paths: below(line.points, axes.most ?? Infinity) }));
  const { frame, scale } = framed(shown.flatMap(({ points, paths }) => [...paths.flat(), ...points.map(({ x }) => ({ x, y: 0 }))]), axes);
  // The main line last, so that it lies on top.
  const drawn = shown.map((line, at) => ({ line, colour: at % COLOURS })).toSorted((a, b) => Number(a.line.isMain) - Number(b.line.isMain));
  const marks = drawn.map(({ line, colour }) => {
    const path = line.paths.flatMap((piece) => piece.map(({ x, y }, at) => `${at === 0 ? 'M' : 'L'}${at_(scale, x, y)}`)).join('');
    const dots = line.points.length > 40 ? '' : line.points.filter(({ y }) => y <= (axes.most ?? Infinity)).map(({ x, y }) =>
      `<circle cx="${fixed(scale.x(x))}" cy="${fixed(scale.y(y))}" r="${line.isMain ? 2.5 : 1.5}" class="f${colour}"><title>${escaped(line.name)}, ${escaped(showX(axes, x))}: ${escaped(axes.showY(y))}</title></circle>`).join('');
    return `<path d="${path}" class="s${colour} ${line.isMain ? 'main' : 'side'}"/>${dots}`;
  });
  return svg(`${frame}${marks.join('')}`, axes) + legend(lines.map(({ name }) => name));
}

/** The pieces of a line that lie at or below `most`, each up to where it crosses. */
function below(points: readonly Point[], most: number): Point[][] {
  const pieces: Point[][] = [];
  points.forEach((point, at) => {
    const last = points[at - 1];
    const isIn = point.y <= most;
    const wasIn = last !== undefined && last.y <= most;
    if (isIn && !wasIn) pieces.push([]);
    const piece = pieces[pieces.length - 1];
    if (last !== undefined && isIn !== wasIn) piece?.push({ x: last.x + ((most - last.y) / (point.y - last.y)) * (point.x - last.x), y: most });
    if (isIn) piece?.push(point);
  });
  return pieces;
}

export interface Bar {
  readonly label: string;
  readonly value: number;
  readonly low?: number;
  readonly high?: number;
  readonly note?: string;
}

/** Upright bars from 0, with their intervals where they have some. */
export function barPlot(bars: readonly Bar[], axes: Axes): string {
  const tops = bars.flatMap(({ value, high }) => [value, high ?? 0]);
  const { frame, scale } = framed([{ x: 0, y: 0 }, { x: bars.length, y: Math.max(...tops, 0) }], axes, false);
  const step = scale.x(1) - scale.x(0);
  // Some 42 letters fit under the plot on a telephone.
  const skip = Math.ceil((bars.length * (1 + Math.max(...bars.map(({ label }) => label.length)))) / 42);
  const marks = bars.map(({ label, value, low, high, note }, at) => {
    const left = scale.x(at) + step * 0.1;
    const middle = scale.x(at) + step / 2;
    const title = `${label}: ${axes.showY(value)}${note === undefined ? '' : `, ${note}`}`;
    const whisker = low === undefined || high === undefined ? '' : `<path d="M${fixed(middle)} ${fixed(scale.y(low))}V${fixed(scale.y(high))}" class="whisker"/>`;
    const name = at % skip === 0 ? `<text x="${fixed(middle)}" y="${HEIGHT - BOTTOM + 13}" text-anchor="middle">${escaped(label)}</text>` : '';
    return `<rect x="${fixed(left)}" y="${fixed(scale.y(value))}" width="${fixed(step * 0.8)}" height="${fixed(Math.max(0, scale.y(0) - scale.y(value)))}" class="f0"><title>${escaped(title)}</title></rect>${whisker}${name}`;
  });
  return svg(`${frame}${marks.join('')}`, axes);
}

export interface Fan {
  readonly history: readonly Point[];
  readonly actual: readonly Point[];
  readonly median: readonly Point[];
  /** From the widest to the narrowest; each as long as `median`. */
  readonly bands: readonly { readonly low: readonly number[]; readonly high: readonly number[] }[];
}

/** What was sold, what was forecast with its intervals, and what was sold then. */
export function fanPlot({ history, actual, median, bands }: Fan, axes: Axes): string {
  const tops = bands.flatMap(({ high }) => high).map((y, at) => ({ x: median[at % median.length].x, y }));
  const { frame, scale } = framed([...history, ...actual, ...median, ...tops], axes);
  const areas = bands.map(({ low, high }) => {
    const forth = median.map(({ x }, at) => `${at === 0 ? 'M' : 'L'}${at_(scale, x, high[at])}`).join('');
    const back = median.map(({ x }, at) => `L${at_(scale, x, low[at])}`).reverse().join('');
    return `<path d="${forth}${back}Z" class="band"/>`;
  });
  const path = (points: readonly Point[], kind: string): string =>
    `<path d="${points.map(({ x, y }, at) => `${at === 0 ? 'M' : 'L'}${at_(scale, x, y)}`).join('')}" class="${kind}"/>`;
  const dots = actual.map(({ x, y }) => `<circle cx="${fixed(scale.x(x))}" cy="${fixed(scale.y(y))}" r="2" class="actual"><title>${escaped(showX(axes, x))}: ${escaped(axes.showY(y))}</title></circle>`);
  return svg(`${frame}${areas.join('')}${path(history, 'past')}${path(median, 's0 main')}${dots.join('')}`, axes);
}

function framed(points: readonly Point[], axes: Axes, ticksBelow = true): { frame: string; scale: Scale } {
  const [left, right] = bounds(points.map(({ x }) => x));
  const [, most] = bounds(points.map(({ y }) => y));
  const yTicks = ticks(axes.least ?? 0, most, 5);
  const bottom = axes.least ?? 0;
  const top = Math.max(most, yTicks[yTicks.length - 1] ?? most);
  const scale: Scale = {
    x: (value) => LEFT + ((value - left) / Math.max(1e-12, right - left)) * (WIDTH - LEFT - RIGHT),
    y: (value) => HEIGHT - BOTTOM - ((value - bottom) / Math.max(1e-12, top - bottom)) * (HEIGHT - TOP - BOTTOM),
  };
  const across = yTicks.map((value) =>
    `<path d="M${LEFT} ${fixed(scale.y(value))}H${WIDTH - RIGHT}" class="grid"/><text x="${LEFT - 5}" y="${fixed(scale.y(value) + 3.5)}" text-anchor="end">${escaped(axes.showY(value))}</text>`);
  const down = ticksBelow ? ticks(left, right, 6).filter((value) => value <= right).map((value) =>
    `<text x="${fixed(scale.x(value))}" y="${HEIGHT - BOTTOM + 13}" text-anchor="middle">${escaped(showX(axes, value))}</text>`) : [];
  const name = `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 6}" text-anchor="middle" class="axis">${escaped(axes.x)}</text>`;
  return { frame: `${across.join('')}${down.join('')}${name}`, scale };
}

/** Round numbers from the first at or above `low` to the first at or above `high`. */
export function ticks(low: number, high: number, about: number): number[] {
  const rough = Math.max(1e-12, high - low) / about;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = unit * ([1, 2, 5, 10].find((factor) => factor * unit >= rough) ?? 10);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.ceil(high / step - 1e-9);
  return Array.from({ length: Math.max(1, last - first + 1) }, (_, at) => Number(((first + at) * step).toPrecision(12)));
}

function bounds(values: readonly number[]): [number, number] {
  return values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
}

const showX = (axes: Axes, value: number): string => (axes.showX ?? String)(value);
const fixed = (value: number): string => value.toFixed(1);
const at_ = (scale: Scale, x: number, y: number): string => `${fixed(scale.x(x))} ${fixed(scale.y(y))}`;

function svg(content: string, axes: Axes): string {
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(`${axes.y} by ${axes.x}`)}">${content}</svg>`;
}

function legend(names: readonly string[]): string {
  return `<p class="legend">${names.map((name, at) => `<span><i class="b${at % COLOURS}"></i>${escaped(name)}</span>`).join('')}</p>`;
}
