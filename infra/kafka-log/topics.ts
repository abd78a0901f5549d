import kafkajs from 'kafkajs';
import type { Admin, ITopicConfig } from 'kafkajs';
import { ConfigError } from '../../pipeline/core/errors.js';
import type { Journal } from '../../pipeline/core/metrics.js';
import type { Topic } from '../../schemas/topics.js';
import { asFailure, backOff, failureCodes } from './failures.js';

const { ConfigResourceTypes } = kafkajs;

export interface TopicDefaults {
  readonly prefix: string;
  readonly partitions: number;
  /** Whether an existing topic may have more. */
  readonly allowsMore: boolean;
  readonly replicationFactor: number;
}

const HOUR_MS = 3_600_000;
const ATTEMPTS = 12;

/** What a topic is created with. Everything the guarantees rest on is said, whatever the cluster's defaults are. */
function topicConfig({ name, kind, retentionMs }: Topic, { prefix, partitions, replicationFactor }: TopicDefaults): ITopicConfig {
  const config: Record<string, string | number> = {
    'message.timestamp.type': 'CreateTime',
    // With two of three replicas in step an acknowledged record survives any one broker.
    'min.insync.replicas': replicationFactor >= 3 ? 2 : 1,
    ...(kind === 'table'
      // Small segments: the active one is never compacted, and a restore reads all of it.
      ? { 'cleanup.policy': 'compact', 'segment.bytes': 32 << 20, 'segment.ms': HOUR_MS, 'min.cleanable.dirty.ratio': 0.1, 'delete.retention.ms': 24 * HOUR_MS }
      : { 'cleanup.policy': 'delete', 'retention.ms': retentionMs }),
    // Foreign producers write here with codecs that this process cannot open; the broker opens them.
    ...(kind === 'source' ? { 'compression.type': 'uncompressed' } : {}),
  };
  return {
    topic: prefix + name,
    numPartitions: partitions,
    replicationFactor,
    configEntries: Object.entries(config).map(([entry, value]) => ({ name: entry, value: String(value) })),
  };
}

/** Create what is missing, and say so where others are there; then check partition counts and that tables are compacted. A cluster that is busy is asked again. */
export async function ensureTopics(admin: Admin, topics: readonly Topic[], defaults: TopicDefaults, journal: Journal): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await createAndCheck(admin, topics, defaults, journal);
    } catch (error) {
      // A lone broker that is just coming up counts as no broker, and every replication factor as too large.
      const isSettled = error instanceof ConfigError && !failureCodes(error.cause).includes('INVALID_REPLICATION_FACTOR');
      if (isSettled || attempt >= ATTEMPTS) throw error;
      await backOff(attempt);
    }
  }
}

async function createAndCheck(admin: Admin, topics: readonly Topic[], defaults: TopicDefaults, journal: Journal): Promise<void> {
  const { prefix } = defaults;
  try {
    const existing = new Set(await admin.listTopics());
    const missing = topics.filter(({ name }) => !existing.has(prefix + name));
    if (missing.length > 0) await create(admin, missing.map((topic) => topicConfig(topic, defaults)));
    if (missing.length > 0 && missing.length < topics.length) {
      journal.warn({ topics: missing.map(({ name }) => prefix + name).join(', ') }, 'Topics were missing and are made. A new version may have brought them; else somebody has deleted them, with what they held.');
    }
    const counts = await partitionCounts(admin, topics.map(({ name }) => prefix + name));
    const problems = unlike(topics.map(({ name }) => [prefix + name, counts.get(prefix + name) ?? 0]), defaults);
    problems.push(...(await uncompacted(admin, topics.filter(({ kind }) => kind === 'table').map(({ name }) => prefix + name))));
    if (problems.length > 0) throw new ConfigError(problems);
  } catch (error) {
    throw asFailure('The topics could not be created and checked.', error);
  }
}

/** What is said of topics that have another number of partitions: one sentence where all have the same, which is a setting that was forgotten. */
function unlike(counts: [name: string, count: number][], { partitions, allowsMore }: TopicDefaults): string[] {
  const others = counts.filter(([, count]) => count < partitions || (count > partitions && !allowsMore));
  const [[, first] = ['', 0]] = others;
  if (others.length > 1 && others.length === counts.length && others.every(([, count]) => count === first)) {
    return [`TOPIC_PARTITIONS is ${partitions}, and the topics of this cluster have ${first} partitions each. Set that: their number stays (docs/kafka.md#what-to-know).`];
  }
  return others.map(([name, count]) => `Topic ${name} has ${count} partitions; all topics need ${partitions}.`);
}

async function create(admin: Admin, topics: ITopicConfig[]): Promise<void> {
  try {
    await admin.createTopics({ topics, waitForLeaders: false });
  } catch (error) {
    // Processes that start together create together: who comes second finds some of them there.
    const errors: unknown[] = error instanceof Error && 'errors' in error && Array.isArray(error.errors) ? error.errors : [error];
    const others = errors.filter((one) => !failureCodes(one).includes('TOPIC_ALREADY_EXISTS'));
    if (others.length > 0) throw others[0];
  }
}

/** A broker learns of a new topic a moment after the controller has created it, and says until then that it is unknown. */
async function partitionCounts(admin: Admin, topics: string[]): Promise<Map<string, number>> {
  for (let attempt = 0; ; attempt++) {
    try {
      const { topics: found } = await admin.fetchTopicMetadata({ topics });
      return new Map(found.map(({ name, partitions }) => [name, partitions.length]));
    } catch (error) {
      const codes = failureCodes(error);
      if (attempt >= ATTEMPTS || !codes.some((code) => code === 'UNKNOWN_TOPIC_OR_PARTITION' || code === 'LEADER_NOT_AVAILABLE')) throw error;
      await backOff(attempt);
    }
  }
}

async function uncompacted(admin: Admin, tables: readonly string[]): Promise<string[]> {
  if (tables.length === 0) return [];
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: tables.map((name) => ({ type: ConfigResourceTypes.TOPIC, name, configNames: ['cleanup.policy'] })),
  });
  return resources
    .filter(({ configEntries }) => configEntries.some(({ configName, configValue }) => configName === 'cleanup.policy' && configValue !== 'compact'))
    .map(({ resourceName }) => `Table ${resourceName} is not compacted: its rows would be lost with time.`);
}
