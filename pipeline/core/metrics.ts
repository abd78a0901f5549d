/** What the runtime counts. Labels come from closed sets: never a user, product, path or key as it came. */
export interface Metrics {
  count(name: string, labels?: Readonly<Record<string, string>>, by?: number): void;
  gauge(name: string, value: number, labels?: Readonly<Record<string, string>>): void;
  observe(name: string, value: number, labels?: Readonly<Record<string, string>>): void;
  /** A histogram's series that is to be expected stands there from the start, at nothing: its first value is a rise, and no new series. */
  announce(name: string, labels: Readonly<Record<string, string>>): void;
}

export const noMetrics: Metrics = { count: () => {}, gauge: () => {}, observe: () => {}, announce: () => {} };

/** Structured log: fields first, then a sentence. */
export interface Journal {
  debug(fields: object, sentence: string): void;
  info(fields: object, sentence: string): void;
  warn(fields: object, sentence: string): void;
  error(fields: object, sentence: string): void;
}

export const silentJournal: Journal = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
