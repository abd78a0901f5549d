-- The same view, in a tenth of the time: arrays are taken apart before days are multiplied, and never pass through a window.

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
  SELECT sku, addDays(first_day, i - 1) AS day, made_on, stood, forecast_units, levels, quantiles_of_day AS quantiles, low_of_day AS low, high_of_day AS high, made_at, model
  FROM (
    SELECT sku, first_day, levels, mean, forecasts.quantiles AS all_quantiles, forecasts.low AS lows, forecasts.high AS highs, time AS made_at, model, made_on, stood
    FROM {{database}}.forecasts
    INNER JOIN (
      SELECT partition, last, made_on,
        least(7, dateDiff('day', made_on, leadInFrame(made_on, 1, addDays(newest, 1)) OVER (PARTITION BY sku ORDER BY made_on ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING))) AS stood
      FROM (
        SELECT sku, toDate32(time, '{{shop_timezone}}') AS made_on, argMax((_partition, _offset), (time, _offset)) AS at, at.1 AS partition, at.2 AS last,
          assumeNotNull((SELECT max(toDate32(time, '{{shop_timezone}}')) FROM {{database}}.forecasts)) AS newest
        FROM {{database}}.forecasts
        GROUP BY sku, made_on
      )
    ) AS standing ON forecasts._partition = standing.partition AND forecasts._offset = standing.last
  )
  ARRAY JOIN mean AS forecast_units, arrayResize(all_quantiles, length(mean)) AS quantiles_of_day, arrayResize(arrayMap(x -> toNullable(x), lows), length(mean)) AS low_of_day,
    arrayResize(arrayMap(x -> toNullable(x), highs), length(mean)) AS high_of_day, arrayEnumerate(mean) AS i
  WHERE day > made_on
)
ARRAY JOIN range(stood) AS later
WHERE ahead > 0
COMMENT 'Each day of each SKU as it was forecast on each day before: the last forecast made until the end of that day, if it was made in the week before.';
