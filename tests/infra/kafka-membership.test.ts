import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { describe, expect, test, vi } from 'vitest';
import { Confirmations } from '../../infra/kafka-log/confirmations.js';
import { Connection } from '../../infra/kafka-log/connection.js';
import { asFailure, isFenced } from '../../infra/kafka-log/failures.js';
import { groupOffsets } from '../../infra/kafka-log/group-offsets.js';
import { KafkaMembership } from '../../infra/kafka-log/membership.js';
import { PINNED_VERSION } from '../../infra/kafka-log/pinned.js';
import { memberFile } from '../../infra/kafka-log/predecessor.js';
import { parseTick } from '../../infra/kafka-log/records.js';
import { ConfigError, Unavailable } from '../../pipeline/core/errors.js';
import { noMetrics, silentJournal } from '../../pipeline/core/metrics.js';
import { folderForTest } from '../support/folder.js';

const load = createRequire(import.meta.url);

describe('a confirmation', () => {
  test('must answer a heartbeat that was sent after the question', async () => {
    const confirmations = new Confirmations();
    let confirmed = false;
    const asked = confirmations.after(1_000, new AbortController().signal).then(() => (confirmed = true));
    // The answer arrives now, but to a heartbeat from before: that of a process that was frozen in between.
    confirmations.confirm(999);
    confirmations.confirm(1_000);
    await Promise.resolve();
    expect(confirmed).toBe(false);
    confirmations.confirm(1_001);
    await asked;
  });

  test('ends when the lease is revoked', async () => {
    const revoking = new AbortController();
    const asked = new Confirmations().after(1_000, revoking.signal);
    revoking.abort();
    await expect(asked).resolves.toBeUndefined();
  });
});

test('a broker that stays away is one line a membership, however often it tries to join', async () => {
  const kafka = new Kafka({ clientId: 'test', brokers: ['127.0.0.1:1'], logLevel: logLevel.NOTHING });
  const connection = new Connection(kafka, '');
  const partitions = vi.spyOn(connection, 'partitions').mockRejectedValue(new Unavailable('Kafka does not answer.'));
  const journal = { ...silentJournal, warn: vi.fn() };
  const membership = new KafkaMembership({
    kafka, raw: kafka, admin: kafka.admin(), connection, prefix: '', partitions: 1, group: { name: 'shoppers', inputs: ['clickstream'] }, owner: () => Promise.resolve(),
    file: { leaveForPredecessor: () => Promise.resolve(), keep: () => {}, forget: () => {} }, sessionTimeoutMs: 10_000, metrics: noMetrics, journal,
  });
  await expect.poll(() => partitions.mock.calls.length).toBeGreaterThan(4);
  await membership.stop();
  expect(journal.warn.mock.calls).toEqual([[{ consumer: 'shoppers', error: 'Unavailable' }, expect.stringContaining('The membership broke; joining again.')]]);
});

test('a member id that cannot be kept, as on a full disk, keeps nobody out of the group', () => {
  const folder = folderForTest();
  writeFileSync(join(folder, 'members'), 'where a folder should be');
  const journal = { ...silentJournal, warn: vi.fn() };
  const file = memberFile(join(folder, 'members'), 'shoppers', 0, new Connection(new Kafka({ clientId: 'test', brokers: ['127.0.0.1:1'], logLevel: logLevel.NOTHING }), ''), journal);
  file.keep('member-1');
  expect(journal.warn.mock.calls).toEqual([[{ group: 'shoppers', error: expect.stringContaining('EEXIST') }, expect.stringContaining('The member id cannot be kept')]]);
});

