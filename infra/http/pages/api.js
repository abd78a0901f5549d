import { byId, element } from './dom.js';

const KEPT = 30;

/** `crypto.randomUUID` exists on https and localhost only; the console may be looked at over the network. */
export const newId = () => crypto.randomUUID?.()
  ?? '10000000-1000-4000-8000-100000000000'.replace(/[018]/g, (digit) => (Number(digit) ^ (crypto.getRandomValues(new Uint8Array(1))[0] & (15 >> (Number(digit) / 4)))).toString(16));

/** Calls to the public API with a browser's write key, each shown on the page so that it can be copied. */
export function api({ writeKey }) {
  const authorization = `Basic ${btoa(`${writeKey}:`)}`;

  async function post(path, body, title) {
    const started = performance.now();
    let status = 'no answer';
    let answer = null;
    try {
      // keepalive lets the call outlive the page, as sendBeacon does; unlike it, fetch tells the answer, which holds the token.
      const response = await fetch(path, { method: 'POST', headers: { authorization, 'content-type': 'application/json' }, body: JSON.stringify(body), keepalive: true });
      status = String(response.status);
      answer = await response.json();
      if (!response.ok) throw new Error(answer.detail ?? `The answer was ${status}.`);
      return { answer, ms: performance.now() - started };
    } finally {
      log({ path, title, body, status, answer, ms: performance.now() - started, writeKey });
    }
  }

  /** For what needs no answer: goes out even while the page is being left. A beacon has no headers, so the key is in the address. */
  function beacon(path, body, title) {
    const isSent = navigator.sendBeacon(`${path}?writeKey=${encodeURIComponent(writeKey)}`, new Blob([JSON.stringify(body)], { type: 'text/plain' }));
    log({ path, title, body, status: isSent ? 'beacon' : 'not sent', answer: null, ms: null, writeKey });
  }
  return { post, beacon };
}

function log({ path, title, body, status, answer, ms, writeKey }) {
  const curl = `curl -u ${writeKey}: ${location.origin}${path} \\\n  -H 'content-type: application/json' \\\n  -d '${JSON.stringify(body).replaceAll("'", String.raw`'\''`)}'`;
  const copy = element('button', {
    class: 'copy', type: 'button',
    click: async () => {
      await navigator.clipboard?.writeText(curl);
      copy.textContent = 'Copied';
    },
  }, 'Copy as curl');
  const isFine = status === '200' || status === 'beacon';
  byId('calls').prepend(element('li', {}, element('details', {},
    element('summary', {},
      element('span', { class: 'cut' }, element('b', {}, `POST ${path}`), ` ${title}`),
      element('span', { class: 'hint' }, ms === null ? '' : `${ms.toFixed(1)} ms`),
      element('span', { class: `tag ${isFine ? 'good' : 'bad'}` }, status)),
    element('pre', { tabindex: '0' }, `${JSON.stringify(body, null, 1)}${answer === null ? '' : `\n\n→ ${JSON.stringify(answer, null, 1)}`}`),
    copy)));
  while (byId('calls').children.length > KEPT) byId('calls').lastChild.remove();
}
