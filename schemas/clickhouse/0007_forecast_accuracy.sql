-- How forecasts fared, for any past days. Views that hold nothing: a later migration may replace them.
--
-- Coverage is of days on which the shop was open, as `millrace evaluate` has it. A SKU that was not on sale all day may have sold less than was asked for:
-- it is counted and left out, as where accuracy is watched (models/forecast/shortages.ts). What is no longer sold by the evening is left out, whenever it was
-- forecast: its last forecast has no class of demand, and is no forecast of demand, until it is sold again.
CREATE OR REPLACE VIEW {{database}}.forecast_errors_between (
  sku            String                 COMMENT 'Stock keeping unit',
  day            Date32                 COMMENT 'Day that was forecast, in the time zone of the shop',
  ahead          Int32                  COMMENT 'Days from the one on which the forecast stood',
  demand_class   LowCardinality(String) COMMENT 'How often the SKU sold by then: rare, slow, frequent or daily',
  categories     Array(LowCardinality(String)) COMMENT 'First category of the SKU by then, and what lies above it, the nearest last; empty where it had none',
  forecast_units Float64                COMMENT 'Mean units forecast',
  actual_units   Float64                COMMENT 'Units sold less those that came back, not less than zero',
  pinball        Float64                COMMENT 'Pinball loss, mean over the levels',
  covered        Nullable(Bool)         COMMENT 'Within the 80 % interval; NULL where none was made, and on a day on which the shop sold nothing at all, as when it is closed',
  on_sale        Float64                COMMENT 'Part of the day on sale, as in short_days: below 1 it judges no forecast'
) AS
SELECT made.sku AS sku, made.day AS day, made.ahead AS ahead, made.demand_class AS demand_class, made.categories AS categories, made.forecast_units AS forecast_units,
  greatest(0, sold.units) AS actual_units,
  arraySum((q, p) -> 2 * (toFloat64(actual_units <= q) - p) * (q - actual_units), made.quantiles, made.levels) / length(made.levels) AS pinball,
  if(made.day IN (SELECT toDate32(time, '{{shop_timezone}}') FROM {{database}}.sales WHERE quantity > 0 AND toDate32(time, '{{shop_timezone}}') BETWEEN {since:Date32} AND {until:Date32}),
    toBool(actual_units BETWEEN made.low AND made.high), NULL) AS covered,
  if(short.sku = '', 1, short.on_sale) AS on_sale
FROM {{database}}.forecast_days_between(since = {since:Date32}, until = {until:Date32}) AS made
LEFT JOIN (
  SELECT sku, toDate32(time, '{{shop_timezone}}') AS day, sumIf(quantity, isFinite(quantity)) AS units
  FROM {{database}}.sales
  WHERE toDate32(time, '{{shop_timezone}}') BETWEEN {since:Date32} AND {until:Date32}
  GROUP BY sku, day
) AS sold ON made.sku = sold.sku AND made.day = sold.day
LEFT JOIN {{database}}.short_days_between(since = {since:Date32}, until = {until:Date32}) AS short ON made.sku = short.sku AND made.day = short.day
WHERE made.day <= (SELECT toDate32(max(time), '{{shop_timezone}}') FROM {{database}}.sales)
  AND length(made.levels) = length(made.quantiles) AND length(made.levels) > 0 AND made.demand_class != ''
  AND (made.sku, made.day) NOT IN (
    SELECT sku, arrayJoin(arrayMap(later -> addDays(from_on, later), range(toUInt32(greatest(0, dateDiff('day', from_on, until_on)))))) AS day
    FROM (
      SELECT sku, is_over, greatest(made_on, {since:Date32}) AS from_on,
        least(leadInFrame(made_on, 1, addDays(newest, 1)) OVER (PARTITION BY sku ORDER BY made_on ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING), addDays(newest, 1)) AS until_on
      FROM (
        SELECT sku, toDate32(time, '{{shop_timezone}}') AS made_on, argMax(demand_class, (time, _offset)) = '' AS is_over,
          least({until:Date32}, assumeNotNull((SELECT toDate32(max(time), '{{shop_timezone}}') FROM {{database}}.sales))) AS newest
        FROM {{database}}.forecasts
        WHERE toDate32(time, '{{shop_timezone}}') >= subtractDays({since:Date32}, 36) AND toDate32(time, '{{shop_timezone}}') <= {until:Date32}
        GROUP BY sku, made_on
      )
    )
    WHERE is_over
  )
COMMENT 'What forecast_accuracy_between is summed from, a row a SKU, day and number of days ahead, of SKUs that were still sold on the day: SELECT * FROM forecast_errors_between(since = \'2026-11-18\', until = \'2026-11-24\'). Columns: sku, day, ahead, demand_class, categories, forecast_units, actual_units (not less than zero), pinball (mean over the levels), covered (by the 80 % interval; NULL without one, and on a day on which the shop sold nothing at all) and on_sale (part of the day, as in short_days; below 1 it judges no forecast).';

