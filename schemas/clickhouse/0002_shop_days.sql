-- Aggregates kept up to date by every insert, in days of the shop (SHOP_TIMEZONE). For each there is a table *_state with
-- partial sums, a materialized view *_feed that adds each block of raw rows to it under the block's own deduplication
-- token, and a view with the finished numbers, which is the one to ask.

CREATE TABLE IF NOT EXISTS {{database}}.revenue_by_shop_day_state (
  day        Date32                                       COMMENT 'Day in the time zone of the shop',
  source     LowCardinality(String)                       COMMENT 'File source; empty for live events',
  currency   LowCardinality(String)                       COMMENT 'ISO 4217',
  gross      SimpleAggregateFunction(sum, Decimal(38, 4)) COMMENT 'See revenue_by_shop_day',
  refunded   SimpleAggregateFunction(sum, Decimal(38, 4)) COMMENT 'See revenue_by_shop_day',
  adjusted   SimpleAggregateFunction(sum, Decimal(38, 4)) COMMENT 'See revenue_by_shop_day',
  net        SimpleAggregateFunction(sum, Decimal(38, 4)) COMMENT 'See revenue_by_shop_day',
  units_sold SimpleAggregateFunction(sum, Float64)        COMMENT 'See revenue_by_shop_day',
  units      SimpleAggregateFunction(sum, Float64)        COMMENT 'See revenue_by_shop_day',
  claimed    SimpleAggregateFunction(sum, Float64)        COMMENT 'See revenue_by_shop_day',
  orders     SimpleAggregateFunction(sumMap, Map(UInt64, Float64)) COMMENT 'Units sold by order (cityHash64 of its id), less sales that were taken back'
) ENGINE = AggregatingMergeTree ORDER BY (day, source, currency)
SETTINGS non_replicated_deduplication_window = 100000, replicated_deduplication_window = 100000,
  replicated_deduplication_window_seconds = 604800, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Partial sums behind revenue_by_shop_day; ask that view.';

-- A quantity may be any double: one infinity would spoil its day for good. A sale that is taken back, of a claim or in another currency, may be booked
-- anew on another day or beside this one, and is no order here then: an order counts of which units are left, whether or not they come back.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.revenue_by_shop_day_feed TO {{database}}.revenue_by_shop_day_state AS
SELECT
  toDate32(time, '{{shop_timezone}}') AS day,
  source,
  currency,
  sumIf(amount, kind = 'sale') AS gross,
  -sumIf(amount, kind IN ('refund', 'cancellation')) AS refunded,
  sumIf(amount, kind = 'adjustment') AS adjusted,
  sum(amount) AS net,
  sumIf(quantity, kind = 'sale' AND isFinite(quantity)) AS units_sold,
  sumIf(quantity, isFinite(quantity)) AS units,
  sumIf(sold.claimed * toFloat64(price), isFinite(sold.claimed)) AS claimed,
  sumMapIf(map(cityHash64(order_id), multiIf(isFinite(quantity), quantity, quantity < 0, -1., 1.)), kind = 'sale') AS orders
FROM {{database}}.sales AS sold
GROUP BY day, source, currency;

CREATE OR REPLACE VIEW {{database}}.revenue_by_shop_day (
  day        Date32                 COMMENT 'Day in the time zone of the shop',
  source     LowCardinality(String) COMMENT 'File source; empty for live events',
  currency   LowCardinality(String) COMMENT 'ISO 4217',
  gross      Decimal(38, 4)         COMMENT 'Amount of all sales, after discounts of orders',
  refunded   Decimal(38, 4)         COMMENT 'Amount given back by refunds and cancellations, positive',
  adjusted   Decimal(38, 4)         COMMENT 'Amount of adjustments, signed',
  net        Decimal(38, 4)         COMMENT 'gross - refunded + adjusted: the sum of sales.amount',
  units_sold Float64                COMMENT 'Units of all sales',
  units      Float64                COMMENT 'Units less those that came back',
  claimed    Float64                COMMENT 'How much of net only pages have reported, with the public key, at list prices: the shop has not confirmed it',
  orders     UInt64                 COMMENT 'Distinct orders of which units were sold; one that the shop reports otherwise than a page, or in another currency than before, where the shop has it'
) AS
SELECT day, source, currency, sum(gross) AS gross, sum(refunded) AS refunded, sum(adjusted) AS adjusted, sum(net) AS net,
  sum(units_sold) AS units_sold, sum(units) AS units, round(sum(claimed), 4) AS claimed,
  toUInt64(arrayCount(units -> units > 1e-6, mapValues(sumMap(state.orders)))) AS orders
