import { tickMs } from './clock.js';
import { inputTopics, type Consumer } from './consumer.js';
import type { Lease, Membership } from './log.js';
import { runTask, type Surroundings } from './run-task.js';
import { steadyClock } from './steady-clock.js';
import { toldOnce } from './told-once.js';
import { sourcesOf, tickedInputs, type Topology } from './topology.js';

/** Ticks lag the wall by this much, so that what is just being written still comes before them. */
const TICK_BEHIND_MS = 1_000;

/** A consumer that runs in this process. */
export interface RunningConsumer extends Membership {
  /**
   * Whether it has been at work: it is a member of its group, and all that it was given is restored. Once so, always so. Partitions that come
   * later are those of processes that end, as in a rolling update, and this one is no worse for them.
   */
  isReady(): boolean;
}

/** Runs a consumer in this process, until the membership is stopped: for each partition that the group gives it, it runs a task, and by a wall clock it writes ticks into the source topics. */
export function runConsumer(consumer: Consumer, topology: Topology, around: Surroundings): RunningConsumer {
  const { log } = around;
  const inputs = inputTopics(consumer).map(({ name }) => name);
  const restoring = new Set<number>();
  let [hasJoined, ready] = [false, false];
  const look = (): void => { ready ||= hasJoined && restoring.size === 0; };
  const membership = log.own({ name: consumer.name, inputs, table: consumer.table.name, patienceMs: consumer.patienceMs }, async (lease) => {
    restoring.add(lease.partition);
    const restored = (): void => {
      restoring.delete(lease.partition);
      look();
    };
    const stopTicking = log.clock === 'wall' ? tickSources(lease, consumer, around) : () => {};
    try {
      await runTask(lease, consumer, tickedInputs(topology, consumer, lease.partition, log.partitions), around, restored);
    } finally {
      stopTicking();
      restoring.delete(lease.partition);
      // Whoever owns the partition next in this process has begun by then, and has restored nothing.
      setImmediate(look);
    }
  });
  void membership.joined.then(() => {
    hasJoined = true;
    look();
  });
  return { ...membership, isReady: () => ready };
}

/** Writes the wall's time into the source partitions of a lease, now and then. A tick of a process that has lost the lease does no harm, since time never goes back. */
function tickSources(lease: Lease, consumer: Consumer, { log, journal }: Surroundings): () => void {
  const sources = sourcesOf(consumer);
  if (sources.length === 0) return () => {};
  const told = toldOnce(journal, { consumer: consumer.name, partition: lease.partition }, 'Tick not written; timers wait.', 'Ticks are written again.');
  let isDoubted = false;
  const doubt = (now: boolean): void => {
    if (now && !isDoubted) journal.warn({ consumer: consumer.name, seconds: Math.round(steadyClock.doubtedMs / 1_000) }, 'The wall clock has leapt ahead; it is followed once that has lasted a minute.');
    isDoubted = now;
  };
  const tick = (): void => {
    const time = steadyClock.now() - TICK_BEHIND_MS;
    doubt(steadyClock.doubtedMs > 0);
    const records = sources.map(({ name }) => ({ topic: name, partition: lease.partition, key: null, value: null, tick: { writer: 'source', time } }));
    log.append(records).then(told.worked, ({ message }: Error) => told.failed(message));
  };
  tick();
  const timer = setInterval(tick, tickMs(log.partitions));
  return () => clearInterval(timer);
}