CREATE OR REPLACE VIEW {{database}}.forecast_accuracy_by_class_between (
  day            Date32            COMMENT 'Day that was forecast, in the time zone of the shop',
  ahead          Int32             COMMENT 'Days from the one on which the forecasts were made',
  demand_class   LowCardinality(String) COMMENT 'How often the SKUs sold by then: rare, slow, frequent or daily',
  skus           UInt64            COMMENT 'SKUs forecast, those on sale for at least 95 % of the day',
  short_skus     UInt64            COMMENT 'SKUs forecast of which less than 95 % of the day was on sale: left out of all else',
  forecast_units Float64           COMMENT 'Units forecast',
  actual_units   Float64           COMMENT 'Units sold less those that came back, none less than zero a SKU',
  absolute_error Float64           COMMENT 'Sum of |actual - forecast|',
  pinball        Float64           COMMENT 'Sum of the pinball loss, mean over the levels: divided by actual_units it is the WQL',
  with_interval  UInt64            COMMENT 'SKUs that had an 80 % interval; 0 on a day on which the shop sold nothing at all, as when it is closed',
  covered        UInt64            COMMENT 'SKUs within it',
  coverage       Nullable(Float64) COMMENT 'covered as a share of with_interval; NULL where that is 0',
  bias           Nullable(Float64) COMMENT '(forecast_units - actual_units) / actual_units; NULL on a day without sales'
) AS
SELECT day, ahead, demand_class, countIf(whole) AS skus, countIf(NOT whole) AS short_skus, sumIf(made.forecast_units, whole) AS forecast_units, sumIf(made.actual_units, whole) AS actual_units,
  sumIf(abs(made.actual_units - made.forecast_units), whole) AS absolute_error, sumIf(made.pinball, whole) AS pinball,
  countIf(whole AND made.covered IS NOT NULL) AS with_interval, countIf(whole AND made.covered) AS covered, if(with_interval = 0, NULL, covered / with_interval) AS coverage,
  if(actual_units = 0, NULL, (forecast_units - actual_units) / actual_units) AS bias
FROM (SELECT *, on_sale = 1 AS whole FROM {{database}}.forecast_errors_between(since = {since:Date32}, until = {until:Date32})) AS made
GROUP BY day, ahead, demand_class
COMMENT 'forecast_accuracy_between by how often SKUs sell: SELECT * FROM forecast_accuracy_by_class_between(since = \'2026-11-18\', until = \'2026-11-24\'), with the columns of forecast_accuracy and demand_class.';

-- As in totals of categories a SKU counts in its first category and in what lies above it: level 1, with those that have none, adds up to the shop.
CREATE OR REPLACE VIEW {{database}}.forecast_accuracy_by_category_between (
  day            Date32            COMMENT 'Day that was forecast, in the time zone of the shop',
  ahead          Int32             COMMENT 'Days from the one on which the forecasts were made',
  category       LowCardinality(String) COMMENT 'First category of the SKUs by then, or one above it; empty for those that had none',
  level          UInt32            COMMENT 'How deep it lies in its tree, from 1',
  skus           UInt64            COMMENT 'SKUs forecast, those on sale for at least 95 % of the day',
  short_skus     UInt64            COMMENT 'SKUs forecast of which less than 95 % of the day was on sale: left out of all else',
  forecast_units Float64           COMMENT 'Units forecast',
  actual_units   Float64           COMMENT 'Units sold less those that came back, none less than zero a SKU',
  absolute_error Float64           COMMENT 'Sum of |actual - forecast|',
  pinball        Float64           COMMENT 'Sum of the pinball loss, mean over the levels: divided by actual_units it is the WQL',
  with_interval  UInt64            COMMENT 'SKUs that had an 80 % interval; 0 on a day on which the shop sold nothing at all, as when it is closed',
  covered        UInt64            COMMENT 'SKUs within it',
  coverage       Nullable(Float64) COMMENT 'covered as a share of with_interval; NULL where that is 0',
  bias           Nullable(Float64) COMMENT '(forecast_units - actual_units) / actual_units; NULL on a day without sales'
) AS
SELECT day, ahead, category, level, countIf(whole) AS skus, countIf(NOT whole) AS short_skus, sumIf(made.forecast_units, whole) AS forecast_units, sumIf(made.actual_units, whole) AS actual_units,
  sumIf(abs(made.actual_units - made.forecast_units), whole) AS absolute_error, sumIf(made.pinball, whole) AS pinball,
  countIf(whole AND made.covered IS NOT NULL) AS with_interval, countIf(whole AND made.covered) AS covered, if(with_interval = 0, NULL, covered / with_interval) AS coverage,
  if(actual_units = 0, NULL, (forecast_units - actual_units) / actual_units) AS bias
