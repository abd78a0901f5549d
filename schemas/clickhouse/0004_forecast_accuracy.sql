-- Intervals of forecasts, reorder suggestions, and how forecasts fared by how far ahead they were made.

ALTER TABLE {{database}}.forecasts
  ADD COLUMN IF NOT EXISTS low Array(Float64) DEFAULT [] COMMENT 'Lower end of the interval that holds 80 % of the days, for each day' AFTER quantiles,
  ADD COLUMN IF NOT EXISTS high Array(Float64) DEFAULT [] COMMENT 'Its upper end' AFTER low;

CREATE TABLE IF NOT EXISTS {{database}}.reorder_suggestions (
  sku                      String                        COMMENT 'Stock keeping unit',
  day                      Date32                        COMMENT 'Day it is for, in the time zone of the shop',
  units                    Float64                       COMMENT 'Units to order now, in whole packs; 0 takes an earlier suggestion back',
  up_to                    Float64                       COMMENT 'Units that should be on hand and on order afterwards',
  stock                    Float64                       COMMENT 'Units in stock',
  on_order                 Float64                       COMMENT 'Units ordered and not yet here',
  service_level            Float64                       COMMENT 'Share of cycles to cover, 0 to 1',
  lead_time_days           Float64                       COMMENT 'Days from order to shelf',
  lead_time_deviation_days Float64                       COMMENT 'Their standard deviation',
  review_days              Float64                       COMMENT 'Days until the next order can be placed',
  demand                   Float64                       COMMENT 'Mean units forecast over lead time and review',
  `reasons.code`           Array(LowCardinality(String)) COMMENT 'covers, rounded-to-pack, raised-to-minimum, enough or no-demand',
  `reasons.text`           Array(String)                 COMMENT 'The same in sentences',
  model                    LowCardinality(String)        COMMENT 'Model and version of the forecast',
  source                   LowCardinality(String)        COMMENT 'Always empty: it is made by Millrace, not read from a file',
  time                     DateTime64(3, 'UTC')          COMMENT 'When it was made; clamped to the years 1900 to 2299',
  time_ms                  Int64                         COMMENT 'The same in ms since 1970, as it came and not clamped',
  received_at              DateTime64(3, 'UTC')          COMMENT 'When the record was written to the log',
  _topic                   LowCardinality(String)        COMMENT 'Topic',
  _partition               UInt32                        COMMENT 'Partition of the topic',
  _offset                  UInt64                        COMMENT 'Offset in the partition: with _topic and _partition it names one record',
  INDEX offsets _offset TYPE minmax GRANULARITY 1
) ENGINE = MergeTree PARTITION BY toYYYYMM(received_at) ORDER BY (time, _partition, _offset)
SETTINGS non_replicated_deduplication_window = 100000, replicated_deduplication_window = 100000,
  replicated_deduplication_window_seconds = 604800, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'What to order of a SKU, and why: one a SKU and day, and one whenever it changes. Topic reorder-suggestions.';

CREATE OR REPLACE VIEW {{database}}.forecast_days (
  sku            String                 COMMENT 'Stock keeping unit',
  day            Date32                 COMMENT 'Day forecast, in the time zone of the shop',
  ahead          Int32                  COMMENT 'Days from the one on which the forecast was made',
  forecast_units Float64                COMMENT 'Mean units forecast',
  levels         Array(Float64)         COMMENT 'Quantile levels',
  quantiles      Array(Float64)         COMMENT 'Units at each level',
  low            Nullable(Float64)      COMMENT 'Lower end of the interval that holds 80 % of the days; NULL where none was made',
  high           Nullable(Float64)      COMMENT 'Its upper end',
  made_at        DateTime64(3, 'UTC')   COMMENT 'When the forecast was made',
  model          LowCardinality(String) COMMENT 'Model and version'
) AS
SELECT sku, addDays(first_day, i - 1) AS day, toInt32(dateDiff('day', made_on, day)) AS ahead, mean[i] AS forecast_units, levels, quantiles[i] AS quantiles,
  if(length(low) < i, NULL, low[i]) AS low, if(length(high) < i, NULL, high[i]) AS high, made_at, model
FROM (
  SELECT sku, toDate32(time, '{{shop_timezone}}') AS made_on,
    argMax(first_day, (time, _offset)) AS first_day, argMax(forecasts.mean, (time, _offset)) AS mean, argMax(forecasts.levels, (time, _offset)) AS levels,
    argMax(forecasts.quantiles, (time, _offset)) AS quantiles, argMax(forecasts.low, (time, _offset)) AS low,
    argMax(forecasts.high, (time, _offset)) AS high, argMax(forecasts.model, (time, _offset)) AS model, max(time) AS made_at
  FROM {{database}}.forecasts
  GROUP BY sku, made_on
)
ARRAY JOIN arrayEnumerate(mean) AS i
WHERE day > made_on
COMMENT 'Each day of each SKU as it was forecast on each day before: the last forecast made on that day.';

CREATE OR REPLACE VIEW {{database}}.forecast_accuracy (
  day            Date32            COMMENT 'Day that was forecast, in the time zone of the shop',
  ahead          Int32             COMMENT 'Days from the one on which the forecasts were made',
  skus           UInt64            COMMENT 'SKUs forecast',
  forecast_units Float64           COMMENT 'Units forecast',
  actual_units   Float64           COMMENT 'Units sold less those that came back, none less than zero a SKU',
  absolute_error Float64           COMMENT 'Sum of |actual - forecast|',
  pinball        Float64           COMMENT 'Sum of the pinball loss, mean over the levels: divided by actual_units it is the WQL',
  covered        UInt64            COMMENT 'SKUs within their 80 % interval',
  coverage       Nullable(Float64) COMMENT 'covered as a share of the SKUs that had an interval',
  bias           Nullable(Float64) COMMENT '(forecast_units - actual_units) / actual_units; NULL on a day without sales'
) AS
SELECT day, ahead, count() AS skus, sum(forecast) AS forecast_units, sum(actual) AS actual_units, sum(abs(actual - forecast)) AS absolute_error,
  sum(arraySum((q, p) -> 2 * (toFloat64(actual <= q) - p) * (q - actual), quantiles, levels) / length(levels)) AS pinball,
  countIf(actual >= low AND actual <= high) AS covered, if(count(low) = 0, NULL, covered / count(low)) AS coverage,
  if(actual_units = 0, NULL, (forecast_units - actual_units) / actual_units) AS bias
FROM (
  SELECT made.day AS day, made.ahead AS ahead, made.forecast_units AS forecast, made.levels AS levels, made.quantiles AS quantiles,
    made.low AS low, made.high AS high, greatest(0, sold.units) AS actual
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
