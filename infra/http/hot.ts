import { setImmediate as nextTurn } from 'node:timers/promises';
import type { EventType } from '../../schemas/types.js';
import { collectBatchRequest, collectCall, collectGa4Request, MAX_BATCH_BYTES } from './collector.js';
import type { RecommendRequest, ShopperRef } from './doors.js';
import { charge, provenShopper, readKeyed, type Exchange, type House } from './exchange.js';
import { allows, type Key } from './keys.js';
import { refuse } from './problem.js';
import { sendJson } from './send.js';
import { recommendRequest, recommendRequests, scoreRequest, similarRequest } from './requests.js';

/** A question names a thousand SKUs, or is a hundred questions. */
const MAX_QUESTION_BYTES = MAX_BATCH_BYTES;

/** A route answered before Express. */
export interface HotRoute {
  /** Label of its metric: a name of ours, never what the client wrote. */
  readonly label: string;
  readonly run: (house: House, exchange: Exchange) => Promise<void>;
}

/**
 * A browser's key is public, so it opens only what a shopper may see of themselves: an anonymous id is a secret between
 * the browser and us, a userId is not and needs the shop's signature.
 * @throws Refusal 403
 */
function mayAsk(house: House, exchange: Exchange, key: Key, who: ShopperRef, body: unknown): void {
  if (allows(key, 'server') || who.userId === null) return;
  if (provenShopper(house, exchange, body) !== who.userId) throw refuse(403, 'A browser key may ask for a userId only with a valid shopper token for it (shopperToken, signed by the shop); ask for the anonymousId.');
}

/** A question to the views, in three steps: who asks, what, and may they. */
const question = <T>(label: string, parse: (body: unknown, house: House) => T, whoOf: (request: T) => ShopperRef | undefined, ask: (house: House, request: T, trusted: boolean) => object | Promise<object>): HotRoute => ({
  label,
  run: async (house, exchange) => {
    const { key, body } = await readKeyed(house, exchange, MAX_QUESTION_BYTES);
    charge(house, exchange, key, 1);
    const request = parse(body, house);
    const who = whoOf(request);
    if (who) mayAsk(house, exchange, key, who, body);
    const trusted = allows(key, 'server') || (who !== undefined && who.userId !== null);
    sendJson(exchange.response, 200, await ask(house, request, trusted));
  },
});

/** One recommendation, or up to a hundred at once: `{requests: […]}` is answered by `{answers: […]}`, in order. */
const recommend: HotRoute = {
  label: '/v1/recommend',
  run: async (house, exchange) => {
    const { key, body } = await readKeyed(house, exchange, MAX_QUESTION_BYTES);
    const isServer = allows(key, 'server');
    const asked = recommendRequests(body, isServer, house.settings.placements);
    charge(house, exchange, key, Math.max(1, asked?.length ?? 1));
    const answer = (request: RecommendRequest, of: unknown): object | Promise<object> => {
      mayAsk(house, exchange, key, request, of);
      return house.deps.recommend(request);
    };
    if (!asked) return sendJson(exchange.response, 200, await answer(recommendRequest(body, isServer, house.settings.placements), body));
    const answers: Promise<object>[] = [];
    for (const { request, body: of } of asked) {
      const one = Promise.resolve(answer(request, of));
      // One that fails meanwhile is heard below.
      one.catch(() => {});
      answers.push(one);
      // Others have their turn between two.
      await nextTurn();
    }
    sendJson(exchange.response, 200, { answers: await Promise.all(answers) });
  },
};

const call = (type: EventType): HotRoute => ({ label: `/v1/${type}`, run: (house, exchange) => collectCall(house, exchange, type) });
const batch: HotRoute = { label: '/v1/batch', run: collectBatchRequest };

/** Routes by path. The short paths are those of Segment's browser library, /beacon those of RudderStack's. */
export const hotRoutes: ReadonlyMap<string, HotRoute> = new Map([
  ['/v1/track', call('track')], ['/v1/t', call('track')],
  ['/v1/identify', call('identify')], ['/v1/i', call('identify')],
  ['/v1/page', call('page')], ['/v1/p', call('page')],
  ['/v1/screen', call('screen')], ['/v1/s', call('screen')],
  ['/v1/group', call('group')], ['/v1/g', call('group')],
  ['/v1/alias', call('alias')], ['/v1/a', call('alias')],
  ['/v1/batch', batch], ['/v1/b', batch], ['/v1/import', batch], ['/beacon/v1/batch', batch],
  ['/mp/collect', { label: '/mp/collect', run: collectGa4Request }],
  ['/v1/recommend', recommend],
  ['/v1/score', question('/v1/score', (body) => scoreRequest(body), (who) => who, (house, request, trusted) => house.deps.score({ ...request, trusted }))],
  ['/v1/similar', question('/v1/similar', (body, { settings }) => similarRequest(body, settings.placements), ({ to }) => to, (house, { to, ...request }, trusted) => house.deps.similar(to ? { ...request, to: { ...to, trusted } } : request))],
]);
