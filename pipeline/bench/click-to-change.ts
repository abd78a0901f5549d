import { setTimeout as delay } from 'node:timers/promises';
import { readConfig } from '../config.js';
import { silentJournal } from '../core/metrics.js';
import { startMillrace } from '../main.js';
import { figure, quantile, type Bench, type BenchSetting, type Figure } from './bench.js';
import { kafkaTopics } from './kafka-setting.js';
import { startGenerator, type ClickResult } from './load-order.js';

const RATES = [50, 200];
const SHOPPERS = 500;
const SKUS = 300;
const KEY = 'sk_bench';
const READY_MS = 30_000;
const WARM_RATE = 20;
/** A process that just started compiles its code, on a second core and more. */
const WARM_SECONDS = 12;

/** From the acknowledgement of a click to the answer to a recommend request that reflects it, the request itself included. */
async function measure(engine: string, { config, folder, seconds, loader }: BenchSetting, own: Readonly<Record<string, string>>): Promise<Figure[]> {
  const ours = readConfig({ PORT: '0', HOST: '127.0.0.1', DATA_DIR: folder, SERVER_KEYS: KEY, SHOP_CURRENCY: config.SHOP_CURRENCY, ...own });
  const millrace = await startMillrace({ config: ours, role: 'all', demo: false, journal: silentJournal });
  const generator = startGenerator(loader);
  try {
    const until = Date.now() + READY_MS;
    while (!millrace.scorer?.isReady() && Date.now() < until) await delay(50);
    const authorization = `Basic ${Buffer.from(`${KEY}:`).toString('base64')}`;
    const load = (rate: number, forSeconds: number): Promise<ClickResult> =>
      generator.run({ kind: 'clicks', port: millrace.port, authorization, rate, seconds: forSeconds, shoppers: SHOPPERS, skus: SKUS });
    // Groups still form for some seconds: begin when clicks are answered in time.
    for (let calm = 0; calm < 2 && Date.now() < until;) {
      const warm = await load(WARM_RATE, 1);
      calm = warm.stale === 0 ? calm + 1 : 0;
    }
    await load(RATES[0], WARM_SECONDS);
    const figures: Figure[] = [];
    for (const rate of RATES) {
      const { changed, accepted, stale } = await load(rate, seconds / RATES.length);
      const conditions = { clicks_a_second: rate, clicks: accepted.length, stale, warm_seconds: WARM_SECONDS, shoppers: SHOPPERS, skus: SKUS, accepted_p50_ms: Math.round(quantile(accepted, 0.5) * 10) / 10, role: 'all in one process, ClickHouse included' };
      for (const q of [0.5, 0.99]) figures.push(figure(`click-to-change ${engine} ${rate}/s p${q * 100}`, quantile(changed, q), null, 'ms', conditions));
    }
    return figures;
  } finally {
    generator.stop();
    await millrace.stop();
  }
}

export const clickToChange: Bench = {
  name: 'click-to-change',
  about: 'From an accepted click to a recommendation that reflects it, at 50 and 200 clicks a second, on the embedded engine.',
  needs: [],
  run: (setting) => measure('embedded', setting, {}),
};

export const clickToChangeKafka: Bench = {
  name: 'click-to-change-kafka',
  about: 'The same on Kafka.',
  needs: ['KAFKA_BROKERS'],
  async run(setting) {
    const { prefix, partitions, remove } = kafkaTopics(setting);
    try {
      return await measure('kafka', setting, { KAFKA_BROKERS: setting.config.KAFKA_BROKERS.join(','), TOPIC_PREFIX: prefix, TOPIC_PARTITIONS: String(partitions) });
    } finally {
      await remove();
    }
  },
};
