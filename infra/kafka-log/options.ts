import type { KafkaConfig, SASLOptions } from 'kafkajs';
import type { Journal, Metrics } from '../../pipeline/core/metrics.js';

export interface KafkaLogOptions {
  readonly brokers: readonly string[];
  readonly clientId: string;
  /** Before every topic, group and transactional id: one prefix is one installation. */
  readonly prefix: string;
  /** Partitions of every topic. */
  readonly partitions: number;
  /** Whether topics may have more: whoever only reads finds what lies in them, too. */
  readonly allowsMore?: boolean | undefined;
  readonly replicationFactor: number;
  readonly ssl?: KafkaConfig['ssl'] | undefined;
  readonly sasl?: SASLOptions | undefined;
  /** Where member ids are kept. Two processes must not share it: each would leave the group for the other. */
  readonly stateDirectory: string;
  /** After this silence the group takes a member's partitions away; 10 s when absent. */
  readonly sessionTimeoutMs?: number | undefined;
  readonly metrics: Metrics;
  readonly journal: Journal;
  /** How often the cluster is asked whether partitions were added; 30 s when absent. */
  readonly lookMs?: number | undefined;
}

export const DEFAULT_SESSION_TIMEOUT_MS = 10_000;
