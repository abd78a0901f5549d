import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { NewRecord } from '../../pipeline/core/log.js';
import { brokerFromJars } from '../support/services/kafka.js';
import type { RunningKafka } from '../support/services/kafka.js';
import { freePorts } from '../support/services/processes.js';
import { faultyProxy } from '../support/services/proxy.js';
import type { FaultyProxy } from '../support/services/proxy.js';
import { unavailable } from '../support/services/unavailable.js';
import type { Unavailable } from '../support/services/unavailable.js';
import { appendSurely, copierTopics, installation, readAll, runCopier, values } from './kafka-copier.js';

const PARTITIONS = 4;
const CUTS = 30;

/** A broker that sends its clients to a proxy. Always from the jars: a container's address is not known before it runs. */
async function brokerBehindProxy(): Promise<{ kafka: RunningKafka; proxy: FaultyProxy } | Unavailable> {
  const [port = 0] = await freePorts(1);
  const proxy = await faultyProxy(`tcp://127.0.0.1:${port}`);
  try {
    const kafka = await brokerFromJars((plain) => ({
      listeners: `${plain.listeners},PROXIED://127.0.0.1:${port}`,
      'advertised.listeners': `${plain['advertised.listeners']},PROXIED://${new URL(proxy.url).host}`,
      'listener.security.protocol.map': `${plain['listener.security.protocol.map']},PROXIED:PLAINTEXT`,
    }));
    return { kafka, proxy };
  } catch (error) {
    await proxy.stop();
    return unavailable('Kafka behind a proxy', error);
  }
}

test('connections that break again and again cost time, not records, and end no membership', async (context) => {
  const started = await brokerBehindProxy();
  if ('unavailable' in started) return context.skip(started.unavailable);
  const { kafka, proxy } = started;
  const { join, close } = installation([new URL(proxy.url).host], PARTITIONS);
  try {
    const { log } = await join();
    await log.ensureTopics(copierTopics);
    // The first cuts come while the group is being joined: kafkajs gives up where a coordinator does not answer once.
    const membership = runCopier(log);
    let ended: unknown;
    membership.failed.catch((error: unknown) => { ended = error; });
    const sent: string[] = [];
    const isOver = new AbortController();
    const cutting = (async () => {
      for (let cut = 0; cut < CUTS; cut++) {
        await sleep(20 + Math.random() * 580);
        proxy.cut();
      }
      isOver.abort();
    })();
    for (let i = 0; !isOver.signal.aborted; i++) {
      const records = Array.from({ length: 20 }, (_, j): NewRecord => ({ topic: 'in', partition: j % PARTITIONS, key: 'k', value: Buffer.from(`${i}-${j}`) }));
      await appendSurely(log, records);
      sent.push(...records.map(({ value }) => String(value)));
      await sleep(20);
    }
    await cutting;

    const input = values(await readAll(log, 'in', (records) => new Set(values(records)).size >= sent.length));
    expect(new Set(input)).toEqual(new Set(sent));
    const copied = values(await readAll(log, 'out', (records) => records.length >= input.length, 1_000));
    expect(ended).toBeUndefined();
    expect(copied.sort()).toEqual(input.sort());
    context.annotate(`${sent.length} records`);
    await membership.stop();
  } finally {
    await close();
    await kafka.stop();
    await proxy.stop();
  }
}, 120_000);
