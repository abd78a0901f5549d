-- Raw tables: one row a record of a clean log, inserted once each (docs/clickhouse.md).
--
-- They are partitioned by the month of receipt, never by event time, which shoppers' clocks and file sources choose. Not
-- by day: every partition that a block touches makes a part and takes an entry of the deduplication window, and a replay
-- of a file brings years of receipt times in one block of 10,000 rows.
-- The deduplication windows hold far more blocks than a sink writes in the hour in which it may repeat one by its token;
-- the replicated ones speak when an operator changes the engine. A sink's stored offset is durable, so parts are synced too.
--
-- Columns are added by new migrations; a migration that was released is never edited.

CREATE TABLE IF NOT EXISTS {{database}}.interactions (
  shopper             String                           COMMENT 'Canonical shopper id',
  anonymous_id        Nullable(String)                 COMMENT 'Browser or device, where the event named one',
  message_id          String                           COMMENT 'Message it came from',
  type                LowCardinality(String)           COMMENT 'Segment call: track, page, screen, identify, group or alias',
  event               LowCardinality(String)           COMMENT 'Event name, such as Product Viewed',
  session_id          String                           COMMENT 'Session of the shopper',
  session_start       Bool                             COMMENT 'First event of its session',
  `products.sku`      Array(String)                    COMMENT 'Products the event names',
  `products.price`    Array(Nullable(Decimal(18, 4)))  COMMENT 'Unit price of each',
  `products.quantity` Array(Nullable(Float64))         COMMENT 'Units of each',
  `products.position` Array(Nullable(Int32))           COMMENT 'Position of each in the list shown',
  cart_id             Nullable(String)                 COMMENT 'Cart',
  checkout_id         Nullable(String)                 COMMENT 'Checkout',
  order_id            Nullable(String)                 COMMENT 'Order',
  recommendation_id   Nullable(String)                 COMMENT 'Answer of /v1/recommend or /v1/similar that led here',
  placement           Nullable(String)                 COMMENT 'Where on the page',
  query               Nullable(String)                 COMMENT 'Search words',
  list                Nullable(String)                 COMMENT 'List or category viewed',
  currency            LowCardinality(Nullable(String)) COMMENT 'ISO 4217',
  value               Nullable(Decimal(18, 4))         COMMENT 'Value of the event',
  marketing_consent   Nullable(Bool)                   COMMENT 'Consent of the shopper as known after this event',
  source              LowCardinality(String)           COMMENT 'Name of the file source it was replayed from; empty for live events',
  ordinal             Nullable(Int64)                  COMMENT 'Number of the record in its file source, from 0',
  time                DateTime64(3, 'UTC')             COMMENT 'When it happened; clamped to the years 1900 to 2299',
  time_ms             Int64                            COMMENT 'The same in ms since 1970, as it came and not clamped',
  received_at         DateTime64(3, 'UTC')             COMMENT 'When Millrace took it',
  _topic              LowCardinality(String)           COMMENT 'Topic',
  _partition          UInt32                           COMMENT 'Partition of the topic',
  _offset             UInt64                           COMMENT 'Offset in the partition: with _topic and _partition it names one record',
  INDEX offsets _offset TYPE minmax GRANULARITY 1
) ENGINE = MergeTree PARTITION BY toYYYYMM(received_at) ORDER BY (time, _partition, _offset)
SETTINGS non_replicated_deduplication_window = 100000, replicated_deduplication_window = 100000,
  replicated_deduplication_window_seconds = 604800, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'What shoppers did, deduplicated: one row an event. Topic interactions.';

CREATE TABLE IF NOT EXISTS {{database}}.purchases (
  shopper           String                 COMMENT 'Shopper of the order',
  order_id          String                 COMMENT 'Order',
  kind              LowCardinality(String) COMMENT 'completed, line (one more line of an order that arrives line by line), refunded or cancelled',
  revenue           Decimal(18, 4)         COMMENT 'Signed: negative when money goes back',
  currency          LowCardinality(String) COMMENT 'ISO 4217',
  `lines.sku`       Array(String)          COMMENT 'SKU of each line',
  `lines.quantity`  Array(Float64)         COMMENT 'Units of each line, signed',
  `lines.price`     Array(Decimal(18, 4))  COMMENT 'Unit price of each line',
  cart_id           Nullable(String)       COMMENT 'Cart it came from',
  recommendation_id Nullable(String)       COMMENT 'Answer of /v1/recommend or /v1/similar that led here',
  source            LowCardinality(String) COMMENT 'Name of the file source it was replayed from; empty for live events',
  ordinal           Nullable(Int64)        COMMENT 'Number of the record in its file source, from 0',
  time              DateTime64(3, 'UTC')   COMMENT 'Time of the order, or of the refund; clamped to the years 1900 to 2299',
  time_ms           Int64                  COMMENT 'The same in ms since 1970, as it came and not clamped',
  received_at       DateTime64(3, 'UTC')   COMMENT 'When Millrace took it',
  _topic            LowCardinality(String) COMMENT 'Topic',
  _partition        UInt32                 COMMENT 'Partition of the topic',
  _offset           UInt64                 COMMENT 'Offset in the partition: with _topic and _partition it names one record',
  INDEX offsets _offset TYPE minmax GRANULARITY 1
) ENGINE = MergeTree PARTITION BY toYYYYMM(received_at) ORDER BY (time, _partition, _offset)
SETTINGS non_replicated_deduplication_window = 100000, replicated_deduplication_window = 100000,
  replicated_deduplication_window_seconds = 604800, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Orders and their undoing by shopper, once each. Topic purchases.';

