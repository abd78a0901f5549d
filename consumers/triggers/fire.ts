import { v5 as uuidV5 } from 'uuid';
import { hashOf } from '../../models/kernels/hash.js';
import type { Context, Due } from '../../pipeline/core/consumer.js';
import { marketingTriggers } from '../../schemas/topics.js';
import type { TriggerRule } from '../../schemas/trigger-rules.js';
import type { MarketingTrigger } from '../../schemas/types.js';
import { contactOf, noteFired } from './contacts.js';

/** Name space of trigger ids (random, fixed for good). */
const NAMESPACE = '0f5b6f1e-9f0a-4a3e-8f43-7f3f8d6f2f5a';
const HISTORY_MS = 24 * 3_600_000;
const HELD_OUT = 'holdout';

export interface Rule {
  readonly name: TriggerRule;
  readonly version: number;
}

export const rule = (name: TriggerRule): Rule => ({ name, version: 1 });

/** A timer and when it was due before quiet hours put it off: what is history stays history in the morning. */
export interface Ripe extends Due {
  readonly ripeAt: number;
}

export interface TriggerPolicy {
  /** At most `count` triggers a shopper within `windowMs`, over all rules; 0: no cap. */
  readonly cap: { readonly count: number; readonly windowMs: number };
  /** Whether a shopper who has said nothing may be contacted. */
  readonly consentByDefault: boolean;
  /** Rules that shoppers asked for, or must hear of: neither capped, nor counted by the cap, nor held out. */
  readonly transactional?: readonly string[];
  /** Percent of shoppers that are never written to, so that what triggers bring about can be told. */
  readonly holdoutPercent?: number;
}

interface Firing extends Pick<MarketingTrigger, 'shopper' | 'causeId' | 'causedAt' | 'at' | 'reason' | 'products'>, Partial<Pick<MarketingTrigger, 'value' | 'currency'>> {
  readonly rule: Rule;
  /** When it was due, which a long wait puts more than a day after its cause; absent: with its cause. */
  readonly ripeAt?: number;
  /** Whether they ordered so lately that the rule leaves them alone. */
  readonly orderedLately?: boolean;
}

/** Fire a trigger, or say why not. Answers the id if it was fired. Whether one may is decided now, not when a timer was set. */
export function fire(firing: Firing, policy: TriggerPolicy, ctx: Context): string | null {
  const { rule: { name, version }, shopper, causeId, at } = firing;
  const id = uuidV5(`${name}/${version}/${shopper}/${causeId}`, NAMESPACE);
  const suppression = suppressionOf(firing, policy, ctx);
  ctx.emit(marketingTriggers, shopper, {
    id, rule: name, version, shopper, causeId, at, status: suppression ? 'suppressed' : 'fired', reason: suppression ?? firing.reason,
    causedAt: firing.causedAt, products: firing.products, value: firing.value ?? null, currency: firing.currency ?? null,
  });
  if (suppression) ctx.count('millrace_triggers_suppressed_total', { reason: suppression });
  else ctx.count('millrace_triggers_total', { rule: name });
  // Who is held out uses up the cap as if they had been written to: else the two groups would not be alike.
  if ((suppression === undefined || suppression === HELD_OUT) && !policy.transactional?.includes(name)) noteFired(shopper, at, ctx);
  return suppression === undefined ? id : null;
}

/** On a wall log an old cause is history that is being replayed: nobody is written to about last year's cart. */
export const isHistory = (time: number, ctx: Context): boolean => ctx.clock === 'wall' && ctx.time - time > HISTORY_MS;

function suppressionOf({ rule, shopper, causedAt, ripeAt = causedAt, at, orderedLately }: Firing, { cap, consentByDefault, holdoutPercent = 0, transactional = [] }: TriggerPolicy, ctx: Context): string | undefined {
  if (isHistory(ripeAt, ctx)) return 'history';
  const contact = contactOf(shopper, ctx);
  if (!(contact.consent ?? consentByDefault)) return 'opted_out';
  if (orderedLately) return 'recent_order';
  if (transactional.includes(rule.name)) return undefined;
  if (cap.count > 0 && contact.fired.filter((time) => time > at - cap.windowMs).length >= cap.count) return 'frequency_cap';
  if (hashOf(`holdout ${shopper}`) % 100 < holdoutPercent) return 'holdout';
  return undefined;
}

/** What an earlier trigger reminded of has happened: senders cancel what they have not sent. */
export function recover(rule: Rule, shopper: string, recovery: Pick<MarketingTrigger, 'id' | 'causeId' | 'causedAt' | 'reason' | 'products' | 'at'>, ctx: Context): void {
  ctx.emit(marketingTriggers, shopper, { ...recovery, status: 'recovered', rule: rule.name, version: rule.version, shopper, value: null, currency: null });
}

/** A span of time as reasons say it: in seconds below two minutes, in minutes below two hours. */
export function spanOf(ms: number): string {
  const [unit, name] = ms < 120_000 ? [1_000, 'seconds'] : ms < 7_200_000 ? [60_000, 'minutes'] : [3_600_000, 'hours'];
  return `${Math.round(ms / unit)} ${name}`;
}
