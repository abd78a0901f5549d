/** What consumers and webhooks set records aside for. */
export const DEAD_LETTER_CODES = [
  'crashed', 'bad_id', 'undecodable', 'unknown_schema', 'wrong_magic_byte', 'tombstone', 'no_lines', 'amount_out_of_range', 'bad_quantity', 'bad_ordering', 'replaces_ring',
  'other_currency', 'too_many_waiting', 'too_large', 'merge_cycle', 'incomplete_move', 'webhook_undelivered', 'webhook_refused',
] as const;

export type DeadLetterCode = (typeof DEAD_LETTER_CODES)[number];

/** A record cannot be understood: it becomes a dead letter, and the task goes on. */
export class BadEvent extends Error {
  override readonly name = 'BadEvent';
  constructor(readonly code: DeadLetterCode, message: string) {
    super(message);
  }
}

/** Something outside the process does not answer. Wait and do the same again; it is not known whether what was under way has happened. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
  /** The message as a stranger may read it, without the names of this machine. */
  readonly told: string | undefined;
  constructor(message: string, { told, ...options }: ErrorOptions & { readonly told?: string } = {}) {
    super(message, options);
    this.told = told;
  }
}

/** An operator must act. It names all problems at once, and the process ends with exit code 78. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  constructor(readonly problems: readonly string[], options?: ErrorOptions) {
    super(problems.join('\n'), options);
  }
}

/** What a log no longer has of what a reader had not read, and where it goes on after that. */
export interface Lost {
  readonly topic: string;
  readonly partition: number;
  /** Where the reader stood. */
  readonly offset: number;
  /** First offset of which it has read nothing. */
  readonly next: number;
  readonly problem: string;
}

/** The log is not any more what the reader's positions are of. Nobody can read what is gone: an operator may have it skipped. */
export class LostRecords extends ConfigError {
  constructor(readonly lost: readonly Lost[]) {
    super(lost.map(({ problem }) => problem));
  }
}
