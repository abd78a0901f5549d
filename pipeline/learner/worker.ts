import { parentPort, workerData } from 'node:worker_threads';
import { useRegistry } from '../../infra/schema-registry/registry.js';
import { snapshotFiles } from '../../infra/snapshots/files.js';
import { towerTeacher } from '../../infra/tensorflow/tower-training.js';
import { startFold, type FoldSurroundings } from '../core/fold.js';
import type { Journal, Metrics } from '../core/metrics.js';
import { topologyOf } from '../topology.js';
import { received, sent, type Answers, type Assignment, type Call, type FromLearner, type ToLearner } from './messages.js';
import { handedOver, pack, unpack } from './parcel.js';

/** The thread of a learner. It has its own copy of the code, of schemas and of models; of the process it has messages. */
const port = parentPort!;
const { fold: name, config, clock, partitions, snapshots } = workerData as Assignment;
const stopping = new AbortController();
const waiting = new Map<number, { resolve(answer: never): void; reject(error: Error): void }>();
let calls = 0;

const say = (message: FromLearner, handed: ArrayBuffer[] = []): void => port.postMessage(message, handed);

port.on('message', (message: ToLearner) => {
  if (message.kind === 'stop') return stopping.abort();
  const asker = waiting.get(message.id);
  waiting.delete(message.id);
  if (message.kind === 'answer') asker?.resolve(message.answer as never);
  else asker?.reject(received(message.error));
});

function ask<A extends Call['ask']>(call: Call & { readonly ask: A }, handed: ArrayBuffer[] = []): Promise<Answers[A]> {
  const id = calls++;
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    say({ kind: 'call', id, call }, handed);
  });
}

const log: FoldSurroundings['log'] = {
  clock,
  partitions,
  ranges: (topic) => ask({ ask: 'ranges', topic }),
  append(records) {
    const parcel = pack(records);
    return ask({ ask: 'append', records: parcel }, handedOver(parcel));
  },
  reader(from, patienceMs = 0) {
    let lag = Infinity;
    const opened = ask({ ask: 'open', from, patienceMs });
    return {
      async poll(max, waitMs) {
        await opened;
        const answer = await ask({ ask: 'poll', max, waitMs });
        lag = answer.lag;
        return unpack(answer.records);
      },
      lag: () => lag,
      close: async () => void (await ask({ ask: 'close' })),
    };
  },
};
const metric = (how: keyof Metrics, metricName: string, value: number, labels: Readonly<Record<string, string>> | undefined): void => say({ kind: 'metric', how, name: metricName, value, labels });
const metrics: Metrics = {
  count: (counted, labels, by = 1) => metric('count', counted, by, labels),
  gauge: (shown, value, labels) => metric('gauge', shown, value, labels),
  observe: (observed, value, labels) => metric('observe', observed, value, labels),
  announce: (announced, labels) => metric('announce', announced, 0, labels),
};
const told = (level: 'debug' | 'info' | 'warn' | 'error') => (fields: object, sentence: string): void => say({ kind: 'journal', level, fields, sentence });
const journal: Journal = { debug: told('debug'), info: told('info'), warn: told('warn'), error: told('error') };

try {
  if (config.SCHEMA_REGISTRY_URL) await useRegistry(config.SCHEMA_REGISTRY_URL, journal);
  const around = { log, metrics, journal };
  const fold = topologyOf(config, clock, towerTeacher(around)).learners.find((learner) => learner.name === name)!;
  const running = await startFold(fold, { snapshots: snapshotFiles(snapshots.directory, snapshots.log), snapshotEveryMs: snapshots.everyMs, stop: stopping.signal }, around);
  await running.done;
} catch (error) {
  say({ kind: 'failed', error: sent(error) });
}
port.close();
