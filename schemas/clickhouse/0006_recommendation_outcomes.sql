-- What became of recommendations. Views that hold nothing: a later migration may replace them.
--
-- Days are given, since a condition on a day reaches no index behind a view. What follows an answer counts for 24 hours, so events of two more
-- days are read. A cart or an order that names no answer is that of the latest one from which its shopper chose the item, as the ranker learns
-- it (models/shown-lists.ts); who logged in since is known by the device.
CREATE OR REPLACE VIEW {{database}}.recommended_items_between (
  recommendation_id String                           COMMENT 'Answer',
  time              DateTime64(3, 'UTC')             COMMENT 'When it was answered',
  day               Date32                           COMMENT 'The same in the time zone of the shop',
  shopper           String                           COMMENT 'Canonical shopper id when it was answered',
  placement         String                           COMMENT 'Where on the page; empty for none',
  model             LowCardinality(String)           COMMENT 'Model and version',
  place             UInt64                           COMMENT 'Place in which it was shown, from 1',
  sku               String                           COMMENT 'Item',
  reason            LowCardinality(String)           COMMENT 'Reason code',
  propensity        Float64                          COMMENT 'Probability with which it was put there: below 1 where it is tried',
  clicked_at        Nullable(DateTime64(3, 'UTC'))   COMMENT 'First click, page or cart that names the answer, within 24 hours of it',
  carted_at         Nullable(DateTime64(3, 'UTC'))   COMMENT 'First put into the cart from it, within these',
  ordered_at        Nullable(DateTime64(3, 'UTC'))   COMMENT 'First ordered from it, within these; what is given back later stays'
) AS
WITH
  devices AS (
    SELECT assumeNotNull(anonymous_id) AS device, argMax(shopper, (time, _offset)) AS owner
    FROM {{database}}.interactions
    WHERE anonymous_id IS NOT NULL AND anonymous_id != shopper AND toDate32(time, '{{shop_timezone}}') BETWEEN {since:Date32} AND addDays({until:Date32}, 2)
    GROUP BY device
  ),
  steps AS (
    SELECT coalesce(nullIf(devices.owner, ''), steps.shopper) AS who, steps.named AS named, steps.sku AS sku, steps.step AS step, steps.at AS at
    FROM (
      SELECT shopper, ifNull(recommendation_id, '') AS named, sku, if(event IN ('Product Added', 'Wishlist Product Added to Cart'), 'cart', 'click') AS step, time AS at
      FROM {{database}}.interactions
      ARRAY JOIN products.sku AS sku
      WHERE (event IN ('Product Added', 'Wishlist Product Added to Cart') OR (event IN ('Recommendation Clicked', 'Product Clicked', 'Product Viewed') AND recommendation_id IS NOT NULL))
        AND toDate32(time, '{{shop_timezone}}') BETWEEN {since:Date32} AND addDays({until:Date32}, 2)
      UNION ALL
      SELECT shopper, ifNull(recommendation_id, '') AS named, sku, 'order' AS step, time AS at
      FROM {{database}}.purchases
      ARRAY JOIN lines.sku AS sku, lines.quantity AS quantity
      WHERE kind IN ('completed', 'line') AND quantity > 0 AND toDate32(time, '{{shop_timezone}}') BETWEEN {since:Date32} AND addDays({until:Date32}, 2)
    ) AS steps
    LEFT JOIN devices ON steps.shopper = devices.device
  ),
  outcomes AS (
    SELECT if(later.named != '', later.named, chosen.answer) AS answer, later.sku AS sku,
      minIf(later.at, step != 'order') AS chosen_at, minIf(later.at, step = 'cart') AS put_at, minIf(later.at, step = 'order') AS bought_at,
      countIf(step != 'order') AS choices, countIf(step = 'cart') AS carts, countIf(step = 'order') AS orders
    FROM steps AS later
    ASOF LEFT JOIN (SELECT who, sku, named AS answer, at FROM steps WHERE named != '' AND step != 'order') AS chosen
      ON later.who = chosen.who AND later.sku = chosen.sku AND later.at >= chosen.at
    WHERE answer != ''
    GROUP BY answer, sku
  ),
  told AS (
    SELECT assumeNotNull(recommendation_id) AS answer, arrayDistinct(arrayFlatten(arrayMap(list -> list.3, arraySort(groupArray((time, _offset, products.sku)))))) AS seen
    FROM {{database}}.interactions
    WHERE event = 'Recommendations Served' AND recommendation_id IS NOT NULL AND toDate32(time, '{{shop_timezone}}') BETWEEN {since:Date32} AND addDays({until:Date32}, 2)
    GROUP BY answer
  )
