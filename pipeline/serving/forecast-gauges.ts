import { mixtureRows } from '../../consumers/demand/rows.js';
import { stockScoreRows } from '../../consumers/demand/stock-cycle.js';
import { CLASS_NAMES } from '../../models/forecast/sku-forecast.js';
import { demandForecasts } from '../../schemas/topics.js';
import type { DemandScore, StockScore } from '../../schemas/types.js';
import type { Metrics } from '../core/metrics.js';
import { accuracyFrom } from './forecast-explanation.js';
import type { Views } from './views.js';

/** How forecasts fared lately, from the rows of every partition: set when somebody asks for the metrics. */
export function observeForecasts(views: Views, metrics: Metrics): void {
  const scores = Array.from({ length: views.partitions }, (_, partition) => views.rowOfPartition(demandForecasts, partition, mixtureRows)?.scores ?? []);
  CLASS_NAMES.forEach((demandClass, at) => {
    const sum = (field: keyof DemandScore): number => scores.reduce((total, ofPartition) => total + (ofPartition[at]?.[field] ?? 0), 0);
    const { coverage80, pinball, bias } = accuracyFrom({
      samples: sum('samples'), covered: sum('covered'), pinball: sum('pinball'), forecast: sum('forecast'), actual: sum('actual'),
    });
    // What nobody has judged yet is not 0.
    if (coverage80 !== null) metrics.gauge('millrace_forecast_coverage_ratio', coverage80, { class: demandClass });
    if (pinball !== null) metrics.gauge('millrace_forecast_pinball_ratio', pinball, { class: demandClass });
    if (bias !== null) metrics.gauge('millrace_forecast_bias_ratio', bias, { class: demandClass });
  });
  const stock = Array.from({ length: views.partitions }, (_, partition) => views.rowOfPartition(demandForecasts, partition, stockScoreRows));
  const ofLevels = (level: keyof StockScore): number => stock.reduce((total, score) => total + (score?.[level] ?? 0), 0);
  for (const of of ['covered', 'promised'] as const) if (ofLevels('cycles') > 0) metrics.gauge('millrace_reorder_covered_ratio', ofLevels(of) / ofLevels('cycles'), { of });
  const textbook = ofLevels('textbook');
  if (!(textbook > 0)) return;
  for (const level of ['served', 'learned'] as const) metrics.gauge('millrace_reorder_cost_ratio', ofLevels(level) / textbook, { level });
}
