-- Views of forecasts for analysts. They hold nothing: a later migration may replace them.

-- Each forecast tells which of the 28 days before its first one were short, and which to come while it stands. What the next one tells no more is short
-- no more: the last of a SKU that reaches back to a day is right about it, whatever earlier ones said.
CREATE OR REPLACE VIEW {{database}}.short_days_between (
  sku     String  COMMENT 'Stock keeping unit',
  day     Date32  COMMENT 'Day in the time zone of the shop',
  on_sale Float64 COMMENT 'Part of it on sale, 0 to 1'
) AS
SELECT sku, day, on_sale
FROM (
  SELECT sku, days, parts, leadInFrame(first_day, 1, toDate32('2299-12-31')) OVER (PARTITION BY sku ORDER BY first_day ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS next_first_day
  FROM (
    SELECT sku, first_day, argMax(`short.day`, (time, _offset)) AS days, argMax(`short.on_sale`, (time, _offset)) AS parts
    FROM {{database}}.forecasts
    WHERE toDate32(time, '{{shop_timezone}}') >= subtractDays({since:Date32}, 7) AND toDate32(time, '{{shop_timezone}}') <= addDays({until:Date32}, 28)
    GROUP BY sku, first_day
  )
)
ARRAY JOIN days AS day, parts AS on_sale
WHERE day BETWEEN {since:Date32} AND {until:Date32} AND next_first_day > addDays(day, 28)
COMMENT 'short_days of some days, from the forecasts of those days, the week before and the four weeks after alone: SELECT * FROM short_days_between(since = \'2026-11-18\', until = \'2026-11-24\'), with the columns of short_days.';

CREATE OR REPLACE VIEW {{database}}.short_days (
  sku     String  COMMENT 'Stock keeping unit',
  day     Date32  COMMENT 'Day in the time zone of the shop',
  on_sale Float64 COMMENT 'Part of it on sale, 0 to 1'
) AS
SELECT * FROM {{database}}.short_days_between(since = '1900-03-01', until = '2299-12-31')
COMMENT 'Days of which less than 95 % of a SKU was on sale, as its stock is known by now: they judge no forecast. Of a shelf that is empty now the next days, too.';

CREATE OR REPLACE VIEW {{database}}.forecasts_beside_actuals (
  sku            String                 COMMENT 'Stock keeping unit',
  day            Date32                 COMMENT 'Day in the time zone of the shop',
  forecast_units Float64                COMMENT 'Mean units forecast',
  levels         Array(Float64)         COMMENT 'Quantile levels',
  quantiles      Array(Float64)         COMMENT 'Units at each level',
  actual_units   Nullable(Float64)      COMMENT 'Units sold less those that came back; NULL for days after the last sale of the shop',
  on_sale        Float64                COMMENT 'Part of the day on sale, as in short_days; 1 for 95 % and more, and where no stock is known',
  made_at        DateTime64(3, 'UTC')   COMMENT 'When the forecast was made',
  model          LowCardinality(String) COMMENT 'Model and version'
) AS
SELECT forecast.sku AS sku, forecast.day AS day, forecast_units, levels, quantiles,
  if(forecast.day <= (SELECT max(toDate32(time, '{{shop_timezone}}')) FROM {{database}}.sales), actual.units, NULL) AS actual_units,
  if(short.sku = '', 1, short.on_sale) AS on_sale, made_at, model
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
LEFT JOIN {{database}}.short_days AS short ON forecast.sku = short.sku AND forecast.day = short.day
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
  demand_class   LowCardinality(String) COMMENT 'How often the SKU sold by then: rare, slow, frequent or daily; empty where it was no longer sold',
  categories     Array(LowCardinality(String)) COMMENT 'First category of the SKU by then, and what lies above it, the nearest last; empty where it had none'
) AS
SELECT sku, day, toInt32(dateDiff('day', made_on, day) - later) AS ahead, forecast_units, levels, quantiles, low, high, made_at, model, demand_class, categories
FROM (
  SELECT sku, addDays(first_day, i - 1) AS day, made_on, stood, is_live, forecast_units, levels, quantiles_of_day AS quantiles, low_of_day AS low, high_of_day AS high, made_at, model, demand_class, categories
  FROM (
    SELECT forecasts.sku AS sku, first_day, levels, mean, forecasts.quantiles AS all_quantiles, forecasts.low AS lows, forecasts.high AS highs, time AS made_at, model, demand_class, categories, made_on, stood,
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
  demand_class   LowCardinality(String) COMMENT 'How often the SKU sold by then: rare, slow, frequent or daily; empty where it was no longer sold',
  categories     Array(LowCardinality(String)) COMMENT 'First category of the SKU by then, and what lies above it, the nearest last; empty where it had none'
) AS
SELECT * FROM {{database}}.forecast_days_between(since = '1900-03-01', until = '2299-12-31')
COMMENT 'Each day of each SKU as it was forecast on each day before: the last forecast made until the end of that day, if it was made in the week before. Of a replayed file 21 days ahead at most: farther, only forecasts of what had just sold reach.';
