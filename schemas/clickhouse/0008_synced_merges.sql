-- A merge writes what was acknowledged into a new part and removes the old ones, which were synced to the disk: at once on the
-- in-process engine, after eight minutes on a server. Without this the new part is not, and a power cut takes rows that a sink
-- counts as delivered.

ALTER TABLE {{database}}.interactions MODIFY SETTING min_rows_to_fsync_after_merge = 1;
ALTER TABLE {{database}}.purchases MODIFY SETTING min_rows_to_fsync_after_merge = 1;
ALTER TABLE {{database}}.sales MODIFY SETTING min_rows_to_fsync_after_merge = 1;
ALTER TABLE {{database}}.forecasts MODIFY SETTING min_rows_to_fsync_after_merge = 1;
ALTER TABLE {{database}}.reorder_suggestions MODIFY SETTING min_rows_to_fsync_after_merge = 1;
ALTER TABLE {{database}}.marketing_triggers MODIFY SETTING min_rows_to_fsync_after_merge = 1;
ALTER TABLE {{database}}.recommendations MODIFY SETTING min_rows_to_fsync_after_merge = 1;
ALTER TABLE {{database}}.dead_letters MODIFY SETTING min_rows_to_fsync_after_merge = 1;
ALTER TABLE {{database}}.revenue_by_shop_day_state MODIFY SETTING min_rows_to_fsync_after_merge = 1;
ALTER TABLE {{database}}.funnel_by_shop_day_state MODIFY SETTING min_rows_to_fsync_after_merge = 1;
