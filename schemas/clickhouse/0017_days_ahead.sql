-- A view that takes parameters has the types of what it selects, not those that are declared: days ahead are 32 bits, as in forecast_days.

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
  model          LowCardinality(String) COMMENT 'Model and version'
) AS
SELECT sku, day, toInt32(dateDiff('day', made_on, day) - later) AS ahead, forecast_units, levels, quantiles, low, high, made_at, model
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
