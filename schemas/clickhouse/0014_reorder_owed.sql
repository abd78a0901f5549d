-- A suggestion says what of it is owed, where nothing else is ordered.

ALTER TABLE {{database}}.reorder_suggestions
  COMMENT COLUMN `reasons.code` 'covers, covered-less, below-reorder-point, learned, rounded-to-pack, raised-to-minimum, enough, owed or no-demand';