FROM {{database}}.revenue_by_shop_day_state AS state
GROUP BY day, source, currency
COMMENT 'Revenue by day of the shop, from sales. A refund corrects the day of its order.';

CREATE TABLE IF NOT EXISTS {{database}}.funnel_by_shop_day_state (
  day               Date32                               COMMENT 'Day in the time zone of the shop',
  source            LowCardinality(String)               COMMENT 'File source; empty for live events',
  viewed_events     SimpleAggregateFunction(sum, UInt64) COMMENT 'See funnel_by_shop_day',
  added_events      SimpleAggregateFunction(sum, UInt64) COMMENT 'See funnel_by_shop_day',
  checkout_events   SimpleAggregateFunction(sum, UInt64) COMMENT 'See funnel_by_shop_day',
  ordered_events    SimpleAggregateFunction(sum, UInt64) COMMENT 'See funnel_by_shop_day',
  viewed_shoppers   AggregateFunction(uniqExact, String) COMMENT 'See funnel_by_shop_day',
  added_shoppers    AggregateFunction(uniqExact, String) COMMENT 'See funnel_by_shop_day',
  checkout_shoppers AggregateFunction(uniqExact, String) COMMENT 'See funnel_by_shop_day',
  ordered_shoppers  AggregateFunction(uniqExact, String) COMMENT 'See funnel_by_shop_day'
) ENGINE = AggregatingMergeTree ORDER BY (day, source)
SETTINGS non_replicated_deduplication_window = 100000, replicated_deduplication_window = 100000,
  replicated_deduplication_window_seconds = 604800, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Partial sums behind funnel_by_shop_day; ask that view.';

CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.funnel_by_shop_day_feed TO {{database}}.funnel_by_shop_day_state AS
SELECT
  toDate32(time, '{{shop_timezone}}') AS day,
  source,
  countIf(event = 'Product Viewed') AS viewed_events,
  countIf(event = 'Product Added') AS added_events,
  countIf(event = 'Checkout Started') AS checkout_events,
  countIf(event = 'Order Completed') AS ordered_events,
  uniqExactStateIf(shopper, event = 'Product Viewed') AS viewed_shoppers,
  uniqExactStateIf(shopper, event = 'Product Added') AS added_shoppers,
  uniqExactStateIf(shopper, event = 'Checkout Started') AS checkout_shoppers,
  uniqExactStateIf(shopper, event = 'Order Completed') AS ordered_shoppers
FROM {{database}}.interactions
WHERE event IN ('Product Viewed', 'Product Added', 'Checkout Started', 'Order Completed')
GROUP BY day, source;

CREATE OR REPLACE VIEW {{database}}.funnel_by_shop_day (
  day               Date32                 COMMENT 'Day in the time zone of the shop',
  source            LowCardinality(String) COMMENT 'File source; empty for live events',
  viewed_shoppers   UInt64                 COMMENT 'Distinct shoppers with Product Viewed',
  viewed_events     UInt64                 COMMENT 'Events Product Viewed',
  added_shoppers    UInt64                 COMMENT 'Distinct shoppers with Product Added',
  added_events      UInt64                 COMMENT 'Events Product Added',
  checkout_shoppers UInt64                 COMMENT 'Distinct shoppers with Checkout Started',
  checkout_events   UInt64                 COMMENT 'Events Checkout Started',
  ordered_shoppers  UInt64                 COMMENT 'Distinct shoppers with Order Completed',
  ordered_events    UInt64                 COMMENT 'Events Order Completed'
) AS
SELECT day, source,
  uniqExactMerge(viewed_shoppers) AS viewed_shoppers, sum(viewed_events) AS viewed_events,
  uniqExactMerge(added_shoppers) AS added_shoppers, sum(added_events) AS added_events,
  uniqExactMerge(checkout_shoppers) AS checkout_shoppers, sum(checkout_events) AS checkout_events,
  uniqExactMerge(ordered_shoppers) AS ordered_shoppers, sum(ordered_events) AS ordered_events
FROM {{database}}.funnel_by_shop_day_state
GROUP BY day, source
COMMENT 'From view to order by day of the shop, from interactions. A shopper counts once a day and step.';
