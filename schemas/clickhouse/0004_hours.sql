-- Demand by hour of the shop: what was sold, and what was forecast where FORECAST_HOURS is set.

CREATE OR REPLACE VIEW {{database}}.sales_by_shop_hour (
  sku         String                 COMMENT 'Stock keeping unit',
  source      LowCardinality(String) COMMENT 'File source; empty for live events',
  hour        DateTime64(3, 'UTC')   COMMENT 'First instant of the hour: one that comes twice when the clocks are set back is two',
  day         Date32                 COMMENT 'Its day in the time zone of the shop',
  hour_of_day UInt8                  COMMENT 'What the clocks of the shop show: 0 to 23',
  units       Float64                COMMENT 'Units sold less those that came back'
) AS
SELECT sku, source,
  -- Where the clocks change by half an hour, the hour of the change begins with the change.
  full + toIntervalSecond(abs(timezoneOffset(toTimeZone(time, '{{shop_timezone}}')) - timezoneOffset(toTimeZone(full, '{{shop_timezone}}')))) AS hour,
  any(toDate32(time, '{{shop_timezone}}')) AS day, any(toHour(time, '{{shop_timezone}}')) AS hour_of_day, sumIf(quantity, isFinite(quantity)) AS units
FROM (
  SELECT sku, source, quantity, time,
    time - toIntervalMillisecond(60000 * toMinute(time, '{{shop_timezone}}') + 1000 * toSecond(time) + toMillisecond(time)) AS full
  FROM {{database}}.sales
)
GROUP BY sku, source, hour
COMMENT 'Units sold by hour of the shop. A refund corrects the hour of its order.';

CREATE OR REPLACE VIEW {{database}}.forecast_hours (
  sku            String                 COMMENT 'Stock keeping unit',
  hour           DateTime64(3, 'UTC')   COMMENT 'First instant of the hour',
  day            Date32                 COMMENT 'Its day in the time zone of the shop',
  hour_of_day    UInt8                  COMMENT 'What the clocks of the shop show: 0 to 23',
  forecast_units Float64                COMMENT 'Mean units forecast',
  levels         Array(Float64)         COMMENT 'Quantile levels',
  quantiles      Array(Float64)         COMMENT 'Units at each level',
  actual_units   Nullable(Float64)      COMMENT 'Units sold less those that came back; NULL for hours that begin after the last sale of the shop',
  made_at        DateTime64(3, 'UTC')   COMMENT 'When the forecast was made',
  model          LowCardinality(String) COMMENT 'Model and version'
) AS
SELECT made.sku AS sku, made.hour AS hour, toDate32(made.hour, '{{shop_timezone}}') AS day, toHour(made.hour, '{{shop_timezone}}') AS hour_of_day,
  forecast_units, levels, quantiles, if(made.hour <= (SELECT max(time) FROM {{database}}.sales), sold.units, NULL) AS actual_units, made_at, model
FROM (
  SELECT sku, hour, argMax(units, (time, _offset)) AS forecast_units, argMax(forecasts.levels, (time, _offset)) AS levels,
    argMax(of_hour, (time, _offset)) AS quantiles, argMax(forecasts.model, (time, _offset)) AS model, max(time) AS made_at
  FROM {{database}}.forecasts
  ARRAY JOIN `hours.start` AS hour, `hours.mean` AS units, `hours.quantiles` AS of_hour
  WHERE time <= hour
  GROUP BY sku, hour
) AS made
LEFT JOIN (
  SELECT sku, hour, sum(units) AS units
  FROM {{database}}.sales_by_shop_hour
  GROUP BY sku, hour
) AS sold ON made.sku = sold.sku AND made.hour = sold.hour
COMMENT 'Each hour of each SKU as it was last forecast before it began, beside the units that were sold. Empty unless FORECAST_HOURS is set.';