SELECT recommendation_id, time, day, shopper, placement, model, if(answered_alone, answered_place, if(has(seen, sku), indexOf(seen, sku), length(seen) + 1)) AS place, sku, reason, propensity,
  if(outcomes.choices > 0 AND outcomes.chosen_at <= time + INTERVAL 1 DAY, outcomes.chosen_at, NULL) AS clicked_at,
  if(outcomes.carts > 0 AND outcomes.put_at <= time + INTERVAL 1 DAY, outcomes.put_at, NULL) AS carted_at,
  if(outcomes.orders > 0 AND outcomes.bought_at <= time + INTERVAL 1 DAY, outcomes.bought_at, NULL) AS ordered_at
FROM (
  SELECT recommendation_id, time, toDate32(time, '{{shop_timezone}}') AS day, shopper, ifNull(placement, '') AS placement, model, shown, told.seen AS seen,
    NOT hasAny(told.seen, items.sku) AS answered_alone, answered_place, sku, reason, propensity
  FROM {{database}}.recommendations AS answers
  LEFT JOIN told ON answers.recommendation_id = told.answer
  ARRAY JOIN items.sku AS sku, items.reason AS reason, items.propensity AS propensity, arrayEnumerate(items.sku) AS answered_place
  WHERE toDate32(time, '{{shop_timezone}}') BETWEEN {since:Date32} AND {until:Date32}
) AS items
LEFT JOIN outcomes ON items.recommendation_id = outcomes.answer AND items.sku = outcomes.sku
WHERE if(answered_alone, shown, has(seen, sku) OR clicked_at IS NOT NULL)
COMMENT 'recommended_items of some days, from their answers and what happened until two days later alone: SELECT * FROM recommended_items_between(since = \'2026-11-18\', until = \'2026-11-24\'), with the columns of recommended_items.';

CREATE OR REPLACE VIEW {{database}}.recommended_items (
  recommendation_id String                           COMMENT 'Answer',
  time              DateTime64(3, 'UTC')             COMMENT 'When it was answered',
  day               Date32                           COMMENT 'The same in the time zone of the shop',
  shopper           String                           COMMENT 'Canonical shopper id when it was answered',
  placement         String                           COMMENT 'Where on the page; empty for none',
  model             LowCardinality(String)           COMMENT 'Model and version',
  place             UInt64                           COMMENT 'Place in which it was shown, from 1',
  sku               String                           COMMENT 'Item',
  reason            LowCardinality(String)           COMMENT 'Reason code',
  propensity        Float64                          COMMENT 'Probability with which it was put there: below 1 where it is tried',
  clicked_at        Nullable(DateTime64(3, 'UTC'))   COMMENT 'First click, page or cart that names the answer, within 24 hours of it',
  carted_at         Nullable(DateTime64(3, 'UTC'))   COMMENT 'First put into the cart from it, within these',
  ordered_at        Nullable(DateTime64(3, 'UTC'))   COMMENT 'First ordered from it, within these; what is given back later stays'
) AS
SELECT * FROM {{database}}.recommended_items_between(since = '1900-01-01', until = '2299-12-25')
COMMENT 'Each item that was recommended and shown, one row an answer and item, with what became of it: a click, and a cart and an order after it. Of an answer that the shop tells of (Recommendations Served) what it names, and what was clicked; one asked for with "shown": false only then.';

