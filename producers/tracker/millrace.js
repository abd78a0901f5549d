/*
 * Millrace in a page:
 *   <script async src="https://collector.example/millrace.js" data-write-key="wk_…"></script>
 *   <script>
 *     window.millrace = window.millrace || [];
 *     millrace.push(['track', 'Product Viewed', { product_id: 'P1', price: 12.99 }]);
 *   </script>
 * Calls made before this file has loaded wait in the list `window.millrace` and are sent when it has. Options of the
 * script tag: data-write-key (needed), data-host (default: where this file came from), data-page="off" (no page call).
 */
(function () {
  'use strict';
  var script = document.currentScript || document.querySelector('script[data-write-key]');
  var writeKey = script && script.getAttribute('data-write-key');
  if (window.millrace && window.millrace.track) return;
  if (!writeKey) {
    warn('sends nothing', 'Its script tag has no data-write-key.');
    return;
  }
  var host = (script.getAttribute('data-host') || new URL(script.src, location.href).origin).replace(/\/+$/, '');
  var STORE = 'millrace';
  var LEFT = 'millrace.left';
  var FLUSH_MS = 250;
  var MAX_BATCH = 20;
  // What outlives its page carries 64 KB at most, beacons and fetches of the page together: the browser fails what is more each time it is tried.
  var MAX_OUTLIVING = 65536;
  var MAX_BYTES = 60000;
  var MAX_WAITING = 500;
  // A collector that hangs holds up no question: the answer then goes by what is known.
  var PATIENCE_MS = 1000;
  var memory = {};

  function stored() {
    try {
      return JSON.parse(localStorage.getItem(STORE) || '{}') || {};
    } catch {
      return memory;
    }
  }

  function store(values) {
    memory = values;
    try {
      localStorage.setItem(STORE, JSON.stringify(values));
    } catch {
      // Private windows and full stores: the ids live as long as the page.
    }
  }

  /* The anonymous id is all that stands between a shopper and who else asks for their recommendations: 122 random bits. */
  function randomId() {
    if (window.crypto && crypto.randomUUID) return crypto.randomUUID();
    var bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.prototype.map.call(bytes, function (byte) { return ('0' + byte.toString(16)).slice(-2); }).join('');
  }

  var ids = stored();
  if (typeof ids.anonymousId !== 'string') {
    ids = { anonymousId: randomId(), userId: null };
    store(ids);
  }

  /* Who logged in or out in another tab did so here, too: else this one would go on as the shopper before. */
  function follow() {
    var now = stored();
    if (typeof now.anonymousId !== 'string') return;
    if (now.userId !== ids.userId) api.shopperToken = undefined;
    ids = now;
  }

  /* Kept, an id that is refused, as a template writes for nobody, would have all calls of this browser refused for ever. */
  function forget(userId) {
    if (userId && userId === ids.userId) store((ids = { anonymousId: ids.anonymousId, userId: null }));
  }

  /* Calls that no page has sent. */
  function left() {
    try {
      var calls = JSON.parse(localStorage.getItem(LEFT));
      return Array.isArray(calls) ? calls : [];
    } catch {
      return [];
    }
  }

  function keep(calls) {
    try {
      localStorage.setItem(LEFT, JSON.stringify(left().concat(calls)));
      return true;
    } catch {
      return false;
    }
  }

  var waiting = [];
  /* Which call of this page each was; calls left by another page come before all. */
  var numbers = new WeakMap();
  var calls = 0;
  var timer = null;
  var outlivingBytes = 0;
  var backOffMs = 1000;
  /* Settles when every batch that has left was answered or failed, once; with nothing, or a page open for days would hold all its answers. */
  var underway = Promise.resolve();
  var batches = 0;
  var answeredBatch = 0;
  var failing = false;

  function context() {
    var zone;
    try {
      zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    } catch {
      zone = undefined;
    }
    var campaign = new URLSearchParams(location.search).get('utm_campaign');
    return {
      page: { url: location.href, path: location.pathname, referrer: document.referrer, title: document.title },
      locale: navigator.language,
      timezone: zone,
      campaign: campaign ? { name: campaign } : undefined,
      library: { name: 'millrace.js' },
    };
  }

  function enqueue(call) {
    call.messageId = randomId();
    call.anonymousId = ids.anonymousId;
    if (ids.userId) call.userId = ids.userId;
    call.timestamp = new Date().toISOString();
    call.context = context();
    numbers.set(call, ++calls);
    waiting.push(call);
    if (waiting.length > MAX_WAITING) warn('drops the oldest calls, since ' + MAX_WAITING + ' wait', waiting.splice(0, waiting.length - MAX_WAITING));
    if (waiting.length >= MAX_BATCH && !failing) flush();
    else if (timer === null) timer = setTimeout(flush, FLUSH_MS);
  }

  function bytesOf(text) {
    return new TextEncoder().encode(text).length;
  }

  /* The oldest that fit into one request; a call that is larger than that by itself goes alone. */
  function take() {
    var count = 0;
    for (var bytes = 0; count < Math.min(waiting.length, MAX_BATCH); count++) {
      bytes += bytesOf(JSON.stringify(waiting[count]));
      if (bytes > MAX_BYTES && count > 0) break;
    }
    return waiting.splice(0, count);
  }

  function warn(sentence, what) {
    // oxlint-disable-next-line no-console -- a page has no other place in which a developer would look
    console.warn('Millrace ' + sentence, what);
  }

  function body(batch) {
    return JSON.stringify({ writeKey: writeKey, shopperToken: api.shopperToken, sentAt: new Date().toISOString(), batch: batch });
  }

  function flush() {
    clearTimeout(timer);
    timer = null;
    if (waiting.length > 0) send(take(), true);
  }

  function send(batch, mayOutlive) {
    var payload = body(batch);
    var number = ++batches;
    var bytes = mayOutlive && outlivingBytes + bytesOf(payload) < MAX_OUTLIVING ? bytesOf(payload) : 0;
    outlivingBytes += bytes;
    // text/plain needs no preflight: one request instead of two, and none that a beacon could not send.
    var answer = fetch(host + '/v1/batch', { method: 'POST', headers: { 'content-type': 'text/plain' }, body: payload, keepalive: bytes > 0 }).finally(function () {
      outlivingBytes -= bytes;
    }).then(function (response) {
      if (response.status === 429 || response.status >= 500) return again(batch, Number(response.headers.get('retry-after')) * 1000);
      backOffMs = 1000;
      failing = false;
      if (waiting.length > 0 && timer === null) timer = setTimeout(flush, 0);
      // A proxy's page, or an answer cut off: the calls were refused or taken all the same.
      return response.json().catch(function () { return {}; }).then(function (told) {
        if (told.token) answered(number, told.token);
        (told.rejected || []).forEach(function (one) {
          if (one.errors.some(function (error) { return error.path === 'userId'; })) forget(batch[one.index].userId);
        });
        if (!response.ok || (told.rejected && told.rejected.length > 0)) warn('refused calls (' + response.status + ')', told.rejected || told.detail);
      });
    }).catch(function () {
      // Other scripts of the page have their part of what may outlive it.
      if (bytes > 0) return send(batch, false);
      again(batch, 0);
    });
    underway = Promise.all([underway, answer]).then(function () {});
    return answer;
  }

  /* The same calls under the same ids: the server knows those it has already taken. */
  function again(batch, askedMs) {
    // Batches that left one after another may fail so, too.
    waiting = batch.concat(waiting).sort(function (one, other) { return (numbers.get(one) || 0) - (numbers.get(other) || 0); });
    failing = true;
    clearTimeout(timer);
    timer = setTimeout(flush, Math.max(askedMs || 0, backOffMs));
    backOffMs = Math.min(backOffMs * 2, 60000);
  }

  /* Answers may overtake each other: the newest batch's token is the one that has seen all. */
  function answered(number, token) {
    if (number < answeredBatch) return;
    answeredBatch = number;
    api.token = token;
  }

  /* The page may never come back: whatever waits leaves as beacons, as far as the browser takes them. */
  function leave() {
    while (waiting.length > 0) {
      var batch = take();
      if (!navigator.sendBeacon(host + '/v1/batch', new Blob([body(batch)], { type: 'text/plain' }))) {
        waiting = batch.concat(waiting);
        return;
      }
    }
  }

  /* As requests that end with the page. */
  function hurry() {
    while (waiting.length > 0) send(take(), false);
  }

  function takeUp() {
    var calls = left();
    if (calls.length === 0) return;
    localStorage.removeItem(LEFT);
    waiting = calls.concat(waiting);
    if (timer === null) timer = setTimeout(flush, FLUSH_MS);
  }

  addEventListener('pagehide', function () {
    leave();
    if (waiting.length > 0 && keep(waiting)) waiting = [];
    hurry();
  });
  addEventListener('pageshow', function () {
    follow();
    takeUp();
  });
  addEventListener('storage', follow);
  document.addEventListener('visibilitychange', function () {
    if (document.visibilityState !== 'hidden') return;
    leave();
    hurry();
  });

  var api = {
    /* Position of the last batch that was taken: `after` of a question asked by other means than `recommend`. */
    token: undefined,
    /* Set it after a log-in: what the shop's server signed for this shopper. With it a page may consent for them, and is shown what is theirs. */
    shopperToken: undefined,
    anonymousId: function () { return ids.anonymousId; },
    userId: function () { return ids.userId; },
    track: function (event, properties) { enqueue({ type: 'track', event: event, properties: properties || {} }); },
    page: function (name, properties) { enqueue({ type: 'page', name: name, properties: properties || {} }); },
    identify: function (userId, traits) {
      ids = { anonymousId: ids.anonymousId, userId: userId ? String(userId) : ids.userId };
      store(ids);
      enqueue({ type: 'identify', traits: traits || {} });
    },
    /* After a log-out: the next person at this device is somebody else. */
    reset: function () {
      flush();
      ids = { anonymousId: randomId(), userId: null };
      store(ids);
      api.shopperToken = undefined;
    },
    flush: flush,
    /*
     * Ask for recommendations that have seen every call before; resolves with the answer of POST /v1/recommend, rejects with an
     * Error whose `problem` is what was refused. What waits is sent first, unless the collector has just failed.
     */
    recommend: function (options) {
      var own = !options || options.after === undefined || options.after === api.token;
      if (!failing) flush();
      var enough = new Promise(function (resolve) { setTimeout(resolve, PATIENCE_MS); });
      return Promise.race([underway, enough]).then(function () {
        var who = api.shopperToken && ids.userId ? { userId: ids.userId, shopperToken: api.shopperToken } : { anonymousId: ids.anonymousId };
        var question = Object.assign(who, { writeKey: writeKey }, options, own ? { after: api.token } : {});
        return fetch(host + '/v1/recommend', { method: 'POST', headers: { 'content-type': 'text/plain' }, body: JSON.stringify(question) });
      }).then(function (response) {
        return response.json().then(function (answer) {
          if (response.ok) return answer;
          throw Object.assign(new Error(answer.detail), { problem: answer });
        });
      });
    },
    /* Calls of the list that waited for this file: ['track', 'Product Viewed', {…}]. */
    push: function (call) {
      if (typeof api[call[0]] === 'function') api[call[0]].apply(api, call.slice(1));
      else warn('has no such call', call[0]);
    },
  };

  var early = Array.isArray(window.millrace) ? window.millrace : [];
  window.millrace = api;
  takeUp();
  if (script.getAttribute('data-page') !== 'off') api.page();
  early.forEach(api.push);
})();