CREATE TABLE IF NOT EXISTS {{database}}.sales (
  sku         String                           COMMENT 'Stock keeping unit',
  order_id    String                           COMMENT 'Order',
  line        Int32                            COMMENT 'Line within the order',
  kind        LowCardinality(String)           COMMENT 'sale, refund, cancellation, or adjustment (a change to an order, or a stock correction in the source)',
  quantity    Float64                          COMMENT 'Units, negative when they come back',
  claimed     Float64                          COMMENT 'How many of the units only a page has reported, with the public key, signed like quantity. A row of 0 units takes them back once the shop reports the order, too: sum(claimed) is what it has not confirmed',
  price       Decimal(18, 4)                   COMMENT 'Unit price',
  amount      Decimal(18, 4)                   COMMENT 'What the units came to, signed: quantity x price less their part of the discount of the order. sum(amount) is net revenue',
  currency    LowCardinality(String)           COMMENT 'ISO 4217',
  shopper     Nullable(String)                 COMMENT 'Shopper, where known',
  country     LowCardinality(Nullable(String)) COMMENT 'Country',
  reported_at DateTime64(3, 'UTC')             COMMENT 'When the sale or refund was reported',
  source      LowCardinality(String)           COMMENT 'Name of the file source that the first report of the order was replayed from; empty for a live one',
  ordinal     Nullable(Int64)                  COMMENT 'Number of that record in its file source, from 0',
  time        DateTime64(3, 'UTC')             COMMENT 'Time of the original order, so that a refund corrects the day it belongs to; clamped to the years 1900 to 2299',
  time_ms     Int64                            COMMENT 'The same in ms since 1970, as it came and not clamped',
  received_at DateTime64(3, 'UTC')             COMMENT 'When Millrace took it',
  _topic      LowCardinality(String)           COMMENT 'Topic',
  _partition  UInt32                           COMMENT 'Partition of the topic',
  _offset     UInt64                           COMMENT 'Offset in the partition: with _topic and _partition it names one record',
  INDEX offsets _offset TYPE minmax GRANULARITY 1
) ENGINE = MergeTree PARTITION BY toYYYYMM(received_at) ORDER BY (time, _partition, _offset)
SETTINGS non_replicated_deduplication_window = 100000, replicated_deduplication_window = 100000,
  replicated_deduplication_window_seconds = 604800, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Units of one SKU sold or taken back: the rows that revenue is summed from. Topic sales.';