CREATE OR REPLACE VIEW {{database}}.recommendation_outcomes_between (
  day              Date32                 COMMENT 'Day of the answer in the time zone of the shop',
  placement        String                 COMMENT 'Where on the page; empty for none',
  model            LowCardinality(String) COMMENT 'Model and version',
  tried            Bool                   COMMENT 'Items that explore tried stand apart from the others of their answers',
  answers          UInt64                 COMMENT 'Answers with such items',
  clicked_answers  UInt64                 COMMENT 'Of those: one of these items was clicked within 24 hours',
  items            UInt64                 COMMENT 'Items shown',
  clicks           UInt64                 COMMENT 'Of those: clicked within 24 hours of the answer',
  carts            UInt64                 COMMENT 'Of those: put into the cart within them',
  orders           UInt64                 COMMENT 'Of those: ordered within them',
  weighted_items   Float64                COMMENT 'Sum of 1/propensity',
  weighted_clicks  Float64                COMMENT 'Sum of 1/propensity of what was clicked: divided by weighted_items it is the click rate of this place had each candidate been tried as often',
  weighted_orders  Float64                COMMENT 'The same of what was ordered'
) AS
SELECT day, placement, model, CAST(propensity < 1, 'Bool') AS tried, uniqExact(recommendation_id) AS answers, uniqExactIf(recommendation_id, clicked_at IS NOT NULL) AS clicked_answers,
  count() AS items, countIf(clicked_at IS NOT NULL) AS clicks, countIf(carted_at IS NOT NULL) AS carts, countIf(ordered_at IS NOT NULL) AS orders,
  sumIf(1 / propensity, propensity > 0) AS weighted_items, sumIf(1 / propensity, propensity > 0 AND clicked_at IS NOT NULL) AS weighted_clicks,
  sumIf(1 / propensity, propensity > 0 AND ordered_at IS NOT NULL) AS weighted_orders
FROM {{database}}.recommended_items_between(since = {since:Date32}, until = {until:Date32})
GROUP BY day, placement, model, tried
COMMENT 'recommendation_outcomes of some days, from their answers and what happened until two days later alone: SELECT * FROM recommendation_outcomes_between(since = \'2026-11-18\', until = \'2026-11-24\'), with the columns of recommendation_outcomes.';

CREATE OR REPLACE VIEW {{database}}.recommendation_outcomes (
  day              Date32                 COMMENT 'Day of the answer in the time zone of the shop',
  placement        String                 COMMENT 'Where on the page; empty for none',
  model            LowCardinality(String) COMMENT 'Model and version',
  tried            Bool                   COMMENT 'Items that explore tried stand apart from the others of their answers',
  answers          UInt64                 COMMENT 'Answers with such items',
  clicked_answers  UInt64                 COMMENT 'Of those: one of these items was clicked within 24 hours',
  items            UInt64                 COMMENT 'Items shown',
  clicks           UInt64                 COMMENT 'Of those: clicked within 24 hours of the answer',
  carts            UInt64                 COMMENT 'Of those: put into the cart within them',
  orders           UInt64                 COMMENT 'Of those: ordered within them',
  weighted_items   Float64                COMMENT 'Sum of 1/propensity',
  weighted_clicks  Float64                COMMENT 'Sum of 1/propensity of what was clicked: divided by weighted_items it is the click rate of this place had each candidate been tried as often',
  weighted_orders  Float64                COMMENT 'The same of what was ordered'
) AS
SELECT * FROM {{database}}.recommendation_outcomes_between(since = '1900-01-01', until = '2299-12-25')
COMMENT 'What became of recommendations by day, placement and model; what explore tried apart. The newest day is still running.';
