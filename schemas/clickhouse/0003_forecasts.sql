-- Views of forecasts for analysts. They hold nothing: a later migration may replace them.

CREATE OR REPLACE VIEW {{database}}.forecasts_beside_actuals (
  sku            String                 COMMENT 'Stock keeping unit',
  day            Date32                 COMMENT 'Day in the time zone of the shop',
  forecast_units Float64                COMMENT 'Mean units forecast',
  levels         Array(Float64)         COMMENT 'Quantile levels',
  quantiles      Array(Float64)         COMMENT 'Units at each level',
  actual_units   Nullable(Float64)      COMMENT 'Units sold less those that came back; NULL for days after the last sale of the shop',
  made_at        DateTime64(3, 'UTC')   COMMENT 'When the forecast was made',
  model          LowCardinality(String) COMMENT 'Model and version'
) AS
SELECT forecast.sku AS sku, forecast.day AS day, forecast_units, levels, quantiles,
  if(forecast.day <= (SELECT max(toDate32(time, '{{shop_timezone}}')) FROM {{database}}.sales), actual.units, NULL) AS actual_units,
  made_at, model
FROM (
  SELECT sku, addDays(first_day, ahead - 1) AS day,
    argMax(mean[ahead], (time, _offset)) AS forecast_units,
    argMax(forecasts.levels, (time, _offset)) AS levels,
    argMax(forecasts.quantiles[ahead], (time, _offset)) AS quantiles,
    argMax(forecasts.model, (time, _offset)) AS model,
    max(time) AS made_at
  FROM {{database}}.forecasts
  ARRAY JOIN arrayEnumerate(mean) AS ahead
  WHERE toDate32(time, '{{shop_timezone}}') < addDays(first_day, ahead - 1)
  GROUP BY sku, day
) AS forecast
LEFT JOIN (
  SELECT sku, toDate32(time, '{{shop_timezone}}') AS day, sum(quantity) AS units
  FROM {{database}}.sales
  GROUP BY sku, day
) AS actual ON forecast.sku = actual.sku AND forecast.day = actual.day
COMMENT 'For each SKU and day the last forecast made before the day began, beside the units that were sold.';

-- A condition on a day that forecasts are spread over reaches no index behind a view, so the days are given; a condition on a SKU reaches both
-- sides of the join. On a file's clock not every SKU is forecast every day: a forecast stands until the next one of its SKU, for a week at most,
-- and as many days ahead as the forecasts of all SKUs reach, not only those of what had just sold.
-- Arrays are taken apart before days are multiplied, and never pass through a window: ten times as fast.
-- A view that takes parameters has the types of what it selects, not those that are declared.
CREATE OR REPLACE VIEW {{database}}.forecast_days_between (
  sku            String                 COMMENT 'Stock keeping unit',
  day            Date32                 COMMENT 'Day forecast, in the time zone of the shop',
  ahead          Int32                  COMMENT 'Days from the one on which the forecast stood',
  forecast_units Float64                COMMENT 'Mean units forecast',
  levels         Array(Float64)         COMMENT 'Quantile levels',
  quantiles      Array(Float64)         COMMENT 'Units at each level',
  low            Nullable(Float64)      COMMENT 'Lower end of the interval that holds 80 % of the days; NULL where none was made',
  high           Nullable(Float64)      COMMENT 'Its upper end',
  made_at        DateTime64(3, 'UTC')   COMMENT 'When the forecast was made',
  model          LowCardinality(String) COMMENT 'Model and version',
  demand_class   LowCardinality(String) COMMENT 'How often the SKU sold by then: rare, slow, frequent or daily; empty where it was no longer sold'
) AS
SELECT sku, day, toInt32(dateDiff('day', made_on, day) - later) AS ahead, forecast_units, levels, quantiles, low, high, made_at, model, demand_class
FROM (
  SELECT sku, addDays(first_day, i - 1) AS day, made_on, stood, is_live, forecast_units, levels, quantiles_of_day AS quantiles, low_of_day AS low, high_of_day AS high, made_at, model, demand_class
  FROM (
    SELECT forecasts.sku AS sku, first_day, levels, mean, forecasts.quantiles AS all_quantiles, forecasts.low AS lows, forecasts.high AS highs, time AS made_at, model, demand_class, made_on, stood,
      dateDiff('hour', time, received_at) < 48 AS is_live
    FROM {{database}}.forecasts
    INNER JOIN (
      SELECT sku, partition, last, made_on,
        least(7, dateDiff('day', made_on, leadInFrame(made_on, 1, addDays(newest, 1)) OVER (PARTITION BY sku ORDER BY made_on ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING))) AS stood
      FROM (
        SELECT sku, toDate32(time, '{{shop_timezone}}') AS made_on, argMax((_partition, _offset), (time, _offset)) AS at, at.1 AS partition, at.2 AS last,
          assumeNotNull((SELECT toDate32(max(time), '{{shop_timezone}}') FROM {{database}}.forecasts)) AS newest
        FROM {{database}}.forecasts
        WHERE toDate32(time, '{{shop_timezone}}') >= subtractDays({since:Date32}, 36) AND toDate32(time, '{{shop_timezone}}') < {until:Date32}
        GROUP BY sku, made_on
      )
    ) AS standing ON forecasts.sku = standing.sku AND forecasts._partition = standing.partition AND forecasts._offset = standing.last
    WHERE toDate32(time, '{{shop_timezone}}') >= subtractDays({since:Date32}, 36) AND toDate32(time, '{{shop_timezone}}') < {until:Date32}
  )
  ARRAY JOIN mean AS forecast_units, arrayResize(all_quantiles, length(mean)) AS quantiles_of_day, arrayResize(arrayMap(x -> toNullable(x), lows), length(mean)) AS low_of_day,
    arrayResize(arrayMap(x -> toNullable(x), highs), length(mean)) AS high_of_day, arrayEnumerate(mean) AS i
  WHERE day > made_on AND day BETWEEN {since:Date32} AND {until:Date32}
)
ARRAY JOIN range(stood) AS later
WHERE ahead > 0 AND (is_live OR ahead <= 21)
COMMENT 'forecast_days of some days, from the forecasts of those days and the five weeks before alone: SELECT * FROM forecast_days_between(since = \'2026-11-18\', until = \'2026-11-24\'), with the columns of forecast_days.';

