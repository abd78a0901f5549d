-- One SKU, and one day, without reading all that was ever forecast. The table stays in order of time, so that one day lies together;
-- beside it each part holds the same rows in order of SKU, for which the disk pays as much again. Columns that are added later are not in it.

ALTER TABLE {{database}}.forecasts ADD PROJECTION IF NOT EXISTS by_sku (SELECT * ORDER BY sku, time);

ALTER TABLE {{database}}.forecasts MATERIALIZE PROJECTION by_sku;

-- Joined by SKU as well, so that a condition on it reaches both sides; and on a file's clock, where a forecast stands for a week, as many days
-- ahead as the forecasts of all SKUs reach, not only those of what had just sold.
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
  model          LowCardinality(String) COMMENT 'Model and version'
) AS
SELECT sku, day, toInt32(dateDiff('day', made_on, day)) - toInt32(later) AS ahead, forecast_units, levels, quantiles, low, high, made_at, model
FROM (
  SELECT sku, addDays(first_day, i - 1) AS day, made_on, stood, is_live, forecast_units, levels, quantiles_of_day AS quantiles, low_of_day AS low, high_of_day AS high, made_at, model
  FROM (
    SELECT forecasts.sku AS sku, first_day, levels, mean, forecasts.quantiles AS all_quantiles, forecasts.low AS lows, forecasts.high AS highs, time AS made_at, model, made_on, stood,
      dateDiff('hour', time, received_at) < 48 AS is_live
    FROM {{database}}.forecasts
    INNER JOIN (
      SELECT sku, partition, last, made_on,
        least(7, dateDiff('day', made_on, leadInFrame(made_on, 1, addDays(newest, 1)) OVER (PARTITION BY sku ORDER BY made_on ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING))) AS stood
      FROM (
        SELECT sku, toDate32(time, '{{shop_timezone}}') AS made_on, argMax((_partition, _offset), (time, _offset)) AS at, at.1 AS partition, at.2 AS last,
          assumeNotNull((SELECT max(toDate32(time, '{{shop_timezone}}')) FROM {{database}}.forecasts)) AS newest
        FROM {{database}}.forecasts
        GROUP BY sku, made_on
      )
    ) AS standing ON forecasts.sku = standing.sku AND forecasts._partition = standing.partition AND forecasts._offset = standing.last
  )
  ARRAY JOIN mean AS forecast_units, arrayResize(all_quantiles, length(mean)) AS quantiles_of_day, arrayResize(arrayMap(x -> toNullable(x), lows), length(mean)) AS low_of_day,
    arrayResize(arrayMap(x -> toNullable(x), highs), length(mean)) AS high_of_day, arrayEnumerate(mean) AS i
  WHERE day > made_on
)
ARRAY JOIN range(stood) AS later
WHERE ahead > 0 AND (is_live OR ahead <= 21)
COMMENT 'Each day of each SKU as it was forecast on each day before: the last forecast made until the end of that day, if it was made in the week before. Of a replayed file 21 days ahead at most: farther, only forecasts of what had just sold reach.';

-- No condition on a day of a view reaches the time of making behind it: the day is given.
CREATE OR REPLACE VIEW {{database}}.forecast_days_of (
  sku            String                 COMMENT 'Stock keeping unit',
  day            Date32                 COMMENT 'Day forecast, in the time zone of the shop',
  ahead          Int32                  COMMENT 'Days from the one on which the forecast stood',
  forecast_units Float64                COMMENT 'Mean units forecast',
  levels         Array(Float64)         COMMENT 'Quantile levels',
  quantiles      Array(Float64)         COMMENT 'Units at each level',
  low            Nullable(Float64)      COMMENT 'Lower end of the interval that holds 80 % of the days; NULL where none was made',
  high           Nullable(Float64)      COMMENT 'Its upper end',
  made_at        DateTime64(3, 'UTC')   COMMENT 'When the forecast was made',
  model          LowCardinality(String) COMMENT 'Model and version'
) AS
SELECT sku, day, toInt32(dateDiff('day', made_on, day)) - toInt32(later) AS ahead, forecast_units, levels, quantiles, low, high, made_at, model
FROM (
  SELECT sku, addDays(first_day, i - 1) AS day, made_on, stood, is_live, forecast_units, levels, quantiles_of_day AS quantiles, low_of_day AS low, high_of_day AS high, made_at, model
  FROM (
    SELECT forecasts.sku AS sku, first_day, levels, mean, forecasts.quantiles AS all_quantiles, forecasts.low AS lows, forecasts.high AS highs, time AS made_at, model, made_on, stood,
      dateDiff('hour', time, received_at) < 48 AS is_live
    FROM {{database}}.forecasts
    INNER JOIN (
      SELECT sku, partition, last, made_on,
        least(7, dateDiff('day', made_on, leadInFrame(made_on, 1, addDays(newest, 1)) OVER (PARTITION BY sku ORDER BY made_on ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING))) AS stood
      FROM (
        SELECT sku, toDate32(time, '{{shop_timezone}}') AS made_on, argMax((_partition, _offset), (time, _offset)) AS at, at.1 AS partition, at.2 AS last,
          assumeNotNull((SELECT max(toDate32(time, '{{shop_timezone}}')) FROM {{database}}.forecasts)) AS newest
        FROM {{database}}.forecasts
        WHERE toDate32(time, '{{shop_timezone}}') >= subtractDays({day:Date32}, 36) AND toDate32(time, '{{shop_timezone}}') < {day:Date32}
        GROUP BY sku, made_on
      )
    ) AS standing ON forecasts.sku = standing.sku AND forecasts._partition = standing.partition AND forecasts._offset = standing.last
    WHERE toDate32(time, '{{shop_timezone}}') >= subtractDays({day:Date32}, 36) AND toDate32(time, '{{shop_timezone}}') < {day:Date32}
  )
  ARRAY JOIN mean AS forecast_units, arrayResize(all_quantiles, length(mean)) AS quantiles_of_day, arrayResize(arrayMap(x -> toNullable(x), lows), length(mean)) AS low_of_day,
    arrayResize(arrayMap(x -> toNullable(x), highs), length(mean)) AS high_of_day, arrayEnumerate(mean) AS i
  WHERE day > made_on AND day = {day:Date32}
)
ARRAY JOIN range(stood) AS later
WHERE ahead > 0 AND (is_live OR ahead <= 21)
COMMENT 'forecast_days of one day, from the forecasts of the five weeks before it alone: SELECT * FROM forecast_days_of(day = \'2026-11-24\'), with the columns of forecast_days.';
