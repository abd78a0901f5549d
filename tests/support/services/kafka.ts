import { setTimeout as sleep } from 'node:timers/promises';
import { Kafka, logLevel } from 'kafkajs';
import { containerOr, startContainer } from './docker.js';
import { jarBroker, singleNode } from './kafka-jars.js';
import { freePorts, restartable } from './processes.js';
import { unavailable } from './unavailable.js';
import type { Unavailable } from './unavailable.js';

/** A broker of one's own, for suites that hurt it; suites that only use one share it through `describeWith`. */
export interface RunningKafka {
  brokers: string[];
  /** SIGKILL: nothing is flushed, nobody is told. */
  kill(): Promise<void>;
  /** The same address and data again; resolves when groups and transactions work. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

const IMAGE = 'apache/kafka:4.1.0'; // as in docker-compose.yml

/** Starts a broker: in a container where an engine answers, else from the released jars. */
export async function startKafka(): Promise<RunningKafka | Unavailable> {
  try {
    return await containerOr(startInContainer, () => brokerFromJars());
  } catch (error) {
    return unavailable('Kafka', error);
  }
}

export async function brokerFromJars(changed?: (plain: Record<string, string>) => Record<string, string>): Promise<RunningKafka> {
  const broker = await jarBroker(changed);
  const brokers = [broker.address];
  return { brokers, ...(await restartable(broker, broker.start, 100_000, () => warmUp(brokers, 2_000))) };
}

async function startInContainer(): Promise<RunningKafka> {
  const [port = 0] = await freePorts(1);
  const env = {
    KAFKA_NODE_ID: '1',
    KAFKA_PROCESS_ROLES: 'broker,controller',
    KAFKA_CONTROLLER_QUORUM_VOTERS: '1@localhost:9093',
    KAFKA_LISTENERS: `PLAINTEXT://:${port},CONTROLLER://:9093`,
    KAFKA_ADVERTISED_LISTENERS: `PLAINTEXT://localhost:${port}`,
    KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
    KAFKA_INTER_BROKER_LISTENER_NAME: 'PLAINTEXT',
    ...Object.fromEntries(Object.entries(singleNode).map(([name, value]) => [`KAFKA_${name.replaceAll('.', '_').toUpperCase()}`, value])),
  };
  const container = await startContainer({ image: IMAGE, ports: [{ container: port, host: port }], env });
  const brokers = [`localhost:${port}`];
  await warmUp(brokers, 60_000);
  return {
    brokers,
    kill: container.kill,
    restart: async () => {
      await container.restart();
      await warmUp(brokers, 60_000);
    },
    stop: container.stop,
  };
}

/**
 * Resolves when the broker serves groups and transactions. A cold broker answers metadata before its internal topics
 * exist: the first suite would then fail with "group coordinator is not available", about once in four starts.
 */
export async function warmUp(brokers: string[], timeoutMs: number): Promise<void> {
  process.env.KAFKAJS_NO_PARTITIONER_WARNING = '1';
  const deadline = Date.now() + timeoutMs;
  const kafka = new Kafka({ clientId: 'warm-up', brokers, logLevel: logLevel.NOTHING, retry: { initialRetryTime: 20, retries: 3, maxRetryTime: 100 } });
  const admin = kafka.admin();
  const producer = () => kafka.producer({ transactionalId: 'warm-up', idempotent: true, maxInFlightRequests: 1 });
  try {
    await untilDeadline(deadline, () => admin.connect());
    await untilDeadline(deadline, () => admin.fetchOffsets({ groupId: 'warm-up' }));
    await untilDeadline(deadline, async () => {
      const fresh = producer();
      try {
        await fresh.connect();
        await (await fresh.transaction()).abort();
      } finally {
        await fresh.disconnect().catch(() => undefined);
      }
    });
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

async function untilDeadline(deadline: number, attempt: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(20);
    }
  }
}
