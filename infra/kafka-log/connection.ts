import type { Kafka } from 'kafkajs';
import { ConfigError } from '../../pipeline/core/errors.js';
import type { OffsetRange } from '../../pipeline/core/log.js';
import { asFailure, backOff, isMissingTopic } from './failures.js';
import { decodeFetch } from './fetch-answer.js';
import type { Asked, PartitionAnswer } from './fetch-answer.js';
import { epochEndRequest, epochEndsOf, METADATA_KEY, METADATA_VERSION, metadataRequest, topicsOf } from './hand-made.js';
import type { HandMade, TopicDescription } from './hand-made.js';
import { createCluster, fetchRequest } from './pinned.js';
import type { PinnedBroker, PinnedCluster } from './pinned.js';

const READ_UNCOMMITTED = 0;
const READ_COMMITTED = 1;
const EARLIEST = -2;
const LATEST = -1;
/** Offset in place of one where no record is as late as the time asked for. */
const NONE = -1;
const ATTEMPTS = 12;
const SOCKET = 0;
const FETCH_SOCKET = 1;
const REQUEST_MS = 5_000;

export interface FetchLimits {
  readonly waitMs: number;
  /** With less an answer waits for `waitMs`; 1 by default. */
  readonly leastBytes?: number;
  readonly bytes: number;
  readonly partitionBytes: number;
}

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** Sockets and what was learned through them. */
export interface Session {
  readonly cluster: PinnedCluster;
  /** Topics whose leaders are known. */
  readonly topics: Set<string>;
  /**
   * Sockets of brokers that are open or being opened, by number: kafkajs would open one for each request that comes
   * meanwhile, and never close it.
   */
  readonly sockets: Map<PinnedBroker, Promise<unknown>[]>;
}

/**
 * A connection of its own for raw reads, outside any group. Topics are named without prefix.
 * A broker answers one fetch of a connection after the other: what must not wait for a long poll needs another one.
 */
export class Connection {
  #session: Session | undefined;
  #opening: Promise<Session> | undefined;

  constructor(readonly kafka: Kafka, readonly prefix: string) {}

  /** Leader of a partition as far as is known. */
  leader({ topic, partition }: TopicPartition): number | undefined {
    const session = this.#session;
    const found = session?.topics.has(topic) && this.#partitions(session, topic).find(({ partitionId }) => partitionId === partition);
    return found && found.leader >= 0 ? found.leader : undefined;
  }

  /** Ask the cluster who leads these topics. @throws what kafkajs throws */
  async learn(topics: Iterable<string>): Promise<void> {
    const session = await this.open();
    const wanted = new Set(topics);
    const isNew = [...wanted].some((topic) => !session.topics.has(topic));
    if (isNew) await session.cluster.addMultipleTargetTopics([...wanted].map((topic) => this.prefix + topic));
    else await session.cluster.refreshMetadata();
    for (const topic of wanted) session.topics.add(topic);
  }

