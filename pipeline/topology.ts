import { clickhouseSinks } from '../consumers/clickhouse-sinks.js';
import { itemNeighboursIn } from '../consumers/co-visitation.js';
import { live, replayed } from '../consumers/demand/publication.js';
import type { ReorderDefaults } from '../consumers/demand/reorder.js';
import { demandForecasts } from '../consumers/demand-forecasts.js';
import { itemWatch } from '../consumers/item-watch.js';
import { marketingTriggers } from '../consumers/marketing-triggers.js';
import { orderLedger } from '../consumers/order-ledger.js';
import type { TeachTower } from '../consumers/item-contents.js';
import { recommenderIn } from '../consumers/recommender.js';
import { shoppers } from '../consumers/shoppers.js';
import { MONEY_SCALE } from '../schemas/money.js';
import * as topics from '../schemas/topics.js';
import type { Config } from './config.js';
import type { Fold } from './core/fold.js';
import { shopDays } from './core/shop-day.js';
import type { Topology } from './core/topology.js';

const DAY_MS = 86_400_000;

/** Terms of ordering of SKUs whose catalogue entry names none. */
export function reorderDefaults(config: Config): ReorderDefaults {
  return {
    policy: config.REORDER_POLICY, leadTimeDays: config.REORDER_LEAD_TIME_DAYS, leadTimeDeviationDays: config.REORDER_LEAD_TIME_DEVIATION_DAYS,
    reviewDays: config.REORDER_REVIEW_DAYS, coverDays: config.REORDER_COVER_DAYS, packSize: config.REORDER_PACK_SIZE, minimumUnits: config.REORDER_MINIMUM_UNITS,
    serviceLevel: config.REORDER_SERVICE_PERCENT / 100,
  };
}

/** The whole system: what runs, what `millrace topology` draws, and what the tests check. One line adds a consumer. */
export function topologyOf(config: Config, clock: 'wall' | 'file', teach?: TeachTower): Topology {
  const days = shopDays(config.SHOP_TIMEZONE);
  const publication = clock === 'wall' ? live(days, config.FORECAST_EVERY_SECONDS * 1_000) : replayed(days);
  return {
    consumers: [
      shoppers({ repeats: config.SHOP_REPEATS, repurchases: config.SHOP_REPURCHASES, forgetAfterMs: config.FORGET_VISITORS_AFTER_DAYS * DAY_MS }),
      orderLedger(),
      itemWatch({ priceDropPercent: config.PRICE_DROP_PERCENT, currency: config.SHOP_CURRENCY }),
      demandForecasts({ days, publication, plan: config.SHOP_CALENDAR, reorder: reorderDefaults(config), hours: config.FORECAST_HOURS, mostUnlisted: config.FORECAST_UNLISTED_SKUS }),
      marketingTriggers({
        abandonedAfterMs: config.CART_ABANDONED_AFTER_SECONDS * 1_000,
        browsedAfterMs: config.BROWSE_ABANDONED_AFTER_SECONDS * 1_000,
        quietAfterOrderMs: config.BROWSE_QUIET_DAYS * DAY_MS,
        winBackAfterMs: config.WIN_BACK_AFTER_DAYS * DAY_MS,
        welcomesNew: config.WELCOME_NEW_CUSTOMERS,
        vipSpend: BigInt(config.VIP_SPEND) * MONEY_SCALE,
        highIntentPercent: config.HIGH_INTENT_PERCENT,
        cap: { count: config.TRIGGER_CAP_COUNT, windowMs: config.TRIGGER_CAP_WINDOW_SECONDS * 1_000 },
        consentByDefault: config.CONSENT_DEFAULT === 'granted',
        holdoutPercent: config.TRIGGER_HOLDOUT_PERCENT,
        transactional: config.TRIGGER_TRANSACTIONAL_RULES,
        quietHours: config.QUIET_HOURS && { ...config.QUIET_HOURS, timezone: config.SHOP_TIMEZONE },
        currency: config.SHOP_CURRENCY,
        days,
      }),
    ],
    learners: [recommenderIn({ mostUnlisted: config.UNLISTED_ITEMS, repeats: config.SHOP_REPEATS, teach, currency: config.SHOP_CURRENCY }) as Fold<unknown>, itemNeighboursIn({ precision: config.SCORER_VECTORS, mostUnlisted: config.UNLISTED_ITEMS, repeats: config.SHOP_REPEATS }) as Fold<unknown>],
    sinks: [
      { name: 'clickhouse', topics: topics.allTopics.filter(({ name }) => clickhouseSinks.some((spec) => spec.topic === name)) },
      ...(config.webhooks.length > 0 ? [{ name: 'webhooks', topics: [topics.marketingTriggers] }] : []),
    ],
    views: [{ name: 'scorer', tables: [topics.userProfiles, topics.products, topics.itemVectors, topics.recommenderModels, topics.demandForecasts] }],
  };
}
