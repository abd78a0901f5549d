const SILENT_MS = 6_000;
const RETRY_MS = [1_000, 2_000, 4_000, 8_000];

/**
 * Follow a stream of JSON messages (Server-Sent Events) for ever. `EventSource` can neither send a token nor tell a
 * refusal from a broken line, so the stream is read with fetch.
 * `told` gets `live`, `refused` (a token is needed; `given`: the one that was there is none; returns a promise of one) or `lost` with the wait before the next try.
 */
export async function follow(url, { message, told }) {
  let token = sessionStorage.getItem('millrace-token');
  for (let failures = 0; ;) {
    const outcome = await listen(url, token, (state) => {
      failures = 0;
      told({ state: 'live' });
      message(state);
    });
    if (outcome === 'refused') {
      token = await told({ state: 'refused', given: Boolean(token) });
      sessionStorage.setItem('millrace-token', token);
      continue;
    }
    const waitMs = RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)];
    told({ state: 'lost', waitMs });
    await new Promise((resolve) => { setTimeout(resolve, waitMs); });
  }
}

/** One connection, until it ends, breaks or falls silent. */
async function listen(url, token, message) {
  const stop = new AbortController();
  let alarm = setTimeout(() => stop.abort(), SILENT_MS);
  try {
    const response = await fetch(url, { headers: { accept: 'text/event-stream', ...(token ? { authorization: `Bearer ${token}` } : {}) }, cache: 'no-store', signal: stop.signal });
    if (response.status === 401 || response.status === 403) return 'refused';
    if (!response.ok || !response.body) return 'lost';
    let text = '';
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return 'lost';
      clearTimeout(alarm);
      alarm = setTimeout(() => stop.abort(), SILENT_MS);
      text += value;
      const events = text.split(/\r?\n\r?\n/);
      text = events.pop();
      for (const event of events) {
        const data = event.split(/\r?\n/).filter((line) => line.startsWith('data:')).map((line) => line.slice(5)).join('\n');
        if (data.trim() !== '') message(JSON.parse(data));
      }
    }
  } catch {
    return 'lost';
  } finally {
    clearTimeout(alarm);
    stop.abort();
  }
}
