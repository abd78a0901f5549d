import { Kafka, logLevel } from 'kafkajs';
import { expect, onTestFinished, test } from 'vitest';
import { webhookLimits } from '../../infra/webhook/endpoint.js';
import type { Log } from '../../pipeline/core/log.js';
import { noMetrics, silentJournal } from '../../pipeline/core/metrics.js';
import { partitionOf } from '../../pipeline/core/partition.js';
import { startWebhooks } from '../../pipeline/webhooks.js';
import { deadLetters, marketingTriggers } from '../../schemas/topics.js';
import { trigger } from '../infra/webhook-world.js';
import { describeWith } from '../support/services/describe-with.js';
import { Receiver, secret } from '../support/webhook-receiver.js';
import { installation, type Installation } from './kafka-copier.js';

const PARTITIONS = 4;
const SOON = { timeout: 30_000, interval: 20 };

await describeWith(['kafka'], 'webhooks on Kafka', ({ kafka: { brokers } }) => {
  const keeping = <T extends { close(): Promise<void> }>(one: T): T => {
    onTestFinished(() => one.close());
    return one;
  };

  const write = (log: Log, ids: readonly string[]) => log.append(ids.map((id) => {
    const one = trigger(id);
    return { topic: marketingTriggers.name, partition: partitionOf(one.shopper, PARTITIONS), key: one.shopper, value: marketingTriggers.codec.encode(one) };
  }));
  const idsFrom = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `t${from + i}`);

  /** A process that sends to these receivers; `partitions` of theirs it was the first to have. */
  async function processOf({ join }: Installation, receivers: readonly Receiver[]) {
    const { log } = await join();
    await log.ensureTopics([marketingTriggers, deadLetters]);
    let isNew = 0;
    const engine = { log, metrics: noMetrics, journal: { ...silentJournal, info: (_: object, sentence: string) => void (isNew += sentence.includes('is new') ? 1 : 0) }, learnSchemas: async () => {} };
    const webhooks = startWebhooks(engine, receivers.map(({ url }) => ({ url, secret })), { ...webhookLimits, timeoutMs: 5_000, finishMs: 20_000 });
    return { log, isNew: () => isNew, groups: webhooks.map(({ name }) => name), stop: () => Promise.all(webhooks.map((webhook) => webhook.stop())) };
  }

  /** Whether all that is in the topic is stored as sent for a group: what is sent but not yet stored is sent again by the next owner. */
  async function isStored({ prefix }: Installation, log: Log, group: string): Promise<boolean> {
    const admin = new Kafka({ clientId: 'stored', brokers, logLevel: logLevel.NOTHING }).admin();
    try {
      const [found] = await admin.fetchOffsets({ groupId: prefix + group, topics: [prefix + marketingTriggers.name] });
      const ends = await log.ranges(marketingTriggers.name);
      return found!.partitions.every(({ partition, offset }) => Number(offset) === ends[partition]!.end);
    } finally {
      await admin.disconnect();
    }
  }

  test('each trigger reaches a healthy endpoint through rebalances and restarts, whatever another one does, and a repetition has the same bytes', async () => {
    const [dead, healthy] = [keeping(await new Receiver(() => undefined).listen()), keeping(await new Receiver().listen())];
    const here = keeping(installation(brokers, PARTITIONS));
    const first = await processOf(here, [dead, healthy]);
    await expect.poll(first.isNew, SOON).toBe(2 * PARTITIONS);
    const ids = () => new Set(healthy.deliveries.map(({ data }) => data['id']));
    await write(first.log, idsFrom(0, 40));
    await expect.poll(() => ids().size, SOON).toBe(40);
    expect(healthy.deliveries).toHaveLength(40);
    await expect.poll(() => isStored(here, first.log, first.groups[1]!), SOON).toBe(true);

    const second = await processOf(here, [dead, healthy]);
    for (let from = 40; from < 120; from += 10) await write(first.log, idsFrom(from, from + 10));
    await first.stop();
    await expect.poll(() => ids().size, SOON).toBe(120);
    await expect.poll(() => isStored(here, second.log, second.groups[1]!), SOON).toBe(true);
    healthy.answer = () => (response) => void setTimeout(() => response.writeHead(200).end(), 200);
    await write(second.log, idsFrom(120, 130));
    await expect.poll(() => ids().size, SOON).toBe(130);
    // What has just arrived is answered and stored before the end: the next process sends what is new, and nothing else.
    await second.stop();
    const arrived = healthy.deliveries.length;
    await write(second.log, idsFrom(130, 140));
    const third = await processOf(here, [dead, healthy]);
    await expect.poll(() => ids().size, SOON).toBe(140);
    expect(healthy.deliveries).toHaveLength(arrived + 10);
    // What was stored is known to every later owner: nobody was new, and nothing of the beginning came again.
    expect(second.isNew() + third.isNew()).toBe(0);
    const sent = healthy.deliveries.map(({ data }) => data['id']);
    expect(sent.filter((id) => idsFrom(0, 40).includes(String(id)))).toHaveLength(40);
    const bodies = new Map<string, Buffer>();
    for (const { id, body } of healthy.deliveries) expect((bodies.get(id) ?? body).equals(body)).toBe(!!bodies.set(id, body));
    expect(ids()).toEqual(new Set(idsFrom(0, 140)));
    expect(new Set(dead.ids).size).toBeGreaterThan(0);
    await third.stop();
  }, 120_000);
});