CREATE OR REPLACE VIEW {{database}}.forecast_days (
  sku            String                 COMMENT 'Stock keeping unit',
  day            Date32                 COMMENT 'Day forecast, in the time zone of the shop',
  ahead          Int32                  COMMENT 'Days from the one on which the forecast stood',
  forecast_units Float64                COMMENT 'Mean units forecast',
  levels         Array(Float64)         COMMENT 'Quantile levels',
  quantiles      Array(Float64)         COMMENT 'Units at each level',
  low            Nullable(Float64)      COMMENT 'Lower end of the interval that holds 80 % of the days; NULL where none was made',
  high           Nullable(Float64)      COMMENT 'Its upper end',
  made_at        DateTime64(3, 'UTC')   COMMENT 'When the forecast was made',
  model          LowCardinality(String) COMMENT 'Model and version',
  demand_class   LowCardinality(String) COMMENT 'How often the SKU sold by then: rare, slow, frequent or daily; empty where it was no longer sold'
) AS
SELECT * FROM {{database}}.forecast_days_between(since = '1900-03-01', until = '2299-12-31')
COMMENT 'Each day of each SKU as it was forecast on each day before: the last forecast made until the end of that day, if it was made in the week before. Of a replayed file 21 days ahead at most: farther, only forecasts of what had just sold reach.';

-- Coverage is of days on which the shop was open, as `millrace evaluate` has it.
CREATE OR REPLACE VIEW {{database}}.forecast_accuracy_by_class_between (
  day            Date32            COMMENT 'Day that was forecast, in the time zone of the shop',
  ahead          Int32             COMMENT 'Days from the one on which the forecasts were made',
  demand_class   LowCardinality(String) COMMENT 'How often the SKUs sold by then: rare, slow, frequent or daily; empty where they were no longer sold',
  skus           UInt64            COMMENT 'SKUs forecast',
  forecast_units Float64           COMMENT 'Units forecast',
  actual_units   Float64           COMMENT 'Units sold less those that came back, none less than zero a SKU',
  absolute_error Float64           COMMENT 'Sum of |actual - forecast|',
  pinball        Float64           COMMENT 'Sum of the pinball loss, mean over the levels: divided by actual_units it is the WQL',
  with_interval  UInt64            COMMENT 'SKUs that had an 80 % interval; 0 on a day on which the shop sold nothing at all, as when it is closed',
  covered        UInt64            COMMENT 'SKUs within it',
  coverage       Nullable(Float64) COMMENT 'covered as a share of with_interval; NULL where that is 0',
  bias           Nullable(Float64) COMMENT '(forecast_units - actual_units) / actual_units; NULL on a day without sales'
) AS
SELECT day, ahead, demand_class, count() AS skus, sum(forecast) AS forecast_units, sum(actual) AS actual_units, sum(abs(actual - forecast)) AS absolute_error,
  sum(arraySum((q, p) -> 2 * (toFloat64(actual <= q) - p) * (q - actual), quantiles, levels) / length(levels)) AS pinball,
  if(any(is_open), count(low), 0) AS with_interval, countIf(actual >= low AND actual <= high) AS covered, if(with_interval = 0, NULL, covered / with_interval) AS coverage,
  if(actual_units = 0, NULL, (forecast_units - actual_units) / actual_units) AS bias