describe('a stored offset', () => {
  const kafka = new Kafka({ clientId: 'test', brokers: ['127.0.0.1:1'], logLevel: logLevel.NOTHING });

  test('that kafkajs did not send is not taken for stored', async () => {
    const consumer = kafka.consumer({ groupId: 'sales' });
    vi.spyOn(consumer, 'commitOffsets').mockResolvedValue(undefined); // what a stopped consumer answers
    const offsets = groupOffsets(consumer, kafka.admin(), '', 'sales');
    await expect(offsets.store('sales', 0, 5, '', () => {})).rejects.toThrow(Unavailable);
  });

  test('is stored again after a rebalance refused it, but not once the lease is gone', async () => {
    const consumer = kafka.consumer({ groupId: 'sales' });
    const refusing = vi.spyOn(consumer, 'commitOffsets').mockRejectedValue(Object.assign(new Error('old'), { type: 'ILLEGAL_GENERATION' }));
    const offsets = groupOffsets(consumer, kafka.admin(), '', 'sales');
    const held = () => {
      if (refusing.mock.calls.length >= 3) throw new Unavailable('The partition was taken away.');
    };
    await expect(offsets.store('sales', 0, 5, '', held)).rejects.toThrow('taken away');
    expect(refusing).toHaveBeenCalledTimes(3);
  });
});

describe('kafkajs', () => {
  test('refuses a request that comes while its connection is closed, instead of never answering', () => {
    const RequestQueue = load('kafkajs/src/network/requestQueue/index.js');
    const logger = { debug: () => {}, warn: () => {} };
    const queue = new RequestQueue({ maxInFlightRequests: 1, requestTimeout: 5_000, enforceRequestTimeout: true, clientId: 'test', broker: 'b:1', logger });
    queue.scheduleRequestTimeoutCheck();
    const refused: string[] = [];
    for (const correlationId of [1, 2]) {
      const entry = { correlationId, apiKey: 0, apiName: 'Produce', apiVersion: 7, resolve: () => {}, reject: (error: Error) => refused.push(`${correlationId} ${error.name}`) };
      queue.push({ entry, expectResponse: true, sendRequest: () => {} });
    }
    queue.destroy(); // what `disconnect` does after it has waited for the requests that it knew of
    expect(refused).toEqual(['1 KafkaJSConnectionClosedError', '2 KafkaJSConnectionClosedError']);
  });

  test('is the version whose inside is used', () => {
    expect(load('kafkajs/package.json')).toMatchObject({ version: PINNED_VERSION });
  });

  test('an idle connection sets no timer', () => {
    const RequestQueue = load('kafkajs/src/network/requestQueue/index.js');
    const queue = new RequestQueue({ maxInFlightRequests: 1, requestTimeout: 100, enforceRequestTimeout: false, clientId: 'c', broker: 'b', logger: { debug: () => {} } });
    queue.checkPendingRequests();
    expect(queue.throttleCheckTimeoutId).toBeNull();
    queue.maybeThrottle(50);
    queue.checkPendingRequests();
    expect(queue.throttleCheckTimeoutId).not.toBeNull();
    queue.destroy();
  });
});

describe('failures', () => {
  const refused = (type: string) => new Error('wrapped', { cause: Object.assign(new Error('refused'), { type }) });

  test('a refused right is for the operator, anything else is tried again', () => {
    expect(asFailure('No.', refused('TOPIC_AUTHORIZATION_FAILED'))).toBeInstanceOf(ConfigError);
    expect(asFailure('No.', refused('NOT_LEADER_FOR_PARTITION'))).toBeInstanceOf(Unavailable);
    expect(asFailure('No.', refused('NOT_LEADER_FOR_PARTITION')).cause).toBeInstanceOf(Error);
  });

  test('a fenced producer is known through its wrappings', () => {
    expect(isFenced(refused('INVALID_PRODUCER_EPOCH'))).toBe(true);
    expect(isFenced(refused('COORDINATOR_LOAD_IN_PROGRESS'))).toBe(false);
  });
});

test('a header that is no tick is none', () => {
  expect(parseTick('order-ledger/11 1700000000000')).toEqual({ writer: 'order-ledger/11', time: 1_700_000_000_000 });
  for (const header of [null, '', 'writer', ' 5', 'writer five', 'writer 1.5']) expect(parseTick(header)).toBeNull();
});
