import type { Topic } from '../../schemas/topics.js';
import type { TaskClock } from './clock.js';
import type { Context } from './consumer.js';
import type { Refused } from './dead-letter.js';
import type { BadEvent, DeadLetterCode } from './errors.js';
import type { Following } from './merging.js';
import type { Overlay } from './overlay.js';
import { partitionOf } from './partition.js';
import { timerRows, timerSub } from './rows.js';
import { encoded, type Staging } from './staging.js';
import type { TaskOptions } from './task.js';

/** The latest time that the codec carries. Handlers add to times that events name: a timer beyond this could not be written, and would stop the task. */
const LAST_DUE = 2 ** 52 - 1;

/** Parts of a task that its handlers change. */
interface Parts {
  readonly overlay: Overlay;
  readonly staging: Staging;
  readonly clock: TaskClock;
  readonly now: () => number;
  readonly following: () => Following | undefined;
  readonly setAside: (code: DeadLetterCode, error: Error, record: Refused, place: string) => void;
}

/** What the handlers of a task may do, over the parts that take it. */
export function contextOf({ consumer, partition, partitions, clock }: TaskOptions, parts: Parts): Context {
  const { overlay, staging } = parts;
  return {
    get now() { return parts.now(); },
    get time() { return parts.clock.time; },
    clock,
    partitions,
    get: (kind, key, sub) => overlay.get(kind, key, sub),
    put: (kind, key, value, sub = '') => overlay.put(kind, key, sub, value),
    delete: (kind, key, sub = '') => overlay.put(kind, key, sub, undefined),
    erase: (key, time) => {
      for (const { kind, sub } of overlay.allRowsOf(key)) overlay.remove(key, kind, sub);
      parts.following()?.erased(key, time);
    },
    wasErased: (key, time) => time <= (parts.following()?.erasedAt(key) ?? -Infinity),
    scan: (kind, key, most) => overlay.scan(kind, key, most),
    emit: (topic, key, value) => staging.write({ topic: topic.name, partition: partitionOf(key, partitions), key, value: encoded(topic, value) }),
    refuse: <T>(topic: Topic<T>, key: string, value: T, id: string, error: BadEvent) => {
      parts.setAside(error.code, error, { topic: topic.name, partition, offset: -1, key, value: topic.codec.encode(value) }, `${key}/${id}`);
    },
    emitToOthers: <T>(topic: Topic<T>, value: T) => {
      const bytes = encoded(topic, value);
      for (let to = 0; to < partitions; to++) if (to !== partition) staging.write({ topic: topic.name, partition: to, key: null, value: bytes });
    },
    schedule: (name, key, due, sub = '', payload = '') => overlay.put(timerRows, key, timerSub(name, sub), { due: Math.min(due, LAST_DUE), payload }),
    cancel: (name, key, sub = '') => {
      if (overlay.get(timerRows, key, timerSub(name, sub))) overlay.put(timerRows, key, timerSub(name, sub), undefined);
    },
    count: (metric, labels) => staging.count(metric, { consumer: consumer.name, ...labels }),
  };
}
