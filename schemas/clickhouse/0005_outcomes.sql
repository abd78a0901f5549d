-- What became of marketing triggers, and of records that could not be processed.

CREATE OR REPLACE VIEW {{database}}.trigger_outcomes (
  day                  Date32                 COMMENT 'Day in the time zone of the shop',
  rule                 LowCardinality(String) COMMENT 'Rule',
  fired                UInt64                 COMMENT 'Triggers fired',
  recovered            UInt64                 COMMENT 'Of those fired: what they reminded of has happened since',
  recovered_share      Nullable(Float64)      COMMENT 'recovered / fired; NULL when none fired',
  suppressed           UInt64                 COMMENT 'Triggers that would have fired',
  suppressed_by_reason Map(String, UInt64)    COMMENT 'The same by reason'
) AS
SELECT day, rule, countIf(has_fired) AS fired, countIf(has_fired AND has_recovered) AS recovered,
  if(fired = 0, NULL, recovered / fired) AS recovered_share, countIf(was_suppressed) AS suppressed,
  sumMapIf(map(why, toUInt64(1)), was_suppressed) AS suppressed_by_reason
FROM (
  SELECT id, any(rule) AS rule, toDate32(min(time), '{{shop_timezone}}') AS day,
    countIf(status = 'fired') > 0 AS has_fired, countIf(status = 'recovered') > 0 AS has_recovered,
    countIf(status = 'suppressed') > 0 AS was_suppressed, anyIf(reason, status = 'suppressed') AS why
  FROM {{database}}.marketing_triggers
  GROUP BY id
)
GROUP BY day, rule
COMMENT 'What became of marketing triggers, by rule and by the day of the shop on which each was first decided.';

CREATE OR REPLACE VIEW {{database}}.dead_letters_by_code (
  code       LowCardinality(String) COMMENT 'What is wrong',
  consumer   LowCardinality(String) COMMENT 'Who refused them',
  topic      LowCardinality(String) COMMENT 'Topic they stood in, or were meant for',
  records    UInt64                 COMMENT 'How many',
  replayed   UInt64                 COMMENT 'Of them: written to their topic again',
  first_at   DateTime64(3, 'UTC')   COMMENT 'The first',
  last_at    DateTime64(3, 'UTC')   COMMENT 'The last',
  example_id String                 COMMENT 'Id of the last one',
  example    String                 COMMENT 'Its message'
) AS
SELECT code, consumer, topic, count() AS records, countIf(id IN (SELECT id FROM {{database}}.dead_letters WHERE code = 'replayed')) AS replayed, min(time) AS first_at, max(time) AS last_at,
  argMax(id, (time, _offset)) AS example_id, argMax(message, (time, _offset)) AS example
FROM {{database}}.dead_letters
WHERE code != 'replayed'
GROUP BY code, consumer, topic
COMMENT 'Refused records by what is wrong with them, with one example each.';
