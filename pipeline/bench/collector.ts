import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { createHttpServer, type HttpServer } from '../../infra/http/server.js';
import { openEmbeddedLog } from '../../infra/embedded-log/log.js';
import { allTopics } from '../../schemas/topics.js';
import type { Log } from '../core/log.js';
import { noMetrics, silentJournal } from '../core/metrics.js';
import type { Config } from '../config.js';
import { alternating, cpuSeconds, figure, median, quantile, type Bench, type BenchSetting, type Figure } from './bench.js';
import { batchBodies } from './events.js';
import { startGenerator } from './load-order.js';
import { appendFile } from './peers/append-file.js';
import { listening } from './peers/echo.js';
import { eventSender } from './peers/kafka.js';
import { kafkaTopics } from './kafka-setting.js';

const BATCH = 100;
const BODIES = 50;
const CONNECTIONS = 8;
const ROUNDS = 4;
const KEY = 'sk_bench';
const AUTHORIZATION = `Basic ${Buffer.from(`${KEY}:`).toString('base64')}`;

export const collectorEmbedded: Bench = {
  name: 'collector-embedded',
  about: 'The collector over HTTP on the embedded log, beside a bare server that parses the JSON and appends the raw bytes durably, with group commit.',
  needs: [],
  async run(setting) {
    const log = await openEmbeddedLog({ directory: join(setting.folder, 'log'), clock: 'wall' });
    await log.ensureTopics(allTopics);
    const file = appendFile(join(setting.folder, 'peer.log'));
    try {
      return await compare('collector-embedded', setting, log, (body) => file.append(body));
    } finally {
      await log.close();
      file.close();
    }
  },
};

export const collectorKafka: Bench = {
  name: 'collector-kafka',
  about: 'The collector over HTTP on Kafka, beside a bare server that parses the JSON and sends each event as a message with kafkajs, acknowledged by all replicas.',
  needs: ['KAFKA_BROKERS'],
  async run(setting) {
    const { prefix, partitions, open, remove } = kafkaTopics(setting);
    const log = await open('members');
    let sender: Awaited<ReturnType<typeof eventSender>> | undefined;
    try {
      await log.ensureTopics(allTopics);
      const plain = (sender = await eventSender(setting.config.KAFKA_BROKERS, `${prefix}peer`, partitions));
      return await compare('collector-kafka', setting, log, (_, batch) => plain.send(batch));
    } finally {
      await sender?.close();
      await log.close();
      await remove();
    }
  },
};

type Keep = (body: Buffer, parsed: { batch: readonly { userId: string }[] }) => Promise<unknown>;

async function compare(name: string, { seconds, loader, config }: BenchSetting, log: Log, keep: Keep): Promise<Figure[]> {
  const generator = startGenerator(loader);
  const ours = collector(log, config);
  const peer = bareServer(keep);
  try {
    const ports = { ours: await ours.listen(0, '127.0.0.1'), peer: await listening(peer) };
    const bodies = batchBodies(BODIES, BATCH);
    const share = seconds / (2 * ROUNDS + 1);
    const cpu: { ours: number[]; peer: number[] } = { ours: [], peer: [] };
    const p99: { ours: number[]; peer: number[] } = { ours: [], peer: [] };
    const load = async (side: 'ours' | 'peer', forSeconds: number): Promise<number> => {
      const began = cpuSeconds();
      const { requests, seconds: took, latencies } = await generator.run({ kind: 'closed', port: ports[side], path: '/v1/batch', authorization: AUTHORIZATION, bodies, connections: CONNECTIONS, seconds: forSeconds });
      cpu[side].push((requests * BATCH) / (cpuSeconds() - began));
      p99[side].push(quantile(latencies, 0.99));
      return (requests * BATCH) / took;
    };
    await load('ours', share / 2);
    await load('peer', share / 2);
    const rates = await alternating(ROUNDS, () => load('ours', share), () => load('peer', share));
    const conditions = { events_a_batch: BATCH, bytes_a_batch: bodies[0].length, connections: CONNECTIONS, rounds: rates.rounds, p99_ms_ours: Math.round(median(p99.ours)), p99_ms_peer: Math.round(median(p99.peer)) };
    return [
      figure(name, rates.ours, rates.peer, 'events/s', conditions),
      // On a machine that does much else this ratio is the steadier one.
      figure(`${name} by CPU`, median(cpu.ours), median(cpu.peer), 'events/CPU s', conditions),
    ];
  } finally {
    generator.stop();
    await ours.close();
    peer.close();
    peer.closeAllConnections();
  }
}

/** The collector as it is, with nothing behind the log. */
function collector(log: Log, config: Config): HttpServer {
  const nothing = (): object => ({});
  return createHttpServer(
    {
      accept: (records) => log.append(records), partitions: log.partitions, recommend: nothing, score: nothing, similar: nothing, forecast: nothing, forecasts: nothing, user: nothing, erase: nothing,
      metricsText: () => '', ready: () => ({ ready: true }), metrics: noMetrics, journal: silentJournal,
    },
    { shop: { currency: config.SHOP_CURRENCY, timezone: config.SHOP_TIMEZONE }, keys: { write: [], server: [KEY], admin: [] }, shopperTokenSecret: '' },
  );
}

function bareServer(keep: Keep): Server {
  return createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      const parsed = JSON.parse(body.toString()) as Parameters<Keep>[1];
      keep(body, parsed).then(() => response.writeHead(200, { 'content-type': 'application/json' }).end('{"accepted":100}'), () => response.writeHead(500).end());
    });
  });
}
