import { setImmediate as nextTurn } from 'node:timers/promises';
import { MODEL } from '../../models/fusion.js';
import type { Ranking } from '../serving/rank.js';
import { alternating, cpuSeconds, figure, quantile, type Bench, type BenchSetting } from './bench.js';
import { EXPONENT } from './events.js';
import { startGenerator, type Generator, type LoadResult } from './load-order.js';
import { echo, listening } from './peers/echo.js';
import { KEY, startRecommendServer, type RecommendServer } from './recommend-server.js';

const ITEMS = 100_000;
const SHOPPERS = 2_000;
const LEARNED = 300_000;
const LIMIT = 10;
/** Requests before the first that counts. */
const WARMED = 4_000;
export const CONNECTIONS = 8;
const ROUNDS = 3;
/** Who asks, in turn: what one shopper's answer needed has left the processor's caches when the same one asks again, as in a shop. */
const ASKING = Array.from({ length: 200 }, (_, number) => `shopper-${number * 7}`);
export const CONDITIONS = { items: ITEMS, shoppers: SHOPPERS, shoppers_asking: ASKING.length, events_learned: LEARNED, limit: LIMIT, zipf_exponent: EXPONENT, model: MODEL };

export const serverOf = ({ config, folder }: BenchSetting): Promise<RecommendServer> => startRecommendServer({ config, folder, items: ITEMS, shoppers: SHOPPERS, learned: LEARNED });

export const recommend: Bench = {
  name: 'recommend',
  about: 'A recommendation in this process, from the shopper\'s row to the answer with its reasons, and the query of the model within it, from clicks to the ranked items; its CPU also counts telling the answer to the log and learning what was shown.',
  needs: [],
  async run(setting) {
    const server = await serverOf(setting);
    try {
      const { scorer, ranking } = server.scorer;
      const queries = timed(ranking);
      const took: number[] = [];
      const end = performance.now() + setting.seconds * 1000;
      let cpu = 0;
      for (let asked = 0; asked < 2 * WARMED || performance.now() < end; asked++) {
        if (asked === WARMED) {
          cpu = cpuSeconds();
          queries.length = 0;
        }
        const began = performance.now();
        await scorer.recommend({ userId: ASKING[asked % ASKING.length], anonymousId: null, trusted: true, limit: LIMIT, filter: null, exclude: [], items: null, placement: null, context: null, after: null, explain: false, compare: false, diversity: 0, fatigue: 0, explore: false, excludePurchased: null, shown: true });
        if (asked >= WARMED) took.push((performance.now() - began) * 1000);
        // What was answered is told to the log and learned between requests, as in a server.
        if (asked % 10 === 9) await nextTurn();
      }
      const conditions = { ...CONDITIONS, requests: took.length };
      return [
        figure('recommend p50', quantile(took, 0.5), null, 'µs', conditions), figure('recommend p99', quantile(took, 0.99), null, 'µs', conditions),
        figure('recommend query p50', quantile(queries, 0.5), null, 'µs', conditions), figure('recommend query p99', quantile(queries, 0.99), null, 'µs', conditions),
        // What else the machine does stretches the wall clock, and this hardly.
        figure('recommend CPU', ((cpuSeconds() - cpu) / took.length) * 1e6, null, 'µs CPU a request', conditions),
      ];
    } finally {
      await server.close();
    }
  },
};

/** How long the model takes for each question from now on, in µs, within whatever asks it: its caches are as cold as they are there. */
function timed(ranking: Ranking): number[] {
  const took: number[] = [];
  const rank = ranking.rank.bind(ranking);
  ranking.rank = (...question) => {
    const began = performance.now();
    const ranked = rank(...question);
    took.push((performance.now() - began) * 1000);
    return ranked;
  };
  return took;
}

const BODIES = ASKING.map((userId) => JSON.stringify({ userId, limit: LIMIT }));

const QUESTIONS = { path: '/v1/recommend', authorization: `Basic ${Buffer.from(`${KEY}:`).toString('base64')}`, bodies: BODIES };

/** As many as are answered. */
export const ask = (generator: Generator, port: number, seconds: number): Promise<LoadResult> =>
  generator.run({ kind: 'closed', port, ...QUESTIONS, connections: CONNECTIONS, seconds });

/** So many a second. */
export const askAt = (rate: number, generator: Generator, port: number, seconds: number): Promise<LoadResult> =>
  generator.run({ kind: 'open', port, ...QUESTIONS, rate, seconds });

export const recommendHttp: Bench = {
  name: 'recommend-http',
  about: 'CPU of a recommend request over HTTP, telling the answer to the log and learning it included, beside a bare node:http echo of the same body.',
  needs: [],
  async run(setting) {
    const { seconds, loader } = setting;
    const server = await serverOf(setting);
    const peer = echo();
    const generator = startGenerator(loader);
    try {
      const ports = { ours: await server.http.listen(0, '127.0.0.1'), peer: await listening(peer) };
      const share = seconds / (2 * ROUNDS + 1);
      const cpu = async (port: number, forSeconds: number): Promise<number> => {
        const began = cpuSeconds();
        const { requests } = await ask(generator, port, forSeconds);
        return ((cpuSeconds() - began) / requests) * 1e6;
      };
      // Until then the compiler's threads take a third of the CPU, which a server has behind it for days.
      await cpu(ports.ours, seconds);
      await cpu(ports.peer, share / 2);
      const costs = await alternating(ROUNDS, () => cpu(ports.ours, share), () => cpu(ports.peer, share));
      return [figure('recommend-http', costs.ours, costs.peer, 'µs CPU a request', { ...CONDITIONS, connections: CONNECTIONS, rounds: costs.rounds, answers_not_told_to_the_log: server.metrics.total('millrace_recommendations_untold_total') })];
    } finally {
      generator.stop();
      await server.close();
      peer.close();
      peer.closeAllConnections();
    }
  },
};
