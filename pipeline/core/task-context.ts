import type { Topic } from '../../schemas/topics.js';
import type { Consumer, Context } from './consumer.js';
import type { Refused } from './dead-letter.js';
import type { BadEvent } from './errors.js';
import type { Following } from './merging.js';
import type { Overlay } from './overlay.js';
import { partitionOf } from './partition.js';
import { timerRows, timerSub } from './rows.js';
import { encoded, type Staging } from './staging.js';

/** The latest time that the codec carries. Handlers add to times that events name: a timer beyond this could not be written, and would stop the task. */
const LAST_DUE = 2 ** 52 - 1;

/** Of a task: where what its handlers do is noted. */
export interface TaskParts {
  readonly consumer: Consumer;
  readonly partition: number;
  readonly partitions: number;
  readonly clock: 'wall' | 'file';
  readonly overlay: Overlay;
  readonly staging: Staging;
  readonly following: () => Following | undefined;
  readonly now: () => number;
  readonly time: () => number;
  readonly setAside: (code: string, error: BadEvent, record: Refused, place: string) => void;
}

/** What a task's handlers may do. */
export function contextOf({ consumer, partition, partitions, clock, overlay, staging, following, now, time: taskTime, setAside }: TaskParts): Context {
  return {
    get now() { return now(); },
    get time() { return taskTime(); },
    clock,
    partitions,
    get: (kind, key, sub) => overlay.get(kind, key, sub),
    put: (kind, key, value, sub = '') => overlay.put(kind, key, sub, value),
    delete: (kind, key, sub = '') => overlay.put(kind, key, sub, undefined),
    erase: (key, time) => {
      for (const { kind, sub } of overlay.allRowsOf(key)) overlay.remove(key, kind, sub);
      following()?.erased(key, time);
    },
    wasErased: (key, time) => time <= (following()?.erasedAt(key) ?? -Infinity),
    scan: (kind, key, most) => overlay.scan(kind, key, most),
    emit: (topic, key, value) => staging.write({ topic: topic.name, partition: partitionOf(key, partitions), key, value: encoded(topic, value) }),
    refuse: <T>(topic: Topic<T>, key: string, value: T, id: string, error: BadEvent) => {
      setAside(error.code, error, { topic: topic.name, partition, offset: -1, key, value: topic.codec.encode(value) }, `${key}/${id}`);
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
