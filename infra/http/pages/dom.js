/** @typedef {Record<string, string | number | boolean | null | undefined | ((event: Event) => void)>} Attributes */

const SVG = 'http://www.w3.org/2000/svg';

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === 'function') node.addEventListener(name, value);
    else node.setAttribute(name, value === true ? '' : String(value));
  }
  // As text, never as markup: product names come from whoever fills the catalogue.
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

export const element = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);
export const svg = (tag, attributes = {}, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);
export const byId = (id) => document.getElementById(id);

/** Writing what stands there already would still cost a layout each second. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function setClass(node, name) {
  if (node.getAttribute('class') !== name) node.setAttribute('class', name);
}

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const tenths = new Intl.NumberFormat('en', { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

export const count = (value) => (value >= 1_000_000 ? short : whole).format(value ?? 0);
export const rate = (value) => (value === undefined || value === null ? '–' : (value >= 100 ? whole : tenths).format(value));

export function ago(at, now) {
  const seconds = Math.max(0, Math.round((now - Number(new Date(at))) / 1000));
  if (seconds < 60) return `${seconds} s ago`;
  return seconds < 3600 ? `${Math.floor(seconds / 60)} min ago` : `${Math.floor(seconds / 3600)} h ago`;
}

const isCalm = matchMedia('(prefers-reduced-motion: reduce)');

/** Change a list, then let what moved glide from where it stood. Children are known by `data-key`. */
export function glide(list, change) {
  const before = new Map([...list.children].map((child) => [child.dataset.key, child.getBoundingClientRect()]));
  change();
  if (isCalm.matches || document.hidden) return;
  for (const child of list.children) {
    if (child.dataset.key === undefined) continue;
    const from = before.get(child.dataset.key);
    if (!from) {
      if (before.size > 0) child.animate([{ opacity: 0, transform: 'scale(.97)' }, { opacity: 1, transform: 'none' }], { duration: 260, easing: 'ease-out' });
      continue;
    }
    const to = child.getBoundingClientRect();
    if (from.left === to.left && from.top === to.top) continue;
    child.animate([{ transform: `translate(${from.left - to.left}px, ${from.top - to.top}px)` }, { transform: 'none' }], { duration: 260, easing: 'ease-out' });
  }
}
