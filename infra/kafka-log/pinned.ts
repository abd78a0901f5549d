/**
 * Everything that leans on the inside of kafkajs, in one file, for one version.
 * Raw fetches outside a group, list-offsets with high watermarks and leaving a group for another member have no public
 * door; each is checked to be there when this file loads, so that another version fails at start and not at a crash.
 */
import { createRequire } from 'node:module';
import type { Cluster, ISocketFactory, Kafka } from 'kafkajs';

export const PINNED_VERSION = '2.2.4';

const load = createRequire(import.meta.url);
const { KafkaJSConnectionClosedError } = load('kafkajs/src/errors.js');
const { version } = load('kafkajs/package.json');
if (version !== PINNED_VERSION) throw new Error(`The Kafka log is written for kafkajs ${PINNED_VERSION}, not ${version}.`);

interface WireRequest {
  readonly request: unknown;
  readonly response: { decode(payload: Buffer): Promise<unknown>; parse(decoded: unknown): Promise<unknown> };
  readonly requestTimeout: number;
}

export interface PinnedBroker {
  readonly nodeId: number;
  /** Versions of each request that the broker takes, by the request's number; null before it was asked. */
  readonly versions: Readonly<Record<number, { readonly maxVersion: number }>> | null;
  /** Two sockets: one for fetches, one for all else. */
  readonly connectionPool: { send(request: WireRequest): Promise<unknown>; getConnection(index: number): Promise<unknown> };
  disconnect(): Promise<void>;
  leaveGroup(request: { groupId: string; memberId: string }): Promise<unknown>;
  listOffsets(request: {
    isolationLevel: number;
    topics: { topic: string; partitions: { partition: number; timestamp: number }[] }[];
  }): Promise<{ responses: { topic: string; partitions: { partition: number; offset: string }[] }[] }>;
}

interface Coordinator {
  readonly groupId: string;
  readonly coordinatorType?: number;
}

export interface PinnedCluster extends Omit<Cluster, 'findBroker' | 'findControllerBroker' | 'findGroupCoordinator'> {
  findBroker(node: { nodeId: number }): Promise<PinnedBroker>;
  findControllerBroker(): Promise<PinnedBroker>;
  findGroupCoordinator(group: Coordinator): Promise<PinnedBroker>;
}

const CREATE_CLUSTER = 'private:Kafka:createCluster';

type CreateCluster = (options: object) => PinnedCluster;

function clusterDoor(kafka: Kafka): { symbol: symbol; create: CreateCluster } {
  const symbol = Object.getOwnPropertySymbols(kafka).find(({ description }) => description === CREATE_CLUSTER);
  const create: unknown = symbol && Reflect.get(kafka, symbol);
  if (symbol === undefined || typeof create !== 'function') throw new Error(`kafkajs has no ${CREATE_CLUSTER}.`);
  return { symbol, create: (options) => create.call(kafka, options) };
}

/** A connection to the cluster that belongs to no producer, consumer or group. */
export function createCluster(kafka: Kafka): PinnedCluster {
  return clusterDoor(kafka).create({ metadataMaxAge: 60_000, allowAutoTopicCreation: false });
}

/**
 * Give every cluster of this client its retry policy: kafkajs reads `cluster.retry` while it initialises a producer id
 * but never sets it, so that a fence which meets an open transaction waits 300 ms instead of 3. And let it remember
 * the coordinators of transactions, which it asks for twice a transaction.
 */
export function setTransactionPolicy(kafka: Kafka, retry: object): void {
  const { symbol, create } = clusterDoor(kafka);
  Reflect.set(kafka, symbol, (options: object) => rememberCoordinators(Object.assign(create(options), { retry })));
}

const OF_TRANSACTIONS = 1;
/** Requests that transaction coordinators refused so far: after each, what is remembered of them counts no more. */
let refusals = 0;