-- Forecasts lie in order of time, so that one day lies together; beside it each part holds the same rows in order of SKU, so that one SKU is
-- read alone, for which the disk pays as much again. Columns that are added later are not in that copy.
CREATE TABLE IF NOT EXISTS {{database}}.forecasts (
  sku               String                      COMMENT 'Stock keeping unit',
  first_day         Date32                      COMMENT 'First day forecast, in the time zone of the shop',
  levels            Array(Float64)              COMMENT 'Quantile levels',
  mean              Array(Float64)              COMMENT 'Mean units of each day from first_day',
  quantiles         Array(Array(Float64))       COMMENT 'For each day, units at each level',
  low               Array(Float64)              COMMENT 'Lower end of the interval that holds 80 % of the days, for each day',
  high              Array(Float64)              COMMENT 'Its upper end',
  `hours.start`     Array(DateTime64(3, 'UTC')) COMMENT 'First instants of the next hours of the shop; empty unless FORECAST_HOURS is set',
  `hours.mean`      Array(Float64)              COMMENT 'Mean units of each',
  `hours.quantiles` Array(Array(Float64))       COMMENT 'For each, units at each level',
  model             LowCardinality(String)      COMMENT 'Model and version',
  demand_class      LowCardinality(String)      COMMENT 'How often the SKU sold when it was made: rare, slow, frequent or daily; empty where it was no longer sold',
  categories        Array(LowCardinality(String)) COMMENT 'First category of the SKU when it was made, and what lies above it, the nearest last; empty where it has none',
  `short.day`       Array(Date32)               COMMENT 'Days of which less than 95 % was on sale, as known when it was made: of the four weeks before first_day, and as the shelf stood until five days after it; ask short_days',
  `short.on_sale`   Array(Float64)              COMMENT 'Part of each on sale, 0 to 1',
  source            LowCardinality(String)      COMMENT 'Always empty: it is made by Millrace, not read from a file',
  time              DateTime64(3, 'UTC')        COMMENT 'When it was made; clamped to the years 1900 to 2299',
  time_ms           Int64                       COMMENT 'The same in ms since 1970, as it came and not clamped',
  received_at       DateTime64(3, 'UTC')        COMMENT 'When the record was written to the log',
  _topic            LowCardinality(String)      COMMENT 'Topic',
  _partition        UInt32                      COMMENT 'Partition of the topic',
  _offset           UInt64                      COMMENT 'Offset in the partition: with _topic and _partition it names one record',
  INDEX offsets _offset TYPE minmax GRANULARITY 1,
  PROJECTION by_sku (SELECT * ORDER BY sku, time)
) ENGINE = MergeTree PARTITION BY toYYYYMM(received_at) ORDER BY (time, _partition, _offset)
SETTINGS non_replicated_deduplication_window = 100000, replicated_deduplication_window = 100000,
  replicated_deduplication_window_seconds = 604800, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Demand forecasts of one SKU as they were made. Topic forecasts.';

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
  demand                   Float64                       COMMENT 'Mean units forecast over the days that it covers: lead time and review, lead time and cover_days, or the days of a newsvendor',
  `reasons.code`           Array(LowCardinality(String)) COMMENT 'covers, covered-less, below-reorder-point, learned, rounded-to-pack, raised-to-minimum, enough, too-late, owed or no-demand',
  `reasons.text`           Array(String)                 COMMENT 'The same in sentences',
  model                    LowCardinality(String)        COMMENT 'Model and version of the forecast',
  policy                   LowCardinality(String)        COMMENT 'periodic: (R, S), reorder-point: (s, S), or newsvendor',
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

CREATE TABLE IF NOT EXISTS {{database}}.marketing_triggers (
  id                  String                           COMMENT 'Trigger: the same cause never has two ids',
  status              LowCardinality(String)           COMMENT 'fired: send it; suppressed: it would have fired, see reason; recovered: what it reminded of has happened',
  rule                LowCardinality(String)           COMMENT 'cart_abandonment, checkout_abandonment, browse_abandonment, price_drop, back_in_stock, replenishment_due, win_back, new_customer_welcome, vip or high_intent',
  version             Int32                            COMMENT 'Version of the rule',
  shopper             String                           COMMENT 'Canonical shopper id',
  cause_id            String                           COMMENT 'Cart, visit, price, restock, purchase, order or session that caused it',
  caused_at           DateTime64(3, 'UTC')             COMMENT 'When the cause happened',
  reason              String                           COMMENT 'A sentence; for suppressed one of history, opted_out, recent_order, frequency_cap, holdout',
  `products.sku`      Array(String)                    COMMENT 'Products it is about',
  `products.name`     Array(Nullable(String))          COMMENT 'Title of each',
  `products.url`      Array(Nullable(String))          COMMENT 'Page of each',
  `products.quantity` Array(Nullable(Float64))         COMMENT 'Units of each in the cart',
  `products.price`    Array(Nullable(Decimal(18, 4)))  COMMENT 'Unit price of each',
  `products.stock`    Array(Nullable(Float64))         COMMENT 'Units of each in stock when it was put there or news of it came; NULL where unknown',
  value               Nullable(Decimal(18, 4))         COMMENT 'Value of the cart; of vip what was spent',
  currency            LowCardinality(Nullable(String)) COMMENT 'ISO 4217',
  source              LowCardinality(String)           COMMENT 'Always empty: it is made by Millrace, not read from a file',
  time                DateTime64(3, 'UTC')             COMMENT 'When it was decided; clamped to the years 1900 to 2299',
  time_ms             Int64                            COMMENT 'The same in ms since 1970, as it came and not clamped',
  received_at         DateTime64(3, 'UTC')             COMMENT 'When the record was written to the log',
  _topic              LowCardinality(String)           COMMENT 'Topic',
  _partition          UInt32                           COMMENT 'Partition of the topic',
  _offset             UInt64                           COMMENT 'Offset in the partition: with _topic and _partition it names one record',
  INDEX offsets _offset TYPE minmax GRANULARITY 1
) ENGINE = MergeTree PARTITION BY toYYYYMM(received_at) ORDER BY (time, _partition, _offset)
SETTINGS non_replicated_deduplication_window = 100000, replicated_deduplication_window = 100000,
  replicated_deduplication_window_seconds = 604800, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Messages to send, not to send, or no longer to send. Each id appears once per status. Topic marketing-triggers.';

