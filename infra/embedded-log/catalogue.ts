import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError, Unavailable } from '../../pipeline/core/errors.js';
import { writeFileDurably } from './durable-file.js';
import { Partition } from './partition.js';

/** Another one when frames change, or when schema ids are given anew: records of a log are never read as what they are not. */
const FORMAT = 9;

/** What amounts and days of a log go by: its records have them as they were made. */
export interface ShopSettings {
  /** ISO 4217. */
  readonly currency: string;
  /** IANA zone. */
  readonly timezone: string;
}

interface Contents {
  readonly format: number;
  readonly id: string;
  readonly clock: 'wall' | 'file';
  readonly partitions: number;
  readonly topics: string[];
  shop?: ShopSettings;
}

/** What was decided when the log was created, and its topics. The place of a topic in the list never changes: frames name it. */
export class Catalogue {
  readonly #path: string;
  readonly #contents: Contents;
  readonly #slots: Partition[] = [];
  readonly #byTopic = new Map<string, readonly Partition[]>();

  private constructor(path: string, read: Contents) {
    this.#path = path;
    this.#contents = read;
    for (const topic of read.topics) this.#addSlots(topic);
  }

  /** @throws ConfigError when the log was created otherwise than is asked for now. */
  static open(directory: string, wanted: { clock: 'wall' | 'file'; partitions: number | undefined; mayCreate: boolean }): Catalogue {
    mkdirSync(directory, { recursive: true });
    const path = join(directory, 'log.json');
    const read = readContents(path);
    if (!read) {
      if (!wanted.mayCreate) throw new ConfigError([`The log in ${directory} has segments but no readable log.json: restore the file, or start with a fresh directory.`]);
      const catalogue = new Catalogue(path, { format: FORMAT, id: randomUUID(), clock: wanted.clock, partitions: wanted.partitions ?? 1, topics: [] });
      catalogue.#save();
      return catalogue;
    }
    const problems: string[] = [];
    if (read.clock !== wanted.clock) {
      problems.push(`The log in ${directory} was created with clock "${read.clock}" and cannot be opened with "${wanted.clock}": use a fresh directory.`);
    }
    if (wanted.partitions !== undefined && read.partitions !== wanted.partitions) {
      problems.push(`The log in ${directory} was created with ${read.partitions} partitions a topic and cannot be opened with ${wanted.partitions}.`);
    }
    if (problems.length > 0) throw new ConfigError(problems);
    return new Catalogue(path, read);
  }

  /** Clock of the log in a directory; undefined where there is none. */
  static clockOf(directory: string): 'wall' | 'file' | undefined {
    return readContents(join(directory, 'log.json'))?.clock;
  }

  /** The shop's settings with which the records of the log in a directory were made; undefined where that is not noted. */
  static shopOf(directory: string): ShopSettings | undefined {
    return readContents(join(directory, 'log.json'))?.shop;
  }

  /** Note with which settings records are made, unless it is noted already. */
  noteShop(shop: ShopSettings): void {
    if (this.#contents.shop) return;
    this.#contents.shop = shop;
    this.#save();
  }

  /** Tells this log from any other that ever stood in its place. */
  get id(): string {
    return this.#contents.id;
  }

  get clock(): 'wall' | 'file' {
    return this.#contents.clock;
  }

  get partitions(): number {
    return this.#contents.partitions;
  }

  /** All partitions of all topics, by slot. */
  get slots(): readonly Partition[] {
    return this.#slots;
  }

  create(topics: readonly string[]): void {
    const missing = [...new Set(topics)].filter((topic) => !this.#byTopic.has(topic));
    if (missing.length === 0) return;
    this.#contents.topics.push(...missing);
    try {
      // Before any frame: a slot that the catalogue does not know would make its records unreadable.
      this.#save();
    } catch (cause) {
      this.#contents.topics.splice(-missing.length);
      throw new Unavailable(`${this.#path} cannot be written.`, { cause });
    }
    for (const topic of missing) this.#addSlots(topic);
  }

  partitionsOf(topic: string): readonly Partition[] {
    const found = this.#byTopic.get(topic);
    if (!found) throw new Error(`The log has no topic "${topic}".`);
    return found;
  }

  partition(topic: string, partition: number): Partition {
    const found = this.partitionsOf(topic)[partition];
    if (!found) throw new Error(`Topic "${topic}" has ${this.partitions} partitions; there is no partition ${partition}.`);
    return found;
  }

  /** Next offset of every slot. */
  ends(): number[] {
    return this.#slots.map(({ end }) => end);
  }

  #addSlots(topic: string): void {
    const added = Array.from({ length: this.partitions }, (_, partition) => new Partition(topic, partition, this.#slots.length + partition));
    this.#slots.push(...added);
    this.#byTopic.set(topic, added);
  }

  #save(): void {
    writeFileDurably(this.#path, Buffer.from(`${JSON.stringify(this.#contents, null, 2)}\n`));
  }
}

function readContents(path: string): Contents | undefined {
  let json: string;
  try {
    json = readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
  let read: Contents | undefined;
  try {
    read = JSON.parse(json) as Contents;
  } catch {
    // Said below.
  }
  if (typeof read?.format === 'number' && read.format !== FORMAT) {
    throw new ConfigError([`${path} is of another version of Millrace, whose records this one does not read: start it with that version, or carry the shop over into a fresh DATA_DIR (docs/runbook.md).`]);
  }
  if (read?.format !== FORMAT || !Array.isArray(read.topics) || !(read.partitions > 0)) throw new ConfigError([`${path} is damaged: restore it from a copy.`]);
  return read;
}