function rememberCoordinators(cluster: PinnedCluster): PinnedCluster {
  const find = cluster.findGroupCoordinator.bind(cluster);
  const known = new Map<string, { nodeId: number; refusals: number }>();
  const findGroupCoordinator = async (group: Coordinator): Promise<PinnedBroker> => {
    if (group.coordinatorType !== OF_TRANSACTIONS) return find(group);
    const remembered = known.get(group.groupId);
    if (remembered?.refusals === refusals) {
      const broker = await cluster.findBroker(remembered).catch(() => undefined);
      if (broker) return broker;
    }
    const asked = refusals;
    const broker = await find(group);
    known.set(group.groupId, { nodeId: broker.nodeId, refusals: asked });
    return broker;
  };
  return Object.assign(cluster, { findGroupCoordinator });
}

const Broker = load('kafkajs/src/broker/index.js');
for (const name of ['initProducerId', 'addPartitionsToTxn', 'endTxn']) {
  const ask: unknown = Broker.prototype[name];
  if (typeof ask !== 'function') throw new Error(`kafkajs' brokers have no ${name}.`);
  Broker.prototype[name] = async function (this: PinnedBroker, request: unknown): Promise<unknown> {
    try {
      return await ask.call(this, request);
    } catch (error) {
      // Which says that the coordinator is at its work.
      if (!(error instanceof Error && 'type' in error && error.type === 'CONCURRENT_TRANSACTIONS')) refusals++;
      throw error;
    }
  };
}

/** How kafkajs opens its sockets. */
export const plainSockets: ISocketFactory = load('kafkajs/src/network/socketFactory.js')();

/** Builder of a fetch request, version 11: the last that kafkajs encodes; brokers 3.9 to 4.x accept it. */
export const fetchRequest: (options: {
  replicaId: number; maxWaitTime: number; minBytes: number; maxBytes: number; isolationLevel: number;
  topics: { topic: string; partitions: { partition: number; fetchOffset: string; maxBytes: number }[] }[];
}) => unknown = load('kafkajs/src/protocol/requests/fetch/v11/request.js');

/** Writes the primitive types of Kafka's protocol. */
export interface Encoder {
  writeInt32(value: number): Encoder;
  writeBoolean(value: boolean): Encoder;
  writeString(value: string): Encoder;
  writeBuffer(value: Buffer): Encoder;
  writeUVarInt(value: number): Encoder;
  writeUVarIntString(value: string): Encoder;
}

const KafkaEncoder: new () => Encoder = load('kafkajs/src/protocol/encoder.js');
/** For requests that kafkajs does not know; its connections send only what one of its encoders wrote. */
export const encoder = (): Encoder => new KafkaEncoder();
for (const name of ['writeInt32', 'writeBoolean', 'writeString', 'writeBuffer', 'writeUVarInt', 'writeUVarIntString']) {
  if (typeof Reflect.get(KafkaEncoder.prototype, name) !== 'function') throw new Error(`kafkajs' encoder has no ${name}.`);
}

const RequestQueue = load('kafkajs/src/network/requestQueue/index.js');
const schedule: unknown = RequestQueue.prototype.scheduleCheckPendingRequests;
const destroy: unknown = RequestQueue.prototype.destroy;
if (typeof fetchRequest !== 'function' || typeof schedule !== 'function' || typeof destroy !== 'function') throw new Error('kafkajs has changed inside.');

// Without this each connection wakes the process every millisecond, for nothing: 4 % of a core when idle.
RequestQueue.prototype.scheduleCheckPendingRequests = function (this: { pending: unknown[]; throttledUntil: number }): void {
  if (this.pending.length > 0 || this.throttledUntil > Date.now()) schedule.call(this);
};

// A request that comes while its connection is being closed is neither answered nor timed out: who waits for it waits for ever.
RequestQueue.prototype.destroy = function (this: { inflight: Map<number, unknown>; pending: unknown[]; rejectAll(error: Error): void }): void {
  destroy.call(this);
  if (this.inflight.size > 0 || this.pending.length > 0) this.rejectAll(new KafkaJSConnectionClosedError('The connection was closed.'));
};
