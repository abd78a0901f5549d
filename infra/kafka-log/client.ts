import kafkajs, { type ISocketFactory, type Kafka, type LogEntry, type RetryOptions } from 'kafkajs';
import type { Journal } from '../../pipeline/core/metrics.js';
import type { KafkaLogOptions } from './options.js';
import { plainSockets, setTransactionPolicy } from './pinned.js';

/** Small first steps: a commit often meets the markers of the one before, and 300 ms would show as latency. */
const retry = { initialRetryTime: 5, maxRetryTime: 300, retries: 12, factor: 0.2, multiplier: 2 };

/** Without this a small request waits until the one before it is acknowledged, which a quiet broker does after 40 ms. */
const socketFactory: ISocketFactory = (options) => plainSockets(options).setNoDelay(true);

/** For raw connections, which have a back-off of their own: kafkajs' would stack below it and outlast the outage. */
export const rawClient = (options: KafkaLogOptions): Kafka => clientWith(options, { ...retry, retries: 1 });

export const kafkaClient = (options: KafkaLogOptions): Kafka => clientWith(options, retry);

function clientWith({ brokers, clientId, ssl, sasl, journal }: KafkaLogOptions, retry: RetryOptions): Kafka {
  const kafka = new kafkajs.Kafka({
    clientId,
    brokers: [...brokers],
    ...(ssl === undefined ? {} : { ssl }),
    ...(sasl === undefined ? {} : { sasl }),
    socketFactory,
    connectionTimeout: 3_000,
    requestTimeout: 5_000,
    retry,
    logLevel: kafkajs.logLevel.WARN,
    logCreator: () => (entry) => note(journal, entry),
  });
  setTransactionPolicy(kafka, { ...retry, initialRetryTime: 3, maxRetryTime: 100, retries: 40 });
  return kafka;
}

/** kafkajs reports as an error each attempt that it then repeats: what lasts is reported by this adapter. */
function note(journal: Journal, { namespace, log: { message, error, retryCount } }: LogEntry): void {
  journal.debug({ part: namespace, error, retryCount }, `kafkajs: ${message}`);
}
