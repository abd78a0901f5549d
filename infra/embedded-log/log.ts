import { join as joinPath } from 'node:path';
import type { GroupSpec, Lease, Log, Membership, NewRecord, OffsetRange, Position, Reader } from '../../pipeline/core/log.js';
import type { Topic } from '../../schemas/topics.js';
import { Catalogue, type ShopSettings } from './catalogue.js';
import { openDoor, type Door } from './door.js';
import { Engine, firstHeader } from './engine.js';
import { realDisk, SegmentFiles, type Disk } from './files.js';
import { Inbox } from './inbox.js';
import { join, type Fences } from './lease.js';
import type { Partition } from './partition.js';
import { Retention, type Floor } from './retention.js';

export interface EmbeddedLogOptions {
  /** The data directory; the log stands in its folder `log`. */
  readonly directory: string;
  readonly clock: 'wall' | 'file';
  /** Partitions of every topic; 1 for a new log. */
  readonly partitions?: number | undefined;
  readonly segmentBytes?: number | undefined;
  /** Memory for the newest records, from which readers at the tail are served. */
  readonly tailBytes?: number | undefined;
  readonly now?: (() => number) | undefined;
  readonly disk?: Disk | undefined;
}

const SEGMENT_BYTES = 64 << 20;
const TAIL_BYTES = 32 << 20;
const SWEEP_MS = 3_600_000;

/** A log in files of this machine, for one process. */
export interface EmbeddedLog extends Log {
  /** Tells this log from any other in the same place: a table store of another log must be wiped. */
  readonly id: string;
  /** Bytes that were cut off a torn end when the log was opened; they had not been acknowledged. */
  readonly cutBytes: number;
  /** The lock of the data directory; `sql` and `replay` of other processes ask here. */
  readonly door: Door;
  /** What the latest write failed of, in a sentence; undefined when it did not. Ticks are written each second, so it ends soon after its cause. */
  failure(): string | undefined;
  /** Note with which settings records are made, unless it is noted already. */
  noteShop(shop: ShopSettings): void;
  /** Keep what a floor names from being dropped. */
  holdBack(floor: Floor): void;
  /** Drop segments that nobody needs; answers how many. Runs by itself each hour and after each full segment. */
  sweep(): Promise<number>;
}

/** Clock of the log in a data directory; undefined where there is none yet. */
export const clockOf = (directory: string): 'wall' | 'file' | undefined => Catalogue.clockOf(joinPath(directory, 'log'));

/** Settings with which the records of the log in a data directory were made; undefined where there is none, or none was noted. */
export const shopOf = (directory: string): ShopSettings | undefined => Catalogue.shopOf(joinPath(directory, 'log'));

/**
 * Open the log of a data directory, or create it.
 * @throws ConfigError when another process has it, when it was created otherwise, or when it is damaged.
 */
export async function openEmbeddedLog(options: EmbeddedLogOptions): Promise<EmbeddedLog> {
  const door = await openDoor(options.directory);
  try {
    return openLocked(options, door);
  } catch (error) {
    await door.close();
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') throw new Error(`There is no room for the log in ${options.directory}: ${(error as Error).message}`, { cause: error });
    throw error;
  }
}

function openLocked(options: EmbeddedLogOptions, door: Door): EmbeddedLog {
  const { now = Date.now, segmentBytes = SEGMENT_BYTES, tailBytes = TAIL_BYTES, disk = realDisk } = options;
  const directory = joinPath(options.directory, 'log');
  const mayCreate = SegmentFiles.numbersIn(directory).length === 0;
  const catalogue = Catalogue.open(directory, { clock: options.clock, partitions: options.partitions, mayCreate });
  const files = SegmentFiles.open(directory, disk, () => firstHeader(catalogue, now()));
  const sweep = (): Promise<number> => retention.sweep();
  // A sweep that fails is tried again with the next one; it frees room and endangers nothing.
  const engine = new Engine(catalogue, files, { now, segmentBytes, tailBytes, onSealed: () => void sweep().catch(() => {}) });
  const retention = new Retention(engine);
  const cutBytes = engine.recover();
  const fences: Fences = new Map();
  const memberships = new Set<Membership>();
  const sweeping = setInterval(() => void sweep().catch(() => {}), SWEEP_MS).unref();

  return {
    engine: 'embedded',
    clock: catalogue.clock,
    partitions: catalogue.partitions,
    id: catalogue.id,
    cutBytes,
    door,
    sweep,
    failure: () => engine.failure,
    noteShop: (shop) => catalogue.noteShop(shop),
    holdBack: (floor) => retention.add(floor),

    async ensureTopics(topics: readonly Topic[]) {
      catalogue.create(topics.map(({ name }) => name));
      retention.know(topics);
    },

    async append(records: readonly NewRecord[]): Promise<readonly Position[]> {
      const landed = await engine.write(records);
      return landed.map(({ topic, partition, offset }) => ({ topic, partition, offset }));
    },

    async ranges(topic: string): Promise<readonly OffsetRange[]> {
      return catalogue.partitionsOf(topic).map(({ start, end }) => ({ start, end }));
    },

    reader(from: readonly Position[]): Reader {
      const inbox = new Inbox(from.map((position) => engine.cursor(position)));
      engine.inboxes.add(inbox);
      return {
        poll: (max, waitMs) => inbox.poll(max, waitMs),
        lag: () => inbox.cursors.reduce((sum, { lag }) => sum + lag, 0),
        async close() {
          inbox.close();
          engine.inboxes.delete(inbox);
        },
      };
    },

    writtenAfter: (topic, time) => Promise.all(catalogue.partitionsOf(topic).map((partition) => firstAfter(engine, partition, time))),

    own(group: GroupSpec, owner: (lease: Lease) => Promise<void>): Membership {
      const membership = join(engine, fences, group, owner);
      memberships.add(membership);
      return {
        joined: membership.joined,
        failed: membership.failed,
        async stop() {
          await membership.stop();
          memberships.delete(membership);
        },
      };
    },

    async close() {
      clearInterval(sweeping);
      await Promise.all([...memberships].map((membership) => membership.stop()));
      await engine.close();
      await door.close();
    },
  };
}

/** Offset of the first record written after `time`, or the end. */
async function firstAfter(engine: Engine, partition: Partition, time: number): Promise<number> {
  const { topic, start, end } = partition;
  const positionAt = (offset: number): Position => ({ topic, partition: partition.partition, offset });
  // While a reader stands at the start nothing is dropped.
  const inbox = new Inbox([engine.cursor(positionAt(start))]);
  engine.inboxes.add(inbox);
  try {
    let [low, high] = [start, end];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const [record] = await new Inbox([engine.cursor(positionAt(middle))]).poll(1, 0);
      if (record && record.writtenAt <= time) low = middle + 1;
      else high = middle;
    }
    return low;
  } finally {
    engine.inboxes.delete(inbox);
  }
}
