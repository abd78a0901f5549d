import { Command } from 'commander';
import { evaluateCandidatesCommand } from './evaluate-candidates.js';
import { evaluateColdStartCommand } from './evaluate-cold-start.js';
import { evaluateCompressionCommand } from './evaluate-compression.js';
import { evaluateForecastsCommand } from './evaluate-forecasts.js';
import { evaluateHoursCommand } from './evaluate-hours.js';
import { evaluatePropensityCommand } from './evaluate-propensity.js';
import { evaluateRecommendationsCommand } from './evaluate-recommendations.js';
import { evaluateReorderCommand } from './evaluate-reorder.js';
import { evaluateSequencesCommand } from './evaluate-sequences.js';
import { evaluateStockCommand } from './evaluate-stock.js';

/** Quality on files, with the protocol printed beside each figure. */
export function evaluateCommand(): Command {
  return new Command('evaluate')
    .description('Measure quality on files, with the protocol printed beside each figure.')
    .addCommand(evaluateRecommendationsCommand())
    .addCommand(evaluateCandidatesCommand())
    .addCommand(evaluateForecastsCommand())
    .addCommand(evaluateHoursCommand())
    .addCommand(evaluateReorderCommand())
    .addCommand(evaluateStockCommand())
    .addCommand(evaluatePropensityCommand())
    .addCommand(evaluateColdStartCommand())
    .addCommand(evaluateSequencesCommand())
    .addCommand(evaluateCompressionCommand());
}
