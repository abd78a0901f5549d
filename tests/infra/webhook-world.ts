import { startDeliveries, type DeliverySource } from '../../infra/webhook/deliveries.js';
import { Endpoint, webhookLimits, type WebhookLimits, type WebhookPorts } from '../../infra/webhook/endpoint.js';
import { openEmbeddedLog, type EmbeddedLog } from '../../infra/embedded-log/log.js';
import type { Lease } from '../../pipeline/core/log.js';
import { noMetrics, silentJournal, type Journal, type Metrics } from '../../pipeline/core/metrics.js';
import { triggerMessage } from '../../pipeline/webhooks.js';
import { allTopics, deadLetters, marketingTriggers } from '../../schemas/topics.js';
import type { DeadLetter, MarketingTrigger } from '../../schemas/types.js';
import { everythingIn } from '../support/records.js';
import { Receiver, secret } from '../support/webhook-receiver.js';
import { folderForTest } from '../support/folder.js';

const whenRevoked = (lease: Lease): Promise<void> => new Promise((resolve) => lease.revoked.addEventListener('abort', () => resolve(), { once: true }));

/** A lease that stores nothing once the process counts as dead. */
const dying = (lease: Lease, isDead: () => boolean, stores: string[]): Lease => ({
  partition: lease.partition, revoked: lease.revoked, seek: (offsets) => lease.seek(offsets), poll: (...asked) => lease.poll(...asked), lineages: () => lease.lineages(), lag: () => lease.lag(), storedOffset: (topic) => lease.storedOffset(topic),
  storeOffset: async (topic, offset, metadata) => {
    if (isDead()) return whenRevoked(lease);
    await lease.storeOffset(topic, offset, metadata);
    stores.push(`${offset} ${metadata}`);
  },
  fence: () => lease.fence(), tableRange: () => lease.tableRange(), readTable: (...asked) => lease.readTable(...asked), commit: (...written) => lease.commit(...written), confirmed: () => lease.confirmed(),
});

/** What tests wait for comes soon, but on a busy machine. */
export const SOON = { timeout: 20_000, interval: 5 };

export const AT = Date.UTC(2026, 10, 30, 12);

export const trigger = (id: string, more: Partial<MarketingTrigger> = {}): MarketingTrigger => ({
  id, status: 'fired', rule: 'cart_abandonment', version: 1, shopper: `shopper of ${id}`, causeId: `c@${AT}`, causedAt: AT - 3_600_000, at: AT, reason: 'The cart was left for 60 minutes without an order.',
  products: [{ sku: 'P1', name: 'Knife', url: null, quantity: 2, price: 569_000n, stock: 3 }], value: 1_138_000n, currency: 'EUR', ...more,
});

export const fired = (n: number): MarketingTrigger[] => Array.from({ length: n }, (_, i) => trigger(`t${i}`));
export const idsOf = (n: number): string[] => Array.from({ length: n }, (_, i) => `t${i}-fired`);

/** A log, receivers, and what a process that sends webhooks says of itself. */
export class World {
  readonly directory = folderForTest();
  log!: EmbeddedLog;
  readonly said: { level: string; fields: object; sentence: string }[] = [];
  readonly counts = new Map<string, number>();
  readonly gauges = new Map<string, number>();
  readonly sleeps: number[] = [];
  /** Every position that was stored, with its metadata. */
  readonly stores: string[] = [];
  /** Triggers that were taken in: what each says of earlier ones is known. */
  taken = 0;
  readonly #receivers: Receiver[] = [];
  #passed = 0;

  async open(clock: 'wall' | 'file' = 'wall'): Promise<this> {
    this.log = await openEmbeddedLog({ directory: this.directory, clock, segmentBytes: 4_096 });
    await this.log.ensureTopics(allTopics);
    return this;
  }

  async receiver(...answer: ConstructorParameters<typeof Receiver>): Promise<Receiver> {
    const one = await new Receiver(...answer).listen();
    this.#receivers.push(one);
    return one;
  }

