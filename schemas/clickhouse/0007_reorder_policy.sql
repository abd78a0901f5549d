-- By which rule a SKU is ordered.

ALTER TABLE {{database}}.reorder_suggestions
  ADD COLUMN IF NOT EXISTS policy LowCardinality(String) DEFAULT 'periodic' COMMENT 'periodic: (R, S), reorder-point: (s, S), or newsvendor' AFTER model,
  COMMENT COLUMN `reasons.code` 'covers, below-reorder-point, learned, rounded-to-pack, raised-to-minimum, enough or no-demand';
