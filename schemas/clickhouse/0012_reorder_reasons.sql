-- A suggestion says where its SKU's cycles were covered less often than promised.

ALTER TABLE {{database}}.reorder_suggestions
  COMMENT COLUMN `reasons.code` 'covers, covered-less, below-reorder-point, learned, rounded-to-pack, raised-to-minimum, enough or no-demand';
