import * as demand from '../forecast/demand-forecaster.js';
import type { SalesTable } from './forecasts.js';
import { lived } from './living.js';

/** The forecaster lives through the sales, once; beside it what each phase of the season has sold until now. */
export class Life {
  readonly #model: demand.DemandForecaster;
  readonly #periods: ReturnType<typeof lived>;
  readonly #phases: { units: number; periods: number }[];
  readonly #cpuSeconds: () => number;
  #next = 0;
  /** Periods of SKUs that were learned. */
  updates = 0;
  /** Processor time of that. */
  seconds = 0;

  constructor(table: SalesTable, model: demand.DemandForecaster, season: number, cpuSeconds: () => number) {
    this.#model = model;
    this.#periods = lived(table);
    this.#phases = Array.from({ length: season }, () => ({ units: 0, periods: 0 }));
    this.#cpuSeconds = cpuSeconds;
  }

  /** Up to a period, that one among them. */
  until(cutoff: number): void {
    const began = this.#cpuSeconds();
    for (; this.#next <= cutoff; this.#next++) {
      const now = this.#periods.next().value;
      if (now === undefined) break;
      const phase = this.#phases[this.#next % this.#phases.length];
      phase.units += now.sold;
      phase.periods++;
      demand.learn(this.#model, now.demand);
      this.updates += now.known.length;
    }
    this.seconds += this.#cpuSeconds() - began;
  }

  /** What each phase of the season sells until now, over what all of them do on average. */
  seasonFactors(): number[] {
    const means = this.#phases.map(({ units, periods }) => units / Math.max(1, periods));
    const overall = means.reduce((sum, mean) => sum + mean, 0) / means.length;
    return means.map((mean) => (overall > 0 ? mean / overall : 1));
  }
}