  /** Partition numbers of a topic. @throws ConfigError when it does not exist */
  async partitions(topic: string): Promise<number[]> {
    return this.#patiently(`Kafka does not say which partitions ${topic} has.`, [topic], async (session) => {
      const found = this.#partitions(session, topic);
      // kafkajs repeats a refresh that found a leader missing with the topics of its first attempt: what was learned meanwhile is gone.
      if (found.length === 0) throw new Error(`${topic} is not in what the cluster said last.`);
      return found.map(({ partitionId }) => partitionId).sort((a, b) => a - b);
    });
  }

  /** Existing offsets of partitions, in the order asked; `end` is the high watermark. */
  async ranges(wanted: readonly TopicPartition[]): Promise<OffsetRange[]> {
    const topics = wanted.map(({ topic }) => topic);
    return this.#patiently(`Kafka does not say which offsets ${[...new Set(topics)].join(', ')} have.`, topics, async (session) => {
      // The start first: a log whose head is dropped in between would else seem to begin after its end.
      const starts = await this.#offsets(session, wanted, EARLIEST);
      const ends = await this.#offsets(session, wanted, LATEST);
      return wanted.map((_, i) => ({ start: starts[i], end: ends[i] }));
    });
  }

  /** Offset of the first record of each partition that was written after `time` (ms), in the order asked; where none was, the end. */
  async writtenAfter(wanted: readonly TopicPartition[], time: number): Promise<number[]> {
    const topics = wanted.map(({ topic }) => topic);
    return this.#patiently(`Kafka does not say what was written to ${[...new Set(topics)].join(', ')} when.`, topics, async (session) => {
      // The end first: what is written in between is not from before `time`.
      const ends = await this.#offsets(session, wanted, LATEST);
      const found = await this.#offsets(session, wanted, time + 1);
      return found.map((offset, i) => (offset === NONE ? ends[i] : offset));
    });
  }

  /** Topics as they are now; none where the cluster is too old to say. @throws ConfigError when one does not exist */
  async describe(topics: readonly string[]): Promise<Map<string, TopicDescription>> {
    return this.#patiently(`Kafka does not say what ${topics.join(', ')} are.`, topics, async (session) => {
      const broker = await session.cluster.findControllerBroker();
      if ((broker.versions?.[METADATA_KEY]?.maxVersion ?? METADATA_VERSION) < METADATA_VERSION) return new Map();
      const found = await this.#ask(session, broker, metadataRequest(topics.map((topic) => this.prefix + topic)), topicsOf);
      return new Map([...found].map(([topic, description]) => [topic.slice(this.prefix.length), description]));
    });
  }

  /** Where the records of a leader epoch end in each partition, in the order asked; NO_SUCH_EPOCH where the log knows neither it nor a later one. */
  async epochEnds(wanted: readonly (TopicPartition & { readonly epoch: number })[]): Promise<number[]> {
    const topics = wanted.map(({ topic }) => topic);
    return this.#patiently(`Kafka does not say where the epochs of ${[...new Set(topics)].join(', ')} end.`, topics, async (session) => {
      const found = new Map<string, number>();
      await Promise.all([...this.#byLeader(wanted)].map(async ([nodeId, those]) => {
        const broker = await session.cluster.findBroker({ nodeId });
        const questions = those.map(({ topic, partition, epoch }) => ({ topic: this.prefix + topic, partition, epoch }));
        for (const [place, end] of await this.#ask(session, broker, epochEndRequest(questions), epochEndsOf)) found.set(place, end);
      }));
      return wanted.map(({ topic, partition }) => found.get(`${this.prefix}${topic}/${partition}`) ?? missing(`epoch of partition ${partition} of ${topic}`));
    });
  }

  /** One fetch from one broker, read_committed. @throws what kafkajs throws; the session is then to be dropped. */
  async fetch({ cluster, sockets }: Session, node: number, wanted: readonly Asked[], limits: FetchLimits): Promise<PartitionAnswer[]> {
    const asked = new Map(wanted.map((one) => [`${this.prefix}${one.topic}/${one.partition}`, one]));
    const broker = await cluster.findBroker({ nodeId: node });
    await opened(sockets, broker, FETCH_SOCKET);
    let answers: PartitionAnswer[] = [];
    await closingWithin(broker, () => broker.connectionPool.send({
      request: fetchRequest({
        replicaId: -1, maxWaitTime: limits.waitMs, minBytes: limits.leastBytes ?? 1, maxBytes: limits.bytes, isolationLevel: READ_COMMITTED,
        topics: byTopic(wanted).map(([topic, partitions]) => ({
          topic: this.prefix + topic,
          partitions: partitions.map(({ partition, from }) => ({ partition, fetchOffset: String(from), maxBytes: limits.partitionBytes })),
        })),
      }),
      response: {
        decode: async (payload) => {
          const { clientSideThrottleTime, error, partitions } = decodeFetch(payload, asked);
          if (error !== 0) throw new Error(`Kafka answered a fetch with error ${error}.`);
          answers = partitions;
          return { clientSideThrottleTime };
        },
        parse: async (decoded) => decoded,
      },
      requestTimeout: limits.waitMs + 5_000,
    }));
    return answers;
  }

  /** Leave a group for a member that is no more. */
  async leaveFor(groupId: string, memberId: string): Promise<void> {
    const { cluster, sockets } = await this.open();
    const coordinator = await cluster.findGroupCoordinator({ groupId });
    await opened(sockets, coordinator, SOCKET);
    await coordinator.leaveGroup({ groupId, memberId });
  }

  /** The sockets in use, opened when there are none. */
  open(): Promise<Session> {
    if (this.#session) return Promise.resolve(this.#session);
    this.#opening ??= this.#connect().finally(() => (this.#opening = undefined));
    return this.#opening;
  }

  /** Forget sockets that failed; the next call opens new ones. Nothing happens when that was done already. */
  drop(session: Session | undefined): void {
    if (session === undefined || session !== this.#session) return;
    this.#session = undefined;
    session.cluster.disconnect().catch(() => {});
  }

  async close(): Promise<void> {
    await this.#opening?.catch(() => {});
    const session = this.#session;
    this.#session = undefined;
    await session?.cluster.disconnect().catch(() => {});
  }

  async #connect(): Promise<Session> {
    const cluster = createCluster(this.kafka);
    await cluster.connect();
    this.#session = { cluster, topics: new Set(), sockets: new Map() };
    return this.#session;
  }

  #partitions({ cluster }: Session, topic: string) {
    return cluster.findTopicPartitionMetadata(this.prefix + topic);
  }

  async #offsets({ cluster, sockets }: Session, wanted: readonly TopicPartition[], timestamp: number): Promise<number[]> {
    const found = new Map<string, number>();
    await Promise.all([...this.#byLeader(wanted)].map(async ([nodeId, partitions]) => {
      const broker = await cluster.findBroker({ nodeId });
      await opened(sockets, broker, SOCKET);
      const topics = byTopic(partitions).map(([topic, those]) => ({
        topic: this.prefix + topic,
        partitions: those.map(({ partition }) => ({ partition, timestamp })),
      }));
      const { responses } = await broker.listOffsets({ isolationLevel: READ_UNCOMMITTED, topics });
      for (const { topic, partitions: offsets } of responses) {
        for (const { partition, offset } of offsets) found.set(`${topic}/${partition}`, Number(offset));
      }
    }));
    return wanted.map(({ topic, partition }) => found.get(`${this.prefix}${topic}/${partition}`) ?? missing(`offset of partition ${partition} of ${topic}`));
  }

  /** @throws Error where a partition has no leader */
  #byLeader<T extends TopicPartition>(wanted: readonly T[]): Map<number, T[]> {
    const byNode = new Map<number, T[]>();
    for (const one of wanted) {
      const node = this.leader(one);
      if (node === undefined) throw new Error(`Partition ${one.partition} of ${one.topic} has no leader.`);
      byNode.set(node, [...(byNode.get(node) ?? []), one]);
    }
    return byNode;
  }

  async #ask<T>({ sockets }: Session, broker: PinnedBroker, request: HandMade, read: (payload: Buffer) => T): Promise<T> {
    await opened(sockets, broker, SOCKET);
    const answers: T[] = [];
    await broker.connectionPool.send({
      request,
      response: { decode: async (payload) => { answers.push(read(payload)); return {}; }, parse: async (decoded) => decoded },
      requestTimeout: REQUEST_MS,
    });
    return answers[0];
  }

  async #patiently<T>(sentence: string, topics: readonly string[], ask: (session: Session) => Promise<T>): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      let session: Session | undefined;
      try {
        session = await this.open();
        const { topics: known } = session;
        if (topics.some((topic) => !known.has(topic)) || attempt > 0) await this.learn(topics);
        return await ask(session);
      } catch (error) {
        if (isMissingTopic(error) && attempt >= 4) throw new ConfigError([`${sentence} A topic is missing.`], { cause: error });
        if (attempt >= ATTEMPTS) throw asFailure(sentence, error);
        // The first failure may be a leader that moved: learning again is enough.
        if (attempt > 0) this.drop(session);
        await backOff(attempt);
      }
    }
  }
}

function missing(what: string): never {
  throw new Error(`Kafka gave no ${what}.`);
}

/** Resolves when a socket of a broker is open; whoever asks meanwhile waits for the same one. */
function opened(sockets: Session['sockets'], broker: PinnedBroker, index: number): Promise<unknown> {
  const ofBroker = sockets.get(broker) ?? [];
  sockets.set(broker, ofBroker);
  const opening = ofBroker[index];
  if (opening) return opening;
  const fresh = broker.connectionPool.getConnection(index);
  ofBroker[index] = fresh;
  // The next attempt tries anew.
  fresh.catch(() => { delete ofBroker[index]; });
  return fresh;
}

function byTopic<T extends TopicPartition>(partitions: readonly T[]): [string, T[]][] {
  const topics = new Map<string, T[]>();
  for (const one of partitions) {
    const those = topics.get(one.topic);
    if (those) those.push(one);
    else topics.set(one.topic, [one]);
  }
  return [...topics];
}

/** kafkajs closes a broker's connections only for requests of its own. */
async function closingWithin(broker: PinnedBroker, send: () => Promise<unknown>): Promise<void> {
  try {
    await send();
  } catch (error) {
    await broker.disconnect().catch(() => {});
    throw error;
  }
}
