-- On a file's clock not every SKU is forecast every day: a forecast stands until the next one of its SKU, for a week at most.

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
SELECT sku, addDays(first_day, i - 1) AS day, toInt32(dateDiff('day', stood_on, day)) AS ahead, mean[i] AS forecast_units, levels, quantiles[i] AS quantiles,
  if(length(low) < i, NULL, low[i]) AS low, if(length(high) < i, NULL, high[i]) AS high, made_at, model
FROM (
  SELECT sku, addDays(made_on, later) AS stood_on, first_day, mean, levels, quantiles, low, high, model, made_at
  FROM (
    SELECT *, least(7, dateDiff('day', made_on, leadInFrame(made_on, 1, addDays(newest, 1)) OVER (PARTITION BY sku ORDER BY made_on ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING))) AS stood
    FROM (
      SELECT sku, toDate32(time, '{{shop_timezone}}') AS made_on,
        argMax(first_day, (time, _offset)) AS first_day, argMax(forecasts.mean, (time, _offset)) AS mean, argMax(forecasts.levels, (time, _offset)) AS levels,
        argMax(forecasts.quantiles, (time, _offset)) AS quantiles, argMax(forecasts.low, (time, _offset)) AS low,
        argMax(forecasts.high, (time, _offset)) AS high, argMax(forecasts.model, (time, _offset)) AS model, max(time) AS made_at,
        assumeNotNull((SELECT max(toDate32(time, '{{shop_timezone}}')) FROM {{database}}.forecasts)) AS newest
      FROM {{database}}.forecasts
      GROUP BY sku, made_on
    )
  )
  ARRAY JOIN range(stood) AS later
)
ARRAY JOIN arrayEnumerate(mean) AS i
WHERE day > stood_on
COMMENT 'Each day of each SKU as it was forecast on each day before: the last forecast made until the end of that day, if it was made in the week before.';
