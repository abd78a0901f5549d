-- Answers from before it was told get 0, which no propensity is.
ALTER TABLE {{database}}.recommendations
  ADD COLUMN IF NOT EXISTS `items.propensity` Array(Float64) COMMENT 'Probability with which each was put there: below 1 where it is tried; 0 not told' AFTER `items.reason`;
