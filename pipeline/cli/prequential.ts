/** What `millrace evaluate forecasts --prequential` says: JSON, a table and a sentence about how it was judged. */
import { leadsOf, type Coverage, type Prequential } from '../../models/evaluate/prequential.js';
import { round } from './report.js';

/** How it is judged, in a sentence. */
export const prequentialProtocol = (warmUp: number, horizon: number, step: string): string =>
  `Prequential: each open ${step} after the first ${warmUp}, to the end of the file, judged by the forecasts made ${leadsOf(horizon).join(', ')} ${step}s before.`;

export function prequentialJson({ warmUp, overall, classes, leads, totals }: Prequential) {
  return {
    warm_up_periods: warmUp,
    ...rounded(overall),
    by_class: classes.map(({ class: name, leads: ofClass, ...coverage }) => ({ class: name, ...rounded(coverage), by_lead: ofClass.map(({ ahead, ...one }) => ({ ahead, ...rounded(one) })) })),
    by_lead: leads.map(({ ahead, ...one }) => ({ ahead, ...rounded(one) })),
    totals: totals.map(({ of, ahead, forecasts, coverage_80 }) => ({ of, ahead, forecasts, coverage_80: round(coverage_80) })),
  };
}

/** Rows are classes and totals, columns leads; beside each share that with ties shared. */
export function prequentialTable({ overall, classes, leads, totals }: Prequential, protocol: string, width: number): string {
  const cell = ({ coverage_80, coverage_80_shared }: Coverage): string => `${shown(coverage_80)}${Number.isFinite(coverage_80_shared) ? ` (${shown(coverage_80_shared)})` : ''}`.padStart(16);
  const row = (name: string, all: Coverage | undefined, byLead: readonly Coverage[]): string => name.padEnd(width) + (all ? cell(all) : ''.padStart(16)) + byLead.map(cell).join('');
  return [
    protocol,
    '80 % interval holds (ties shared)'.padEnd(width) + 'all'.padStart(16) + leads.map(({ ahead }) => `${ahead} ahead`.padStart(16)).join(''),
    row('millrace', overall, leads),
    ...classes.filter(({ forecasts }) => forecasts > 0).map((one) => row(`  ${one.class}`, one, one.leads)),
    ...[...new Set(totals.map(({ of }) => of))].map((of) => row(`total: ${of}`, undefined, totals.filter((one) => one.of === of))),
  ].join('\n');
}

const rounded = ({ forecasts, coverage_80, coverage_80_shared }: Coverage): Coverage => ({ forecasts, coverage_80: round(coverage_80), coverage_80_shared: round(coverage_80_shared) });
const shown = (value: number): string => (Number.isFinite(value) ? value.toFixed(4) : '–');
