import { noMetrics, silentJournal } from '../core/metrics.js';
import type { Log } from '../core/log.js';
import type { Row } from '../core/row-sink.js';
import { openEngine } from '../engine.js';
import type { Config } from '../config.js';
import { interactions, marketingTriggers, sales, type Topic } from '../../schemas/topics.js';
import type { Counts } from './tally.js';

const POLL = 5_000;
const POLL_MS = 300;
const ABANDONMENT = 'cart_abandonment';

/** What came out at one place, counted by name: message ids, `order/line` and `status/shopper`. */
export interface Outcome {
  readonly messages: Counts;
  readonly sales: Counts;
  readonly triggers: Counts;
}

/** Count the records of the clean topics. The embedded log must not be in use. */
export async function outcomeInTopics(config: Config): Promise<Outcome> {
  const engine = await openEngine({ config, metrics: noMetrics, journal: silentJournal });
  try {
    return {
      messages: await counted(engine.log, interactions, ({ messageId }) => messageId),
      sales: await counted(engine.log, sales, ({ orderId, line }) => `${orderId}/${line}`),
      triggers: await counted(engine.log, marketingTriggers, ({ rule, status, shopper }) => (rule === ABANDONMENT ? `${status}/${shopper}` : undefined)),
    };
  } finally {
    await engine.close();
  }
}

async function counted<T>(log: Log, topic: Topic<T>, nameOf: (value: T) => string | undefined): Promise<Counts> {
  const counts = new Map<string, number>();
  const ranges = await log.ranges(topic.name);
  const reader = log.reader(ranges.map(({ start: offset }, partition) => ({ topic: topic.name, partition, offset })));
  try {
    for (let quiet = 0; quiet < 3;) {
      const records = await reader.poll(POLL, POLL_MS);
      for (const { value } of records) {
        const name = value ? nameOf(topic.codec.decode(value)) : undefined;
        if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
      }
      // Nothing may have arrived yet on a slow machine: what counts is that nothing is known to be left.
      quiet = records.length === 0 && reader.lag() === 0 ? quiet + 1 : 0;
    }
  } finally {
    await reader.close();
  }
  return counts;
}

export type Ask = (sql: string) => Promise<readonly Row[]>;

/** Count the raw rows of ClickHouse. */
export async function outcomeInClickHouse(ask: Ask, database: string): Promise<Outcome> {
  const grouped = async (name: string, from: string): Promise<Counts> =>
    new Map((await ask(`SELECT ${name} AS name, count() AS n FROM ${database}.${from} GROUP BY name`)).map((row) => [String(row['name']), Number(row['n'])]));
  return {
    messages: await grouped('message_id', 'interactions'),
    sales: await grouped("concat(order_id, '/', toString(line))", 'sales'),
    triggers: await grouped("concat(status, '/', shopper)", `marketing_triggers WHERE rule = '${ABANDONMENT}'`),
  };
}

/** Rows of each kind in ClickHouse, cheaply. */
export async function rowsIn(ask: Ask, database: string): Promise<{ messages: number; sales: number; fired: number }> {
  const [row] = await ask(`SELECT (SELECT count() FROM ${database}.interactions) AS messages, (SELECT count() FROM ${database}.sales) AS sales,
    (SELECT count() FROM ${database}.marketing_triggers WHERE rule = '${ABANDONMENT}' AND status = 'fired') AS fired`);
  return { messages: Number(row?.['messages']), sales: Number(row?.['sales']), fired: Number(row?.['fired']) };
}
