import kafkajs, { type Kafka } from 'kafkajs';

/** kafkajs as its documentation shows it: what a service without Millrace would be. */

const client = (brokers: readonly string[]): Kafka => new kafkajs.Kafka({ clientId: 'bench-peer', brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING, retry: { initialRetryTime: 50, retries: 10 } });

const { Partitioners: { DefaultPartitioner: createPartitioner } } = kafkajs;

/** Sends each event of a batch as a message keyed by its shopper. */
export async function eventSender(brokers: readonly string[], topic: string, partitions: number): Promise<{ send(body: { batch: readonly { userId: string }[] }): Promise<unknown>; close(): Promise<void> }> {
  const kafka = client(brokers);
  await withAdmin(kafka, async (admin) => void (await admin.createTopics({ waitForLeaders: false, topics: [{ topic, numPartitions: partitions }] })));
  const producer = kafka.producer({ createPartitioner, allowAutoTopicCreation: false });
  await producer.connect();
  return {
    send: ({ batch }) => producer.send({ topic, acks: -1, messages: batch.map((event) => ({ key: event.userId, value: JSON.stringify(event) })) }),
    close: () => producer.disconnect(),
  };
}

/** A fetched batch may be larger than a request may be. */
const MOST_AT_ONCE = 2_500;

export interface PlainMessage {
  readonly key: string | null;
  readonly value: Buffer | null;
}

/** Consume, transform and produce without transactions; resolves when so many messages have been sent on. */
export async function plainLoop(options: {
  brokers: readonly string[]; group: string; from: string; to: string; messages: number; partitions: number; transform: (message: PlainMessage) => PlainMessage;
}): Promise<{ seconds: number }> {
  const { brokers, group, from, to, messages, partitions, transform } = options;
  const kafka = client(brokers);
  await withAdmin(kafka, async (admin) => void (await admin.createTopics({ waitForLeaders: false, topics: [{ topic: to, numPartitions: partitions }] })));
  const producer = kafka.producer({ createPartitioner, allowAutoTopicCreation: false });
  const consumer = kafka.consumer({ groupId: group });
  await Promise.all([producer.connect(), consumer.connect()]);
  await consumer.subscribe({ topics: [from], fromBeginning: true });
  try {
    return await new Promise((resolve, reject) => {
      let began: number | undefined;
      let sent = 0;
      consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
      consumer.run({
        partitionsConsumedConcurrently: partitions,
        eachBatch: async ({ batch }) => {
          began ??= performance.now();
          for (let at = 0; at < batch.messages.length; at += MOST_AT_ONCE) {
            const messages = batch.messages.slice(at, at + MOST_AT_ONCE).map(({ key, value }) => transform({ key: key?.toString() ?? null, value }));
            await producer.send({ topic: to, acks: -1, messages });
            sent += messages.length;
          }
          if (sent >= messages) resolve({ seconds: (performance.now() - began) / 1000 });
        },
      }).catch(reject);
    });
  } finally {
    await consumer.disconnect();
    await producer.disconnect();
  }
}

/** Delete the topics of a bench. */
export async function deleteTopics(brokers: readonly string[], prefix: string): Promise<void> {
  await withAdmin(client(brokers), async (admin) => {
    const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(prefix));
    if (topics.length > 0) await admin.deleteTopics({ topics });
  });
}

async function withAdmin(kafka: Kafka, use: (admin: ReturnType<Kafka['admin']>) => Promise<void>): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    await use(admin);
  } finally {
    await admin.disconnect();
  }
}