CREATE TABLE IF NOT EXISTS {{database}}.recommendations (
  recommendation_id  String                        COMMENT 'Id given to the caller; interactions and purchases name it',
  shopper            String                        COMMENT 'Canonical shopper id',
  placement          Nullable(String)              COMMENT 'Where on the page',
  model              LowCardinality(String)        COMMENT 'Model and version',
  stale              Bool                          COMMENT 'The answer did not reflect the event asked for',
  shown              Bool                          COMMENT 'It counted as shown when it was given; else once Recommendations Served names it',
  `items.sku`        Array(String)                 COMMENT 'Items in order',
  `items.score`      Array(Float64)                COMMENT 'Score of each',
  `items.reason`     Array(LowCardinality(String)) COMMENT 'Reason code of each',
  `items.propensity` Array(Float64)                COMMENT 'Probability with which each was put there: below 1 where it is tried',
  source             LowCardinality(String)        COMMENT 'Always empty: it is made by Millrace, not read from a file',
  time               DateTime64(3, 'UTC')          COMMENT 'When it was answered; clamped to the years 1900 to 2299',
  time_ms            Int64                         COMMENT 'The same in ms since 1970, as it came and not clamped',
  received_at        DateTime64(3, 'UTC')          COMMENT 'When the record was written to the log',
  _topic             LowCardinality(String)        COMMENT 'Topic',
  _partition         UInt32                        COMMENT 'Partition of the topic',
  _offset            UInt64                        COMMENT 'Offset in the partition: with _topic and _partition it names one record',
  INDEX offsets _offset TYPE minmax GRANULARITY 1
) ENGINE = MergeTree PARTITION BY toYYYYMM(received_at) ORDER BY (time, _partition, _offset)
SETTINGS non_replicated_deduplication_window = 100000, replicated_deduplication_window = 100000,
  replicated_deduplication_window_seconds = 604800, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Answers of /v1/recommend: what was shown to whom. Topic recommendations.';

CREATE TABLE IF NOT EXISTS {{database}}.dead_letters (
  id           String                 COMMENT 'topic/partition/offset, or the id of a refused event',
  code         LowCardinality(String) COMMENT 'What is wrong, from a closed set; replayed: no letter, says that the one with this id was written to its topic again',
  message      String                 COMMENT 'The same in a sentence',
  consumer     LowCardinality(String) COMMENT 'Who refused it',
  topic        LowCardinality(String) COMMENT 'Topic it stood in, or was meant for',
  partition    Int32                  COMMENT 'Its partition; -1 when refused before the log',
  offset       Int64                  COMMENT 'Its offset; -1 when refused before the log',
  key_base64   Nullable(String)       COMMENT 'Key as it came, any bytes: base64Decode(key_base64)',
  value_base64 Nullable(String)       COMMENT 'Value as it came; NULL for a tombstone',
  stack        Nullable(String)       COMMENT 'Stack of a crashed handler',
  source       LowCardinality(String) COMMENT 'Always empty: it is made by Millrace, not read from a file',
  time         DateTime64(3, 'UTC')   COMMENT 'When it was refused; clamped to the years 1900 to 2299',
  time_ms      Int64                  COMMENT 'The same in ms since 1970, as it came and not clamped',
  received_at  DateTime64(3, 'UTC')   COMMENT 'When the record was written to the log',
  _topic       LowCardinality(String) COMMENT 'Topic',
  _partition   UInt32                 COMMENT 'Partition of the topic',
  _offset      UInt64                 COMMENT 'Offset in the partition: with _topic and _partition it names one record',
  INDEX offsets _offset TYPE minmax GRANULARITY 1
) ENGINE = MergeTree PARTITION BY toYYYYMM(received_at) ORDER BY (time, _partition, _offset)
SETTINGS non_replicated_deduplication_window = 100000, replicated_deduplication_window = 100000,
  replicated_deduplication_window_seconds = 604800, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Records that could not be processed, kept whole. Topic dead-letters.';
