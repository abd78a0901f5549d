import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { afterEach, expect, test } from 'vitest';
import { openKafkaLog } from '../../infra/kafka-log/index.js';
import { Unavailable } from '../../pipeline/core/errors.js';
import { noMetrics, silentJournal } from '../../pipeline/core/metrics.js';

const API = { metadata: 3, versions: 18 };
const int16 = (value: number): Buffer => Buffer.from([value >> 8, value & 255]);
function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}
const text = (value: string): Buffer => Buffer.concat([int16(value.length), Buffer.from(value)]);
const NO_TEXT = int16(-1);

const ends: (() => void)[] = [];
afterEach(() => { for (const end of ends.splice(0)) end(); });

/** As much of a broker's protocol as opening a log takes: its versions, and metadata as often as is said; then its connection breaks. */
function brokerAnswering(metadataAnswers: number): Promise<string> {
  let left = metadataAnswers;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    let rest = Buffer.alloc(0);
    socket.on('error', () => socket.destroy()).on('data', (chunk) => {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE()) {
        const request = rest.subarray(4, 4 + rest.readInt32BE());
        rest = rest.subarray(4 + rest.readInt32BE());
        const isMetadata = request.readInt16BE() === API.metadata;
        if (isMetadata && left-- <= 0) return socket.destroy();
        const body = isMetadata ? metadata(socket.localPort ?? 0) : Buffer.concat([int16(0), int32(2), ...[API.metadata, API.versions].map((key) => Buffer.concat([int16(key), int16(0), int16(2)])), int32(0)]);
        const answer = Buffer.concat([request.subarray(4, 8), body]);
        socket.write(Buffer.concat([int32(answer.length), answer]));
      }
    });
  });
  ends.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    resolve(`127.0.0.1:${typeof address === 'object' ? address?.port : ''}`);
  }));
}

const metadata = (port: number): Buffer => Buffer.concat([int32(1), int32(1), text('127.0.0.1'), int32(port), NO_TEXT, text('shop-cluster'), int32(1), int32(0)]);

const open = (broker: string) => openKafkaLog({
  brokers: [broker], clientId: 'test', prefix: 'p-', partitions: 12, replicationFactor: 1, stateDirectory: tmpdir(), metrics: noMetrics, journal: silentJournal,
});

test('a broker that goes away before it has said whose cluster it is can be waited for: kafkajs answers null and fails over it with a TypeError', async () => {
  const opening = open(await brokerAnswering(1));
  await expect(opening).rejects.toBeInstanceOf(Unavailable);
  await expect(opening).rejects.toThrow(/says whose cluster it is\. \(TypeError\)/);
});

test('one that stays is named by its cluster and the prefix', async () => {
  const log = await open(await brokerAnswering(Infinity));
  expect(log.id).toBe('kafka shop-cluster p-');
  await log.close();
});