FROM (
  SELECT made.day AS day, made.ahead AS ahead, made.demand_class AS demand_class, made.forecast_units AS forecast, made.levels AS levels, made.quantiles AS quantiles,
    made.low AS low, made.high AS high, greatest(0, sold.units) AS actual,
    made.day IN (SELECT toDate32(time, '{{shop_timezone}}') FROM {{database}}.sales WHERE quantity > 0 AND toDate32(time, '{{shop_timezone}}') BETWEEN {since:Date32} AND {until:Date32}) AS is_open
  FROM {{database}}.forecast_days_between(since = {since:Date32}, until = {until:Date32}) AS made
  LEFT JOIN (
    SELECT sku, toDate32(time, '{{shop_timezone}}') AS day, sumIf(quantity, isFinite(quantity)) AS units
    FROM {{database}}.sales
    WHERE toDate32(time, '{{shop_timezone}}') BETWEEN {since:Date32} AND {until:Date32}
    GROUP BY sku, day
  ) AS sold ON made.sku = sold.sku AND made.day = sold.day
  WHERE made.day <= (SELECT toDate32(max(time), '{{shop_timezone}}') FROM {{database}}.sales)
    AND length(made.levels) = length(made.quantiles) AND length(made.levels) > 0
)
GROUP BY day, ahead, demand_class
COMMENT 'forecast_accuracy_between by how often SKUs sell: SELECT * FROM forecast_accuracy_by_class_between(since = \'2026-11-18\', until = \'2026-11-24\').';

CREATE OR REPLACE VIEW {{database}}.forecast_accuracy_between (
  day            Date32            COMMENT 'Day that was forecast, in the time zone of the shop',
  ahead          Int32             COMMENT 'Days from the one on which the forecasts were made',
  skus           UInt64            COMMENT 'SKUs forecast',
  forecast_units Float64           COMMENT 'Units forecast',
  actual_units   Float64           COMMENT 'Units sold less those that came back, none less than zero a SKU',
  absolute_error Float64           COMMENT 'Sum of |actual - forecast|',
  pinball        Float64           COMMENT 'Sum of the pinball loss, mean over the levels: divided by actual_units it is the WQL',
  covered        UInt64            COMMENT 'SKUs within their 80 % interval',
  coverage       Nullable(Float64) COMMENT 'covered as a share of the SKUs that had an interval; NULL on a day on which the shop sold nothing at all, as when it is closed',
  bias           Nullable(Float64) COMMENT '(forecast_units - actual_units) / actual_units; NULL on a day without sales'
) AS
SELECT day, ahead, sum(by.skus) AS skus, sum(by.forecast_units) AS forecast_units, sum(by.actual_units) AS actual_units, sum(by.absolute_error) AS absolute_error, sum(by.pinball) AS pinball,
  sum(by.covered) AS covered, if(sum(by.with_interval) = 0, NULL, covered / sum(by.with_interval)) AS coverage, if(actual_units = 0, NULL, (forecast_units - actual_units) / actual_units) AS bias
FROM {{database}}.forecast_accuracy_by_class_between(since = {since:Date32}, until = {until:Date32}) AS by
GROUP BY day, ahead
COMMENT 'forecast_accuracy of some days, from their sales and the forecasts of those days and the five weeks before alone: SELECT * FROM forecast_accuracy_between(since = \'2026-11-18\', until = \'2026-11-24\'), with the columns of forecast_accuracy.';

CREATE OR REPLACE VIEW {{database}}.forecast_accuracy (
  day            Date32            COMMENT 'Day that was forecast, in the time zone of the shop',
  ahead          Int32             COMMENT 'Days from the one on which the forecasts were made',
  skus           UInt64            COMMENT 'SKUs forecast',
  forecast_units Float64           COMMENT 'Units forecast',
  actual_units   Float64           COMMENT 'Units sold less those that came back, none less than zero a SKU',
  absolute_error Float64           COMMENT 'Sum of |actual - forecast|',
  pinball        Float64           COMMENT 'Sum of the pinball loss, mean over the levels: divided by actual_units it is the WQL',
  covered        UInt64            COMMENT 'SKUs within their 80 % interval',
  coverage       Nullable(Float64) COMMENT 'covered as a share of the SKUs that had an interval; NULL on a day on which the shop sold nothing at all, as when it is closed',
  bias           Nullable(Float64) COMMENT '(forecast_units - actual_units) / actual_units; NULL on a day without sales'
) AS
SELECT * FROM {{database}}.forecast_accuracy_between(since = '1900-03-01', until = '2299-12-31')
COMMENT 'How all SKUs were forecast for a day, by how many days before. The newest day is still running.';
