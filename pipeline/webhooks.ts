import { startDeliveries, type DeliverySource } from '../infra/webhook/deliveries.js';
import { Endpoint, webhookLimits, type WebhookLimits, type WebhookMessage, type WebhookPorts, type WebhookTarget } from '../infra/webhook/endpoint.js';
import { formatMoney } from '../schemas/money.js';
import { marketingTriggers } from '../schemas/topics.js';
import type { LogRecord } from './core/log.js';
import { learnForeignSchemas } from './core/run-task.js';
import { sleep } from './core/sleep.js';
import type { Engine } from './engine.js';
import type { Running } from './parts.js';

/**
 * A trigger as it is sent, by its record alone; undefined for one that is suppressed. `fired` and `recovered` of one trigger have two ids.
 * @throws UndecodableError
 */
export function triggerMessage({ value }: Pick<LogRecord, 'value'>): WebhookMessage | undefined {
  const { causedAt, at, ...trigger } = marketingTriggers.codec.decode(value);
  if (trigger.status === 'suppressed') return undefined;
  const moment = new Date(at).toISOString();
  const data = { ...trigger, causedAt: new Date(causedAt).toISOString(), at: moment };
  const message = { type: `trigger.${trigger.status}`, timestamp: moment, data };
  return {
    id: `${trigger.id}-${trigger.status}`,
    body: Buffer.from(JSON.stringify(message, (_, field: unknown) => (typeof field === 'bigint' ? formatMoney(field) : field))),
    supersedes: trigger.status === 'recovered' ? `${trigger.id}-fired` : null,
  };
}

/** The machine's clock and chance. */
export const systemPorts: Pick<WebhookPorts, 'now' | 'sleep' | 'random'> = { now: Date.now, random: Math.random, sleep };

/** Send triggers to each endpoint, by a group of its own: one that does not answer holds up no other. */
export function startWebhooks(engine: Pick<Engine, 'log' | 'metrics' | 'journal' | 'learnSchemas'>, targets: readonly WebhookTarget[], limits: WebhookLimits = webhookLimits): Running[] {
  const { log, metrics, journal, learnSchemas } = engine;
  if (log.clock === 'file' && targets.length > 0) {
    journal.warn({}, 'No webhook is sent: this log has the clock of a file, and its triggers are of the past.');
    return [];
  }
  const source: DeliverySource = { topic: marketingTriggers.name, log, messageOf: triggerMessage, prepare: (records) => learnForeignSchemas(records, learnSchemas) };
  return targets.map((target) => startDeliveries(new Endpoint(target, { metrics, journal, ...systemPorts }, limits), source));
}