  async close(): Promise<void> {
    await this.log.close();
    await Promise.all(this.#receivers.map((one) => one.close()));
  }

  async reopen(options: { now: () => number }): Promise<void> {
    await this.log.close();
    this.log = await openEmbeddedLog({ directory: this.directory, clock: 'wall', segmentBytes: 4_096, ...options });
    await this.log.ensureTopics(allTopics);
  }

  get journal(): Journal {
    const say = (level: string) => (fields: object, sentence: string) => void this.said.push({ level, fields, sentence });
    return { ...silentJournal, info: say('info'), warn: say('warn'), error: say('error') };
  }

  get metrics(): Metrics {
    const key = (name: string, labels: Readonly<Record<string, string>> = {}) => [name, labels['outcome'] ?? labels['code']].filter(Boolean).join(' ');
    return {
      ...noMetrics,
      count: (name, labels, by = 1) => void this.counts.set(key(name, labels), (this.counts.get(key(name, labels)) ?? 0) + by),
      gauge: (name, value) => void this.gauges.set(name, value),
    };
  }

  /** A clock that moves when somebody waits for it. */
  get leapingClock(): Pick<WebhookPorts, 'now' | 'sleep'> {
    return {
      now: () => Date.now() + this.#passed,
      sleep: async (ms) => {
        this.sleeps.push(ms);
        this.#passed += ms;
        await new Promise((resolve) => setImmediate(resolve));
      },
    };
  }

  /** A clock that stands still until the test moves it by `pass`. */
  get standingClock(): Pick<WebhookPorts, 'now' | 'sleep'> {
    const began = Date.now();
    const now = (): number => began + this.#passed;
    return {
      now,
      sleep: async (ms, until) => {
        this.sleeps.push(ms);
        for (const end = now() + ms; now() < end && !until.aborted;) await new Promise((resolve) => setTimeout(resolve, 1));
      },
    };
  }

  pass(ms: number): void {
    this.#passed += ms;
  }

  /** Send to a receiver, as one process would; answers how to stop it. */
  send(receiver: Receiver, { limits = {}, ports = {}, isDead = () => false }: { limits?: Partial<WebhookLimits>; ports?: Partial<WebhookPorts>; isDead?: () => boolean } = {}) {
    const sleep: WebhookPorts['sleep'] = (ms, until) => new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      until.addEventListener('abort', () => { clearTimeout(timer); resolve(); }, { once: true });
    });
    const endpoint = new Endpoint({ url: receiver.url, secret }, { metrics: this.metrics, journal: this.journal, now: Date.now, sleep, random: () => 1, ...ports }, { ...webhookLimits, finishMs: 100, ...limits });
    if (ports.now) receiver.now = ports.now;
    const { log } = this;
    const dyingLog: DeliverySource['log'] = {
      partitions: log.partitions, ranges: (topic) => log.ranges(topic), append: (records) => log.append(records),
      own: (group, owner) => log.own(group, (lease) => owner(dying(lease, isDead, this.stores))),
    };
    return startDeliveries(endpoint, { topic: marketingTriggers.name, log: dyingLog, messageOf: (record) => (this.taken++, triggerMessage(record)), prepare: async () => {} });
  }

  /** A receiver's group that is known already, so that it gets all that follows. */
  async ready(name: string): Promise<void> {
    while (!this.said.some(({ level, fields }) => level === 'info' && `webhook-${(fields as { endpoint?: string }).endpoint}` === name)) await new Promise((resolve) => setImmediate(resolve));
  }

  write(...triggers: readonly MarketingTrigger[]): Promise<unknown> {
    return this.log.append(triggers.map((one) => ({ topic: marketingTriggers.name, partition: 0, key: one.shopper, value: marketingTriggers.codec.encode(one) })));
  }

  async letters(): Promise<DeadLetter[]> {
    return (await everythingIn(this.log, deadLetters.name)).map(({ value }) => deadLetters.codec.decode(value));
  }
}
