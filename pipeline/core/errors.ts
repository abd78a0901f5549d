/** A record that cannot be understood: it becomes a dead letter and the task goes on. */
export class BadEvent extends Error {
  override readonly name = 'BadEvent';
  constructor(readonly code: string, message: string) {
    super(message);
  }
}

/** The world does not answer: back off and do the same again. What was under way has an unknown outcome. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
  /** The message as a stranger may read it, without the names of this machine. */
  readonly told: string | undefined;
  constructor(message: string, { told, ...options }: ErrorOptions & { readonly told?: string } = {}) {
    super(message, options);
    this.told = told;
  }
}

/** An operator must act: all problems at once, exit code 78. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  constructor(readonly problems: readonly string[], options?: ErrorOptions) {
    super(problems.join('\n'), options);
  }
}
