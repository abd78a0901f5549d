/** One self-contained HTML page: no script, nothing from the network, light and dark, readable at 360 pixels. */
import { escaped } from './plots.js';

const LIGHT = ['#2563c9', '#c2570c', '#15803d', '#9333a8', '#a16207', '#0e7490', '#be123c', '#64748b'];
const DARK = ['#7aa8ff', '#f59e5b', '#5fcf87', '#d58bea', '#e0bb4a', '#57c7db', '#fb8299', '#9fb0c6'];

const variables = (colours: readonly string[]): string => colours.map((colour, at) => `--c${at}:${colour};`).join('');

const STYLE = `
:root{color-scheme:light dark;--page:#f7f7f5;--card:#fff;--text:#1d2530;--quiet:#5b6675;--grid:#e3e5e8;${variables(LIGHT)}}
@media (prefers-color-scheme:dark){:root{--page:#14181e;--card:#1d232b;--text:#e7ebf0;--quiet:#9da8b6;--grid:#323a45;${variables(DARK)}}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--text);font:16px/1.5 system-ui,sans-serif}
main{max-width:1180px;margin:0 auto;padding:1.2rem .9rem 3rem}
h1{font-size:1.5rem;line-height:1.25;margin:.2rem 0 .6rem}
h2{font-size:1.05rem;margin:0 0 .3rem}
p{margin:.2rem 0 .6rem}
.quiet,figcaption,.legend{color:var(--quiet);font-size:.86rem}
.figures{display:grid;grid-template-columns:repeat(auto-fill,minmax(9.5rem,1fr));gap:.6rem;margin:1rem 0;padding:0}
.figures div{background:var(--card);border-radius:.6rem;padding:.6rem .8rem}
.figures dt{color:var(--quiet);font-size:.8rem}
.figures dd{margin:0;font-size:1.35rem;font-variant-numeric:tabular-nums}
.figures dd small{display:block;font-size:.78rem;color:var(--quiet)}
.plots{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,24rem),1fr));gap:.9rem;margin:.9rem 0}
figure,.card{margin:0;background:var(--card);border-radius:.6rem;padding:.8rem}
svg{display:block;width:100%;height:auto;overflow:visible}
svg text{font:11px system-ui,sans-serif;fill:var(--quiet)}
svg .axis{font-size:11.5px}
.grid{stroke:var(--grid);stroke-width:1;fill:none}
.main{stroke-width:2.4;fill:none}.side{stroke-width:1.3;fill:none}
.whisker{stroke:var(--text);stroke-width:1.2;fill:none}
.band{fill:var(--c0);opacity:.22}.past{stroke:var(--quiet);stroke-width:1.1;fill:none}.actual{fill:var(--c1)}
${LIGHT.map((_, at) => `.s${at}{stroke:var(--c${at})}.f${at}{fill:var(--c${at})}.b${at}{background:var(--c${at})}`).join('')}
.legend{display:flex;flex-wrap:wrap;gap:.15rem .9rem;margin:.4rem 0 0}
.legend i{display:inline-block;width:.8rem;height:.8rem;border-radius:.2rem;margin-right:.35rem;vertical-align:-.08rem}
.card{margin-top:.9rem}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;font-size:.9rem}
th,td{text-align:right;padding:.25rem .6rem;border-bottom:1px solid var(--grid);white-space:nowrap}
th:first-child,td:first-child{text-align:left}
th{color:var(--quiet);font-weight:500}
tr.first td{font-weight:650}
@media (max-width:480px){svg text{font-size:14px}svg .axis{font-size:14px}figure,.card{padding:.6rem}}
`;

/** A figure of the page's head: its name, its value, and what belongs under it. */
export interface Figure {
  readonly name: string;
  readonly value: string;
  readonly note?: string;
}

export interface Page {
  readonly title: string;
  readonly protocol: string;
  readonly figures: readonly Figure[];
  readonly sections: readonly string[];
}

export function page({ title, protocol, figures, sections }: Page): string {
  const head = figures.map(({ name, value, note }) =>
    `<div><dt>${escaped(name)}</dt><dd>${escaped(value)}${note === undefined ? '' : `<small>${escaped(note)}</small>`}</dd></div>`).join('');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${escaped(title)}</title><style>${STYLE}</style></head>
<body><main><h1>${escaped(title)}</h1><p class="quiet">${escaped(protocol)}</p><dl class="figures">${head}</dl>
${sections.join('\n')}
<p class="quiet">Made by <code>millrace evaluate</code>. A pointer over a mark shows its value.</p></main></body></html>
`;
}

export function plots(figures: readonly string[]): string {
  return `<div class="plots">${figures.join('')}</div>`;
}

export function figure(title: string, plot: string, caption = ''): string {
  return `<figure><h2>${escaped(title)}</h2>${plot}${caption === '' ? '' : `<figcaption>${escaped(caption)}</figcaption>`}</figure>`;
}

/** A table a row of which is a model's figures; ours is the first. */
export function table(title: string, header: readonly string[], rows: readonly (readonly string[])[], caption = ''): string {
  const [head, body] = [row('th', header), rows.map((cells, at) => row('td', cells, at === 0 ? ' class="first"' : ''))];
  return `<section class="card"><h2>${escaped(title)}</h2><div class="scroll"><table><thead>${head}</thead><tbody>${body.join('')}</tbody></table></div>${
    caption === '' ? '' : `<p class="quiet">${escaped(caption)}</p>`}</section>`;
}

/** A table a column of which is a model's figures, for more of them than a page is wide. */
export function tall(title: string, header: readonly string[], rows: readonly (readonly string[])[]): string {
  return `<section class="card"><h2>${escaped(title)}</h2><div class="scroll"><table><thead>${row('th', header)}</thead><tbody>${rows.map((cells) => row('td', cells)).join('')}</tbody></table></div></section>`;
}

function row(kind: 'th' | 'td', cells: readonly string[], attributes = ''): string {
  return `<tr${attributes}>${cells.map((cell) => `<${kind}>${escaped(cell)}</${kind}>`).join('')}</tr>`;
}
