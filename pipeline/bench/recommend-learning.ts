import { itemNeighbours } from '../../consumers/co-visitation.js';
import { recommender } from '../../consumers/recommender.js';
import { alternating, figure, median, quantile, type Bench, type Figure } from './bench.js';
import { startGenerator, type LoadResult } from './load-order.js';
import { ask, askAt, CONDITIONS, CONNECTIONS, serverOf } from './recommend.js';

/** Events a second. */
const EVENTS = 1_000;
/** What 99 of 100 answers take at most. */
const OBJECTIVE_MS = 5;
/** Requests a second, until more come than are answered. */
const RATES = [250, 500, 1_000, 1_500, 2_000, 3_000, 4_000, 6_000, 8_000];
const ROUNDS = 3;
/** Of what came, as chance has it, what was answered before the end of a round. */
const FALLS_BEHIND = 0.9;

const p = (q: number) => ({ latencies }: LoadResult): number => quantile(latencies, q);

const answered = ({ requests, seconds }: LoadResult): number => requests / seconds;

export const recommendLearning: Bench = {
  name: 'recommend-learning',
  about: `How many recommend requests a second over HTTP are answered with p99 within ${OBJECTIVE_MS} ms of when they were due, coming at random (an open loop), each answer told to the log and learned, while 1,000 events a second are written to it and learned; and how many at most, from ${CONNECTIONS} connections (a closed loop). Beside a bare node:http echo in another process.`,
  needs: [],
  async run(setting) {
    const { seconds, loader } = setting;
    const server = await serverOf(setting);
    const generator = startGenerator(loader);
    const peer = startGenerator(loader);
    try {
      const ports = { ours: await server.http.listen(0, '127.0.0.1'), peer: (await peer.run({ kind: 'echo' })).port };
      const events = server.learnAt(EVENTS);
      await ask(generator, ports.ours, seconds);
      await ask(generator, ports.peer, seconds / ROUNDS);
      const began = { at: performance.now(), written: events.written() };
      const conditions = (own: Figure['conditions']): Record<string, string | number | boolean> => {
        const lags = server.metrics.byLabel('millrace_consumer_lag_records', 'consumer');
        return {
          ...CONDITIONS, ...own, rounds: ROUNDS, lessons: 'past the first ones, which all events give', events_a_second: Math.round(((events.written() - began.written) / (performance.now() - began.at)) * 1000),
          answers_not_told_to_the_log: server.metrics.total('millrace_recommendations_untold_total'), scorer_lag_records: lags.get(itemNeighbours.name) ?? -1, learner_lag_records: lags.get(recommender.name) ?? -1,
        };
      };
      /** Load both sides in turn; answers the middle one of each side's rounds, ours first. */
      const beside = async (load: (port: number) => Promise<LoadResult>): Promise<(of: (round: LoadResult) => number) => [number, number]> => {
        const rounds: Record<'ours' | 'peer', LoadResult[]> = { ours: [], peer: [] };
        const round = async (side: 'ours' | 'peer'): Promise<number> => rounds[side].push(await load(ports[side]));
        await alternating(ROUNDS, () => round('ours'), () => round('peer'));
        return (of) => [median(rounds.ours.map(of)), median(rounds.peer.map(of))];
      };
      const figures: Figure[] = [];
      let held = 0;
      for (const rate of RATES) {
        const of = await beside((port) => askAt(rate, generator, port, seconds / ROUNDS));
        for (const q of [0.5, 0.99]) figures.push(figure(`recommend-learning ${rate}/s p${q * 100}`, ...of(p(q)), 'ms', conditions({ loop: 'open' })));
        // What else the machine does may spoil a lower rate.
        if (of(p(0.99))[0] <= OBJECTIVE_MS) held = rate;
        if (of(answered)[0] < FALLS_BEHIND * rate) break;
      }
      const most = await beside((port) => ask(generator, port, seconds / ROUNDS));
      return [
        figure(`recommend-learning rate with p99 ≤ ${OBJECTIVE_MS} ms`, held, null, 'requests/s', conditions({ loop: 'open', tried: RATES.slice(0, figures.length / 2).join(' ') })),
        ...figures,
        figure('recommend-learning rate at most', ...most(answered), 'requests/s', conditions({ loop: 'closed', connections: CONNECTIONS })),
        figure('recommend-learning p99 at most', ...most(p(0.99)), 'ms', conditions({ loop: 'closed', connections: CONNECTIONS })),
      ];
    } finally {
      generator.stop();
      peer.stop();
      await server.close();
    }
  },
};
