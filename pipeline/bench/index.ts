import type { Bench } from './bench.js';
import { clickToChange, clickToChangeKafka } from './click-to-change.js';
import { clickhouse } from './clickhouse.js';
import { collectorEmbedded, collectorKafka } from './collector.js';
import { forecast } from './forecast.js';
import { recommend, recommendHttp } from './recommend.js';
import { recommendLearning } from './recommend-learning.js';
import { stateSize } from './state-size.js';
import { taskCore } from './task-core.js';
import { transformKafka } from './transform.js';
import { update } from './update.js';

/** Every measure, the cheap ones first. */
export const benches: readonly Bench[] = [
  taskCore, update, forecast, recommend, recommendHttp, recommendLearning, collectorEmbedded, clickToChange, stateSize, collectorKafka, transformKafka, clickToChangeKafka, clickhouse,
];