FROM (SELECT *, on_sale = 1 AS whole FROM {{database}}.forecast_errors_between(since = {since:Date32}, until = {until:Date32})) AS made
ARRAY JOIN if(empty(categories), [''], categories) AS category, arrayEnumerate(if(empty(categories), [''], categories)) AS level
GROUP BY day, ahead, category, level
COMMENT 'forecast_accuracy_between by category: SELECT * FROM forecast_accuracy_by_category_between(since = \'2026-11-18\', until = \'2026-11-24\') WHERE level = 1, with the columns of forecast_accuracy, category (empty for SKUs without one) and level. A SKU counts in its first category (Home > Kitchen, level 2) and in those above it (Home, level 1), as they were when it was forecast.';

CREATE OR REPLACE VIEW {{database}}.forecast_accuracy_between (
  day            Date32            COMMENT 'Day that was forecast, in the time zone of the shop',
  ahead          Int32             COMMENT 'Days from the one on which the forecasts were made',
  skus           UInt64            COMMENT 'SKUs forecast, those on sale for at least 95 % of the day',
  short_skus     UInt64            COMMENT 'SKUs forecast of which less than 95 % of the day was on sale: left out of all else',
  forecast_units Float64           COMMENT 'Units forecast',
  actual_units   Float64           COMMENT 'Units sold less those that came back, none less than zero a SKU',
  absolute_error Float64           COMMENT 'Sum of |actual - forecast|',
  pinball        Float64           COMMENT 'Sum of the pinball loss, mean over the levels: divided by actual_units it is the WQL',
  with_interval  UInt64            COMMENT 'SKUs that had an 80 % interval; 0 on a day on which the shop sold nothing at all, as when it is closed',
  covered        UInt64            COMMENT 'SKUs within it',
  coverage       Nullable(Float64) COMMENT 'covered as a share of with_interval; NULL where that is 0',
  bias           Nullable(Float64) COMMENT '(forecast_units - actual_units) / actual_units; NULL on a day without sales'
) AS
SELECT day, ahead, sum(by.skus) AS skus, sum(by.short_skus) AS short_skus, sum(by.forecast_units) AS forecast_units, sum(by.actual_units) AS actual_units, sum(by.absolute_error) AS absolute_error,
  sum(by.pinball) AS pinball, sum(by.with_interval) AS with_interval, sum(by.covered) AS covered, if(with_interval = 0, NULL, covered / with_interval) AS coverage,
  if(actual_units = 0, NULL, (forecast_units - actual_units) / actual_units) AS bias
FROM {{database}}.forecast_accuracy_by_class_between(since = {since:Date32}, until = {until:Date32}) AS by
GROUP BY day, ahead
COMMENT 'forecast_accuracy of some days, from their sales, the forecasts of those days and the five weeks before, and what the four weeks after tell of their stock: SELECT * FROM forecast_accuracy_between(since = \'2026-11-18\', until = \'2026-11-24\'), with the columns of forecast_accuracy.';

CREATE OR REPLACE VIEW {{database}}.forecast_accuracy (
  day            Date32            COMMENT 'Day that was forecast, in the time zone of the shop',
  ahead          Int32             COMMENT 'Days from the one on which the forecasts were made',
  skus           UInt64            COMMENT 'SKUs forecast, those on sale for at least 95 % of the day',
  short_skus     UInt64            COMMENT 'SKUs forecast of which less than 95 % of the day was on sale: left out of all else',
  forecast_units Float64           COMMENT 'Units forecast',
  actual_units   Float64           COMMENT 'Units sold less those that came back, none less than zero a SKU',
  absolute_error Float64           COMMENT 'Sum of |actual - forecast|',
  pinball        Float64           COMMENT 'Sum of the pinball loss, mean over the levels: divided by actual_units it is the WQL',
  with_interval  UInt64            COMMENT 'SKUs that had an 80 % interval; 0 on a day on which the shop sold nothing at all, as when it is closed',
  covered        UInt64            COMMENT 'SKUs within it',
  coverage       Nullable(Float64) COMMENT 'covered as a share of with_interval; NULL where that is 0',
  bias           Nullable(Float64) COMMENT '(forecast_units - actual_units) / actual_units; NULL on a day without sales'
) AS
SELECT * FROM {{database}}.forecast_accuracy_between(since = '1900-03-01', until = '2299-12-31')
COMMENT 'How all SKUs were forecast for a day, by how many days before, those that were on sale all day. The newest day is still running.';
