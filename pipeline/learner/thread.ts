import { SHARE_ENV, Worker } from 'node:worker_threads';
import type { FoldSurroundings } from '../core/fold.js';
import type { Reader } from '../core/log.js';
import type { Metrics } from '../core/metrics.js';
import { received, sent, type Answers, type Assignment, type Call, type FromLearner, type ToLearner } from './messages.js';
import { handedOver, pack, unpack } from './parcel.js';

// The native TensorFlow library reads its settings from the environment of the process.
export const spawnLearner = (assignment: Assignment): Worker => new Worker(new URL('./worker.js', import.meta.url), { workerData: assignment, env: SHARE_ENV });

/**
 * Runs a learner on a thread of its own: lessons and snapshots of a large shop hold up neither requests nor tasks. The log stays here;
 * what the learner reads and publishes crosses as messages. Resolves once it was stopped and has saved its snapshot.
 */
export function learnOnThread(worker: Worker, { log, metrics, journal }: FoldSurroundings, stop: AbortSignal): Promise<void> {
  const answer = answering(log);
  const send = (message: ToLearner, handed: ArrayBuffer[] = []): void => worker.postMessage(message, handed);
  const take = async (id: number, call: Call): Promise<void> => {
    try {
      const given = await answer(call);
      send({ kind: 'answer', id, answer: given }, given && 'records' in given ? handedOver(given.records) : []);
    } catch (error) {
      send({ kind: 'refusal', id, error: sent(error) });
    }
  };
  return new Promise((resolve, reject) => {
    worker.on('message', (message: FromLearner) => {
      switch (message.kind) {
        case 'call': return void take(message.id, message.call);
        case 'metric': return tellMetric(metrics, message);
        case 'journal': return journal[message.level](message.fields, message.sentence);
        case 'failed': return reject(received(message.error));
      }
    });
    worker.once('error', reject);
    worker.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`A learner's thread ended with ${code}.`))));
    const end = (): void => send({ kind: 'stop' });
    if (stop.aborted) end();
    else stop.addEventListener('abort', end, { once: true });
  });
}

function tellMetric(metrics: Metrics, { how, name, value, labels = {} }: Extract<FromLearner, { kind: 'metric' }>): void {
  switch (how) {
    case 'count': return metrics.count(name, labels, value);
    case 'announce': return metrics.announce(name, labels);
    case 'gauge':
    case 'observe': return metrics[how](name, value, labels);
  }
}

/** Answers what a learner asks of the log. It has one reader at a time. */
function answering(log: FoldSurroundings['log']): (call: Call) => Promise<Answers[keyof Answers]> {
  let reader: Reader | undefined;
  return async (call) => {
    switch (call.ask) {
      case 'ranges': return log.ranges(call.topic);
      case 'append': return log.append(unpack(call.records).map(({ topic, partition, key, value }) => ({ topic, partition, key, value })));
      case 'open':
        reader = log.reader(call.from, call.patienceMs);
        return { lag: reader.lag() };
      case 'poll': {
        const records = pack(await reader!.poll(call.max, call.waitMs));
        return { records, lag: reader!.lag() };
      }
      case 'close':
        await reader?.close();
        return null;
    }
  };
}
