import { mixtureRows } from '../../consumers/demand/rows.js';
import { stockScoreRows } from '../../consumers/demand/stock-cycle.js';
import { CLASS_NAMES } from '../../models/forecast/sku-forecast.js';
import { demandForecasts } from '../../schemas/topics.js';
import type { DemandScore, StockScore } from '../../schemas/types.js';
import type { Metrics } from '../core/metrics.js';
import { accuracyFrom } from './forecast-explanation.js';
import type { Views } from './views.js';

/** Of fewer forecasts nothing is told: a class that no SKU is in any more fades, and must not say for ever how its last days were. */
const FEW = 10;

/** How forecasts fared lately, from the rows of every partition: set when somebody asks for the metrics, or looks at the console. */
export function observeForecasts(views: Views, metrics: Metrics): void {
  const scores = Array.from({ length: views.partitions }, (_, partition) => views.rowOfPartition(demandForecasts, partition, mixtureRows)?.scores ?? []);
  CLASS_NAMES.forEach((demandClass, at) => {
    const sum = (field: keyof DemandScore): number => scores.reduce((total, ofPartition) => total + (ofPartition[at]?.[field] ?? 0), 0);
    const samples = sum('samples');
    const { coverage80, pinball, bias } = accuracyFrom({
      samples, covered: sum('covered'), pinball: sum('pinball'), forecast: sum('forecast'), actual: sum('actual'),
    });
    // What nobody has judged yet is not 0.
    const tell = (name: string, ratio: number | null): void => { if (ratio !== null) metrics.gauge(name, samples < FEW ? NaN : ratio, { class: demandClass }); };
    tell('millrace_forecast_coverage_ratio', coverage80);
    tell('millrace_forecast_pinball_ratio', pinball);
    tell('millrace_forecast_bias_ratio', bias);
  });
  const stock = Array.from({ length: views.partitions }, (_, partition) => views.rowOfPartition(demandForecasts, partition, stockScoreRows));
  const ofLevels = (level: keyof StockScore): number => stock.reduce((total, score) => total + (score?.[level] ?? 0), 0);
  for (const of of ['covered', 'promised'] as const) if (ofLevels('cycles') > 0) metrics.gauge('millrace_reorder_covered_ratio', ofLevels(of) / ofLevels('cycles'), { of });
  if (ofLevels('cycles') > 0) metrics.gauge('millrace_reorder_unseen_ratio', ofLevels('unseen') / ofLevels('cycles'));
  const textbook = ofLevels('textbook');
  if (!(textbook > 0)) return;
  for (const level of ['served', 'learned'] as const) metrics.gauge('millrace_reorder_cost_ratio', ofLevels(level) / textbook, { level });
}
