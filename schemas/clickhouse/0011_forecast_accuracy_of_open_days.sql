-- Coverage is of days on which the shop was open, as `millrace evaluate` has it.

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
SELECT day, ahead, count() AS skus, sum(forecast) AS forecast_units, sum(actual) AS actual_units, sum(abs(actual - forecast)) AS absolute_error,
  sum(arraySum((q, p) -> 2 * (toFloat64(actual <= q) - p) * (q - actual), quantiles, levels) / length(levels)) AS pinball,
  countIf(actual >= low AND actual <= high) AS covered, if(count(low) = 0 OR NOT any(is_open), NULL, covered / count(low)) AS coverage,
  if(actual_units = 0, NULL, (forecast_units - actual_units) / actual_units) AS bias
FROM (
  SELECT made.day AS day, made.ahead AS ahead, made.forecast_units AS forecast, made.levels AS levels, made.quantiles AS quantiles,
    made.low AS low, made.high AS high, greatest(0, sold.units) AS actual,
    made.day IN (SELECT toDate32(time, '{{shop_timezone}}') FROM {{database}}.sales WHERE quantity > 0) AS is_open
  FROM {{database}}.forecast_days AS made
  LEFT JOIN (
    SELECT sku, toDate32(time, '{{shop_timezone}}') AS day, sumIf(quantity, isFinite(quantity)) AS units
    FROM {{database}}.sales
    GROUP BY sku, day
  ) AS sold ON made.sku = sold.sku AND made.day = sold.day
  WHERE made.day <= (SELECT max(toDate32(time, '{{shop_timezone}}')) FROM {{database}}.sales)
    AND length(made.levels) = length(made.quantiles) AND length(made.levels) > 0
)
GROUP BY day, ahead
COMMENT 'How all SKUs were forecast for a day, by how many days before. The newest day is still running.';
