/** Two requests of Kafka's protocol that kafkajs does not know, and what their answers say. */
import { encoder } from './pinned.js';
import { Wire } from './wire.js';

/** A topic as the cluster has it now. */
export interface TopicDescription {
  /** Given to each topic when it is made (KIP-516); '' where the cluster gives none. */
  readonly id: string;
  readonly partitions: number;
}

export const METADATA_KEY = 3;
/** The first version with topic ids: brokers 2.8 and later. */
export const METADATA_VERSION = 11;
const NO_ID = '0'.repeat(32);

export interface HandMade {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly apiName: string;
  encode(): Promise<unknown>;
}

/** Metadata, version 11, of topics by their full names. */
export const metadataRequest = (topics: readonly string[]): HandMade => ({
  apiKey: METADATA_KEY, apiVersion: METADATA_VERSION, apiName: 'Metadata',
  encode: async () => {
    const request = encoder().writeUVarInt(0).writeUVarInt(topics.length + 1);
    for (const topic of topics) request.writeBuffer(Buffer.alloc(16)).writeUVarIntString(topic).writeUVarInt(0);
    return request.writeBoolean(false).writeBoolean(false).writeUVarInt(0);
  },
});

/** Topics of the answer that exist, by their full names. */
export function topicsOf(payload: Buffer): Map<string, TopicDescription> {
  const wire = new Wire(payload);
  wire.tags();
  wire.int32(); // throttle time
  wire.each(() => {
    wire.int32();
    wire.compactText();
    wire.int32();
    wire.compactText();
    wire.tags();
  });
  wire.compactText(); // cluster
  wire.int32(); // controller
  const topics = new Map<string, TopicDescription>();
  wire.each(() => {
    const error = wire.int16();
    const name = wire.compactText() ?? '';
    const id = wire.slice(16)?.toString('hex') ?? NO_ID;
    wire.int8(); // internal
    const partitions = wire.each(() => passPartition(wire));
    wire.int32(); // rights
    wire.tags();
    if (error === 0) topics.set(name, { id: id === NO_ID ? '' : id, partitions });
  });
  return topics;
}

function passPartition(wire: Wire): void {
  wire.int16();
  for (let fields = 3; fields > 0; fields--) wire.int32(); // partition, leader, leader epoch
  for (let lists = 3; lists > 0; lists--) wire.each(() => wire.int32()); // replicas, those in step, those offline
  wire.tags();
}

const OFFSET_FOR_LEADER_EPOCH = { apiKey: 23, apiVersion: 3, apiName: 'OffsetForLeaderEpoch' };
const CONSUMER = -1;
const ANY_EPOCH = -1;

/** Where the records of a leader epoch end. Of an epoch that the log does not know the end is `NO_SUCH_EPOCH`. */
export interface EpochQuestion {
  /** Full name. */
  readonly topic: string;
  readonly partition: number;
  readonly epoch: number;
}

/** In place of an offset: the log has no such epoch, and none after it. */
export const NO_SUCH_EPOCH = -1;

/** OffsetForLeaderEpoch, version 3 (KIP-320). */
export const epochEndRequest = (questions: readonly EpochQuestion[]): HandMade => ({
  ...OFFSET_FOR_LEADER_EPOCH,
  encode: async () => {
    const request = encoder().writeInt32(CONSUMER).writeInt32(questions.length);
    for (const { topic, partition, epoch } of questions) request.writeString(topic).writeInt32(1).writeInt32(partition).writeInt32(ANY_EPOCH).writeInt32(epoch);
    return request;
  },
});

/** Ends of the epochs asked for, by `<full topic>/<partition>`. @throws Error that names Kafka's code */
export function epochEndsOf(payload: Buffer): Map<string, number> {
  const wire = new Wire(payload);
  wire.int32(); // throttle time
  const ends = new Map<string, number>();
  for (let topics = wire.int32(); topics > 0; topics--) {
    const topic = wire.text(wire.int16()) ?? '';
    for (let partitions = wire.int32(); partitions > 0; partitions--) {
      const error = wire.int16();
      const partition = wire.int32();
      wire.int32(); // the newest epoch that is not after the one asked for
      const end = wire.int64();
      if (error !== 0) throw new Error(`Kafka answered error ${error} for the epochs of ${topic}.`);
      ends.set(`${topic}/${partition}`, end);
    }
  }
  return ends;
}
