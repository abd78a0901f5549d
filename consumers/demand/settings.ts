import type { Plan } from '../../models/forecast/planned-days.js';
import type { ShopDays } from '../../pipeline/core/shop-day.js';
import type { Publication } from './publication.js';
import type { ReorderDefaults } from './reorder.js';

export interface DemandForecastOptions {
  readonly days: ShopDays;
  readonly publication: Publication;
  /** Days known in advance, by local day. */
  readonly plan?: Plan;
  readonly reorder?: ReorderDefaults;
  /** Hours to forecast beside the days; 0: none, and nothing is learned of hours. */
  readonly hours?: number;
  /** SKUs outside the catalogue that a partition forecasts by what only pages say, in a shop that sends no catalogue. */
  readonly mostUnlisted?: number;
}

/** The options with a default for each that is not given. */
export type DemandSettings = Required<DemandForecastOptions>;

const REORDER: ReorderDefaults = {
  policy: 'periodic', leadTimeDays: 7, leadTimeDeviationDays: 0, reviewDays: 7, coverDays: 14, packSize: 1, minimumUnits: 0, serviceLevel: 0.95,
};
const MOST_UNLISTED = 10_000;

export function settingsOf({ days, publication, plan = new Map(), reorder = REORDER, hours = 0, mostUnlisted = MOST_UNLISTED }: DemandForecastOptions): DemandSettings {
  return { days, publication, plan, reorder, hours, mostUnlisted };
}
