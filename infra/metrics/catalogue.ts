export interface MetricInfo {
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
  readonly buckets?: readonly number[];
}

const FAST = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const SLOW = [0.01, 0.1, 0.5, 1, 5, 10, 30, 60, 300];

/** Every metric there is. Labels take values from closed sets: never an id, a product or a path as it came. */
export const catalogue = {
  millrace_events_accepted_total: { kind: 'counter', help: 'Events acknowledged as durable.', labels: ['source'] },
  millrace_events_rejected_total: { kind: 'counter', help: 'Events or requests refused, by code.', labels: ['code'] },
  millrace_events_clamped_total: { kind: 'counter', help: 'Events that claimed to lie in the future and were taken as of now.', labels: ['source'] },
  millrace_times_clamped_total: { kind: 'counter', help: 'Records that claimed to lie more than a minute ahead of when they were written, and were taken as of then.', labels: ['consumer'] },
  millrace_http_request_seconds: { kind: 'histogram', help: 'Time to answer a request.', labels: ['route', 'status'], buckets: FAST },
  millrace_consumer_lag_records: { kind: 'gauge', help: 'Records that stand in the log and are not processed, as far as the process knows.', labels: ['consumer', 'partition'] },
  millrace_consumer_lag_seconds: { kind: 'gauge', help: 'Age of the oldest record of the latest commit when it was committed. Of a learner and of a scorer: of what it read last, or for how long it has heard nothing.', labels: ['consumer', 'partition'] },
  millrace_task_time_lag_seconds: { kind: 'gauge', help: 'How far task time is behind the wall clock; below zero it is ahead, and stands still until the clock has caught up.', labels: ['consumer', 'partition'] },
  millrace_commit_seconds: { kind: 'histogram', help: 'Time of a commit.', labels: ['consumer'], buckets: FAST },
  millrace_commits_total: { kind: 'counter', help: 'Commits; of a learner and of a scorer, the times it has taken some records more.', labels: ['consumer'] },
  millrace_records_total: { kind: 'counter', help: 'Records processed, ticks not counted.', labels: ['consumer'] },
  millrace_topic_records_total: { kind: 'counter', help: 'Records this process wrote to a topic, ticks not counted.', labels: ['topic'] },
  millrace_restore_seconds: { kind: 'histogram', help: 'Time from assignment to processing.', labels: ['consumer'], buckets: SLOW },
  millrace_click_to_change_seconds: { kind: 'histogram', help: 'From the write of a record until its effects are committed and readable.', labels: ['consumer'], buckets: FAST },
  millrace_duplicates_total: { kind: 'counter', help: 'Messages, orders and file records that had been taken before.', labels: ['consumer'] },
  millrace_outdated_total: { kind: 'counter', help: 'Catalogue and stock changes older than what is known.', labels: ['consumer'] },
  millrace_unlisted_claims_total: { kind: 'counter', help: 'Lines reported by pages alone, of SKUs that the shop has never named: booked, not forecast.', labels: ['consumer'] },
  millrace_late_sales_total: { kind: 'counter', help: 'Sales older than the window a forecast can revise exactly.', labels: ['consumer'] },
  millrace_forecast_coverage_ratio: { kind: 'gauge', help: 'Share of days within the 80 % interval forecast for them 1 to 28 days before, lately.', labels: ['class'] },
  millrace_forecast_pinball_ratio: { kind: 'gauge', help: 'Pinball loss of these forecasts over what was sold, each SKU in its own deviations.', labels: ['class'] },
  millrace_forecast_bias_ratio: { kind: 'gauge', help: 'What they forecast too much (below zero: too little) over what was sold, each SKU in its own deviations.', labels: ['class'] },
  millrace_reorder_cost_ratio: { kind: 'gauge', help: 'Cost of base-stock levels as suggested (served) and as always corrected (learned), over that of the levels that forecasts ask for.', labels: ['level'] },
  millrace_reorder_covered_ratio: { kind: 'gauge', help: 'Share of cycles whose demand the suggested levels covered, and that their service levels promised.', labels: ['of'] },
  millrace_records_forwarded_total: { kind: 'counter', help: 'Records that a foreign partitioner had put elsewhere.', labels: ['consumer'] },
  millrace_records_passed_over_total: { kind: 'counter', help: 'Records a learner or sink could not read.', labels: ['consumer', 'code'] },
  millrace_dead_letters_total: { kind: 'counter', help: 'Records refused by a consumer, by code.', labels: ['code'] },
  millrace_handler_crashes_total: { kind: 'counter', help: 'Exceptions of handlers.', labels: ['consumer'] },
  millrace_triggers_total: { kind: 'counter', help: 'Triggers fired.', labels: ['rule'] },
  millrace_triggers_suppressed_total: { kind: 'counter', help: 'Triggers that did not fire, by reason.', labels: ['reason'] },
  millrace_recommendations_total: { kind: 'counter', help: 'Recommendation answers.', labels: ['kind'] },
  millrace_recommendations_untold_total: { kind: 'counter', help: 'Recommendations served that the log did not take.', labels: [] },
  millrace_recommender_quality: { kind: 'gauge', help: 'How the next item of a shopper ranked before it was learned, mean of the last 2,000 events or so.', labels: ['model', 'measure'] },
  millrace_recommender_judged_events: { kind: 'gauge', help: 'Events that millrace_recommender_quality has seen.', labels: ['model'] },
  millrace_recommender_position_exponent: { kind: 'gauge', help: 'How fast attention falls with the place in a list, as learned from clicks: a place k is looked at k^-exponent as often as the first.', labels: [] },
  millrace_recommender_lessons: { kind: 'gauge', help: 'Lessons the ranker has had: from what shoppers did next, and from what they chose of recommendations shown.', labels: ['from'] },
  millrace_learner_withholding: { kind: 'gauge', help: '1: the learner learns again what the log holds, and what it published before stands meanwhile.', labels: ['learner'] },
  millrace_snapshots_failed_total: { kind: 'counter', help: 'Snapshots of learners that could not be written; each is tried again.', labels: ['learner'] },
  millrace_recommender_lists: { kind: 'gauge', help: 'Recommendations remembered to learn from: those nobody chose from yet, and those somebody did.', labels: ['state'] },
  millrace_recommender_lists_reach_seconds: { kind: 'gauge', help: 'From the oldest of them to the latest: a choice that comes later than this may find its list gone. At most a day.', labels: ['state'] },
  millrace_recommender_lists_dropped: { kind: 'gauge', help: 'Recommendations that had to go before their day was over: for memory, or because one shopper got very many.', labels: ['state', 'reason'] },
  millrace_recommender_items: { kind: 'gauge', help: 'Items the recommender remembers: of the catalogue, and others that events have named (at most UNLISTED_ITEMS).', labels: ['in_catalogue'] },
  millrace_recommender_forgotten_items: { kind: 'gauge', help: 'Items it has forgotten: deleted ones, and the least popular of those outside the catalogue beyond UNLISTED_ITEMS.', labels: ['because'] },
  millrace_sink_retries_total: { kind: 'counter', help: 'Attempts of sinks that were not answered.', labels: ['table'] },
  millrace_sink_rows_total: { kind: 'counter', help: 'Rows acknowledged by ClickHouse.', labels: ['table'] },
  millrace_sink_lag_records: { kind: 'gauge', help: 'Records that stand in the log and not in the table, as far as the process knows.', labels: ['table', 'partition'] },
  millrace_sink_lag_seconds: { kind: 'gauge', help: 'Age of the oldest record that was read and is not in the table, or for how long a topic that is ticked has been silent.', labels: ['table', 'partition'] },
  millrace_sink_stopped: { kind: 'gauge', help: '1: a permanent error stopped this sink.', labels: ['table', 'partition'] },
  millrace_kafka_rebalances_total: { kind: 'counter', help: 'Generations a group member joined.', labels: ['consumer'] },
  millrace_kafka_append_seconds: { kind: 'histogram', help: 'Time of a produce request outside transactions.', labels: [], buckets: FAST },
  millrace_kafka_append_failures_total: { kind: 'counter', help: 'Produce requests outside transactions that failed.', labels: [] },
  millrace_kafka_buffered_records: { kind: 'histogram', help: 'Records fetched and not yet taken by the task.', labels: ['consumer'], buckets: [1, 10, 100, 1_000, 3_000, 10_000, 30_000] },
  millrace_kafka_commit_seconds: { kind: 'histogram', help: 'Time of a transaction.', labels: ['consumer'], buckets: FAST },
  millrace_kafka_commit_failures_total: { kind: 'counter', help: 'Transactions whose outcome is unknown.', labels: ['consumer', 'reason'] },
  millrace_sink_skipped_total: { kind: 'counter', help: 'Records that are no rows: tombstones and what no codec reads.', labels: ['table', 'code'] },
  millrace_tensorflow_backend: { kind: 'gauge', help: '1: TensorFlow trains on this backend.', labels: ['backend'] },
  millrace_fallback: { kind: 'gauge', help: '1: this process runs on a fallback.', labels: ['kind'] },
} satisfies Readonly<Record<string, MetricInfo>>;
